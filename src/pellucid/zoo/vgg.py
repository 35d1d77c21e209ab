"""VGG: nothing but 3×3 convolutions, ReLU and 2×2 pooling (Simonyan & Zisserman 2014, arXiv:1409.1556)."""

from functools import partial

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
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five stages."""


def features(channels: int, widths: tuple[int, ...], depths: tuple[int, ...], norm: bool) -> Sequential:
    """Stages of ``depths`` convolutions each, every stage ended by a pooling that halves the maps."""
    layers: list[Module] = []
    for width, depth in zip(widths, depths, strict=True):
        for _ in range(depth):
            layers += [Conv2d(channels, width, 3, padding=1), *([BatchNorm2d(width)] if norm else []), ReLU()]
            channels = width
        layers.append(MaxPool2d(2))
    return Sequential(*layers)


def vgg(input: Shape, classes: int, depths: tuple[int, ...], norm: bool = False) -> Module:  # noqa: A002
    """Five stages of convolutions and three dense layers, which hold most of the parameters."""
    return Sequential(
        {
            "features": features(input[0], WIDTHS, depths, norm),
            "avgpool": AdaptiveAvgPool2d(7),
            "flatten": Flatten(),
            "classifier": Sequential(
                Linear(512 * 7 * 7, 4096),
                ReLU(),
                Dropout(),
                Linear(4096, 4096),
                ReLU(),
                Dropout(),
                Linear(4096, classes),
            ),
        }
    )


def _design(depths: tuple[int, ...], parameters: int, norm: bool = False) -> Design:
    build = partial(vgg, depths=depths, norm=norm)
    return Design(build, draw=partial(he, dense=0.01), paper="arXiv:1409.1556", parameters=parameters)


NETWORKS = {
    "vgg11": _design((1, 1, 2, 2, 2), 132_863_336),
    "vgg11-bn": _design((1, 1, 2, 2, 2), 132_868_840, norm=True),
    "vgg16": _design((2, 2, 3, 3, 3), 138_357_544),
    "vgg16-bn": _design((2, 2, 3, 3, 3), 138_365_992, norm=True),
    "vgg19": _design((2, 2, 4, 4, 4), 143_667_240),
    "vgg19-bn": _design((2, 2, 4, 4, 4), 143_678_248, norm=True),
}
