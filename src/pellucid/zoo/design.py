"""What the register keeps of a named network."""

from collections.abc import Callable
from dataclasses import dataclass

from pellucid.nn import Module
from pellucid.types import Shape


@dataclass(frozen=True)
class Design:
    """How a network is made, and for what.

    ``build`` takes the image (C, H, W) and the number of classes; ``input`` and ``classes`` are the usual ones.
    ``draw`` gives the network, built with its weights at zero, its first weights; without it they are PyTorch's.
    ``paper`` is where the network was published, ``parameters`` how many it has there, or in torchvision's form of it,
    for the usual image and classes.
    """

    build: Callable[[Shape, int], Module]
    input: Shape = (3, 224, 224)
    classes: int = 1000
    draw: Callable[[Module], None] | None = None
    paper: str = ""
    parameters: int = 0
