"""What a picture can be made to excite: a cell, a channel, a class, a whole layer; and how much it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.analysis.gradients import Differentiable
from pellucid.errors import ParameterError, nearest
from pellucid.explain.classes import class_names, scored
from pellucid.explain.inputs import mixes_images
from pellucid.graph import Graph
from pellucid.nn import Module
from pellucid.nn.settings import is_integer
from pellucid.types import Array, Pair, Shape

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Goal:
    """A number that a network computes of its image, to be made large.

    It is one ``cell`` (row, column) of a ``channel`` of a layer; without a cell, the mean of the channel's positive
    part, which is what a ReLU after it passes on (the plain mean of a convolution would reward an even grey); without a
    channel, half the mean square of the whole layer, which makes whatever the layer sees there stronger. A unit of a
    dense layer is a channel, and counts as it is. ``label`` is the class whose logit it is.
    """

    layer: str
    channel: int | None = None
    cell: Pair | None = None
    label: str | None = None

    def __str__(self) -> str:
        return self.label if self.label is not None else ", ".join(filter(None, (self.layer, self.part)))

    @property
    def part(self) -> str:
        """Which part of its layer it is: the class, or channel and cell; "" for all of it."""
        if self.label is not None or self.channel is None:
            return self.label or ""
        return f"channel {self.channel}" + (f", cell {self.cell[0]},{self.cell[1]}" if self.cell else "")

    @property
    def kind(self) -> str:
        """What of the network it is, in words."""
        if self.label is not None:
            return "logit of the class"
        if self.channel is None:
            return "half the mean square of the layer"
        return "mean of the channel's positive part" if self.cell is None else "the cell's number"

    @property
    def is_linear(self) -> bool:
        """Whether the score grows in the same direction wherever one stands."""
        return self.label is not None or self.cell is not None

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        cell = None if self.cell is None else list(self.cell)
        return {"layer": self.layer, "channel": self.channel, "cell": cell, "class": self.label}

    def scores(self, values: Array) -> Array:
        """Return the number, float64 (N,), of each image, from what the layer computed, (N, …).

        >>> Goal("conv", 1).scores(np.array([[[[9, 9]], [[-1, 2]]]])).tolist()
        [1.0]
        """
        values = values.astype(np.float64)
        if self.channel is None:
            scores: Array = 0.5 * np.square(values).reshape(len(values), -1).mean(axis=1)
        elif self._is_map(values[0]):
            scores = np.maximum(values[:, self.channel], 0).mean(axis=(1, 2))
        else:
            scores = values.reshape(len(values), -1)[:, np.ravel_multi_index(self._place, values.shape[1:])]
        return scores

    def direction(self, values: Array) -> Array:
        """Return the score's gradient by the layer's numbers of one image, of their shape.

        Where less than a tenth of a channel is positive, the tenth that comes nearest to it counts, too: up is where
        the next positive cells will come from.
        """
        if self.channel is None:
            return values / values.size
        direction = np.zeros_like(values)
        if self._is_map(values):
            cells = values[self.channel]
            direction[self.channel] = (cells >= min(0.0, np.quantile(cells, 0.9))) / cells.size
        else:
            direction[self._place] = 1
        return direction

    def _is_map(self, values: Array) -> bool:
        return self.cell is None and values.ndim == 3

    @property
    def _place(self) -> tuple[int, ...]:
        assert self.channel is not None
        return (self.channel, *(self.cell or ()))


def goal(net: Module, layer: str, channel: int | None = None, cell: Pair | None = None) -> Goal:
    """Return a cell, a channel or all of a layer as a goal.

    Raises ParameterError where the network has no such layer, channel or cell, or does not say its input.
    """
    shape = _graph(net).layer(layer).shape[1:]
    if channel is None:
        if cell is not None:
            raise ParameterError(f"A cell needs a channel of '{layer}'; got the cell {cell} alone; give both.")
        return Goal(layer)
    if len(shape) not in (1, 3):
        raise ParameterError(
            f"The layer '{layer}' has no channels, its shape is {shape}; leave the channel out to excite all of it."
        )
    if not is_integer(channel) or not 0 <= channel < shape[0]:
        raise ParameterError(f"The channel of '{layer}' must be 0 to {shape[0] - 1}; got {channel}.")
    if cell is not None and len(shape) == 1:
        raise ParameterError(f"The layer '{layer}' has no rows and columns, so no cell {cell}; leave it out.")
    if cell is not None and not _lies_in(cell, shape[1:]):
        raise ParameterError(
            f"The cell must lie in the {shape[1]} × {shape[2]} cells of '{layer}', as row and column; got {cell}."
        )
    return Goal(layer, channel, cell)


def _lies_in(cell: Sequence[Any], plane: Shape) -> bool:
    return len(cell) == 2 and all(
        is_integer(place) and 0 <= place < extent for place, extent in zip(cell, plane, strict=True)
    )


def class_goal(net: Module, target: str | int) -> Goal:
    """Return a class, by its name or number, as a goal: its logit, before any softmax.

    Raises ParameterError where there is no such class.
    """
    goals = class_goals(net)
    names = [str(each.label) for each in goals]
    name = str(target)
    if name in names:
        return goals[names.index(name)]
    if name.isascii() and name.isdecimal() and int(name) < len(goals):
        return goals[int(name)]
    raise ParameterError(f"There is no class {name!r}; {nearest(name, names[:20])}.")


def class_goals(net: Module) -> list[Goal]:
    """Return all classes as goals. Raises ParameterError or ShapeError where there is no score for each."""
    value, _ = scored(_graph(net))
    if value.ndim != 2 or value.node is None:
        raise ParameterError(
            f"The network's result is no number a class, its shape is {value.shape[1:]}; name a layer."
        )
    return [Goal(value.node.name, index, None, name) for index, name in enumerate(class_names(net, value.shape[1]))]


def measure(differentiable: Differentiable, goals: Sequence[Goal], images: Array) -> Array:
    """Return the scores, float64 (goals, N), of images (N, C, H, W); all goals must be of the layer."""
    parts, size = [], together(differentiable.net, _BATCH)
    for first in range(0, len(images), size):
        batch = images[first : first + size]
        values = differentiable.numbers(batch)
        parts.append(np.stack([each.scores(values) for each in goals]))
    return np.concatenate(parts, axis=1)


def together(net: Module, most: int) -> int:
    """Return how many images may go through a network at once: one where the statistics of a batch would mix them."""
    return 1 if mixes_images(_graph(net)) else most


def image_shape(net: Module) -> Shape:
    """Return the shape (C, H, W) of a network's image. Raises ParameterError where it does not say it."""
    shape = net.metadata.get("input") or (net.last_shapes or (None,))[0]
    if shape is None or len(shape) != 3:
        raise ParameterError("The network does not say which images it takes; set net.metadata['input'] = (C, H, W).")
    return tuple(shape)


def _graph(net: Module) -> Graph:
    with net.evaluating():
        return net.graph((1, *image_shape(net)))
