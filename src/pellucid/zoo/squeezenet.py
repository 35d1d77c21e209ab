"""SqueezeNet 1.1: AlexNet's accuracy with a fiftieth of its parameters (Iandola et al. 2016, arXiv:1602.07360)."""

from functools import partial
from typing import Any

from pellucid.nn import AdaptiveAvgPool2d, Conv2d, Dropout, Flatten, MaxPool2d, Module, ReLU, Sequential
from pellucid.nn.functional import cat
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he


class Fire(Module):
    """Squeeze to few channels by 1×1, then expand by 1×1 and 3×3 side by side: (N, C, H, W) → (N, 2·expanded, H, W).

    >>> import numpy as np
    >>> Fire(8, 2, 4)(np.zeros((1, 8, 6, 6), np.float32)).shape
    (1, 8, 6, 6)
    """

    def __init__(self, in_channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = Conv2d(in_channels, squeezed, 1)
        self.squeeze_activation = ReLU()
        self.expand1x1 = Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = ReLU()
        self.expand3x3 = Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = ReLU()

    def forward(self, x: Any) -> Any:
        """Lay the 1×1 and the 3×3 result end to end."""
        x = self.squeeze_activation(self.squeeze(x))
        narrow = self.expand1x1_activation(self.expand1x1(x))
        wide = self.expand3x3_activation(self.expand3x3(x))
        return cat([narrow, wide], dim=1)


def squeezenet(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build eight fire modules, and a convolution that makes one map a class."""
    return Sequential(
        {
            "features": Sequential(
                Conv2d(input[0], 64, 3, stride=2),
                ReLU(),
                MaxPool2d(3, stride=2, ceil_mode=True),
                Fire(64, 16, 64),
                Fire(128, 16, 64),
                MaxPool2d(3, stride=2, ceil_mode=True),
                Fire(128, 32, 128),
                Fire(256, 32, 128),
                MaxPool2d(3, stride=2, ceil_mode=True),
                Fire(256, 48, 192),
                Fire(384, 48, 192),
                Fire(384, 64, 256),
                Fire(512, 64, 256),
            ),
            "classifier": Sequential(Dropout(), Conv2d(512, classes, 1), ReLU(), AdaptiveAvgPool2d(1)),
            "flatten": Flatten(),
        }
    )


NETWORKS = {"squeezenet1-1": Design(squeezenet, draw=partial(he, fan="in"))}
