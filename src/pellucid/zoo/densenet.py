"""DenseNet: every layer sees the maps of all layers before it (Huang et al. 2016, arXiv:1608.06993)."""

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
from pellucid.nn.functional import cat
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he


class DenseLayer(Module):
    """Add ``growth`` maps to those that came: (N, C, H, W) → (N, C + growth, H, W).

    >>> import numpy as np
    >>> DenseLayer(6, growth=4)(np.zeros((2, 6, 5, 5), np.float32)).shape
    (2, 10, 5, 5)
    """

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(in_channels)
        self.relu1 = ReLU()
        self.conv1 = Conv2d(in_channels, 4 * growth, 1, bias=False)
        self.norm2 = BatchNorm2d(4 * growth)
        self.relu2 = ReLU()
        self.conv2 = Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Any) -> Any:
        """Lay the new maps after the old."""
        y = self.conv1(self.relu1(self.norm1(x)))
        return cat([x, self.conv2(self.relu2(self.norm2(y)))], dim=1)


def transition(in_channels: int, out_channels: int) -> Sequential:
    """Mix the maps into fewer and halve them."""
    return Sequential(
        {
            "norm": BatchNorm2d(in_channels),
            "relu": ReLU(),
            "conv": Conv2d(in_channels, out_channels, 1, bias=False),
            "pool": AvgPool2d(2),
        }
    )


def features(channels: int, width: int, growth: int, depths: tuple[int, ...]) -> tuple[Sequential, int]:
    """Build a stem of ``width`` maps and blocks of ``depths`` layers; return also how many maps come out."""
    layers: dict[str, Module] = {
        "conv0": Conv2d(channels, width, 7, stride=2, padding=3, bias=False),
        "norm0": BatchNorm2d(width),
        "relu0": ReLU(),
        "pool0": MaxPool2d(3, stride=2, padding=1),
    }
    for number, depth in enumerate(depths, start=1):
        layers[f"denseblock{number}"] = Sequential(
            {f"denselayer{i + 1}": DenseLayer(width + i * growth, growth) for i in range(depth)}
        )
        width += depth * growth
        if number < len(depths):
            layers[f"transition{number}"] = transition(width, width // 2)
            width //= 2
    return Sequential({**layers, f"norm{len(depths) + 1}": BatchNorm2d(width)}), width


def densenet(input: Shape, classes: int, depths: tuple[int, ...]) -> Module:  # noqa: A002
    """Build dense blocks of growth 32 behind a stem of 64 maps, and one dense layer."""
    maps, width = features(input[0], 64, 32, depths)
    return Sequential(
        {
            "features": maps,
            "relu": ReLU(),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "classifier": Linear(width, classes),
        }
    )


NETWORKS = {
    "densenet121": Design(
        partial(densenet, depths=(6, 12, 24, 16)),
        draw=partial(he, fan="in"),
        paper="arXiv:1608.06993",
        parameters=7_978_856,
    )
}
