"""Graphs that tests share."""

import numpy as np

from pellucid import ops
from pellucid.graph import Graph, differentiate
from pellucid.types import TensorType


def feeds(graph, seed=0):
    """Return numbers for every array that a graph is given."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, value in (graph.inputs | graph.parameters | graph.buffers).items():
        if np.dtype(value.dtype).kind == "f":
            arrays[name] = generator.standard_normal(value.shape).astype(value.dtype)
        else:
            arrays[name] = generator.integers(0, 3, value.shape).astype(value.dtype)
    return arrays


def branching(dtype="float64"):
    """A convolution used by three branches, a residual sum, a concatenation, pooling, a dense layer and a loss."""
    graph = Graph()
    x = graph.input("x", TensorType((2, 3, 6, 6), dtype))
    labels = graph.input("labels", TensorType((2,), "int64"))
    weight = graph.parameter("conv.weight", TensorType((3, 3, 3, 3), dtype))
    bias = graph.parameter("conv.bias", TensorType((3,), dtype))
    padded = ops.Conv2d(padding=((1, 1), (1, 1)))
    y = graph.add(padded, x, weight, bias, name="conv")
    y = graph.add(ops.Add(), graph.add(ops.SiLU(), y, name="act"), x, name="residual")
    again = graph.add(padded, y, weight, bias, name="conv_again")  # the same weights once more
    y = graph.add(ops.Concatenate(1), y, again, y, name="branches")
    y = graph.add(ops.MaxPool2d((2, 2), (2, 2)), y, name="pool")
    y = graph.add(ops.Flatten(), y, name="flatten")
    logits = graph.add(ops.Linear(), y, graph.parameter("fc.weight", TensorType((4, 81), dtype)), None, name="fc")
    loss = graph.add(ops.CrossEntropy(0.1), logits, labels, None, name="loss")
    graph.outputs = {"loss": loss, "logits": logits}
    return graph


def training(dtype="float64"):
    """:func:`branching` with the gradients of its loss by parameters and image among its outputs."""
    graph = branching(dtype)
    wrt = [*graph.parameters.values(), graph.inputs["x"]]
    gradients = differentiate(graph, graph.outputs["loss"], wrt)
    graph.outputs |= {f"d.{name}": value for name, value in gradients.items()}
    return graph


def batch_norm():
    """Batch normalisation that remembers: a graph with buffers and updates."""
    graph = Graph()
    x = graph.input("x", TensorType((4, 2), "float64"))
    running, count = graph.buffer("mean", TensorType((2,), "float64")), graph.buffer("count", TensorType((), "int64"))
    y = graph.add(ops.BatchNorm(training=True), x, None, None, None, None, name="norm")
    batches = count + 1
    graph.updates["mean"] = graph.add(ops.RunningAverage(0.25), running, y.node.outputs[1], batches)
    graph.updates["count"] = batches
    graph.outputs["output"] = y
    return graph
