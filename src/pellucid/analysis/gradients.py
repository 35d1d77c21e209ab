"""How a network's numbers move with its image and with its layers: gradients other than those of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.graph import Graph, Plan, Value, differentiate
from pellucid.nn import Module
from pellucid.ops import Backward, ReLU, ReLU6
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
    guided
        Let each ReLU and ReLU6 pass, besides what it passes, only gradients above 0 (guided backpropagation,
        Springenberg et al. 2015, arXiv:1412.6806); other activations keep their gradients.

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

    def __init__(
        self, net: Module, image: Shape, layer: str | None = None, by: Sequence[str] = (), guided: bool = False
    ) -> None:
        self.net, self.layer, self.by, self.guided = net, layer, tuple(by), guided
        self._image = tuple(image)
        self._planned: dict[int, _Planned] = {}
        self._forward: dict[int, Plan] = {}
        self.shape = self._value(self._graph(1)).shape[1:]
        """Of the layer's numbers, without the batch."""

    def __call__(self, images: Array, direction: Array) -> Slopes:
        """Differentiate Σ direction · numbers; ``images`` are (N, C, H, W), ``direction`` (N, …) like the numbers.

        Raises ShapeError where either has another shape.
        """
        _check("images", images, (len(images), *self._image))
        _check("direction", direction, (len(images), *self.shape))
        planned = self._planned.get(len(images))
        if planned is None:
            planned = self._planned[len(images)] = self._plan(len(images))
        found = self._run(planned.plan, {planned.image: images, planned.direction: direction})
        activations = {name: found[value] for name, value in planned.activations.items()}
        return Slopes(
            value=found[planned.value],
            image=_slope(found, planned.of_image, images),
            activations=activations,
            layers={name: _slope(found, value, activations[name]) for name, value in planned.of_layers.items()},
        )

    def numbers(self, images: Array) -> Array:
        """Return the layer's numbers, (N, …), without any gradient. Raises ShapeError where the images do not fit."""
        _check("images", images, (len(images), *self._image))
        plan = self._forward.get(len(images))
        if plan is None:
            graph = self._graph(len(images))
            value = self._value(graph)
            graph.outputs, graph.updates = {}, {}
            plan = self._forward[len(images)] = Plan(graph, keep=(value.name,))
        found: Array = self._run(plan, {next(iter(plan.graph.inputs)): images})[plan.keep[0]]
        return found

    def _run(self, plan: Plan, inputs: dict[str, Array]) -> dict[str, Array]:
        named = dict([*self.net.named_parameters(), *self.net.named_buffers()])
        weights = {name: named[name] for name in (*plan.graph.parameters, *plan.graph.buffers)}
        versions = tuple(parameter.version for parameter in weights.values())
        feeds = inputs | {name: parameter.reading for name, parameter in weights.items()}
        return plan.run(feeds, None if None in versions else versions)

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
        if self.guided:
            _guide(graph)
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


def _check(name: str, array: Array, shape: Shape) -> None:
    if array.shape != shape:
        raise ShapeError(f"The {name} must be of shape {shape}; got {array.shape}.")


def _guide(graph: Graph) -> None:
    """Put a ReLU before the gradient of every ReLU: what is negative there goes no further back."""
    nodes, graph.nodes = graph.nodes, []
    for node in nodes:
        if isinstance(node.op, Backward) and isinstance(node.op.of, ReLU | ReLU6):
            slope, *saved = node.inputs
            node.inputs = (graph.add(ReLU(), slope, name=f"{node.name}.guided"), *saved)
        graph.nodes.append(node)


def _slope(found: Mapping[str, Any], name: str | None, like: Array) -> Array:
    """Return a gradient; zeros where the numbers do not depend on it."""
    slope: Array = np.zeros_like(like) if name is None else found[name]
    return slope
