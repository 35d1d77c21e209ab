"""Filters of photos: one small kernel for every colour."""

from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.kernels import filters
from pellucid.kernels.program import Buffer, Call, Program
from pellucid.types import Array, Pair, Shape

_RANK_ONE = 1e-6
"""How far a kernel may be from a product of a column and a row, as a share of it: about what rounding leaves."""


def filter2d(photo: Any, kernel: Any) -> Array:
    """Slide a kernel (KH, KW) over a photo (H, W) or (H, W, C) of uint8 or float32; zeros surround it.

    Each cell becomes the sum of its neighbours times the kernel as it stands, not turned around (as in convolutional
    layers); the kernel's middle, or the cell below and right of it, lies on the cell. Bytes are rounded to the nearest,
    halves to the even one, and cut off at 0 and 255. A kernel that is a column times a row is applied as both, one
    after the other.

    Raises ShapeError or ParameterError where photo or kernel are none.

    >>> filter2d(np.eye(3, dtype=np.uint8) * 90, np.full((3, 3), 1 / 3))
    array([[60, 60, 30],
           [60, 90, 60],
           [30, 60, 60]], dtype=uint8)
    """
    photo, kernel = np.asarray(photo, order="C"), np.asarray(kernel, np.float32)
    if photo.ndim not in (2, 3) or not photo.size or photo.dtype not in (np.uint8, np.float32):
        raise ShapeError(
            "The photo must be (H, W) or (H, W, C), not empty, of uint8 or float32; "
            f"got {photo.dtype}{photo.shape}; convert with .astype('float32')."
        )
    if kernel.ndim != 2 or not kernel.size:
        raise ShapeError(f"The kernel must be (KH, KW), not empty; got shape {kernel.shape}.")
    if not np.isfinite(kernel).all():
        raise ParameterError("The 'kernel' parameter of filter2d must be finite numbers; got NaN or infinity.")
    separated = _column_and_row(kernel)
    weight = kernel.T.ravel() if separated is None else np.concatenate(separated[::-1])
    program = _program(photo.shape, photo.dtype.name, kernel.shape, separated is not None)
    y: Array = np.empty_like(photo)
    program.run({"x": photo, "weight": np.ascontiguousarray(weight, np.float32), "y": y})
    return y


def _column_and_row(kernel: Array) -> tuple[Array, Array] | None:
    """Split a kernel that is a column times a row, where that is less work."""
    if min(kernel.shape) < 3:
        return None
    u, s, v = np.linalg.svd(kernel.astype(np.float64))
    if s[1] > _RANK_ONE * s[0]:
        return None
    return u[:, 0] * np.sqrt(s[0]), v[0] * np.sqrt(s[0])


@lru_cache(maxsize=16)
def _program(shape: Shape, dtype: str, kernel: Pair, separated: bool) -> Program:
    """Write the program for photos and kernels of these shapes."""
    (height, width), step = shape[:2], (shape[2] if len(shape) == 3 else 1)
    wide, (taps_y, taps_x) = width * step, kernel
    length = filters.line_length(wide, taps_x, step)
    weights = taps_y + taps_x if separated else taps_y * taps_x
    x, weight, y = (
        Buffer(shape, dtype, external="x"), Buffer((weights,), external="weight"), Buffer(shape, dtype, external="y"),
    )  # fmt: skip
    numbers = height, wide, taps_x, step, (taps_y - 1) // 2, (taps_x - 1) // 2 * step, length
    call = Call(
        filters.filtering(taps_y, dtype == "uint8", separated), -(-height // filters.LINES), (x, weight, y, *numbers),
        filters.scratch(taps_y, length),
    )  # fmt: skip
    return Program([call])
