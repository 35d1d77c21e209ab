"""Resizing images to a size in pixels."""

import numpy as np

from pellucid.reference._arrays import Array, Pair, Shape, along


def resize_nearest(x: Array, *, size: Pair) -> Array:
    """Copy to each new pixel one old pixel: row floor(i · H / OH), column floor(j · W / OW).

    x is (N, C, H, W); returns (N, C, OH, OW) with (OH, OW) = ``size``.

    >>> resize_nearest(np.array([[[[1.0, 2.0]]]]), size=(2, 3))
    array([[[[1., 1., 2.],
             [1., 1., 2.]]]])
    """
    rows, columns = _nearest(x.shape[2], size[0]), _nearest(x.shape[3], size[1])
    return x[:, :, rows][:, :, :, columns]


def resize_nearest_backward(dy: Array, x_shape: Shape, *, size: Pair) -> Array:
    """Give each old pixel the sum of its copies' gradients; dy is (N, C, OH, OW), dx of ``x_shape``.

    >>> resize_nearest_backward(np.ones((1, 1, 2, 3)), (1, 1, 1, 2), size=(2, 3))
    array([[[[4., 2.]]]])
    """
    dx = dy
    for axis in (2, 3):
        dx = _collect(dx, _nearest(x_shape[axis], size[axis - 2]), axis, x_shape[axis])
    return dx


def resize_bilinear(x: Array, *, size: Pair, align_corners: bool) -> Array:
    """Weigh for each new pixel the two nearest old rows and columns by their distance.

    New row i lies at old row s = (i + ½) · H / OH − ½, not below 0 (pixels are areas, and the images' edges
    coincide), or with ``align_corners`` at s = i · (H − 1) / (OH − 1) (pixels are points, and the corner
    pixels coincide). With a = floor(s) and t = s − a the value is (1 − t) · x[a] + t · x[a + 1]; columns
    alike.

    x is (N, C, H, W); returns (N, C, OH, OW) with (OH, OW) = ``size``.

    >>> resize_bilinear(np.array([[[[1.0, 3.0]]]]), size=(1, 3), align_corners=True)
    array([[[[1., 2., 3.]]]])
    """
    y = x
    for axis in (2, 3):
        first, second, t = _bilinear(x.shape[axis], size[axis - 2], align_corners)
        t = along(t.astype(x.dtype), axis, 4)
        y = (1 - t) * y.take(first, axis) + t * y.take(second, axis)
    return y


def resize_bilinear_backward(dy: Array, x_shape: Shape, *, size: Pair, align_corners: bool) -> Array:
    """Send each new pixel's gradient to the old pixels it was mixed from, times their weights.

    dy is (N, C, OH, OW), dx of ``x_shape``.

    >>> resize_bilinear_backward(np.ones((1, 1, 1, 3)), (1, 1, 1, 2), size=(1, 3), align_corners=True)
    array([[[[1.5, 1.5]]]])
    """
    dx = dy
    for axis in (2, 3):
        first, second, t = _bilinear(x_shape[axis], size[axis - 2], align_corners)
        t = along(t.astype(dy.dtype), axis, 4)
        extent = x_shape[axis]
        dx = _collect((1 - t) * dx, first, axis, extent) + _collect(t * dx, second, axis, extent)
    return dx


def _nearest(old: int, new: int) -> Array:
    """Return for each new position the old index; the product is rounded to float32, as PyTorch does."""
    scale = np.float32(old) / np.float32(new)
    index = np.floor(np.arange(new, dtype=np.float32) * scale).astype(np.intp)
    return np.asarray(np.minimum(index, old - 1))


def _bilinear(old: int, new: int, align_corners: bool) -> tuple[Array, Array, Array]:
    """Return for each new position the two old indices and the weight t of the second."""
    position = np.arange(new, dtype=np.float64)
    if align_corners:
        source = position * ((old - 1) / (new - 1) if new > 1 else 0)
    else:
        source = np.maximum((position + 0.5) * (old / new) - 0.5, 0)
    first = np.minimum(np.floor(source).astype(np.intp), old - 1)
    second = np.minimum(first + 1, old - 1)
    return first, second, source - first


def _collect(dy: Array, index: Array, axis: int, extent: int) -> Array:
    """Add slice i of dy to slice index[i] of the result, along one axis of the given extent."""
    slices = np.moveaxis(dy, axis, 0)
    sums = np.zeros((extent, *slices.shape[1:]), dy.dtype)
    for position, source in enumerate(index):
        sums[source] += slices[position]
    return np.moveaxis(sums, 0, axis)
