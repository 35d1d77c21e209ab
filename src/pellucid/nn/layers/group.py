"""Layers that treat an image and its quarter turns alike: convolutions on the group p4 (Cohen & Welling 2016).

A p4 map of C features has 4·C channels: channel 4·c + r is feature c, looked for in orientation r, each orientation a
quarter turn anticlockwise from the one before. When the image is turned by a quarter, every plane of a p4 map turns
with it and moves on to the next orientation, and nothing else changes: exactly, as long as kernels are padded alike on
all sides and strides divide evenly. ReLU, pooling and dropout of single channels go between these layers as they are.
See *Group Equivariant Convolutional Networks*, arXiv:1602.07576.
"""

import math
from typing import Any

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.nn import random
from pellucid.nn.batch_norm import p4_batch_norm
from pellucid.nn.functional import apply
from pellucid.nn.layers.norm import BatchNorm2d
from pellucid.nn.module import Module
from pellucid.nn.parameter import Parameter
from pellucid.nn.settings import is_integer, positive
from pellucid.nn.tracing import here, lift
from pellucid.types import Shape

TURNS = 4
"""Orientations of p4."""


class _P4Convolution(Module):
    """A convolution by base kernels in four orientations."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        self.in_channels = positive(in_channels, "in_channels", owner)
        self.out_channels = positive(out_channels, "out_channels", owner)
        self.kernel_size = positive(kernel_size, "kernel_size", owner)
        self.stride = positive(stride, "stride", owner)
        if not is_integer(padding) or padding < 0:
            raise ParameterError(
                f"The 'padding' parameter of {owner} must be a number of cells, alike on all sides; got {padding!r}."
            )
        self.padding = int(padding)
        shape = self._weight_shape()
        bound = 1 / math.sqrt(math.prod(shape[1:]))  # as Conv2d draws them: Kaiming uniform with a = √5
        self.weight = Parameter(random.uniform(shape, bound))
        self.bias = Parameter(random.uniform((self.out_channels,), bound)) if bias else None

    def _weight_shape(self) -> Shape:
        raise NotImplementedError

    def forward(self, x: Any) -> Any:
        """Turn the base kernels and convolve with all four."""
        weight = apply(ops.Orientations(), lift(self.weight))
        bias = None if self.bias is None else apply(ops.Orientations(), lift(self.bias))
        cells = self.padding, self.padding
        return apply(ops.Conv2d((self.stride, self.stride), (cells, cells)), x, weight, bias)

    def extra_repr(self) -> str:
        """Return the layer's settings."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        text += f", padding={self.padding}" if self.padding else ""
        return text + (", bias=False" if self.bias is None else "")


class P4LiftConv2d(_P4Convolution):
    """From images to p4 maps: every kernel in four orientations, (N, C, H, W) → (N, 4·O, H', W').

    The weight is (O, C, K, K), the bias (O,).

    >>> import numpy as np
    >>> lift = P4LiftConv2d(1, 8, kernel_size=3, padding=1)
    >>> lift(np.zeros((2, 1, 28, 28), np.float32)).shape, lift.weight.shape
    ((2, 32, 28, 28), (8, 1, 3, 3))
    """

    def _weight_shape(self) -> Shape:
        return self.out_channels, self.in_channels, self.kernel_size, self.kernel_size


class P4Conv2d(_P4Convolution):
    """From p4 maps to p4 maps, (N, 4·C, H, W) → (N, 4·O, H', W'); the channels given are C and O.

    The weight is (O, C, 4, K, K): one plane for each orientation of the input, relative to that of the output. So it
    can tell a corner from an upright line beside a level one, which planes turned each for itself could not.

    >>> import numpy as np
    >>> conv = P4Conv2d(8, 16, kernel_size=3, padding=1)
    >>> conv(np.zeros((2, 32, 28, 28), np.float32)).shape, conv.weight.shape
    ((2, 64, 28, 28), (16, 8, 4, 3, 3))
    """

    def _weight_shape(self) -> Shape:
        return self.out_channels, self.in_channels, TURNS, self.kernel_size, self.kernel_size


class P4BatchNorm2d(BatchNorm2d):
    """Normalise every feature of a p4 map (N, 4·C, H, W) by statistics that its four orientations share.

    ``num_features`` is C; settings and state are those of :class:`BatchNorm2d`.

    >>> P4BatchNorm2d(8)
    P4BatchNorm2d(8, eps=1e-05, momentum=0.1)
    """

    one_op = False
    normalise = staticmethod(p4_batch_norm)

    def forward(self, x: Any) -> Any:
        _p4_shape(x, type(self).__name__)
        return super().forward(x)


class OrientationPool2d(Module):
    """Keep of every feature the strongest of its four orientations: (N, 4·C, H, W) → (N, C, H, W).

    What is left turns with the image and is otherwise the same; where a plane is one cell, or its mean is taken, it
    does not depend on the image's orientation at all.

    >>> import numpy as np
    >>> OrientationPool2d()(np.float32([[1, 7, 3, 2, 0, 0, 5, 0]]).reshape(1, 8, 1, 1)).ravel()
    array([7., 5.], dtype=float32)
    """

    def forward(self, x: Any) -> Any:
        """Lay the four planes of a feature below each other, and pool over them."""
        n, channels, height, width = _p4_shape(x, "OrientationPool2d")
        stacked = x.reshape(n, channels // TURNS, TURNS * height, width)
        return apply(ops.MaxPool2d((TURNS, 1), (1, 1), dilation=(height, 1)), stacked)


def _p4_shape(x: Any, owner: str) -> Shape:
    if x.ndim != 4 or x.shape[1] % TURNS:
        raise ShapeError(f"{here(owner)} needs a p4 map (N, 4·C, H, W), got shape {x.shape}.")
    return tuple(x.shape)
