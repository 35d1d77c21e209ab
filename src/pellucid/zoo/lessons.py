"""The small networks that lessons draw."""

from pellucid.errors import ShapeError
from pellucid.nn import (
    AdaptiveAvgPool2d,
    BlurPool2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    OrientationPool2d,
    P4Conv2d,
    P4LiftConv2d,
    ReLU,
    Sequential,
)
from pellucid.types import Shape
from pellucid.zoo.design import Design


def tiny(input: Shape, classes: int) -> Module:  # noqa: A002
    """Two convolutions and one dense layer: small enough to be followed by hand."""
    channels, height, width = input
    return Sequential(
        {
            "conv1": Conv2d(channels, 4, 3, padding=1),
            "relu1": ReLU(),
            "pool1": MaxPool2d(2),
            "conv2": Conv2d(4, 8, 3, padding=1),
            "relu2": ReLU(),
            "pool2": MaxPool2d(2),
            "flatten": Flatten(),
            "fc": Linear(cells(8, height, width, 4), classes),
        }
    )


def pooled28(input: Shape, classes: int) -> Module:  # noqa: A002
    """Three convolutions with two poolings between, two dense layers: the network of the first lesson."""
    channels, height, width = input
    return Sequential(
        {
            "conv1": Conv2d(channels, 32, 3, padding=1),
            "relu1": ReLU(),
            "conv2": Conv2d(32, 32, 3, padding=1),
            "relu2": ReLU(),
            "pool1": MaxPool2d(2),
            "conv3": Conv2d(32, 64, 3, padding=1),
            "relu3": ReLU(),
            "pool2": MaxPool2d(2),
            "flatten": Flatten(),
            "fc1": Linear(cells(64, height, width, 4), 128),
            "relu4": ReLU(),
            "fc2": Linear(128, classes),
        }
    )


def pooled28_double(input: Shape, classes: int) -> Module:  # noqa: A002
    """:func:`pooled28` with its third convolution doubled."""
    channels, height, width = input
    return Sequential(
        {
            "conv1": Conv2d(channels, 32, 3, padding=1),
            "relu1": ReLU(),
            "conv2": Conv2d(32, 32, 3, padding=1),
            "relu2": ReLU(),
            "pool1": MaxPool2d(2),
            "conv3": Conv2d(32, 64, 3, padding=1),
            "relu3": ReLU(),
            "conv4": Conv2d(64, 64, 3, padding=1),
            "relu4": ReLU(),
            "pool2": MaxPool2d(2),
            "flatten": Flatten(),
            "fc1": Linear(cells(64, height, width, 4), 128),
            "relu5": ReLU(),
            "fc2": Linear(128, classes),
        }
    )


