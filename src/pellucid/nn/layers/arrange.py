"""Layers that move values: flatten, shuffles, padding."""

from typing import Any

from pellucid import ops
from pellucid.errors import ParameterError
from pellucid.nn.functional import flatten, pad
from pellucid.nn.layers.base import Layer
from pellucid.nn.module import Module
from pellucid.nn.settings import is_integer, positive


class Identity(Module):
    """Pass the input on."""

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Layer):
    """Merge axes into one, by default all but the batch."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        return flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class PixelShuffle(Layer):
    """Turn groups of factor² channels into blocks of factor × factor pixels (Shi et al. 2016)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.op = ops.PixelShuffle(positive(upscale_factor, "upscale_factor", "PixelShuffle"))


class PixelUnshuffle(Layer):
    """Turn blocks of factor × factor pixels into factor² channels."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.op = ops.PixelUnshuffle(positive(downscale_factor, "downscale_factor", "PixelUnshuffle"))


class ChannelShuffle(Layer):
    """Deal the channels of the groups out in turn (Zhang et al. 2018)."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.op = ops.ChannelShuffle(positive(groups, "groups", "ChannelShuffle"))


class _Padding(Layer):
    mode = "constant"
    value = 0.0

    def __init__(self, padding: Any) -> None:
        super().__init__()
        sides = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * 4
        if len(sides) != 4 or not all(is_integer(side) and side >= 0 for side in sides):
            raise ParameterError(
                f"The 'padding' parameter of {type(self).__name__} must be an integer of at least 0 or four of them "
                f"(left, right, top, bottom); got {padding!r}."
            )
        self.padding = tuple(int(side) for side in sides)

    def forward(self, x: Any) -> Any:
        return pad(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad2d(_Padding):
    """Put a border of one value round every plane: n cells, or (left, right, top, bottom)."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value


class ZeroPad2d(_Padding):
    """Put a border of zeros round every plane: n cells, or (left, right, top, bottom)."""


class ReplicationPad2d(_Padding):
    """Repeat the edges of every plane outwards."""

    mode = "replicate"


class ReflectionPad2d(_Padding):
    """Mirror every plane at its edges, which are not repeated."""

    mode = "reflect"


class CircularPad2d(_Padding):
    """Continue every plane at its opposite edge."""

    mode = "circular"
