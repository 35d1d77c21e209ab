"""Pooling: a window slides over each channel by itself and keeps one number."""

import numpy as np

from pellucid.reference._arrays import Array, Padding, Pair, Shape, tap
from pellucid.reference.pad import pad

NO_PADDING: Padding = ((0, 0), (0, 0))


def max_pool2d(
    x: Array,
    *,
    kernel: Pair,
    stride: Pair,
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    """Keep the largest value of each window, and remember where it was.

    x is (N, C, H, W); returns y (N, C, OH, OW) and int32 indices of the same shape, which count row · W +
    column in the unpadded plane. Of equal values the first in reading order is kept; NaN beats everything,
    and a later NaN an earlier one (as in PyTorch). Padding never wins: a window that meets no cell of x gives
    −inf and index −1.

    >>> y, indices = max_pool2d(np.array([[[[1.0, 7.0, 2.0, 7.0]]]]), kernel=(1, 2), stride=(1, 2))
    >>> y, indices
    (array([[[[7., 7.]]]]), array([[[[1, 3]]]], dtype=int32))
    """
    n, c, h, w = x.shape
    out = _output_sizes((h, w), kernel, stride, padding, dilation, ceil_mode)
    border = _window_border((h, w), out, kernel, stride, padding, dilation)
    padded = pad(x, border, value=-np.inf)
    # every cell's own number in its plane, −1 on the border: (1, 1, top + H + bottom, left + W + right)
    places = pad(np.arange(h * w, dtype=np.int32).reshape(1, 1, h, w), border, value=-1)
    y = np.full((n, c, *out), -np.inf, x.dtype)
    indices = np.full((n, c, *out), -1, np.int32)
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            seen = tap(padded, ky, kx, out, stride, dilation)  # (N, C, OH, OW)
            place = tap(places, ky, kx, out, stride, dilation)  # (1, 1, OH, OW)
            better = (place >= 0) & ((seen > y) | np.isnan(seen) | (indices < 0))
            y = np.where(better, seen, y)
            indices = np.where(better, place, indices)
    return y, indices


def max_pool2d_backward(dy: Array, indices: Array, x_shape: Shape) -> Array:
    """Give each output's gradient to the one cell that was kept; dy and indices are (N, C, OH, OW).

    >>> max_pool2d_backward(np.array([[[[5.0, 6.0]]]]), np.array([[[[1, 1]]]]), (1, 1, 1, 3))
    array([[[[ 0., 11.,  0.]]]])
    """
    n, c, h, w = x_shape
    dx = np.zeros((n * c, h * w), dy.dtype)
    plane = np.arange(n * c).reshape(n, c, 1, 1)
    met = indices >= 0
    np.add.at(dx, (np.broadcast_to(plane, dy.shape)[met], indices[met]), dy[met])
    return dx.reshape(x_shape)


def avg_pool2d(
    x: Array,
    *,
    kernel: Pair,
    stride: Pair,
    padding: Padding = NO_PADDING,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Average each window: y = (Σ of the window's cells, padding counted as 0) / divisor.

    x is (N, C, H, W); returns (N, C, OH, OW). The divisor is the number of window cells inside the padded
    input, or with ``count_include_pad=False`` inside x itself; cells that only ``ceil_mode`` added never
    count.

    >>> avg_pool2d(np.array([[[[2.0, 4.0, 6.0]]]]), kernel=(1, 2), stride=(1, 2), ceil_mode=True)
    array([[[[3., 6.]]]])
    """
    out = _output_sizes(x.shape[2:], kernel, stride, padding, (1, 1), ceil_mode)
    padded = pad(x, _window_border(x.shape[2:], out, kernel, stride, padding, (1, 1)))
    total = np.zeros((*x.shape[:2], *out), x.dtype)
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            total += tap(padded, ky, kx, out, stride, (1, 1))
    return np.asarray(total / _divisor(x.shape[2:], out, kernel, stride, padding, count_include_pad).astype(x.dtype))


def avg_pool2d_backward(
    dy: Array,
    x_shape: Shape,
    *,
    kernel: Pair,
    stride: Pair,
    padding: Padding = NO_PADDING,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Share each output's gradient equally among its window; dy is (N, C, OH, OW), dx of ``x_shape``.

    ``ceil_mode`` shows in the shape of dy already; it is accepted so that both directions take the same
    settings.

    >>> window = {"kernel": (1, 2), "stride": (1, 2)}
    >>> avg_pool2d_backward(np.array([[[[3.0, 6.0]]]]), (1, 1, 1, 3), **window, ceil_mode=True)
    array([[[[1.5, 1.5, 6. ]]]])
    """
    size, out = x_shape[2:], (dy.shape[2], dy.shape[3])
    share = dy / _divisor(size, out, kernel, stride, padding, count_include_pad).astype(dy.dtype)
    _, _, rows, columns = border = _window_border(size, out, kernel, stride, padding, (1, 1))
    dpadded = np.zeros([sum(b) + extent for b, extent in zip(border, x_shape, strict=True)], dy.dtype)
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            receiver = tap(dpadded, ky, kx, out, stride, (1, 1))
            receiver += share
    return dpadded[:, :, rows[0] : rows[0] + size[0], columns[0] : columns[0] + size[1]]


def lp_pool2d(x: Array, *, norm: float, kernel: Pair, stride: Pair, ceil_mode: bool = False) -> Array:
    """Take the p-norm of each window: y = (KH·KW · mean of x^p over the window)^(1/p), with p = ``norm``.

    x is (N, C, H, W); returns (N, C, OH, OW). The mean makes up for windows that ``ceil_mode`` lets stick
    out. As in PyTorch x is not made positive first: a negative sum has no root for p other than 1, and gives
    NaN.

    >>> lp_pool2d(np.array([[[[3.0, 4.0]]]]), norm=2, kernel=(1, 2), stride=(1, 2))
    array([[[[5.]]]])
    """
    with np.errstate(all="ignore"):
        mean = avg_pool2d(x**norm, kernel=kernel, stride=stride, ceil_mode=ceil_mode)
        return np.asarray((kernel[0] * kernel[1] * mean) ** (1 / norm))


def lp_pool2d_backward(
    dy: Array, x: Array, y: Array, *, norm: float, kernel: Pair, stride: Pair, ceil_mode: bool = False
) -> Array:
    """Compute dx = Σ over windows of dy · (KH·KW / divisor) · (x / y)^(p − 1), and 0 where y is 0.

    dy and y are (N, C, OH, OW), x and dx (N, C, H, W).

    >>> x, y, dy = np.array([[[[3.0, 4.0]]]]), np.array([[[[5.0]]]]), np.array([[[[1.0]]]])
    >>> lp_pool2d_backward(dy, x, y, norm=2, kernel=(1, 2), stride=(1, 2))
    array([[[[0.6, 0.8]]]])
    """
    with np.errstate(all="ignore"):
        scaled = np.where(y == 0, 0, kernel[0] * kernel[1] * dy * y ** (1 - norm))
        spread = avg_pool2d_backward(scaled, x.shape, kernel=kernel, stride=stride, ceil_mode=ceil_mode)
        return np.asarray(x ** (norm - 1) * spread)


def adaptive_avg_pool2d(x: Array, *, output_size: Pair) -> Array:
    """Average over OH × OW windows that cover the plane evenly; (1, 1) is global average pooling.

    Row i of the output averages input rows floor(i·H/OH) up to ceil((i+1)·H/OH); columns alike. x is (N, C,
    H, W); returns (N, C, OH, OW).

    >>> adaptive_avg_pool2d(np.array([[[[1.0, 2.0, 3.0]]]]), output_size=(1, 2))
    array([[[[1.5, 2.5]]]])
    """
    y = np.zeros((*x.shape[:2], *output_size), x.dtype)
    for i, rows in enumerate(_even_windows(x.shape[2], output_size[0])):
        for j, columns in enumerate(_even_windows(x.shape[3], output_size[1])):
            y[:, :, i, j] = x[:, :, rows, columns].mean((2, 3))
    return y


def adaptive_avg_pool2d_backward(dy: Array, x_shape: Shape, *, output_size: Pair) -> Array:
    """Share each output's gradient equally among its window; dy is (N, C, OH, OW), dx of ``x_shape``.

    >>> adaptive_avg_pool2d_backward(np.array([[[[2.0, 4.0]]]]), (1, 1, 1, 3), output_size=(1, 2))
    array([[[[1., 3., 2.]]]])
    """
    dx = np.zeros(x_shape, dy.dtype)
    for i, rows in enumerate(_even_windows(x_shape[2], output_size[0])):
        for j, columns in enumerate(_even_windows(x_shape[3], output_size[1])):
            cells = (rows.stop - rows.start) * (columns.stop - columns.start)
            dx[:, :, rows, columns] += dy[:, :, i : i + 1, j : j + 1] / cells
    return dx


def _even_windows(size: int, count: int) -> list[slice]:
    """Return ``count`` windows that cover ``size`` cells evenly; the end is a ceiling division."""
    return [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _output_sizes(size: Shape, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair, ceil_mode: bool) -> Pair:
    """Return (OH, OW).

    With ``ceil_mode`` a last window may stick out, if it starts in x or in the leading padding.
    """
    sizes = []
    for axis in (0, 1):
        before, after = padding[axis]
        room = size[axis] + before + after - dilation[axis] * (kernel[axis] - 1) - 1
        count = (room + (stride[axis] - 1 if ceil_mode else 0)) // stride[axis] + 1
        if ceil_mode and (count - 1) * stride[axis] >= size[axis] + before:
            count -= 1
        sizes.append(count)
    return sizes[0], sizes[1]


def _window_border(size: Shape, out: Pair, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair) -> list[Pair]:
    """Return the padding of (N, C, H, W) that lets every window lie inside, ``ceil_mode``'s last one too."""
    border = [(0, 0), (0, 0)]
    for axis in (0, 1):
        before, after = padding[axis]
        reach = (out[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1
        border.append((before, max(after, reach - size[axis] - before)))
    return border


def _divisor(size: Shape, out: Pair, kernel: Pair, stride: Pair, padding: Padding, count_include_pad: bool) -> Array:
    """Return, for each window, how many of its cells count: (OH, OW)."""
    counts = []
    for axis in (0, 1):
        before, after = padding[axis] if count_include_pad else (0, 0)
        start = np.arange(out[axis]) * stride[axis] - padding[axis][0]
        end = start + kernel[axis]
        counts.append(np.minimum(end, size[axis] + after) - np.maximum(start, -before))
    return np.outer(counts[0], counts[1])
