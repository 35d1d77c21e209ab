"""Convolution as matrix products over patches copied side by side (im2col), for one group and a border of zeros.

The patches of a few images at a time are laid out as rows of a matrix small enough to stay in cache, so the product
with the weights runs at BLAS speed. Signatures are those of the reference.
"""

from collections.abc import Iterator

import numpy as np

from pellucid.kernels import threads
from pellucid.kernels.layout import nchw, nhwc
from pellucid.types import Array, Padding, Pair, Shape

_PATCH_BYTES = 1 << 20
"""Patches held at once: about half of a core's second-level cache."""


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    flip: bool,
) -> Array:
    """Cross-correlate x (N, C, H, W) with weight (O, C, KH, KW); see the reference."""
    filters, kernel = weight.shape[0], weight.shape[2:]
    matrix = _weight_rows(weight, flip).T  # (KH·KW·C, O)
    images = _padded(nhwc(x), padding)
    rows, columns = _output_size(images.shape, kernel, stride, dilation)
    y = np.empty((len(x), rows, columns, filters), x.dtype)

    def compute(part: slice) -> None:
        result = y[part]
        for few, patches in _patches(images[part], kernel, (rows, columns), stride, dilation):
            np.matmul(patches, matrix, out=result[few].reshape(-1, filters))
            if bias is not None:
                result[few] += bias

    threads.each(compute, threads.parts(len(y)))
    return nchw(y)


def conv2d_backward_weight(
    dy: Array,
    x: Array,
    weight_shape: Shape,
    *,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    flip: bool,
) -> Array:
    """Gradient (O, C, KH, KW) of the weight: the patches, transposed, times dy, summed over the images."""
    filters, channels, *kernel = weight_shape
    images, slopes = _padded(nhwc(x), padding), nhwc(dy)
    size = (kernel[0] * kernel[1] * channels, filters)

    def compute(part: slice) -> Array:
        total = np.zeros(size, x.dtype)
        steep = slopes[part]
        for few, patches in _patches(images[part], tuple(kernel), slopes.shape[1:3], stride, dilation):
            total += patches.T @ steep[few].reshape(-1, filters)
        return total

    parts = threads.parts(len(slopes)) or [slice(0, 0)]  # no image at all gives a gradient of zeros
    total = np.sum(threads.each(compute, parts), axis=0)
    dweight = total.reshape(*kernel, channels, filters).transpose(3, 2, 0, 1)
    return np.ascontiguousarray(dweight[:, :, ::-1, ::-1] if flip else dweight)


def conv2d_backward_data(
    dy: Array,
    weight: Array,
    x_shape: Shape,
    *,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    flip: bool,
) -> Array:
    """Gradient (N, C, H, W) of x, for stride 1: dy convolved with the turned kernels, filters and channels swapped.

    Padding wider than the kernel reaches is cut off instead.
    """
    reach = [dilation[i] * (weight.shape[2 + i] - 1) for i in (0, 1)]
    margins = [(reach[i] - padding[i][0], reach[i] - padding[i][1]) for i in (0, 1)]
    rows, columns = ((max(0, before), max(0, after)) for before, after in margins)
    turned = weight.transpose(1, 0, 2, 3)
    dx = conv2d(dy, turned, stride=stride, padding=(rows, columns), dilation=dilation, flip=not flip)
    (top, _), (left, _) = ((max(0, -before), max(0, -after)) for before, after in margins)
    return dx[:, :, top : top + x_shape[2], left : left + x_shape[3]]


def bias_backward(dy: Array) -> Array:
    """Gradient (O,) of the bias: all slopes of each filter, summed as a matrix product."""
    slopes = nhwc(dy).reshape(-1, dy.shape[1])
    return np.ones(len(slopes), dy.dtype) @ slopes


def _weight_rows(weight: Array, flip: bool) -> Array:
    """(O, KH·KW·C): each filter as a row, taps first, channels side by side."""
    taps = weight[:, :, ::-1, ::-1] if flip else weight
    return np.ascontiguousarray(taps.transpose(0, 2, 3, 1)).reshape(len(weight), -1)


def _padded(images: Array, padding: Padding) -> Array:
    (top, bottom), (left, right) = padding
    if top == bottom == left == right == 0:
        return images
    n, height, width, channels = images.shape
    padded = np.zeros((n, height + top + bottom, width + left + right, channels), images.dtype)
    padded[:, top : top + height, left : left + width] = images
    return padded


def _output_size(shape: Shape, kernel: Shape, stride: Pair, dilation: Pair) -> Pair:
    sizes = ((shape[1 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1))
    return next(sizes), next(sizes)


def _images_at_once(bytes_per_image: int) -> int:
    return max(1, _PATCH_BYTES // max(1, bytes_per_image))


def _tap(images: Array, ky: int, kx: int, size: Pair, stride: Pair, dilation: Pair) -> Array:
    """Return the cells (n, rows, columns, C) that meet kernel tap (ky, kx), as a view."""
    y, x = ky * dilation[0], kx * dilation[1]
    return images[
        :,
        y : y + (size[0] - 1) * stride[0] + 1 : stride[0],
        x : x + (size[1] - 1) * stride[1] + 1 : stride[1],
    ]


def _patches(images: Array, kernel: Shape, size: Pair, stride: Pair, dilation: Pair) -> Iterator[tuple[slice, Array]]:
    """Yield (which images, their patches as a matrix of one row per output cell); the matrix is reused."""
    n, _, _, channels = images.shape
    width = kernel[0] * kernel[1] * channels
    step = min(n, _images_at_once(size[0] * size[1] * width * images.itemsize))
    buffer = np.empty((max(step, 1), *size, *kernel, channels), images.dtype)
    for start in range(0, n, max(step, 1)):
        part = slice(start, min(start + step, n))
        patches = buffer[: part.stop - start]
        for ky, kx in np.ndindex(*kernel):
            patches[:, :, :, ky, kx] = _tap(images[part], ky, kx, size, stride, dilation)
        yield part, patches.reshape(-1, width)