def pooled28_strided(input: Shape, classes: int) -> Module:  # noqa: A002
    """:func:`pooled28` with strides of 2 in its second and third convolution instead of poolings.

    It has as many weights, where 4 divides the image's sides (Springenberg et al. 2015).
    """
    channels, height, width = input
    rows, columns = (-(-extent // 4) for extent in (height, width))
    return Sequential(
        {
            "conv1": Conv2d(channels, 32, 3, padding=1),
            "relu1": ReLU(),
            "conv2": Conv2d(32, 32, 3, stride=2, padding=1),
            "relu2": ReLU(),
            "conv3": Conv2d(32, 64, 3, stride=2, padding=1),
            "relu3": ReLU(),
            "flatten": Flatten(),
            "fc1": Linear(64 * rows * columns, 128),
            "relu4": ReLU(),
            "fc2": Linear(128, classes),
        }
    )


def pooled28_gap(input: Shape, classes: int) -> Module:  # noqa: A002
    """:func:`pooled28` with global average pooling instead of its first dense layer (Lin et al. 2014)."""
    channels, height, width = input
    cells(64, height, width, 4)
    return Sequential(
        {
            "conv1": Conv2d(channels, 32, 3, padding=1),
            "relu1": ReLU(),
            "conv2": Conv2d(32, 32, 3, padding=1),
            "relu2": ReLU(),
            "pool1": MaxPool2d(2),
            "conv3": Conv2d(32, 64, 3, padding=1),
            "relu3": ReLU(),
            "pool2": MaxPool2d(2),
            "gap": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "fc": Linear(64, classes),
        }
    )


def pooled28_blur(input: Shape, classes: int) -> Module:  # noqa: A002
    """:func:`pooled28` with its poolings split into maximum and blurred sampling (Zhang 2019)."""
    channels, height, width = input
    return Sequential(
        {
            "conv1": Conv2d(channels, 32, 3, padding=1),
            "relu1": ReLU(),
            "conv2": Conv2d(32, 32, 3, padding=1),
            "relu2": ReLU(),
            "max1": MaxPool2d(2, stride=1),
            "blur1": BlurPool2d(),
            "conv3": Conv2d(32, 64, 3, padding=1),
            "relu3": ReLU(),
            "max2": MaxPool2d(2, stride=1),
            "blur2": BlurPool2d(),
            "flatten": Flatten(),
            "fc1": Linear(cells(64, height, width, 4), 128),
            "relu4": ReLU(),
            "fc2": Linear(128, classes),
        }
    )


def pooled28_p4(input: Shape, classes: int) -> Module:  # noqa: A002
    """:func:`pooled28` on the group p4, with about as many weights (Cohen & Welling 2016).

    Its first dense layer is a convolution over the whole map, so that it, too, is turned; the strongest of the four
    orientations goes on. An image and its quarter turns get the same scores where 4 divides the image's sides.
    """
    channels, height, width = input
    if height != width:
        raise ShapeError(f"The network turns its kernels by 90° and needs a square image; got {height} × {width}.")
    cells(64, height, width, 4)
    return Sequential(
        {
            "conv1": P4LiftConv2d(channels, 16, 3, padding=1),
            "relu1": ReLU(),
            "conv2": P4Conv2d(16, 16, 3, padding=1),
            "relu2": ReLU(),
            "pool1": MaxPool2d(2),
            "conv3": P4Conv2d(16, 32, 3, padding=1),
            "relu3": ReLU(),
            "pool2": MaxPool2d(2),
            "fc1": P4Conv2d(32, 64, height // 4),
            "relu4": ReLU(),
            "turns": OrientationPool2d(),
            "flatten": Flatten(),
            "fc2": Linear(64, classes),
        }
    )


def lenet5_rgb(input: Shape, classes: int) -> Module:  # noqa: A002
    """LeNet-5 (LeCun et al. 1998) as it is taught today: colour in, ReLU, max pooling, dense C3."""
    channels, height, width = input
    rows, columns = ((extent - 4) // 2 for extent in (height, width))
    return Sequential(
        {
            "conv1": Conv2d(channels, 6, 5),
            "relu1": ReLU(),
            "pool1": MaxPool2d(2),
            "conv2": Conv2d(6, 16, 5),
            "relu2": ReLU(),
            "pool2": MaxPool2d(2),
            "flatten": Flatten(),
            "fc1": Linear(cells(16, rows - 4, columns - 4, 2), 120),
            "relu3": ReLU(),
            "fc2": Linear(120, 84),
            "relu4": ReLU(),
            "fc3": Linear(84, classes),
        }
    )


def funnel(input: Shape, classes: int) -> Module:  # noqa: A002
    """Four stages that halve the image while the channels grow, then global average pooling: how networks narrow."""
    channels, height, width = input
    cells(256, height, width, 16)
    widths = (channels, 32, 64, 128, 256)
    layers: dict[str, Module] = {}
    for stage in (1, 2, 3, 4):
        layers[f"conv{stage}"] = Conv2d(widths[stage - 1], widths[stage], 3, padding=1)
        layers[f"relu{stage}"] = ReLU()
        layers[f"pool{stage}"] = MaxPool2d(2)
    return Sequential({**layers, "gap": AdaptiveAvgPool2d(1), "flatten": Flatten(), "fc": Linear(256, classes)})


def cells(channels: int, height: int, width: int, reduction: int) -> int:
    """Values left of maps that pooling shrinks by ``reduction``."""
    rows, columns = height // reduction, width // reduction
    if rows < 1 or columns < 1:
        raise ShapeError(f"The network shrinks its image to {rows} × {columns} cells; use a larger image.")
    return channels * rows * columns


NETWORKS = {
    "funnel": Design(funnel, (3, 32, 32), classes=10),
    "lenet5-rgb": Design(lenet5_rgb, (3, 32, 32), classes=10, parameters=62_006),
    "pooled28": Design(pooled28, (1, 28, 28), classes=10, parameters=430_890),
    "pooled28-blur": Design(pooled28_blur, (1, 28, 28), classes=10, parameters=430_890),
    "pooled28-double": Design(pooled28_double, (1, 28, 28), classes=10, parameters=467_818),
    "pooled28-gap": Design(pooled28_gap, (1, 28, 28), classes=10, parameters=28_714),
    "pooled28-p4": Design(pooled28_p4, (1, 28, 28), classes=10, parameters=429_978),
    "pooled28-strided": Design(pooled28_strided, (1, 28, 28), classes=10, parameters=430_890),
    "tiny": Design(tiny, (1, 28, 28), classes=10, parameters=4_266),
}
