"""Filters of photos: one small kernel for every colour."""

from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.kernels import filters
from pellucid.kernels.program import Buffer, Call, Program
from pellucid.ops.pad import BORDERS
from pellucid.types import Array, Pair, Shape

_RANK_ONE = 1e-6
"""How far a kernel may be from a product of a column and a row, as a share of it: about what rounding leaves."""
_SMALL = 9
"""Weights of a kernel that is applied at once: to go over each line twice takes longer than 3×3 products."""
_TALLEST = 32
"""Rows of a product's kernel that are compiled for; the compiler takes a second for some fifty of them."""


def filter2d(photo: Any, kernel: Any, border: str = "zeros") -> Array:
    """Slide a kernel (KH, KW) over a photo (H, W) or (H, W, C) of uint8 or float32.

    Each cell becomes the sum of its neighbours times the kernel as it stands, not turned around (as in convolutional
    layers); the kernel's middle lies on the cell, of an even size the cell above and to the left of the middle. Bytes
    are rounded to the nearest, halves to the even one, and cut off at 0 and 255. A kernel that is a column times a row
    and larger than 3×3 is applied as both, one after the other.

    What surrounds a photo whose first line is a b c: ``zeros``; its edge, a a a b c c c (``replicate``); its mirror
    image, the edge not repeated, c b a b c b a (``reflect``); or itself again, b c a b c a b (``circular``). A kernel
    may be larger than the photo: mirror images and copies then go on.

    Raises ShapeError or ParameterError where photo, kernel or border are none.

    >>> filter2d(np.eye(3, dtype=np.uint8) * 90, np.full((3, 3), 1 / 3))
    array([[60, 60, 30],
           [60, 90, 60],
           [30, 60, 60]], dtype=uint8)
    """
    photo = np.asarray(photo, order="C")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused below
        kernel = np.asarray(kernel, np.float32)
    if photo.ndim not in (2, 3) or not photo.size or photo.dtype not in (np.uint8, np.float32):
        raise ShapeError(
            "The photo must be (H, W) or (H, W, C), not empty, of uint8 or float32; "
            f"got {photo.dtype}{photo.shape}; convert with .astype('float32')."
        )
    if kernel.ndim != 2 or not kernel.size:
        raise ShapeError(f"The kernel must be (KH, KW), not empty; got shape {kernel.shape}.")
    if not np.isfinite(kernel).all():
        raise ParameterError("The 'kernel' parameter of filter2d must be finite numbers; got NaN or infinity.")
    if border not in BORDERS:
        raise ParameterError(f"The 'border' parameter of filter2d must be one of {', '.join(BORDERS)}; got {border!r}.")
    separated = _column_and_row(kernel)
    if separated is not None and kernel.shape[0] > _TALLEST:
        return _by_rows(photo, *separated, border)
    weight = kernel.T.ravel() if separated is None else np.concatenate(separated[::-1])
    program = _program(photo.shape, photo.dtype.name, kernel.shape, separated is not None)
    sources, ends = _tables(photo.shape, kernel.shape, border)
    y: Array = np.empty_like(photo)
    program.run(
        {"x": photo, "weight": np.ascontiguousarray(weight, np.float32), "sources": sources, "ends": ends, "y": y}
    )
    return y


def _column_and_row(kernel: Array) -> tuple[Array, Array] | None:
    """Split a kernel that is a column times a row, where that is less work; exactly, where numbers allow it."""
    if min(kernel.shape) < 3 or kernel.size <= _SMALL or not kernel.any():
        return None
    exact = kernel.astype(np.float64)
    u, s, v = np.linalg.svd(exact)
    if s[1] > _RANK_ONE * s[0]:
        return None
    smallest = np.where(exact, abs(exact), np.inf).argmin()
    i, j = divmod(int(smallest), exact.shape[1])
    for unit in (exact[i, j], 1.0):  # one of them keeps the whole numbers of most kernels whole, as Sobel's
        with np.errstate(over="ignore", invalid="ignore"):  # a unit next to 0 does not serve
            row = (exact[i] / unit).astype(np.float32)
            column = (exact[:, j] / row[j]).astype(np.float32)
            is_exact = np.array_equal(np.outer(column.astype(np.float64), row), exact)
        if is_exact:
            return column, row
    return u[:, 0] * np.sqrt(s[0]), v[0] * np.sqrt(s[0])


def _by_rows(photo: Array, column: Array, row: Array, border: str) -> Array:
    """Filter by a row, and by a column as the row of the photo laid on its side."""
    y = photo.astype(np.float32)
    for weights in (row, column):
        y = filter2d(y, weights[None], border).swapaxes(0, 1)
    return y.copy("C") if photo.dtype == np.float32 else np.rint(y).clip(0, 255).astype(np.uint8, "C")


@lru_cache(maxsize=16)
def _tables(shape: Shape, kernel: Pair, border: str) -> tuple[Array, Array]:
    """Return which line of a photo stands in each place, and which number in each place beyond a line's ends."""
    (height, width), step = shape[:2], (shape[2] if len(shape) == 3 else 1)
    lines = np.full(filters.lines_read(height, kernel[0]), -1)
    lines[: height + kernel[0] - 1] = _sources(height, kernel[0], border)
    across, before = _sources(width, kernel[1], border), (kernel[1] - 1) // 2
    pixels = np.concatenate([across[:before], across[before + width :]])[:, None]
    return lines, np.where(pixels < 0, -1, pixels * step + np.arange(step)).ravel()


def _sources(size: int, taps: int, border: str) -> Array:
    """Return which cell of an axis stands in each place that ``taps`` of a kernel reach; −1 for zeros."""
    around = (taps - 1) // 2, taps // 2
    if border == "zeros":
        return np.pad(np.arange(size), around, constant_values=-1)
    mode: Any = {"replicate": "edge", "reflect": "reflect", "circular": "wrap"}[border]
    return np.pad(np.arange(size), around, mode)


@lru_cache(maxsize=16)
def _program(shape: Shape, dtype: str, kernel: Pair, separated: bool) -> Program:
    """Write the program for photos and kernels of these shapes."""
    (height, width), step = shape[:2], (shape[2] if len(shape) == 3 else 1)
    wide, (taps_y, taps_x) = width * step, kernel
    length = filters.line_length(wide, taps_x, step)
    buffers = (
        Buffer(shape, dtype, external="x"),
        Buffer((taps_y + taps_x if separated else taps_y * taps_x,), external="weight"),
        Buffer((filters.lines_read(height, taps_y),), "int64", external="sources"),
        Buffer(((taps_x - 1) * step,), "int64", external="ends"),
        Buffer(shape, dtype, external="y"),
    )
    call = Call(
        filters.filtering(taps_y, dtype == "uint8", separated), -(-height // filters.LINES),
        (*buffers, height, wide, taps_x, step, (taps_x - 1) // 2 * step, length), filters.scratch(taps_y, length),
    )  # fmt: skip
    return Program([call])
