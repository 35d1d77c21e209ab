"""Named architectures, built by name."""

from collections.abc import Callable

from pellucid.errors import ParameterError
from pellucid.nn import Module
from pellucid.nn.settings import positive
from pellucid.types import Shape
from pellucid.zoo.lessons import funnel, lenet5_rgb, pooled28, pooled28_double, tiny

_BUILDERS: dict[str, tuple[Callable[..., Module], Shape]] = {
    "funnel": (funnel, (3, 32, 32)),
    "lenet5-rgb": (lenet5_rgb, (3, 32, 32)),
    "pooled28": (pooled28, (1, 28, 28)),
    "pooled28-double": (pooled28_double, (1, 28, 28)),
    "tiny": (tiny, (1, 28, 28)),
}


def names() -> list[str]:
    """Names of the networks."""
    return list(_BUILDERS)


def usual_input(name: str) -> Shape:
    """(C, H, W) of the image that a network was designed for."""
    return _find(name)[1]


def build(name: str, *, input: Shape | None = None, classes: int = 10) -> Module:  # noqa: A002 - the word for it
    """Build a network by name, with fresh weights, for images (C, H, W) and a number of classes.

    Raises ParameterError where the name is unknown or a number is none, ShapeError where the image is too small.

    >>> sum(parameter.data.size for parameter in build("pooled28").parameters())
    430890
    """
    builder, usual = _find(name)
    shape = tuple(input or usual)
    if len(shape) != 3:
        raise ParameterError(f"The 'input' parameter of build must be (channels, height, width); got {input!r}.")
    shape = tuple(positive(extent, "input", "build") for extent in shape)
    net = builder(shape, positive(classes, "classes", "build"))
    net.metadata = {"name": name, "input": list(shape)}
    return net


def _find(name: str) -> tuple[Callable[..., Module], Shape]:
    if name not in _BUILDERS:
        raise ParameterError(f"There is no network named {name!r}; there are {', '.join(_BUILDERS)}.")
    return _BUILDERS[name]
