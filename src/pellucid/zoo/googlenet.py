"""GoogLeNet, or Inception v1: windows of several sizes side by side (Szegedy et al. 2014, arXiv:1409.4842).

With batch normalisation, with 3×3 windows where the paper has 5×5, and without the two auxiliary heads: so is the
network whose trained weights are widely used.
"""

from functools import partial
from typing import Any

from pellucid.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
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
from pellucid.zoo.weights import normal


def conv(in_channels: int, out_channels: int, kernel_size: int = 1, stride: int = 1) -> Sequential:
    """Put a convolution that keeps the size (but for its stride), its normalisation and ReLU in a row."""
    return Sequential(
        {
            "conv": Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
            "bn": BatchNorm2d(out_channels, eps=0.001),
            "relu": ReLU(),
        }
    )


class Inception(Module):
    """Four branches whose maps are laid end to end: 1×1, two of 1×1 then 3×3, pooling then 1×1.

    ``widths`` are the channels of the convolutions in the paper's order: 1×1; reduction, 3×3; reduction, "5×5"; pooled.

    >>> import numpy as np
    >>> Inception(8, (2, 3, 4, 1, 2, 2))(np.zeros((2, 8, 6, 6), np.float32)).shape
    (2, 10, 6, 6)
    """

    def __init__(self, in_channels: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pooled = widths
        self.branch1 = conv(in_channels, one)
        self.branch2 = Sequential(conv(in_channels, reduce3), conv(reduce3, three, 3))
        self.branch3 = Sequential(conv(in_channels, reduce5), conv(reduce5, five, 3))
        self.branch4 = Sequential(MaxPool2d(3, stride=1, padding=1), conv(in_channels, pooled))

    def forward(self, x: Any) -> Any:
        """Lay the four branches' maps end to end."""
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


def googlenet(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build three convolutions, nine inception modules with poolings between, and one dense layer."""
    return Sequential(
        {
            "conv1": conv(input[0], 64, 7, stride=2),
            "maxpool1": MaxPool2d(3, stride=2, ceil_mode=True),
            "conv2": conv(64, 64),
            "conv3": conv(64, 192, 3),
            "maxpool2": MaxPool2d(3, stride=2, ceil_mode=True),
            "inception3a": Inception(192, (64, 96, 128, 16, 32, 32)),
            "inception3b": Inception(256, (128, 128, 192, 32, 96, 64)),
            "maxpool3": MaxPool2d(3, stride=2, ceil_mode=True),
            "inception4a": Inception(480, (192, 96, 208, 16, 48, 64)),
            "inception4b": Inception(512, (160, 112, 224, 24, 64, 64)),
            "inception4c": Inception(512, (128, 128, 256, 24, 64, 64)),
            "inception4d": Inception(512, (112, 144, 288, 32, 64, 64)),
            "inception4e": Inception(528, (256, 160, 320, 32, 128, 128)),
            "maxpool4": MaxPool2d(2, stride=2, ceil_mode=True),
            "inception5a": Inception(832, (256, 160, 320, 32, 128, 128)),
            "inception5b": Inception(832, (384, 192, 384, 48, 128, 128)),
            "avgpool": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "dropout": Dropout(0.2),
            "fc": Linear(1024, classes),
        }
    )


NETWORKS = {
    "googlenet": Design(googlenet, draw=partial(normal, std=0.01), paper="arXiv:1409.4842", parameters=6_624_904)
}
