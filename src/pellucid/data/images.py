"""Image files, opened with care: the one place where Pillow meets bytes from outside.

Whatever a file holds, what comes out of `open_image` is an 8-bit grey ("L") or colour ("RGB") Pillow image, upright:

- the first frame of an animation;
- orientation as the camera's EXIF tag says;
- 16-bit grey scaled to 8 bits (Pillow's own conversion clips, which turns such files white);
- palettes, CMYK and the like converted to RGB;
- transparency laid over white, because that is what a person sees in a viewer or on a page.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from pellucid.data.limits import MAX_PIXELS
from pellucid.errors import DataError, FileError, PellucidError, ShapeError
from pellucid.types import Array, Pair

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

# A short list, because Pillow knows formats that start other programs (EPS) or that no user has.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")

# Pillow logs what it also raises; without a handler Python would print that on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())

Source = str | os.PathLike[str] | BinaryIO


def open_image(source: Source) -> Image.Image:
    """Return the picture in a file as an upright 8-bit "L" or "RGB" image, fully read.

    Raises
    ------
    DataError
        If the file is no image, is damaged, or has more than 64 million pixels.
    FileError
        If the file cannot be read.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("RGBA", (3, 2)).save(file, "png")
    >>> open_image(file).getpixel((0, 0))
    (255, 255, 255)
    """
    with opened(source) as image:
        image.load()
        return simplify(image, name_of(source))


@contextmanager
def opened(source: Source) -> Iterator[Image.Image]:
    """Give the image in a file, its header read, its pixels not yet; what goes wrong meanwhile becomes one sentence.

    Raises what `open_image` raises.
    """
    name = name_of(source)
    with _guarded(name), Image.open(source, formats=_FORMATS) as image:
        _check_pixels(image.size, name)
        _spread_key(image)
        yield image


def _spread_key(image: Image.Image) -> None:
    """Bring the transparent grey of a file of 2 or 4 bits to 8, as Pillow does with the pixels, but not with this."""
    raw = str(image.tile[0][3]) if getattr(image, "tile", None) else ""  # type: ignore[attr-defined]
    key = image.info.get("transparency")
    if isinstance(key, int):
        image.info["transparency"] = {"L;2": 85, "L;4": 17}.get(raw, 1) * key


def header(source: Source) -> tuple[Pair, bool]:
    """Return the upright (height, width) of an image file and whether it is grey, without decoding it.

    Raises what `open_image` raises.
    """
    with opened(source) as image:
        width, height = image.size
        # A PNG without this entry would be decoded in search of one.
        exif = image.getexif() if "exif" in image.info or image.format == "TIFF" else {}
        sideways = exif.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
        grey = image.mode in ("1", "L", "LA", "I") or image.mode.startswith("I;16")
        return ((width, height) if sideways else (height, width)), grey


def simplify(image: Image.Image, name: str) -> Image.Image:
    """Return any Pillow image as an upright 8-bit "L" or "RGB" image; `name` is for messages."""
    with _guarded(name):
        _check_pixels(image.size, name)
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            return _over_white(image)
        if image.mode in ("L", "RGB"):
            return image
        if image.mode == "1":
            return image.convert("L")
        if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
            return Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
        if image.mode in ("I", "F"):
            raise DataError(
                f"The image '{name}' must have 8 or 16 bits a channel; got Pillow's mode '{image.mode}'; "
                f"save it as an 8-bit PNG."
            )
        return image.convert("RGB")


def from_array(array: Array) -> Image.Image:
    """Return a uint8 array, (H, W) or (C, H, W), as an "L" or "RGB" image.

    Raises
    ------
    ShapeError
        If the array has another shape or dtype, or no pixel.
    """
    shape = array.shape
    if array.ndim == 2:
        array = array[None]  # (1, H, W)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[0] not in (1, 3) or array.size == 0:
        last = array.ndim == 3 and array.shape[-1] in (1, 3)
        hint = "; channels last? array.transpose(2, 0, 1)" if last else ""
        raise ShapeError(f"One image must be uint8 (H, W), (1, H, W) or (3, H, W); got {array.dtype} {shape}{hint}.")
    if array.shape[0] == 1:
        return Image.fromarray(np.ascontiguousarray(array[0]))
    return Image.fromarray(np.ascontiguousarray(array.transpose(1, 2, 0)))  # (H, W, 3)


def to_array(image: Image.Image) -> Array:
    """Return an "L" or "RGB" image as uint8 (C, H, W).

    >>> to_array(Image.new("RGB", (4, 2), (9, 8, 7)))[:, 0, 0].tolist()
    [9, 8, 7]
    """
    array = np.asarray(image)
    if array.ndim == 2:
        return array[None].copy()
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def as_bytes(pixels: Array) -> Array:
    """Return pixels of 0 to 1 as uint8 of 0 to 255, and those that are uint8 already as they are.

    >>> as_bytes(np.array([0.0, 0.5, 2.0])).tolist()
    [0, 128, 255]
    """
    if pixels.dtype == np.uint8:
        return pixels
    return np.asarray(np.rint(255 * pixels).clip(0, 255).astype(np.uint8))


def list_images(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the image files in a folder and its subfolders, sorted; hidden ones are left out.

    Raises
    ------
    FileError
        If the folder cannot be read.
    """
    root = Path(folder)
    try:
        if not root.is_dir():
            raise FileError(f"The folder '{root}' must exist; got {'a file' if root.exists() else 'nothing'} there.")
        found = [path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    except PermissionError as error:
        raise FileError(f"The folder '{root}' must be readable; got: {error}.") from None
    return sorted(path for path in found if not any(p.startswith(".") for p in path.relative_to(root).parts))


def _over_white(image: Image.Image) -> Image.Image:
    grey = image.mode in ("1", "L", "LA")
    colours = image.convert("RGBA")
    white = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(white, colours).convert("L" if grey else "RGB")


def _check_pixels(size: Pair, name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise DataError(
            f"The image '{name}' must have at most {MAX_PIXELS // 10**6} million pixels; got "
            f"{width}×{height}; make it smaller."
        )
    if width * height == 0:
        raise DataError(f"The image '{name}' must have at least one pixel; got {width}×{height}.")


@contextmanager
def _guarded(name: str) -> Iterator[None]:
    try:
        # Pillow warns about oddities in files that it can read; its bomb warning comes before our own limit.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PellucidError:
        raise
    except Image.DecompressionBombError:
        raise DataError(
            f"The image '{name}' must have at most {MAX_PIXELS // 10**6} million pixels; got more; make it smaller."
        ) from None
    except UnidentifiedImageError:
        raise DataError(
            f"The file '{name}' must be an image (PNG, JPEG, GIF, BMP, WebP, TIFF or PPM); got something else."
        ) from None
    except OSError as error:
        if error.errno is not None:
            raise FileError(f"The image '{name}' must be readable; got: {error.strerror}.") from None
        raise DataError(f"The image '{name}' must be whole; got a damaged file ({error}).") from None
    except Exception as error:  # on damaged bytes the decoders raise nearly anything
        raise DataError(f"The image '{name}' must be whole; got a damaged file ({error}).") from None


def name_of(source: Source) -> str:
    """Return what messages call a source."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", "the given image"))
