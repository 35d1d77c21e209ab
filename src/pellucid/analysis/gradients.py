"""How a network's numbers move with its image and with its layers: gradients other than those of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.graph import Graph, Plan, Value, differentiate
from pellucid.nn import Module
from pellucid.types import Array, Shape


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """What one pass forward and back gives; every array has the batch as its first axis.

    ``value`` is what the layer computed, ``image`` the gradient by the image, and ``activations`` and ``layers`` what
    the other layers that were asked for computed, and the gradient by it.
    """

    value: Array
    image: Array
    activations: Mapping[str, Array]
    layers: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class _Planned:
    plan: Plan
    image: str
    direction: str
    value: str
    of_image: str | None
    activations: dict[str, str]
    of_layers: dict[str, str | None]


class Differentiable:
    """A network as a function of its image, with the gradient of any weighted sum of a layer's numbers.

    Parameters
    ----------
    net
        A network of one input; it is used as after training.
    image
        (C, H, W).
    layer
        Whose numbers are differentiated; by default those of the network's first result.
    by
        Layers to differentiate by, besides the image. All of them must come before ``layer`` or have no influence.

    Raises
    ------
    ParameterError
        If there is no such layer.

    Examples
    --------
    >>> import pellucid.nn as nn
    >>> net = nn.Sequential(nn.Linear(2, 2, bias=False))
    >>> net.load_state_dict({"0.weight": [[1, 2], [3, 4]]})
    >>> slopes = Differentiable(net, (2,))(np.float32([[1, 1]]), np.float32([[0, 1]]))   # of the second output
    >>> slopes.value.tolist(), slopes.image.tolist()
    ([[3.0, 7.0]], [[3.0, 4.0]])
    """

    def __init__(self, net: Module, image: Shape, layer: str | None = None, by: Sequence[str] = ()) -> None:
        self.net, self.layer, self.by = net, layer, tuple(by)
        self._image = tuple(image)
        self._planned: dict[int, _Planned] = {}
        self.shape = self._value(self._graph(1)).shape[1:]
        """Of the layer's numbers, without the batch."""

    def __call__(self, images: Array, direction: Array) -> Slopes:
        """Differentiate Σ direction · numbers; ``images`` are (N, C, H, W), ``direction`` (N, …) like the numbers.

        Raises ShapeError where either has another shape.
        """
        for name, array, shape in (("images", images, self._image), ("direction", direction, self.shape)):
            if array.shape != (len(images), *shape):
                raise ShapeError(f"The {name} must be of shape {(len(images), *shape)}; got {array.shape}.")
        planned = self._planned.get(len(images))
        if planned is None:
            planned = self._planned[len(images)] = self._plan(len(images))
        named = dict([*self.net.named_parameters(), *self.net.named_buffers()])
        weights = {name: named[name] for name in (*planned.plan.graph.parameters, *planned.plan.graph.buffers)}
        versions = tuple(parameter.version for parameter in weights.values())
        feeds: dict[str, Array] = {name: parameter.reading for name, parameter in weights.items()}
        feeds |= {planned.image: images, planned.direction: direction}
        found = planned.plan.run(feeds, None if None in versions else versions)
        activations = {name: found[value] for name, value in planned.activations.items()}
        return Slopes(
            value=found[planned.value],
            image=_slope(found, planned.of_image, images),
            activations=activations,
            layers={name: _slope(found, value, activations[name]) for name, value in planned.of_layers.items()},
        )

    def _graph(self, batch: int) -> Graph:
        with self.net.evaluating():
            return self.net.graph((batch, *self._image))

    def _value(self, graph: Graph) -> Value:
        return next(iter(graph.outputs.values())) if self.layer is None else graph.layer(self.layer)

    def _plan(self, batch: int) -> _Planned:
        graph = self._graph(batch)
        value, image = self._value(graph), next(iter(graph.inputs.values()))
        layers = {name: graph.layer(name) for name in self.by}
        direction = graph.input("direction", value.type)
        slopes = differentiate(graph, (value * direction).sum(), [image, *layers.values()])
        names = {name: slope.name for name, slope in slopes.items()}
        kept = (value.name, *(found.name for found in layers.values()), *names.values())
        graph.outputs, graph.updates = {}, {}
        return _Planned(
            plan=Plan(graph, keep=tuple(dict.fromkeys(kept))),
            image=image.name,
            direction=direction.name,
            value=value.name,
            of_image=names.get(image.name),
            activations={name: found.name for name, found in layers.items()},
            of_layers={name: names.get(found.name) for name, found in layers.items()},
        )


def _slope(found: Mapping[str, Any], name: str | None, like: Array) -> Array:
    """Return a gradient; zeros where the numbers do not depend on it."""
    slope: Array = np.zeros_like(like) if name is None else found[name]
    return slope
