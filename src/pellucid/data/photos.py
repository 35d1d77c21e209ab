"""Photos with all that their files hold: 8 or 16 bits a number, and transparency. What filters need, networks do not.

Pillow reduces 16-bit colours to 8 bits. Its decoders can be asked for either byte of each number, though, so such
files are decoded twice, once for the high bytes and once for the low ones.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from pellucid.data import images
from pellucid.data.images import Source
from pellucid.data.png import write_png
from pellucid.errors import DataError
from pellucid.types import Array, Pair

_LITTLE, _BIG = ("L", "B"), ("B", "L")
"""How Pillow's raw modes for the high and the low byte end, where the low byte comes first and where it comes last."""
_ORDERS = {"L": _LITTLE, "B": _BIG, "N": _LITTLE if sys.byteorder == "little" else _BIG}
_GREY_AND_ALPHA = "LA;16B"
"""A raw mode whose four bytes a pixel can be had in one go, as if they were four colours."""
_LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness (ITU-R BT.601), as in Pillow's "L"."""


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright photo: pixels (H, W) or (H, W, 3) of uint8 or uint16, and alpha (H, W) of the same type, if any.

    ``profile`` is the ICC profile that says what colours the numbers mean.
    """

    pixels: Array
    alpha: Array | None = None
    profile: bytes | None = None

    @property
    def white(self) -> int:
        """The largest number that a pixel can hold: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def grey(self) -> Array:
        """Its brightness, float32 (H, W): 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601)."""
        if self.pixels.ndim == 2:
            return self.pixels.astype(np.float32)
        return np.asarray(self.pixels.astype(np.float32) @ np.array(_LUMA, np.float32))


def open_photo(source: Source) -> Photo:
    """Read a photo at its full depth; palettes, CMYK and the like become 8-bit RGB.

    Raises what `images.open_image` raises, and DataError for 16-bit colours that Pillow cannot give whole.

    >>> import io
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.array([[0, 65535]], np.uint16)).save(file, "png")
    >>> open_photo(file).pixels
    array([[    0, 65535]], dtype=uint16)
    """
    name = images.name_of(source)
    with images.opened(source) as image:
        halves, key = _halves(image, name), image.info.get("transparency")
        profile = None if image.mode in ("CMYK", "LAB") else image.info.get("icc_profile")
        if halves is None:
            return replace(_plain(image, name), profile=profile)
    return replace(_split(_deep(source, halves), key), profile=profile)


def reduced(photo: Photo, size: Pair) -> Photo:
    """Return a photo as 8-bit numbers, reduced to (height, width): each pixel is the mean of those that it covers."""

    def shrink(values: Array) -> Array:
        deep = values if values.dtype == np.uint8 else (values >> 8).astype(np.uint8)
        return np.asarray(Image.fromarray(deep).resize(size[::-1], Image.Resampling.BOX))

    return Photo(shrink(photo.pixels), None if photo.alpha is None else shrink(photo.alpha), photo.profile)


def save_photo(photo: Photo, path: str | os.PathLike[str], text: Mapping[str, str] | None = None) -> None:
    """Write a photo as a PNG file; ``text`` holds words by PNG's keywords. Raises FileError where it cannot be."""
    pixels = photo.pixels
    if photo.alpha is not None:
        pixels = np.dstack([pixels, photo.alpha])
    write_png(path, pixels, profile=photo.profile, text=text)


def _halves(image: Image.Image, name: str) -> tuple[str, ...] | None:
    """Return the raw modes that give 16-bit colours byte by byte; None where Pillow's own modes hold everything."""
    tile: Any = image.tile[0] if image.tile else ("", None, 0, "")  # type: ignore[attr-defined]
    codec, _, _, settings = tile
    raw, *rest = settings if isinstance(settings, tuple) else (settings,)
    tags: Any = getattr(image, "tag_v2", {})
    is_deep = ";16" in str(raw) or (codec == "ppm" and rest[0] > 255) or tags.get(258, (8,))[0] > 8
    if image.mode not in ("RGB", "RGBA", "CMYK") or not is_deep:
        return None
    if raw == _GREY_AND_ALPHA and image.mode == "RGBA":
        return ("RGBA",)
    plain, _, order = str(raw).rpartition(";16")
    if plain != image.mode or order not in _ORDERS or tags.get(284, 1) != 1:  # 2: each colour in a plane of its own
        raise DataError(
            f"The image '{name}' must have 8 bits a channel, or 16 in a PNG or a TIFF of one plane in grey or RGB; got "
            f"Pillow's raw mode '{raw}'; save it as a PNG."
        )
    return tuple(f"{plain};16{half}" for half in _ORDERS[order])


def _deep(source: Source, halves: tuple[str, ...]) -> Array:
    """Decode 16-bit numbers, (H, W, C), once for each half."""
    found = []
    for raw in halves:
        with images.opened(source) as image:
            image.tile = [_asking(tile, raw) for tile in image.tile]  # type: ignore[attr-defined]
            image.load()
            found.append(np.asarray(ImageOps.exif_transpose(image)))
    if len(found) == 1:  # high and low bytes in turn
        return np.ascontiguousarray(found[0]).view(">u2").astype(np.uint16)
    high, low = found
    return np.asarray(high.astype(np.uint16) << 8 | low)


def _asking(tile: Any, raw: str) -> Any:
    """Return Pillow's description of a piece of a file, with another raw mode."""
    settings = (raw, *tile[3][1:]) if isinstance(tile[3], tuple) else raw
    return tile._replace(args=settings) if hasattr(tile, "_replace") else (*tile[:3], settings)


def _plain(image: Image.Image, name: str) -> Photo:
    """Take what a mode of Pillow's own holds."""
    image.load()
    key, upright = image.info.get("transparency"), ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return _split(np.asarray(upright).clip(0, 65535).astype(np.uint16), key)
    if image.has_transparency_data:
        return _split(np.asarray(upright.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")), None)
    return Photo(np.asarray(images.simplify(image, name)))


def _split(bands: Array, key: Any) -> Photo:
    """Part colours from alpha, the second or fourth band; ``key`` is the one colour that shows nothing, if any."""
    if bands.ndim == 3 and bands.shape[2] in (2, 4):
        pixels = bands[:, :, 0] if bands.shape[2] == 2 else bands[:, :, :3]
        return Photo(np.ascontiguousarray(pixels), np.ascontiguousarray(bands[:, :, -1]))
    if key is None:
        return Photo(bands)
    is_seen = bands != key if bands.ndim == 2 else (bands != key).any(axis=2)
    return Photo(bands, np.where(is_seen, np.iinfo(bands.dtype).max, 0).astype(bands.dtype))
