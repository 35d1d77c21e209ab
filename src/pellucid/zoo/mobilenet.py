"""MobileNet: a depthwise and a 1×1 convolution in place of a full one, for small computers.

V1: Howard et al. 2017, arXiv:1704.04861. V2 (inverted residuals): Sandler et al. 2018, arXiv:1801.04381.
"""

from functools import partial
from typing import Any

from pellucid.nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, Module, ReLU6, Sequential
from pellucid.types import Shape
from pellucid.zoo.blocks import conv_norm
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he

_conv6 = partial(conv_norm, activation=ReLU6)

V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""(channels, stride) of the separable convolutions."""

V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""(expansion, channels, blocks, stride of the first) of the stages."""


class InvertedResidual(Module):
    """Widen by 1×1, filter depthwise, narrow by 1×1 without activation; beside a shortcut where shapes allow one.

    >>> import numpy as np
    >>> InvertedResidual(4, 8, stride=2, expansion=6)(np.zeros((2, 4, 6, 6), np.float32)).shape
    (2, 8, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.conv = Sequential(
            *([_conv6(in_channels, wide)] if expansion > 1 else []),
            _conv6(wide, wide, 3, stride, groups=wide),
            Conv2d(wide, out_channels, 1, bias=False),
            BatchNorm2d(out_channels),
        )

    def forward(self, x: Any) -> Any:
        """Return x + convolutions(x), or the convolutions alone."""
        return x + self.conv(x) if self.residual else self.conv(x)


def separable(in_channels: int, out_channels: int, stride: int) -> Sequential:
    """Filter every channel by itself, then mix the channels."""
    return Sequential(
        conv_norm(in_channels, in_channels, 3, stride, groups=in_channels), conv_norm(in_channels, out_channels)
    )


def mobilenet_v1(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build a full convolution, thirteen separable ones and one dense layer."""
    layers: list[Module] = [conv_norm(input[0], 32, 3, stride=2)]
    channels = 32
    for width, stride in V1:
        layers.append(separable(channels, width, stride))
        channels = width
    return _network(layers, Sequential(Linear(channels, classes)))


def mobilenet_v2(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build seven stages of inverted residuals between two plain convolutions, and one dense layer."""
    layers: list[Module] = [_conv6(input[0], 32, 3, stride=2)]
    channels = 32
    for expansion, width, depth, stride in V2:
        for index in range(depth):
            layers.append(InvertedResidual(channels, width, 1 if index else stride, expansion))
            channels = width
    layers.append(_conv6(channels, 1280))
    return _network(layers, Sequential(Dropout(0.2), Linear(1280, classes)))


def _network(features: list[Module], classifier: Module) -> Module:
    return Sequential(
        {
            "features": Sequential(*features),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "classifier": classifier,
        }
    )


NETWORKS = {
    "mobilenet-v1": Design(mobilenet_v1, draw=partial(he, dense=0.01), paper="arXiv:1704.04861", parameters=4_231_976),
    "mobilenet-v2": Design(mobilenet_v2, draw=partial(he, dense=0.01), paper="arXiv:1801.04381", parameters=3_504_872),
}
