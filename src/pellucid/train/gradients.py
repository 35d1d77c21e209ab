"""Loss and gradients of a network, from one graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.graph import Graph, Plan, Value, differentiate
from pellucid.nn import Module, random, tracing
from pellucid.nn.plans import PlanCache
from pellucid.types import Array, TensorType

Loss = Callable[[Any, Any], Any]
"""(outputs, target) → loss, written with operations on symbols, such as pel.losses.cross_entropy."""

TARGET = "target"


@dataclass(frozen=True)
class Gradients:
    """What one pass forward and back gives."""

    loss: float
    output: Array
    """What the network computed: its first result."""
    parameters: dict[str, Array]
    """Gradient of the loss by each parameter, by path."""
    buffers: dict[str, Array]
    """New values of the buffers, by path: running statistics."""


@dataclass(frozen=True)
class _Planned:
    plan: Plan
    loss: str
    output: str
    gradients: dict[str, str]


class Differentiated:
    """A network with its loss, differentiated with respect to the parameters that require a gradient.

    The graph is built once for each shape of input and kept until the network changes.
    """

    def __init__(self, net: Module, loss: Loss, executor: str = "fast") -> None:
        self.net, self.loss, self.executor = net, loss, executor
        self._plans = PlanCache()

    def __call__(self, x: Array, target: Array, key: Array | None = None) -> Gradients:
        """Compute loss and gradients for a batch; ``key`` is dropout's (seed, step), by default a fresh one."""
        x, target = np.asarray(x), np.asarray(target)
        planned = self._planned(x, target)
        feeds = self._feeds(planned.plan.graph, x, target, key)
        results = planned.plan.run(feeds)
        return Gradients(
            loss=float(results[planned.loss]),
            output=results[planned.output],
            parameters={name: results[value] for name, value in planned.gradients.items()},
            buffers={name: results[value.name] for name, value in planned.plan.graph.updates.items()},
        )

    def forward_values(self, x: Array, target: Array, key: Array | None = None) -> dict[str, Array]:
        """Every value of the forward and backward pass, in running order: for finding where it went wrong."""
        planned = self._planned(np.asarray(x), np.asarray(target))
        names = tuple(value.name for node in planned.plan.graph.nodes for value in node.outputs)
        plan = Plan(planned.plan.graph, self.executor, keep=names)
        results = plan.run(self._feeds(plan.graph, x, target, key))
        return {name: results[name] for name in names}

    def _feeds(self, graph: Graph, x: Array, target: Array, key: Array | None) -> dict[str, Array]:
        dropout = tracing.dropout_feed(graph, random.next_key if key is None else lambda: key)
        (name,) = self.net.input_names(1)
        return {name: x, TARGET: target} | self.net.arrays() | dropout

    def _planned(self, x: Array, target: Array) -> _Planned:
        types = TensorType.of(x), TensorType.of(target)
        trained = tuple(name for name, parameter in self.net.named_parameters() if parameter.requires_grad)
        planned: _Planned = self._plans.get(self.net, (types, trained), lambda: self._build(*types, trained))
        return planned

    def _build(self, x: TensorType, target: TensorType, trained: tuple[str, ...]) -> _Planned:
        graph = Graph()
        (name,) = self.net.input_names(1)
        with tracing.tracing(self.net, graph):
            output = self.net(graph.input(name, x))
            loss = self.loss(output, graph.input(TARGET, target))
        if not isinstance(loss, Value):
            raise ShapeError(f"The loss must be computed from the network's output; got {type(loss).__name__}.")
        self.net.last_shapes = (x.shape[1:],)
        wrt = [graph.parameters[name] for name in trained if name in graph.parameters]
        gradients = {name: value.name for name, value in differentiate(graph, loss, wrt).items()}
        graph.returns, graph.outputs = tracing.pack(output)
        plan = Plan(graph, self.executor, keep=(loss.name, *gradients.values()))
        return _Planned(plan, loss.name, next(iter(graph.outputs.values())).name, gradients)


def value_and_grad(net: Module, loss: Loss) -> Callable[[Array, Array], tuple[float, dict[str, Array]]]:
    """Return a function (x, target) → (loss, gradients by parameter path), for training loops of one's own.

    In training mode the function also moves the running statistics of batch normalisation, as a training step does.

    >>> import numpy as np
    >>> import pellucid as pel
    >>> net = pel.nn.Sequential(pel.nn.Linear(2, 2, bias=False))
    >>> loss, grads = value_and_grad(net, pel.losses.cross_entropy)(np.zeros((1, 2), np.float32), np.array([1]))
    >>> round(loss, 4), grads["0.weight"].shape
    (0.6931, (2, 2))
    """
    differentiated = Differentiated(net, loss)

    def compute(x: Array, target: Array) -> tuple[float, dict[str, Array]]:
        result = differentiated(x, target)
        net.update_buffers(result.buffers)
        return result.loss, result.parameters

    return compute
