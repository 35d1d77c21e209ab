"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters (Iandola et al. 2016, arXiv:1602.07360).

1.0 is the paper's; 1.1, of the same authors, pools earlier and needs less than half of the work.
"""

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


_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""Channels of the fire modules: squeezed, and expanded in each of two ways."""


def squeezenet(
    input: Shape,  # noqa: A002
    classes: int,
    channels: int,
    kernel_size: int,
    pooled: tuple[int, ...],
) -> Module:
    """Build eight fire modules, and a convolution that makes one map a class.

    The first convolution has so many filters of so many cells; maps are halved before the modules numbered ``pooled``.
    """
    features: list[Module] = [Conv2d(input[0], channels, kernel_size, stride=2), ReLU()]
    for number, (squeezed, expanded) in enumerate(_FIRES):
        if number in pooled:
            features.append(MaxPool2d(3, stride=2, ceil_mode=True))
        features.append(Fire(channels, squeezed, expanded))
        channels = 2 * expanded
    return Sequential(
        {
            "features": Sequential(*features),
            "classifier": Sequential(Dropout(), Conv2d(512, classes, 1), ReLU(), AdaptiveAvgPool2d(1)),
            "flatten": Flatten(),
        }
    )


def _design(channels: int, kernel_size: int, pooled: tuple[int, ...], parameters: int) -> Design:
    build = partial(squeezenet, channels=channels, kernel_size=kernel_size, pooled=pooled)
    return Design(build, draw=partial(he, fan="in"), paper="arXiv:1602.07360", parameters=parameters)


NETWORKS = {
    "squeezenet1-0": _design(96, 7, (0, 3, 7), 1_248_424),
    "squeezenet1-1": _design(64, 3, (0, 2, 4), 1_235_496),
}
