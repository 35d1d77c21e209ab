"""Kernels turned around, and two convolutions put together into one.

Without a nonlinearity between them, convolutions in turn are a single one: that is why networks need ReLU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.matrices import FLOAT32_RANGE, as_numbers, checked_kernel, checked_picture
from pellucid.explain.numbers import number, percent
from pellucid.nn import Conv2d
from pellucid.nn.functional import conv2d, relu
from pellucid.nn.parameter import Parameter
from pellucid.nn.random import skip_init
from pellucid.types import Array, Pair


def flip(kernel: Array) -> Array:
    """Turn kernels (…, KH, KW) by half a turn: cross-correlation with the result is convolution with the kernel.

    >>> flip(np.array([[1, 2], [3, 4]]))
    array([[4, 3],
           [2, 1]])
    """
    return np.asarray(kernel)[..., ::-1, ::-1].copy()


def compose(first: Any, second: Any) -> Array:
    """Return the kernel that does in one go what two kernels do one after the other.

    Both are (KH, KW), or the weights of layers, (M, C, KH, KW) and (O, M, KH, KW); the result is larger by the rows
    and columns of the other less one. It is the full convolution of the two, be they used for convolution or for
    cross-correlation, and exact wherever no border was added between them. Raises ShapeError where they do not fit.

    >>> compose([[1, 1]], [[1], [-1]])
    array([[ 1.,  1.],
           [-1., -1.]])
    """
    first, second = _kernel(first, "first"), _kernel(second, "second")
    if first.ndim != second.ndim or (first.ndim == 4 and first.shape[0] != second.shape[1]):
        raise ShapeError(
            "Kernels to be composed must both be (KH, KW), or (M, C, KH, KW) and (O, M, KH, KW); "
            f"got shapes {first.shape} and {second.shape}."
        )
    if first.ndim == 2:
        first, second = first[None, None], second[None, None]
        return np.asarray(_compose(first, second, (1, 1))[0, 0])
    return _compose(first, second, (1, 1))


def merge(first: Conv2d, second: Conv2d) -> Conv2d:
    """Return the layer that two convolution layers in turn are, with their strides, dilations, groups and biases.

    Raises ShapeError where the channels do not fit, ParameterError where the second pads its input: cells that it adds
    are zero, while the merged layer would see what lies there.

    >>> merge(Conv2d(1, 8, 3, stride=2, padding=1), Conv2d(8, 4, 3))
    Conv2d(1, 4, kernel_size=(7, 7), stride=(2, 2), padding=(1, 1))
    """
    if first.out_channels != second.in_channels:
        raise ShapeError(
            f"The second layer must take the {first.out_channels} channels that the first gives; it takes "
            f"{second.in_channels}."
        )
    if second.op.padding != ((0, 0), (0, 0)):
        raise ParameterError(
            f"The 'padding' parameter of the second Conv2d must be 0 for two to be one; got {second.op.padding}."
        )
    inner, outer = (_spread(_dense(layer), layer.dilation) for layer in (first, second))
    weight = _compose(inner, outer, first.stride)
    stride = first.stride[0] * second.stride[0], first.stride[1] * second.stride[1]
    size, border, has_bias = weight.shape[2:], first.op.border, first.bias is not None or second.bias is not None
    channels = first.in_channels, second.out_channels
    with skip_init():
        merged = Conv2d(*channels, size, stride, first.op.padding, bias=has_bias, padding_mode=border)
    merged.weight = Parameter(weight.astype(np.float32))
    if has_bias:
        bias = np.zeros(second.out_channels)
        bias += 0 if first.bias is None else outer.sum(axis=(2, 3)) @ first.bias.data.astype(np.float64)
        bias += 0 if second.bias is None else second.bias.data
        merged.bias = Parameter(bias.astype(np.float32))
    return merged


@dataclass(frozen=True, slots=True)
class Collapse:
    """Two kernels on a picture: one after the other, as one, and with a ReLU between; maps are (H', W')."""

    first: Array
    second: Array
    composed: Array
    picture: Array
    in_turn: Array
    at_once: Array
    with_relu: Array

    @property
    def largest(self) -> float:
        """Largest magnitude of a cell after both kernels."""
        return float(abs(self.in_turn).max())

    @property
    def error(self) -> float:
        """Largest difference between two convolutions and one: what rounding leaves."""
        return float(abs(self.in_turn - self.at_once).max())

    @property
    def relu_difference(self) -> float:
        """Largest difference that a ReLU between the two makes."""
        return float(abs(self.in_turn - self.with_relu).max())

    @property
    def relu_cells(self) -> float:
        """Share of the cells that the ReLU changes by more than rounding."""
        return float((abs(self.in_turn - self.with_relu) > _ROUNDING * self.largest).mean())

    def text(self) -> str:
        """Tell what was found."""
        (a, b), (c, d), (e, f) = self.first.shape, self.second.shape, self.composed.shape
        lines = [
            f"{a}×{b}, then {c}×{d}, are one kernel of {e}×{f}.",
            f"On the picture they differ by at most {number(self.error, 2)}, where the largest answer is "
            f"{number(self.largest)}.",
        ]
        if self.relu_cells == 0:
            lines.append("A ReLU between the two changes nothing here: the first answers nothing negative.")
        else:
            lines.append(
                f"With a ReLU between the two, {percent(self.relu_cells)} of the cells change, by up to "
                f"{number(self.relu_difference)}: no single kernel does that."
            )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: the kernel and the differences, without the maps."""
        return {
            "first": self.first.tolist(),
            "second": self.second.tolist(),
            "composed": self.composed.tolist(),
            "largest": self.largest,
            "error": self.error,
            "relu_difference": self.relu_difference,
            "relu_cells": self.relu_cells,
        }


