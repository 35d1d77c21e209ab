"""MobileNet V3: V2's blocks with hard swish and squeeze-and-excitation, found by search.

Howard et al. 2019, arXiv:1905.02244, tables 1 and 2.
"""

from functools import partial
from typing import Any

from pellucid.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Dropout,
    Flatten,
    Hardsigmoid,
    Hardswish,
    Linear,
    Module,
    ReLU,
    Sequential,
)
from pellucid.types import Shape
from pellucid.zoo.blocks import SqueezeExcitation, conv_norm
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he

_conv = partial(conv_norm, norm=partial(BatchNorm2d, eps=0.001, momentum=0.01))

Row = tuple[int, int, int, bool, bool, int]

LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
"""(kernel, expanded channels, channels, squeeze-and-excitation, hard swish, stride) of the blocks."""

SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)


class Bneck(Module):
    """Widen by 1×1, filter depthwise, weigh the channels, narrow by 1×1; beside a shortcut where shapes allow one.

    >>> import numpy as np
    >>> Bneck(4, (3, 8, 6, True, True, 2))(np.zeros((2, 4, 6, 6), np.float32)).shape
    (2, 6, 3, 3)
    """

    def __init__(self, in_channels: int, row: Row) -> None:
        super().__init__()
        kernel, wide, out_channels, squeezes, swishes, stride = row
        activation = Hardswish if swishes else ReLU
        self.residual = stride == 1 and in_channels == out_channels
        layers: list[Module] = [] if wide == in_channels else [_conv(in_channels, wide, activation=activation)]
        layers.append(_conv(wide, wide, kernel, stride, groups=wide, activation=activation))
        if squeezes:
            layers.append(SqueezeExcitation(wide, _near_quarter(wide), ReLU, Hardsigmoid))
        self.block = Sequential(*layers, _conv(wide, out_channels, activation=None))

    def forward(self, x: Any) -> Any:
        """Return x + block(x), or the block alone."""
        return x + self.block(x) if self.residual else self.block(x)


def _near_quarter(channels: int) -> int:
    """Round a quarter of the channels to a multiple of eight, but never down by more than a tenth."""
    quarter = channels // 4
    rounded = max(8, (quarter + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * quarter else rounded


def mobilenet_v3(input: Shape, classes: int, rows: tuple[Row, ...], dense: int) -> Module:  # noqa: A002
    """Build the table's blocks between two plain convolutions, and two dense layers."""
    blocks: list[Module] = []
    channels = 16
    for row in rows:
        blocks.append(Bneck(channels, row))
        channels = row[2]
    first = _conv(input[0], 16, 3, stride=2, activation=Hardswish)
    last = _conv(channels, 6 * channels, activation=Hardswish)
    return Sequential(
        {
            "features": Sequential(first, *blocks, last),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "classifier": Sequential(Linear(6 * channels, dense), Hardswish(), Dropout(0.2), Linear(dense, classes)),
        }
    )


def _design(rows: tuple[Row, ...], dense: int, parameters: int) -> Design:
    build = partial(mobilenet_v3, rows=rows, dense=dense)
    return Design(build, draw=partial(he, dense=0.01), paper="arXiv:1905.02244", parameters=parameters)


NETWORKS = {
    "mobilenet-v3-large": _design(LARGE, 1280, 5_483_032),
    "mobilenet-v3-small": _design(SMALL, 1024, 2_542_856),
}
