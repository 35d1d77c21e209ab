"""EfficientNet: depth, width and image size grown together from a searched network (Tan & Le 2019, arXiv:1905.11946).

Without stochastic depth, which only training knows: a finished network is the same.
"""

from functools import partial
from typing import Any

from pellucid.nn import AdaptiveAvgPool2d, Dropout, Flatten, Linear, Module, Sequential, Sigmoid, SiLU
from pellucid.types import Shape
from pellucid.zoo.blocks import SqueezeExcitation, conv_norm
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he

_conv = partial(conv_norm, activation=SiLU)

B0 = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""(expansion, kernel, stride of the first, channels, blocks) of the stages."""


class MBConv(Module):
    """Widen by 1×1, filter depthwise, weigh the channels, narrow by 1×1; beside a shortcut where shapes allow one.

    >>> import numpy as np
    >>> MBConv(4, 6, kernel=5, stride=2, expansion=6)(np.zeros((2, 4, 6, 6), np.float32)).shape
    (2, 6, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.block = Sequential(
            *([_conv(in_channels, wide)] if expansion > 1 else []),
            _conv(wide, wide, kernel, stride, groups=wide),
            SqueezeExcitation(wide, max(1, in_channels // 4), SiLU, Sigmoid),
            _conv(wide, out_channels, activation=None),
        )

    def forward(self, x: Any) -> Any:
        """Return x + block(x), or the block alone."""
        return x + self.block(x) if self.residual else self.block(x)


def efficientnet_b0(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build seven stages between two plain convolutions, and one dense layer."""
    stages: list[Module] = []
    channels = 32
    for expansion, kernel, stride, width, depth in B0:
        rest = (MBConv(width, width, kernel, 1, expansion) for _ in range(depth - 1))
        stages.append(Sequential(MBConv(channels, width, kernel, stride, expansion), *rest))
        channels = width
    return Sequential(
        {
            "features": Sequential(_conv(input[0], 32, 3, stride=2), *stages, _conv(channels, 1280)),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "classifier": Sequential(Dropout(0.2), Linear(1280, classes)),
        }
    )


NETWORKS = {"efficientnet-b0": Design(efficientnet_b0, draw=he, paper="arXiv:1905.11946", parameters=5_288_548)}
