"""ResNet: layers that learn a difference to their input (He et al. 2015, arXiv:1512.03385), and its relatives.

ResNeXt splits the 3×3 convolution into groups (Xie et al. 2016, arXiv:1611.05431). As is usual today, a bottleneck
halves the maps in its 3×3 convolution, not in the first 1×1 as in the paper. ``resnet50-slim`` is TensorFlow-Slim's
form, which halves them in the last block of a stage instead of the first, so that all its blocks see further.
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
        self.downsample = self._shortcut(in_channels, out_channels, stride)
        self.relu3 = ReLU()

    def _shortcut(self, in_channels: int, out_channels: int, stride: int) -> Module | None:
        return _projection(in_channels, out_channels, stride)

    def forward(self, x: Any) -> Any:
        """ReLU(convolutions(x) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        return self.relu3(self.bn3(self.conv3(y)) + shortcut)


class SlimBottleneck(Bottleneck):
    """A :class:`Bottleneck` whose shortcut only drops rows and columns where no more channels are needed."""

    def _shortcut(self, in_channels: int, out_channels: int, stride: int) -> Module | None:
        if in_channels == out_channels:
            return None if stride == 1 else MaxPool2d(1, stride)
        return _projection(in_channels, out_channels, stride)


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


def stages(
    block: Block, in_channels: int, widths: tuple[int, ...], depths: tuple[int, ...], late: bool = False
) -> dict[str, Module]:
    """Put blocks in rows of ``depths``; the first of each but the first row halves the maps.

    ``late``: instead, the last of each but the last row does.
    """
    layers: dict[str, Module] = {}
    for number, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
        halving = (depth - 1 if number < len(depths) else -1) if late else (0 if number > 1 else -1)
        inputs = (in_channels, *[width] * (depth - 1))
        blocks = (block(channels, width, 2 if i == halving else 1) for i, channels in enumerate(inputs))
        layers[f"layer{number}"] = Sequential(*blocks)
        in_channels = width
    return layers


def resnet(
    input: Shape,  # noqa: A002
    classes: int,
    block: Block,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    late: bool = False,
) -> Module:
    """Build a stem that quarters the image, four :func:`stages`, and one dense layer on the maps' means."""
    return Sequential(
        {
            "conv1": Conv2d(input[0], 64, 7, stride=2, padding=3, bias=False),
            "bn1": BatchNorm2d(64),
            "relu": ReLU(),
            "maxpool": MaxPool2d(3, stride=2, padding=1),
            **stages(block, 64, widths, depths, late),
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


_PAPER = "arXiv:1512.03385"


def _basic(*depths: int, parameters: int) -> Design:
    build = partial(resnet, block=BasicBlock, widths=(64, 128, 256, 512), depths=depths)
    return Design(build, draw=he, paper=_PAPER, parameters=parameters)


def _bottleneck(
    *depths: int, parameters: int, block: Block = Bottleneck, late: bool = False, paper: str = _PAPER
) -> Design:
    build = partial(resnet, block=block, widths=(256, 512, 1024, 2048), depths=depths, late=late)
    return Design(build, draw=he, paper=paper, parameters=parameters)


_NEXT = partial(Bottleneck, groups=32, base_width=4)
NETWORKS = {
    "resnet18": _basic(2, 2, 2, 2, parameters=11_689_512),
    "resnet34": _basic(3, 4, 6, 3, parameters=21_797_672),
    "resnet50": _bottleneck(3, 4, 6, 3, parameters=25_557_032),
    "resnet50-slim": _bottleneck(3, 4, 6, 3, parameters=25_557_032, block=SlimBottleneck, late=True),
    "resnet101": _bottleneck(3, 4, 23, 3, parameters=44_549_160),
    "resnext50-32x4d": _bottleneck(3, 4, 6, 3, parameters=25_028_904, block=_NEXT, paper="arXiv:1611.05431"),
    "resnet20": Design(resnet20, (3, 32, 32), 10, he, _PAPER, 269_722),
}
