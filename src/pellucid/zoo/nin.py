"""Network in Network: 1×1 convolutions, and means of whole maps instead of dense layers.

Lin, Chen & Yan 2013, arXiv:1312.4400; the sizes are those that its authors published for CIFAR-10.
"""

from functools import partial

from pellucid.nn import AdaptiveAvgPool2d, AvgPool2d, Conv2d, Dropout, Flatten, MaxPool2d, Module, ReLU, Sequential
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.weights import he


def mlpconv(in_channels: int, channels: tuple[int, int, int], kernel_size: int) -> Sequential:
    """Slide a small dense network over the image: one convolution and two of 1×1, each with ReLU."""
    first, second, third = channels
    return Sequential(
        Conv2d(in_channels, first, kernel_size, padding=kernel_size // 2),
        ReLU(),
        Conv2d(first, second, 1),
        ReLU(),
        Conv2d(second, third, 1),
        ReLU(),
    )


def nin(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build three small networks that slide, with two poolings between; the last makes one map a class."""
    return Sequential(
        {
            "block1": mlpconv(input[0], (192, 160, 96), 5),
            "pool1": MaxPool2d(3, stride=2, ceil_mode=True),
            "drop1": Dropout(),
            "block2": mlpconv(96, (192, 192, 192), 5),
            "pool2": AvgPool2d(3, stride=2, ceil_mode=True),
            "drop2": Dropout(),
            "block3": mlpconv(192, (192, 192, classes), 3),
            "pool3": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
        }
    )


NETWORKS = {"nin": Design(nin, (3, 32, 32), 10, partial(he, fan="in"), "arXiv:1312.4400", 966_986)}
