"""ShuffleNet V2: half of the channels pass by, and a shuffle mixes the halves (Ma et al. 2018, arXiv:1807.11164)."""

from typing import Any

from pellucid.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    Conv2d,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
    Module,
    Sequential,
)
from pellucid.nn.functional import apply, cat
from pellucid.ops import Slice
from pellucid.types import Shape
from pellucid.zoo.blocks import conv_norm
from pellucid.zoo.design import Design

STAGES = {"stage2": (116, 4), "stage3": (232, 8), "stage4": (464, 4)}
"""(channels, blocks) of the stages, for width 1.0."""


class Half(Module):
    """The first (0) or second (1) half of the channels: (N, C, H, W) → (N, C/2, H, W)."""

    one_op = True

    def __init__(self, which: int) -> None:
        super().__init__()
        self.which = which

    def forward(self, x: Any) -> Any:
        """Cut the half out."""
        half = x.shape[1] // 2
        return apply(Slice(1, self.which * half, (self.which + 1) * half), x)

    def extra_repr(self) -> str:
        """Return which half it is."""
        return str(self.which)


class ShuffleUnit(Module):
    """Filter half of the channels and pass the other by, or, with stride 2, filter both; then shuffle.

    >>> import numpy as np
    >>> ShuffleUnit(4, 8, stride=2)(np.zeros((2, 4, 6, 6), np.float32)).shape
    (2, 8, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        whole = stride > 1
        self.half1: Module = Identity() if whole else Half(0)
        self.half2: Module = Identity() if whole else Half(1)
        entering = in_channels if whole else half
        self.branch1 = Sequential()
        if whole:
            self.branch1 = Sequential(*_depthwise(in_channels, stride), *conv_norm(in_channels, half))
        self.branch2 = Sequential(*conv_norm(entering, half), *_depthwise(half, stride), *conv_norm(half, half))
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Any) -> Any:
        """Shuffle what passed by and what was filtered."""
        return self.shuffle(cat([self.branch1(self.half1(x)), self.branch2(self.half2(x))], dim=1))


def _depthwise(channels: int, stride: int) -> tuple[Module, Module]:
    return Conv2d(channels, channels, 3, stride, padding=1, groups=channels, bias=False), BatchNorm2d(channels)


def shufflenet_v2(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build a stem that quarters the image, three stages of shuffle units, a convolution and one dense layer."""
    stages: dict[str, Module] = {}
    channels = 24
    for name, (width, depth) in STAGES.items():
        rest = (ShuffleUnit(width, width, stride=1) for _ in range(depth - 1))
        stages[name] = Sequential(ShuffleUnit(channels, width, stride=2), *rest)
        channels = width
    return Sequential(
        {
            "conv1": conv_norm(input[0], 24, 3, stride=2),
            "maxpool": MaxPool2d(3, stride=2, padding=1),
            **stages,
            "conv5": conv_norm(channels, 1024),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "fc": Linear(1024, classes),
        }
    )


NETWORKS = {"shufflenet-v2-x1-0": Design(shufflenet_v2, paper="arXiv:1807.11164", parameters=2_278_604)}
