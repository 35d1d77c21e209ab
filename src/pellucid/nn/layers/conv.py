"""Convolution layers."""

import math
from typing import Any

from pellucid import ops
from pellucid.errors import ParameterError
from pellucid.nn import random
from pellucid.nn.functional import apply
from pellucid.nn.layers.base import Layer
from pellucid.nn.parameter import Parameter
from pellucid.nn.settings import divides, padding_cells, pair, positive
from pellucid.ops.pad import BORDERS
from pellucid.types import Shape


class _Convolution(Layer):
    """What the two convolution layers share: weights drawn as PyTorch draws them, and how they print."""

    def _set_up(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, dilation: Any, groups: int
    ) -> None:
        owner = type(self).__name__
        self.in_channels = positive(in_channels, "in_channels", owner)
        self.out_channels = positive(out_channels, "out_channels", owner)
        self.kernel_size = pair(kernel_size, "kernel_size", owner)
        self.stride, self.dilation = pair(stride, "stride", owner), pair(dilation, "dilation", owner)
        self.groups = positive(groups, "groups", owner)
        divides(groups, in_channels, "in_channels", owner)
        divides(groups, out_channels, "out_channels", owner)

    def _draw_weights(self, shape: Shape, bias: bool) -> None:
        """Kaiming uniform with a = √5, that is U(−1/√fan_in, 1/√fan_in), for weight and bias (He et al. 2015)."""
        bound = 1 / math.sqrt(shape[1] * shape[2] * shape[3])
        self.weight = Parameter(random.uniform(shape, bound))
        self.bias = Parameter(random.uniform((self.out_channels,), bound)) if bias else None

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, self.weight, self.bias)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        (top, bottom), (left, right) = self.op.padding
        if (top, left) != (0, 0) or (bottom, right) != (0, 0):
            text += f", padding={(top, left) if (top, left) == (bottom, right) else self.op.padding}"
        text += f", dilation={self.dilation}" if self.dilation != (1, 1) else ""
        text += f", groups={self.groups}" if self.groups != 1 else ""
        return text + (", bias=False" if self.bias is None else "")


class Conv2d(_Convolution):
    """Slide ``out_channels`` kernels over images: (N, C, H, W) → (N, O, H', W').

    ``padding`` is a number of cells, a pair, ((top, bottom), (left, right)), "valid", "same" or "full". The weight
    is (O, C/groups, KH, KW). Raises ParameterError where a setting breaks its rule.

    >>> Conv2d(1, 32, kernel_size=3, padding=1)
    Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        self._set_up(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if padding_mode not in BORDERS:
            raise ParameterError(
                f"The 'padding_mode' parameter of Conv2d must be one of {', '.join(BORDERS)}; got {padding_mode!r}."
            )
        cells = padding_cells(padding, self.kernel_size, self.stride, self.dilation, "Conv2d")
        self.op = ops.Conv2d(self.stride, cells, self.dilation, self.groups, padding_mode)
        self._draw_weights((self.out_channels, self.in_channels // self.groups, *self.kernel_size), bias)


class ConvTranspose2d(_Convolution):
    """Stamp kernels onto a larger output: (N, C, H, W) → (N, O, H', W'); the weight is (C, O/groups, KH, KW).

    >>> ConvTranspose2d(8, 4, kernel_size=2, stride=2)
    ConvTranspose2d(8, 4, kernel_size=(2, 2), stride=(2, 2))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
    ) -> None:
        super().__init__()
        self._set_up(in_channels, out_channels, kernel_size, stride, dilation, groups)
        if isinstance(padding, str):
            raise ParameterError(
                f"The 'padding' parameter of ConvTranspose2d must be a number of cells; got {padding!r}."
            )
        cells = padding_cells(padding, self.kernel_size, self.stride, self.dilation, "ConvTranspose2d")
        extra = pair(output_padding, "output_padding", "ConvTranspose2d", minimum=0)
        self.op = ops.ConvTranspose2d(self.stride, cells, extra, self.dilation, self.groups)
        self._draw_weights((self.in_channels, self.out_channels // self.groups, *self.kernel_size), bias)
