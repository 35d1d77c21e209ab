"""The score of one class, as a function of the image: what every attribution takes apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pellucid.analysis.gradients import Differentiable, Slopes
from pellucid.errors import DataError, ParameterError, nearest
from pellucid.explain.classes import class_names, scored
from pellucid.explain.inputs import as_input, mixes_images
from pellucid.graph import Graph, Value
from pellucid.nn import Module
from pellucid.nn.functional import apply
from pellucid.ops import LogSoftmax, Op, Sigmoid, Softmax
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many images of how many have gone through the network."""

_MEMORY = 256 * 2**20
"""Bytes that the activations of a batch, and their gradients, may take; one image may take more."""
_LARGEST_BATCH = 64


class Score:
    """The score of one class for images like ``image``, (C, H, W), and its gradients.

    The score is the class's number in the network's result or, where the network ends in a softmax or a sigmoid, the
    ``end``, the number that goes into it: a probability near 1 has hardly any gradient left, and that of a softmax can
    also rise because another class falls. ``index`` counts the classes, ``name`` is the class's; ``value`` is the score
    of the image, ``probability`` what the end makes of it, a softmax where there is none; None for the softmax of one
    number. ``scored`` is the value that holds the scores, ``before`` the names of all values that it is computed from,
    and its own. Raises ShapeError, DataError or ParameterError where image, result or ``target`` do not fit.
    """

    def __init__(
        self,
        net: Module,
        image: Array | Image.Image,
        target: str | int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.net, self.image = net, as_input(net, image)
        with net.evaluating():
            self.graph: Graph = net.graph((1, *self.image.shape))
        self.scored, self.end = scored(self.graph)
        self.before = _behind(self.graph, self.scored)
        self.batch = _batch(self.graph)
        self._progress = progress or (lambda done, total: None)
        self._differentiables: dict[tuple[tuple[str, ...], bool], Differentiable] = {}
        numbers = self._differentiable((), guided=False).numbers(self.image[None])
        if not np.isfinite(numbers).all():
            raise DataError("The scores of the image must be finite; got NaN or infinity; check the weights.")
        self.classes = class_names(net, numbers.size)
        self.likeliest = int(numbers.argmax())
        self.index = self.likeliest if target is None else _find(target, self.classes)
        self.name = self.classes[self.index]
        self.value = float(numbers.flat[self.index])
        self.probability = _probability(numbers, self.end, self.index)

    def of(self, count: int, make: Callable[[Array], Array]) -> Array:
        """Return the scores (count,) of images that ``make`` makes of their numbers, a batch at a time."""
        differentiable = self._differentiable((), guided=False)
        found = [differentiable.numbers(make(numbers))[:used] for numbers, used in self._batches(count)]
        return np.concatenate(found).reshape(count, -1)[:, self.index].astype(np.float64)

    def slopes(
        self, count: int, make: Callable[[Array], Array], by: Sequence[str] = (), *, guided: bool = False
    ) -> Iterator[tuple[Array, Slopes, int]]:
        """Yield the numbers of a batch's images, the score's gradients, and how many of them are not repetitions."""
        differentiable = self._differentiable(tuple(by), guided=guided)
        for numbers, used in self._batches(count):
            direction = np.zeros((len(numbers), *differentiable.shape), self.image.dtype)
            direction.reshape(len(numbers), -1)[:, self.index] = 1
            yield numbers, differentiable(make(numbers), direction), used

    def at_image(self, by: Sequence[str] = (), *, guided: bool = False) -> Slopes:
        """Return the score's gradients at the image itself."""
        return next(self.slopes(1, lambda _: self.image[None], by, guided=guided))[1]

    def _differentiable(self, by: tuple[str, ...], *, guided: bool) -> Differentiable:
        """Find the plans for these gradients, or a place for them."""
        key = by, guided
        if key not in self._differentiables:
            layer = self.scored.node.name if self.scored.node is not None else None
            self._differentiables[key] = Differentiable(self.net, self.image.shape, layer, by, guided)
        return self._differentiables[key]

    def _batches(self, count: int) -> Iterator[tuple[Array, int]]:
        """Yield numbers of images, always as many at once, and how many of them are not the last one again."""
        size = min(self.batch, count)
        for first in range(0, count, size):
            self._progress(first, count)
            yield np.minimum(np.arange(first, first + size), count - 1), min(size, count - first)
        self._progress(count, count)


def _behind(graph: Graph, value: Value) -> frozenset[str]:
    """Return the names of all values that a value is computed from, and its own."""
    found = {value.name}
    for node in reversed(graph.nodes):
        if any(result.name in found for result in node.outputs):
            found |= {source.name for source in node.inputs if source is not None}
    return frozenset(found)


def _batch(graph: Graph) -> int:
    """Return how many images go through the network at once: one where the statistics of a batch would mix them."""
    if mixes_images(graph):
        return 1
    held = sum(value.type.nbytes for node in graph.nodes for value in node.outputs)
    return max(1, min(_LARGEST_BATCH, _MEMORY // (2 * held)))


def _probability(numbers: Array, end: Op | None, index: int) -> float | None:
    """Return what the network's end makes of the scores (1, …), or a softmax where it has none."""
    if numbers.size == 1 and not isinstance(end, Sigmoid):
        return None
    made = float(apply(end or Softmax(1), numbers).flat[index])
    return math.exp(made) if isinstance(end, LogSoftmax) else made


def _find(target: str | int, classes: list[str]) -> int:
    """Return the number of a class given by its name or its number."""
    if isinstance(target, str) and target in classes:
        return classes.index(target)
    number = str(target)
    if isinstance(target, bool) or not (number.isascii() and number.isdecimal()):
        numbers = classes == [str(index) for index in range(len(classes))]
        known = f"the classes are 0 to {len(classes) - 1}" if numbers else nearest(number, classes)
        raise ParameterError(f"There is no class {target!r}; {known}.")
    if int(number) >= len(classes):
        raise ParameterError(f"The class must be 0 to {len(classes) - 1}; got {target}.")
    return int(number)
