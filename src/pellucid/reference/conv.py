"""Convolution and transposed convolution, forward and backward.

Every function loops over the kernel's cells (ky, kx). For one cell, what all output positions see is a
strided view of the padded input, and what remains is a small matrix product over channels.
"""

import numpy as np

from pellucid.reference._arrays import Array, Padding, Pair, Shape, tap
from pellucid.reference.pad import pad, pad_backward

NO_PADDING: Padding = ((0, 0), (0, 0))


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    border: str = "zeros",
    flip: bool = False,
) -> Array:
    """Slide kernels over images.

    y[n, o, i, j] = bias[o] + Σ_c Σ_ky Σ_kx weight[o, c, ky, kx] · padded[n, c, row, column],
    row = i·stride + ky·dilation,  column = j·stride + kx·dilation,

    where c runs over the C/groups channels of o's group. This is cross-correlation, what networks call
    convolution; ``flip=True`` turns the kernel by 180° first, which is the convolution of signal processing.

    x is (N, C, H, W), weight (O, C/groups, KH, KW), bias (O,); returns (N, O, OH, OW) with
    OH = (H + top + bottom − dilation·(KH − 1) − 1) // stride + 1. ``border`` is a mode of :func:`pad`.

    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(image, np.array([[[[1.0, 2.0]]]]))
    array([[[[ 2.,  5.],
             [11., 14.],
             [20., 23.]]]])
    """
    padded = pad(x, _all_axes(padding), mode=border)
    kernels = _split(weight, groups, flip)  # (G, O/G, C/G, KH, KW)
    n, c = x.shape[:2]
    o, _, kh, kw = weight.shape
    oh = _output_size(padded.shape[2], kh, stride[0], dilation[0])
    ow = _output_size(padded.shape[3], kw, stride[1], dilation[1])
    y = np.zeros((n, groups, o // groups, oh * ow), x.dtype)
    for ky in range(kh):
        for kx in range(kw):
            seen = tap(padded, ky, kx, (oh, ow), stride, dilation)  # (N, C, OH, OW)
            seen = seen.reshape(n, groups, c // groups, oh * ow)
            y += kernels[:, :, :, ky, kx] @ seen  # (G, O/G, C/G) @ (N, G, C/G, OH·OW)
    y = y.reshape(n, o, oh, ow)
    return y if bias is None else y + bias[:, None, None]


def conv2d_backward_data(
    dy: Array,
    weight: Array,
    x_shape: Shape,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    border: str = "zeros",
    flip: bool = False,
) -> Array:
    """Send each output's gradient back to every input cell it was made of, times the weight between them.

    dpadded[n, c, i·stride + ky·dilation, j·stride + kx·dilation] += Σ_o weight[o, c, ky, kx] · dy[n, o, i, j]

    dy is (N, O, OH, OW); returns dx of ``x_shape`` (N, C, H, W). Border cells are folded back by
    :func:`pad_backward`.

    >>> conv2d_backward_data(np.ones((1, 1, 1, 2)), np.array([[[[1.0, 2.0]]]]), (1, 1, 1, 3))
    array([[[[1., 3., 2.]]]])
    """
    n, c, h, w = x_shape
    _, o, oh, ow = dy.shape
    kh, kw = weight.shape[2:]
    kernels = _split(weight, groups, flip)  # (G, O/G, C/G, KH, KW)
    dy_split = dy.reshape(n, groups, o // groups, oh * ow)
    dpadded = np.zeros((n, c, h + sum(padding[0]), w + sum(padding[1])), dy.dtype)
    for ky in range(kh):
        for kx in range(kw):
            sent = kernels[:, :, :, ky, kx].swapaxes(1, 2) @ dy_split  # (G, C/G, O/G) @ (N, G, O/G, OH·OW)
            receiver = tap(dpadded, ky, kx, (oh, ow), stride, dilation)  # (N, C, OH, OW)
            receiver += sent.reshape(n, c, oh, ow)
    return pad_backward(dpadded, x_shape, _all_axes(padding), mode=border)


def conv2d_backward_weight(
    dy: Array,
    x: Array,
    weight_shape: Shape,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
    border: str = "zeros",
    flip: bool = False,
) -> Array:
    """Sum, for each weight, the products of what it saw with the gradient of what it made.

    dweight[o, c, ky, kx] = Σ_n Σ_i Σ_j dy[n, o, i, j] · padded[n, c, row, column],
    row = i·stride + ky·dilation,  column = j·stride + kx·dilation

    dy is (N, O, OH, OW), x (N, C, H, W); returns (O, C/groups, KH, KW).

    >>> conv2d_backward_weight(np.ones((1, 1, 1, 2)), np.array([[[[1.0, 2.0, 4.0]]]]), (1, 1, 1, 2))
    array([[[[3., 6.]]]])
    """
    padded = pad(x, _all_axes(padding), mode=border)
    n, c = x.shape[:2]
    _, o, oh, ow = dy.shape
    kh, kw = weight_shape[2:]
    dy_split = dy.reshape(n, groups, o // groups, oh * ow)
    dkernels = np.zeros((groups, o // groups, c // groups, kh, kw), dy.dtype)
    for ky in range(kh):
        for kx in range(kw):
            seen = tap(padded, ky, kx, (oh, ow), stride, dilation)  # (N, C, OH, OW)
            seen = seen.reshape(n, groups, c // groups, oh * ow)
            # (N, G, O/G, OH·OW) @ (N, G, OH·OW, C/G), summed over the images
            dkernels[:, :, :, ky, kx] = (dy_split @ seen.swapaxes(2, 3)).sum(0)
    dweight = dkernels.reshape(weight_shape)
    return dweight[:, :, ::-1, ::-1].copy() if flip else dweight


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    output_padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Let every input cell paint a kernel onto a larger canvas, then cut ``padding`` off the canvas.

    canvas[n, o, i·stride + ky·dilation, j·stride + kx·dilation] += Σ_c weight[c, o, ky, kx] · x[n, c, i, j]

    This is exactly the backward-data pass of a convolution, and is computed as such. x is (N, C, H, W),
    weight (C, O/groups, KH, KW), bias (O,); returns (N, O, OH, OW) with OH = (H − 1)·stride − top − bottom +
    dilation·(KH − 1) + 1 + output_padding.

    >>> conv_transpose2d(np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0]]]]), stride=(1, 2))
    array([[[[ 1.,  2., 13., 20., 30.]]]])
    """
    n, _, h, w = x.shape
    o, kh, kw = weight.shape[1] * groups, *weight.shape[2:]
    oh = (h - 1) * stride[0] - sum(padding[0]) + dilation[0] * (kh - 1) + 1 + output_padding[0]
    ow = (w - 1) * stride[1] - sum(padding[1]) + dilation[1] * (kw - 1) + 1 + output_padding[1]
    y = conv2d_backward_data(
        x, weight, (n, o, oh, ow), stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    return y if bias is None else y + bias[:, None, None]


def conv_transpose2d_backward_data(
    dy: Array,
    weight: Array,
    x_shape: Shape,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    output_padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Convolve dy (N, O, OH, OW) with the same kernels; returns dx of ``x_shape`` (N, C, H, W).

    An ``output_padding`` of a stride or more leaves room for window positions that belong to no input cell;
    they are cut off.

    >>> conv_transpose2d_backward_data(np.ones((1, 1, 1, 3)), np.array([[[[1.0, 2.0]]]]), (1, 1, 1, 2))
    array([[[[3., 3.]]]])
    """
    dx = conv2d(dy, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return dx[:, :, : x_shape[2], : x_shape[3]]


def conv_transpose2d_backward_weight(
    dy: Array,
    x: Array,
    weight_shape: Shape,
    *,
    stride: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    output_padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Sum dy times x for each weight: a convolution's weight gradient with dy and x in exchanged roles.

    dy is (N, O, OH, OW), x (N, C, H, W); returns (C, O/groups, KH, KW).

    >>> conv_transpose2d_backward_weight(np.array([[[[1.0, 2.0, 4.0]]]]), np.ones((1, 1, 1, 2)), (1, 1, 1, 2))
    array([[[[3., 6.]]]])
    """
    return conv2d_backward_weight(x, dy, weight_shape, stride=stride, padding=padding, dilation=dilation, groups=groups)


def bias_backward(dy: Array) -> Array:
    """Sum dy (N, O, OH, OW) over images and positions; returns (O,), for both kinds of convolution.

    >>> bias_backward(np.ones((2, 3, 4, 4)))
    array([32., 32., 32.])
    """
    return np.asarray(dy.sum((0, 2, 3)))


def _all_axes(padding: Padding) -> tuple[Pair, ...]:
    """Extend the padding of rows and columns to the axes (N, C, H, W)."""
    return ((0, 0), (0, 0), *padding)


def _split(weight: Array, groups: int, flip: bool) -> Array:
    """Return the kernels by group, turned by 180° if asked."""
    o, c, kh, kw = weight.shape
    kernels = weight[:, :, ::-1, ::-1] if flip else weight
    return kernels.reshape(groups, o // groups, c, kh, kw)  # (G, O/G, C/G, KH, KW)


def _output_size(extent: int, kernel: int, stride: int, dilation: int) -> int:
    """Return how many window positions fit into a padded extent."""
    return (extent - dilation * (kernel - 1) - 1) // stride + 1
