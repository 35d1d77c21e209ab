"""Answers of the photo room: a kernel on a small version of a photo at once, and on the whole photo for a file."""

from __future__ import annotations

import io
from base64 import b64encode
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pellucid.data.photos import Photo, open_photo, reduced
from pellucid.explain.kernels import gallery
from pellucid.explain.kernels.drawings import card
from pellucid.explain.kernels.makers import Directed
from pellucid.explain.photo import Edges
from pellucid.studio.messages import photo as messages
from pellucid.studio.messages.base import Nothing, Upload
from pellucid.studio.rooms.photo.effects import apply, called, coloured
from pellucid.studio.rooms.photo.landscape import landscape
from pellucid.studio.tensors import to_tensor
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio

MOST_PIXELS = 1_000_000
"""Of a preview."""
QUALITY = 92
"""Of a preview's JPEG file, whose colours are kept at full size."""
SETTINGS = {
    "size": (3, 31, 2, 5),
    "sigma": (0.5, 12, 0.1, 2),
    "wavelength": (2, 24, 0.5, 6),
    "angle": (0, 355, 5, 0),
    "phase": (0, 350, 10, 0),
}
"""From where to where a setting goes, in which steps, and what it is at first."""
THUMB = 150
"""Pixels along the longer side of a thumb."""
EFFECTS: dict[str, messages.PhotoNamed | messages.PhotoEdges] = {
    "sharpen": messages.PhotoNamed(kind="named", name="sharpen"),
    "gaussian-blur": messages.PhotoNamed(kind="named", name="gaussian-blur", settings={"sigma": 1.5}),
    "motion-blur": messages.PhotoNamed(kind="named", name="motion-blur"),
    "emboss": messages.PhotoNamed(kind="named", name="emboss"),
    "magnitude": messages.PhotoEdges(kind="edges", pair="sobel", shows="magnitude"),
    "direction": messages.PhotoEdges(kind="edges", pair="sobel", shows="direction"),
    "sobel-x": messages.PhotoNamed(kind="named", name="sobel-x"),
    "sobel-y": messages.PhotoNamed(kind="named", name="sobel-y"),
    "laplacian": messages.PhotoNamed(kind="named", name="laplacian"),
    "gabor": messages.PhotoNamed(kind="named", name="gabor"),
}
"""What is offered with a picture of it; settings are small, as the pictures are."""

_OPENING = Lock()


def kernels(asked: Nothing, studio: Studio) -> messages.PhotoKernels:
    """List the gallery, with what can be set."""
    from pellucid.views.photos import directions

    return messages.PhotoKernels(
        kernels=[
            messages.PhotoKernel(name=entry.name, settings=_settings(entry)) for entry in gallery.GALLERY.values()
        ],
        directions=["#{:02x}{:02x}{:02x}".format(*colour) for colour in directions()[::30].tolist()],
    )


def show(asked: messages.PhotoShowAsked, studio: Studio) -> messages.PhotoShown:
    """Reduce a photo to what a screen shows."""
    whole, small = _opened(asked.photo, studio)
    height, width = whole.pixels.shape[:2]
    return messages.PhotoShown(
        height=height,
        width=width,
        bits=8 * whole.pixels.itemsize,
        colour=whole.pixels.ndim == 3,
        alpha=whole.alpha is not None,
        preview=_jpeg(small.pixels, small.alpha),
        preview_height=small.pixels.shape[0],
        preview_width=small.pixels.shape[1],
    )


def thumbs(asked: messages.PhotoShowAsked, studio: Studio) -> messages.PhotoThumbs:
    """Show what a few effects make of a photo."""
    _, small = _opened(asked.photo, studio)
    height, width = small.pixels.shape[:2]
    share = min(1.0, THUMB / max(height, width))
    tiny = reduced(small, (max(1, round(height * share)), max(1, round(width * share))))
    found = []
    for name, effect in EFFECTS.items():
        made = apply(tiny, messages.PhotoWork(photo=asked.photo, effect=effect)).made
        found.append(messages.PhotoThumb(effect=name, picture=_jpeg(coloured(made, effect), tiny.alpha)))
    return messages.PhotoThumbs(effects=found)


