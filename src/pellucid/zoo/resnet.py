"""ResNet: layers that learn a difference to their input (He et al. 2015, arXiv:1512.03385), and its relatives.

ResNeXt splits the 3×3 convolution into groups (Xie et al. 2016, arXiv:1611.05431). As is usual today, a bottleneck
halves the maps in its 3×3 convolution, not in the first 1×1 as in the paper.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from pellucid.nn import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
)
from pellucid.nn.functional import pad
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he


class BasicBlock(Module):
    """Two 3×3 convolutions beside a shortcut: (N, C, H, W) → (N, O, H/stride, W/stride).

    >>> import numpy as np
    >>> BasicBlock(4, 8, stride=2)(np.zeros((2, 4, 6, 6), np.float32)).shape
    (2, 8, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = BatchNorm2d(out_channels)
        self.relu1 = ReLU()
        self.conv2 = Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(out_channels)
        self.downsample = self._shortcut(in_channels, out_channels, stride)
        self.relu2 = ReLU()

    def _shortcut(self, in_channels: int, out_channels: int, stride: int) -> Module | None:
        return _projection(in_channels, out_channels, stride)

    def forward(self, x: Any) -> Any:
        """ReLU(convolutions(x) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(y)) + shortcut)


class Bottleneck(Module):
    """1×1, 3×3 and 1×1 convolutions beside a shortcut: (N, C, H, W) → (N, O, H/stride, W/stride).

    The inner maps are O/4, or, in a block of ResNeXt, ``groups`` groups of ``base_width`` for every 256 of O.

    >>> import numpy as np
    >>> Bottleneck(8, 8)(np.zeros((2, 8, 6, 6), np.float32)).shape
    (2, 8, 6, 6)
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, groups: int = 1, base_width: int = 64
    ) -> None:
        super().__init__()
        width = out_channels * base_width * groups // 256
        self.conv1 = Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.relu1 = ReLU()
        self.conv2 = Conv2d(width, width, 3, stride, padding=1, groups=groups, bias=False)
        self.bn2 = BatchNorm2d(width)
        self.relu2 = ReLU()
        self.conv3 = Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = BatchNorm2d(out_channels)
        self.downsample = _projection(in_channels, out_channels, stride)
        self.relu3 = ReLU()

    def forward(self, x: Any) -> Any:
        """ReLU(convolutions(x) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        return self.relu3(self.bn3(self.conv3(y)) + shortcut)


def _projection(in_channels: int, out_channels: int, stride: int) -> Module | None:
    """Fit the shortcut to the block's result, where it does not fit already."""
    if stride == 1 and in_channels == out_channels:
        return None
    return Sequential(Conv2d(in_channels, out_channels, 1, stride, bias=False), BatchNorm2d(out_channels))


class Subsample(Module):
    """Keep every second row and column and add channels of zeros: a shortcut without parameters (option A)."""

    def __init__(self, more: int) -> None:
        super().__init__()
        self.more = more
        self.pool = AvgPool2d(1, stride=2)

    def forward(self, x: Any) -> Any:
        """(N, C, H, W) → (N, C + more, H/2, W/2)."""
        return pad(self.pool(x), (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


class PlainBlock(BasicBlock):
    """A :class:`BasicBlock` whose shortcut has no parameters."""

    def _shortcut(self, in_channels: int, out_channels: int, stride: int) -> Module | None:
        return None if stride == 1 else Subsample(out_channels - in_channels)


Block = Callable[[int, int, int], Module]


def stages(block: Block, in_channels: int, widths: tuple[int, ...], depths: tuple[int, ...]) -> dict[str, Module]:
    """Put blocks in rows of ``depths``; each row but the first halves the maps."""
    layers: dict[str, Module] = {}
    for number, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
        first = block(in_channels, width, 1 if number == 1 else 2)
        layers[f"layer{number}"] = Sequential(first, *(block(width, width, 1) for _ in range(depth - 1)))
        in_channels = width
    return layers


def resnet(
    input: Shape,  # noqa: A002
    classes: int,
    block: Block,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
) -> Module:
    """Build a stem that quarters the image, four stages, and one dense layer on the maps' means."""
    return Sequential(
        {
            "conv1": Conv2d(input[0], 64, 7, stride=2, padding=3, bias=False),
            "bn1": BatchNorm2d(64),
            "relu": ReLU(),
            "maxpool": MaxPool2d(3, stride=2, padding=1),
            **stages(block, 64, widths, depths),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "fc": Linear(widths[-1], classes),
        }
    )


def resnet20(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build the smallest of the paper's networks for CIFAR-10 (section 4.2): three stages of three blocks."""
    return Sequential(
        {
            "conv1": Conv2d(input[0], 16, 3, padding=1, bias=False),
            "bn1": BatchNorm2d(16),
            "relu": ReLU(),
            **stages(PlainBlock, 16, (16, 32, 64), (3, 3, 3)),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "fc": Linear(64, classes),
        }
    )


def _basic(*depths: int) -> Design:
    return Design(partial(resnet, block=BasicBlock, widths=(64, 128, 256, 512), depths=depths), draw=he)


def _bottleneck(*depths: int, block: Block = Bottleneck) -> Design:
    return Design(partial(resnet, block=block, widths=(256, 512, 1024, 2048), depths=depths), draw=he)


NETWORKS = {
    "resnet18": _basic(2, 2, 2, 2),
    "resnet34": _basic(3, 4, 6, 3),
    "resnet50": _bottleneck(3, 4, 6, 3),
    "resnet101": _bottleneck(3, 4, 23, 3),
    "resnext50-32x4d": _bottleneck(3, 4, 6, 3, block=partial(Bottleneck, groups=32, base_width=4)),
    "resnet20": Design(resnet20, input=(3, 32, 32), classes=10, draw=he),
}
