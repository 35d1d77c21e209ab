"""A contact sheet: one photo and what several kernels make of it, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.photos import Photo
from pellucid.explain.photo import FilteredPhoto
from pellucid.types import Array, Pair
from pellucid.views.grid import PIXEL, ramp
from pellucid.views.kernels import draw_kernel
from pellucid.views.photos import caption
from pellucid.views.scales import ACTIVATIONS, WEIGHTS, Scale
from pellucid.views.sheet import MUTED, RULE, WIDTH, Sheet, measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EDGE, _GAP, _TOP, _CAPTION, _KERNEL = 16, 10, 70, 40, 24
_TALLEST = 1.25
"""Height of the tallest tile over a column's width: taller photos are shown narrower."""

Frame = tuple[str, Array, FilteredPhoto]
"""A kernel's name, the kernel, and what it makes of the photo."""


def columns(count: int) -> int:
    """Return how many photos stand side by side on a sheet of so many.

    >>> [columns(count) for count in (2, 3, 4, 5, 9, 30)]
    [2, 3, 2, 3, 3, 4]
    """
    return 2 if count in (1, 2, 4) else 3 if count <= 9 else 4


def size(photo: Photo, count: int) -> Pair:
    """Return the (height, width) in pixels of a photo on a sheet of ``count``; a smaller one is not made larger."""
    height, width = photo.pixels.shape[:2]
    across, down = _tile(photo, count)
    share = min(1.0, across / PIXEL / width, down / PIXEL / height)
    return max(1, round(height * share)), max(1, round(width * share))


def contact_sheet(name: str, photo: Photo, frames: Sequence[Frame], note: str = "") -> Figure:
    """Draw a photo, as it was filtered, and after it what each kernel made of it; ``note`` says how that came about.

    Photos lie on white where they are transparent; each caption has the kernel itself and the numbers of its scale.
    """
    count = len(frames) + 1
    rows, room = -(-count // columns(count)), _column(count)
    across, down = _tile(photo, count)
    said = [f"{label}: {caption(made.result, made.low, made.high)}" for label, _, made in frames]
    title = f"{name}, and what {len(frames)} kernel{'s make' if count > 2 else ' makes'} of it"
    sheet = Sheet(WIDTH, _TOP + rows * (down + _CAPTION) + 4, title, "; ".join([*said, note] if note else said))
    sheet.text((_EDGE, 22), title, bold=True, size=11, width=WIDTH - 2 * _EDGE)
    _legends(sheet, note)
    for index in range(count):
        row, column = divmod(index, columns(count))
        x, y = _EDGE + column * (room + _GAP), _TOP + row * (down + _CAPTION)
        if index == 0:
            height, width = photo.pixels.shape[:2]
            sheet.photo(on_white(photo), x, y, across, down)
            _write(sheet, x, y + down, room, "the photo", f"{width}×{height} pixels")
        else:
            label, kernel, made = frames[index - 1]
            _paint(sheet, made, x, y, across, down)
            draw_kernel(sheet, kernel, x, y + down + 5, _KERNEL)
            words = caption(made.result, made.low, made.high)
            _write(sheet, x + _KERNEL + 6, y + down, room - _KERNEL - 6, label, words)
    return sheet.figure


def on_white(photo: Photo) -> Array:
    """Return a photo as 8-bit pixels, (H, W) or (H, W, 3), laid over white where it is transparent."""
    pixels = photo.pixels if photo.white == 255 else (photo.pixels >> 8).astype(np.uint8)
    if photo.alpha is None:
        return pixels
    share = photo.alpha.astype(np.float32) / photo.white
    mixed = 255 + (pixels.astype(np.float32) - 255) * (share if pixels.ndim == 2 else share[:, :, None])
    return np.asarray(np.rint(mixed), np.uint8)


def _column(count: int) -> float:
    return (WIDTH - 2 * _EDGE + _GAP) / columns(count) - _GAP


def _tile(photo: Photo, count: int) -> tuple[float, float]:
    """Return the width and height in points of a photo on a sheet of ``count``."""
    height, width = photo.pixels.shape[:2]
    across = min(_column(count), _column(count) * _TALLEST * width / height)
    return across, max(across * height / width, PIXEL)


def _paint(sheet: Sheet, made: FilteredPhoto, x: float, y: float, width: float, height: float) -> None:
    if made.result != "signed":
        sheet.photo(on_white(made.photo), x, y, width, height)
        return
    values = made.values
    if made.alpha is not None:  # what cannot be seen is white
        values = values * (made.alpha / np.iinfo(made.alpha.dtype).max)
    sheet.picture(values, x, y, width, height, Scale(made.low, made.high, ACTIVATIONS))
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    sheet.line(corners, RULE, width=0.5, on_top=True)


def _write(sheet: Sheet, x: float, y: float, room: float, label: str, words: str) -> None:
    """Write a caption below a photo, a long name in smaller letters."""
    fitting = min(8.0, 8 * room / measure(label, 8, True))
    sheet.text((x, y + 10), label, bold=True, size=max(6.0, fitting), width=room)
    sheet.text((x, y + 21), words, size=7, colour=MUTED, width=room)


def _legends(sheet: Sheet, note: str) -> None:
    for index, (words, scale) in enumerate(
        (("signed answers", Scale(-1, 1, ACTIVATIONS)), ("weights of a kernel", Scale(-1, 1, WEIGHTS)))
    ):
        x = _EDGE + index * 150
        sheet.text((x, 38), words, size=7, colour=MUTED)
        ramp(sheet, scale, ("−", "0", "+"), x, 44, 130)
    for y, line in (
        (38, "full colours: the numbers below a picture,"),
        (48, "and the largest weight of a kernel"),
        (60, note),
    ):
        sheet.text((WIDTH - _EDGE, y), line, size=7, colour=MUTED, align="right", width=260)
