"""Maximum pooling whose windows tile the plane: no overlap, no padding, no dilation."""

import numpy as np

from pellucid.kernels.layout import nchw, nhwc
from pellucid.types import Array, Pair, Shape


def max_pool2d_disjoint(x: Array, *, kernel: Pair) -> tuple[Array, Array]:
    """Maximum of every window and its flat index into the plane; see the reference."""
    images = nhwc(x)
    _, height, width, _ = images.shape
    rows, columns = height // kernel[0], width // kernel[1]
    corner = np.arange(rows)[:, None] * (kernel[0] * width) + np.arange(columns) * kernel[1]
    first = _cells(images, 0, 0, kernel, (rows, columns))
    best, index = first.copy(), np.empty(first.shape, np.int32)
    index[...] = corner[:, :, None]
    for ky, kx in list(np.ndindex(*kernel))[1:]:
        cell = _cells(images, ky, kx, kernel, (rows, columns))
        wins = ~(cell <= best) & ~np.isnan(best)  # NaN is not ≤ anything, so it wins, and then stays
        np.copyto(best, cell, where=wins)
        np.copyto(index, (corner + (ky * width + kx)).astype(np.int32)[:, :, None], where=wins)
    return nchw(best), nchw(index)


def max_pool2d_disjoint_backward(dy: Array, indices: Array, x_shape: Shape, *, kernel: Pair) -> Array:
    """Pass every slope to the cell that won; see the reference."""
    n, channels, height, width = x_shape
    slopes, index = nhwc(dy), nhwc(indices)
    rows, columns = slopes.shape[1:3]
    dx = np.zeros((n, height, width, channels), dy.dtype)
    corner = (np.arange(rows)[:, None] * (kernel[0] * width) + np.arange(columns) * kernel[1]).astype(np.int32)
    for ky, kx in np.ndindex(*kernel):
        won = index == (corner + np.int32(ky * width + kx))[:, :, None]
        np.copyto(_cells(dx, ky, kx, kernel, (rows, columns)), slopes, where=won)
    return nchw(dx)


def _cells(images: Array, ky: int, kx: int, kernel: Pair, size: Pair) -> Array:
    """Return cell (ky, kx) of every window, as a view."""
    return images[:, ky : size[0] * kernel[0] : kernel[0], kx : size[1] * kernel[1] : kernel[1]]
