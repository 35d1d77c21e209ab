"""Pellucid's own forms of the tasks, through the public interface."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid import ops
from pellucid.bench.forms import Form
from pellucid.bench.tasks import LEARNING_RATE, MOMENTUM, Convolution, Filter, Inference, Task, Training
from pellucid.bench.why import kernels
from pellucid.graph import Graph, Plan
from pellucid.nn.filters import filter2d
from pellucid.nn.losses import cross_entropy
from pellucid.train.gradients import value_and_grad
from pellucid.train.optim import SGD
from pellucid.types import Array


def form(task: Task) -> Form:
    """Return how Pellucid computes a task."""
    if isinstance(task, Training):
        return _training(task)
    if isinstance(task, Inference):
        return Form("", lambda: task.net(task.x), lambda: {"y": task.net(task.x)})
    return _convolution(task) if isinstance(task, Convolution) else _filter(task)


def is_effective(task: Task) -> bool:
    """Tell whether a kernel multiplies less than the definition, so that FLOP/s are "effective" ones."""
    if isinstance(task, Filter):
        return False
    graph, wanted = (convolution_graph(task), ()) if isinstance(task, Convolution) else task.computed
    return any("winograd" in name for name in kernels(graph, wanted))


def _training(task: Training) -> Form:
    net, x, y = task.net, task.x, task.y
    gradients = value_and_grad(net, cross_entropy)
    optimizer = SGD(LEARNING_RATE, momentum=MOMENTUM)
    parameters = dict(net.named_parameters())

    def step() -> None:
        _, slopes = gradients(x, y)
        optimizer.update(parameters, slopes)

    def results() -> dict[str, Array]:
        loss, slopes = gradients(x, y)
        return {"loss": np.array(loss, np.float32), **slopes}

    return Form("", step, results)


def _convolution(task: Convolution) -> Form:
    graph = convolution_graph(task)
    feeds = {name: getattr(task, name) for name in (*graph.inputs, *graph.parameters)}
    (result,) = graph.outputs.values()
    plan = Plan(graph)

    def run() -> dict[str, Array]:
        return plan.run(feeds)

    name = {"fwd": "y", "dgrad": "dx", "wgrad": "dw"}[task.direction]
    return Form("", run, lambda: {name: run()[result.name]})


def convolution_graph(task: Convolution) -> Graph:
    """Return a graph of nothing but the convolution, or its gradient."""
    graph, types = Graph(), task.types
    x, weight, bias = types
    op: Any = task.op
    (dy,) = op.infer(*types)
    if task.direction == "fwd":
        values = [graph.input("x", x), graph.parameter("weight", weight), graph.parameter("bias", bias)]
    elif task.direction == "dgrad":
        op = ops.Backward(op, ("x",), types)
        values = [graph.input("dy", dy), graph.parameter("weight", weight)]
    else:
        op = ops.Backward(op, ("weight",), types)
        values = [graph.input("dy", dy), graph.input("x", x)]
    graph.outputs = {"y": graph.add(op, *values, name="conv")}
    return graph


def _filter(task: Filter) -> Form:
    def run() -> Array:
        return filter2d(task.photo, task.kernel)

    return Form("", run, lambda: {"y": run()})
