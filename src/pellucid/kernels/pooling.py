"""Maximum pooling whose windows tile the plane: no overlap, no padding, no dilation."""

from collections.abc import Iterator

import numpy as np

from pellucid.kernels.elementwise import keep_where
from pellucid.kernels.layout import nchw, nhwc
from pellucid.types import Array, Pair, Shape


def max_pool2d_disjoint(x: Array, *, kernel: Pair) -> tuple[Array, Array]:
    """Maximum of every window and its flat index into the plane; see the reference."""
    images = nhwc(x)
    cells = list(_cells(images, kernel))
    best, tap = cells[0], np.zeros(cells[0].shape, np.int32)
    for number, cell in enumerate(cells[1:], 1):
        wins = (cell > best) | np.isnan(cell)
        best = np.maximum(best, cell)  # keeps NaN
        tap = np.maximum(tap, wins * np.int32(number))  # taps come in rising order, so the last to win is the largest
    corners, offsets = _places(images.shape, kernel)
    return nchw(np.array(best)), nchw(corners + offsets[tap])


def max_pool2d_disjoint_backward(dy: Array, indices: Array, x_shape: Shape, *, kernel: Pair) -> Array:
    """Pass every slope to the cell that won; see the reference."""
    n, channels, height, width = x_shape
    slopes, index = nhwc(dy), nhwc(indices)
    dx = np.zeros((n, height, width, channels), dy.dtype)
    corners, offsets = _places(dx.shape, kernel)
    tap = index - corners
    for offset, cell in zip(offsets, _cells(dx, kernel), strict=True):
        cell[...] = keep_where(slopes, tap == offset)
    return nchw(dx)


def _cells(images: Array, kernel: Pair) -> Iterator[Array]:
    """Yield each cell of all windows (n, rows, columns, C), as views, in scan order."""
    rows, columns = images.shape[1] // kernel[0], images.shape[2] // kernel[1]
    for ky, kx in np.ndindex(*kernel):
        yield images[:, ky : rows * kernel[0] : kernel[0], kx : columns * kernel[1] : kernel[1]]


def _places(shape: Shape, kernel: Pair) -> tuple[Array, Array]:
    """Return each window's first cell (rows, columns, 1) and each tap's distance from it, as flat indices, int32."""
    _, height, width, _ = shape
    first_rows = np.arange(height // kernel[0], dtype=np.int32)[:, None] * np.int32(kernel[0] * width)
    corners = first_rows + np.arange(width // kernel[1], dtype=np.int32) * np.int32(kernel[1])
    offsets = np.array([ky * width + kx for ky, kx in np.ndindex(*kernel)], np.int32)
    return corners[:, :, None], offsets