def preview(asked: messages.PhotoWork, studio: Studio) -> messages.PhotoPreview:
    """Filter the small version of a photo."""
    _, small = _opened(asked.photo, studio)
    done = apply(small, asked)
    if isinstance(done.made, Edges):
        result, low, high = None, 0.0, done.made.limit
    else:
        result, low, high = done.made.result, done.made.low, done.made.high
    return messages.PhotoPreview.model_validate(
        {
            "preview": _jpeg(coloured(done.made, asked.effect), small.alpha),
            "result": result,
            "low": low,
            "high": high,
            "seconds": done.seconds,
            "kernel": None if done.kernel is None else to_tensor(done.kernel),
            "adjustable": done.adjustable,
        }
    )


def save(asked: messages.PhotoWork, studio: Studio) -> messages.PhotoSaved:
    """Filter the whole photo, at its full size and depth, into a file like those of `pellucid filter`."""
    from pellucid.views.photos import save_edges, save_filtered

    whole, _ = _opened(asked.photo, studio)
    done, name = apply(whole, asked), called(asked.effect)
    with TemporaryDirectory() as folder:
        place, direction = Path(folder) / "picture.png", Path(folder) / "direction.png"
        if isinstance(done.made, Edges):
            save_edges(done.made, place, direction, "photo")
            place = direction if name.endswith("direction") else place
        else:
            save_filtered(done.made, place, name, "photo")
        file = b64encode(place.read_bytes()).decode()
    return messages.PhotoSaved(name=f"photo--{name}.png", file=file, seconds=done.seconds)


def _settings(entry: gallery.Entry) -> list[messages.PhotoSetting]:
    """Say what can be set; a size follows from sigma or wavelength where there are such."""
    names = [name for name in SETTINGS if name in entry.parameters]
    if {"sigma", "wavelength"} & set(names):
        names.remove("size")
    if "wavelength" in names:
        names.remove("sigma")
    found = []
    for name in names:
        low, high, step, first = SETTINGS[name]
        if isinstance(entry.make, Directed):
            step = entry.make.finest_turn
            high = 360 - step
        found.append(messages.PhotoSetting.model_validate(
            {"name": name, "low": low, "high": high, "step": step, "first": first}
        ))  # fmt: skip
    return found


def _opened(source: messages.PhotoDrawn | Upload, studio: Studio) -> tuple[Photo, Photo]:
    """Return a photo, and its small version; questions that come together wait for one to make them."""
    with _OPENING:
        return _uploaded(studio.uploads.path(source.id)) if isinstance(source, Upload) else _drawn(source.name)


@lru_cache(maxsize=2)
def _uploaded(path: Path) -> tuple[Photo, Photo]:
    photo = open_photo(path)
    return photo, _small(photo)


@cache
def _drawn(name: str) -> tuple[Photo, Photo]:
    if name == "landscape":
        photo = Photo(landscape())
    else:
        photo = Photo(np.rint(255 * card()).astype(np.uint8).repeat(6, axis=0).repeat(6, axis=1))
    return photo, _small(photo)


def _small(photo: Photo) -> Photo:
    height, width = photo.pixels.shape[:2]
    share = min(1.0, (MOST_PIXELS / (height * width)) ** 0.5)
    return reduced(photo, (max(1, int(height * share)), max(1, int(width * share))))


def _jpeg(pixels: Array, alpha: Array | None) -> str:
    """Write a picture, laid over white where it is transparent, as a JPEG file in base64."""
    image = Image.fromarray(pixels)
    if alpha is not None:
        image = Image.composite(image, Image.new(image.mode, image.size, "white"), Image.fromarray(alpha))
    file = io.BytesIO()
    image.save(file, "jpeg", quality=QUALITY, subsampling=0)
    return b64encode(file.getvalue()).decode()
