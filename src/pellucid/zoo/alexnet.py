"""AlexNet (Krizhevsky et al. 2012), in its later form for one processor (Krizhevsky 2014, arXiv:1404.5997)."""

from pellucid.nn import AdaptiveAvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential
from pellucid.types import Shape
from pellucid.zoo.design import Design


def alexnet(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build five convolutions and three dense layers, without the local response normalisation of 2012."""
    return Sequential(
        {
            "features": Sequential(
                Conv2d(input[0], 64, 11, stride=4, padding=2),
                ReLU(),
                MaxPool2d(3, stride=2),
                Conv2d(64, 192, 5, padding=2),
                ReLU(),
                MaxPool2d(3, stride=2),
                Conv2d(192, 384, 3, padding=1),
                ReLU(),
                Conv2d(384, 256, 3, padding=1),
                ReLU(),
                Conv2d(256, 256, 3, padding=1),
                ReLU(),
                MaxPool2d(3, stride=2),
            ),
            "avgpool": AdaptiveAvgPool2d(6),
            "flatten": Flatten(),
            "classifier": Sequential(
                Dropout(),
                Linear(256 * 6 * 6, 4096),
                ReLU(),
                Dropout(),
                Linear(4096, 4096),
                ReLU(),
                Linear(4096, classes),
            ),
        }
    )


NETWORKS = {"alexnet": Design(alexnet, paper="NIPS 2012; arXiv:1404.5997", parameters=61_100_840)}
