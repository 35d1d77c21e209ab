"""Named architectures, built by name."""

from contextlib import nullcontext
from dataclasses import replace

from pellucid.errors import ParameterError, ShapeError
from pellucid.nn import Module
from pellucid.nn.random import skip_init
from pellucid.nn.settings import positive
from pellucid.types import Shape
from pellucid.zoo import (
    alexnet,
    convnext,
    densenet,
    efficientnet,
    googlenet,
    lenet,
    lessons,
    mobilenet,
    mobilenet_v3,
    nin,
    resnet,
    shufflenet,
    squeezenet,
    vgg,
    vit,
)
from pellucid.zoo.design import Design
from pellucid.zoo.listing import is_listing, parse

_FAMILIES = (  # the small ones first, then as they were invented
    lessons,
    lenet,
    alexnet,
    nin,
    vgg,
    googlenet,
    resnet,
    squeezenet,
    densenet,
    mobilenet,
    shufflenet,
    mobilenet_v3,
    efficientnet,
    vit,
    convnext,
)

_DESIGNS: dict[str, Design] = {name: design for family in _FAMILIES for name, design in family.NETWORKS.items()}


def names() -> list[str]:
    """Names of the networks."""
    return list(_DESIGNS)


def usual_input(name: str) -> Shape:
    """(C, H, W) of the image that a network was designed for."""
    return _find(name).input


def usual_classes(name: str) -> int:
    """Return the number of classes that a network was designed for."""
    return _find(name).classes


def paper(name: str) -> str:
    """Where a network was published; "" for those of lessons."""
    return _find(name).paper


def published_parameters(name: str) -> int:
    """How many parameters a network has where it was published; 0 if nobody said.

    >>> published_parameters("resnet18")
    11689512
    """
    return _find(name).parameters


def build(name: str, *, input: Shape | None = None, classes: int | None = None) -> Module:  # noqa: A002
    """Build a network by name, with fresh weights, for images (C, H, W) and a number of classes, or the usual ones.

    A listing stands for a name, too: see :mod:`pellucid.zoo.listing`. Raises ParameterError where the name is unknown
    or a number is none, ShapeError where the image is too small.

    >>> sum(parameter.data.size for parameter in build("pooled28").parameters())
    430890
    """
    design = _find(name)
    shape = tuple(input or design.input)
    if len(shape) != 3:
        raise ParameterError(f"The 'input' parameter of build must be (channels, height, width); got {input!r}.")
    shape = tuple(positive(extent, "input", "build") for extent in shape)
    count = design.classes if classes is None else positive(classes, "classes", "build")
    with skip_init() if design.draw else nullcontext():
        net = design.build(shape, count)
    _check_fit(net, name, shape)
    if design.draw:
        design.draw(net)
    net.metadata = {"name": name, "input": list(shape)}
    return net


def _check_fit(net: Module, name: str, shape: Shape) -> None:
    try:
        net.graph((2, *shape))  # two images, or batch normalisation would refuse maps of one cell
    except ShapeError as error:
        raise ShapeError(
            f"The network '{name}' needs a larger image than {shape[1]} × {shape[2]}; its layer {error}"
        ) from None


def _find(name: str) -> Design:
    if is_listing(name):
        listing = parse(name)
        return Design(
            lambda shape, classes: replace(listing, input=shape, classes=classes).network(),
            listing.input,
            listing.classes,
        )
    if name not in _DESIGNS:
        raise ParameterError(f"There is no network named {name!r}; there are {', '.join(_DESIGNS)}.")
    return _DESIGNS[name]