_ROUNDING = 1e-5
"""What float32 leaves of a difference, as a share of the largest answer."""


def collapse(picture: Any, first: Any, second: Any) -> Collapse:
    """Apply two kernels (KH, KW) to a picture (H, W) in turn, as one, and with a ReLU between; the engine computes.

    There is no border, so the maps are smaller than the picture, whose integers of 8 and 16 bits are read as 0 to 1.
    Raises ShapeError where the picture is smaller than the composed kernel, DataError where its numbers are not finite,
    ParameterError where those of a kernel are not, or float32 cannot hold the result.

    >>> found = collapse(np.eye(8), [[-1, 0, 1]], [[1], [0], [-1]])
    >>> found.error, found.relu_difference
    (0.0, 1.0)
    """
    one = checked_kernel(first, "first kernel", FLOAT32_RANGE)
    other = checked_kernel(second, "second kernel", FLOAT32_RANGE)
    image = checked_picture(picture)
    rows, columns = one.shape[0] + other.shape[0] - 1, one.shape[1] + other.shape[1] - 1
    if image.ndim != 2 or image.shape[0] < rows or image.shape[1] < columns:
        raise ShapeError(
            f"The picture must be (H, W) and at least as large as the composed kernel, {rows}×{columns}; "
            f"got shape {image.shape}."
        )
    composed = compose(one, other)
    between = conv2d(image, one.astype(np.float32))
    after, with_relu = (conv2d(map_, other.astype(np.float32)) for map_ in (between, relu(between)))
    found = Collapse(one, other, composed, image, after, conv2d(image, composed.astype(np.float32)), with_relu)
    if not np.isfinite(found.in_turn).all():
        raise ParameterError("What two kernels make of the picture must be numbers of float32; scale one of them down.")
    return found


def _kernel(values: Any, name: str) -> Array:
    array = as_numbers(values, f"{name} kernel")
    if array.ndim not in (2, 4) or not array.size:
        raise ShapeError(f"The {name} kernel must be (KH, KW) or (O, C, KH, KW), not empty; got shape {array.shape}.")
    return array


def _compose(first: Array, second: Array, stride: Pair) -> Array:
    """Lay the first kernels (M, C, KH, KW) under every cell of the second (O, M, KH, KW), a stride apart."""
    rows, columns = first.shape[2:]
    down, right = ((extent - 1) * step for extent, step in zip(second.shape[2:], stride, strict=True))
    whole = np.zeros((second.shape[0], first.shape[1], rows + down, columns + right))
    for y in range(second.shape[2]):
        for x in range(second.shape[3]):
            top, left = y * stride[0], x * stride[1]
            part = np.tensordot(second[:, :, y, x], first, 1)  # (O, M) · (M, C, KH, KW)
            whole[:, :, top : top + rows, left : left + columns] += part
    return whole


def _dense(layer: Conv2d) -> Array:
    """Write a layer's weight (O, C/groups, KH, KW) as that of one group, (O, C, KH, KW)."""
    weight = layer.weight.data.astype(np.float64)
    per_group, out = weight.shape[1], layer.out_channels // layer.groups
    whole = np.zeros((layer.out_channels, layer.in_channels, *weight.shape[2:]))
    for group in range(layer.groups):
        rows = slice(group * out, (group + 1) * out)
        whole[rows, group * per_group : (group + 1) * per_group] = weight[rows]
    return whole


def _spread(weight: Array, dilation: Pair) -> Array:
    """Put the zeros of a dilation between the cells of kernels."""
    rows, columns = ((extent - 1) * step + 1 for extent, step in zip(weight.shape[2:], dilation, strict=True))
    whole = np.zeros((*weight.shape[:2], rows, columns))
    whole[:, :, :: dilation[0], :: dilation[1]] = weight
    return whole
