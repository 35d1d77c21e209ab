"""ConvNeXt: a ResNet brought up to date with what transformers taught (Liu et al. 2022, arXiv:2201.03545).

Without stochastic depth, which only training knows: a finished network is the same.
"""

from functools import partial
from typing import Any

import numpy as np

from pellucid.nn import GELU, AdaptiveAvgPool2d, Conv2d, Flatten, LayerNorm, Linear, Module, Parameter, Sequential
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.weights import normal

TINY = ((96, 3), (192, 3), (384, 9), (768, 3))
"""(channels, blocks) of the stages."""


class Permute(Module):
    """Reorder the axes."""

    one_op = True

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Any) -> Any:
        """Axis i of the result is axis ``axes[i]`` of x."""
        return x.permute(self.axes)

    def extra_repr(self) -> str:
        """Return the axes' new order."""
        return str(self.axes)


class LayerNorm2d(LayerNorm):
    """Normalise every pixel over its channels: (N, C, H, W) → (N, C, H, W)."""

    one_op = False

    def forward(self, x: Any) -> Any:
        """Put the channels last, normalise, and put them back."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


_norm = partial(LayerNorm2d, eps=1e-6)


class Block(Module):
    """Filter depthwise by 7×7, then widen and narrow every pixel's channels; scaled, beside a shortcut.

    >>> import numpy as np
    >>> Block(4)(np.zeros((1, 4, 6, 6), np.float32)).shape
    (1, 4, 6, 6)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer_scale = Parameter(np.full((channels, 1, 1), 1e-6, np.float32))
        self.block = Sequential(
            Conv2d(channels, channels, 7, padding=3, groups=channels),
            Permute(0, 2, 3, 1),
            LayerNorm(channels, eps=1e-6),
            Linear(channels, 4 * channels),
            GELU(),
            Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )

    def forward(self, x: Any) -> Any:
        """Return x + layer_scale · block(x)."""
        return x + self.layer_scale * self.block(x)


def convnext(input: Shape, classes: int, stages: tuple[tuple[int, int], ...]) -> Module:  # noqa: A002
    """Build a stem of 4 × 4 patches, stages with halvings of the maps between, and one dense layer."""
    channels = stages[0][0]
    features: list[Module] = [Sequential(Conv2d(input[0], channels, 4, stride=4), _norm(channels))]
    for width, depth in stages:
        if width != channels:
            features.append(Sequential(_norm(channels), Conv2d(channels, width, 2, stride=2)))
        features.append(Sequential(*(Block(width) for _ in range(depth))))
        channels = width
    return Sequential(
        {
            "features": Sequential(*features),
            "avgpool": AdaptiveAvgPool2d(1),
            "classifier": Sequential(_norm(channels), Flatten(), Linear(channels, classes)),
        }
    )


NETWORKS = {
    "convnext-tiny": Design(
        partial(convnext, stages=TINY),
        draw=partial(normal, std=0.02),
        paper="arXiv:2201.03545",
        parameters=28_589_128,
    )
}
