"""Where a network's scores of its classes are, and what the classes are called."""

from typing import Any

import numpy as np

from pellucid.errors import ShapeError
from pellucid.explain.cells.moves import is_move
from pellucid.graph import Graph, Node, Value
from pellucid.nn import Module
from pellucid.ops import LogSoftmax, Op, Sigmoid, Softmax


def scored(graph: Graph) -> tuple[Value, Op | None]:
    """Return the value that holds the scores, and the softmax or sigmoid that follows it, if any.

    Raises ShapeError where the network's result is no list of scores.
    """
    result: Value = next(iter(graph.outputs.values()))
    if result.ndim != 2:
        raise ShapeError(f"The network must give one score for each class; got shape {result.shape[1:]} for an image.")
    end = result.node
    while end is not None and _keeps_order(end):
        end = end.inputs[0].node if end.inputs[0] is not None else None
    if end is None or not isinstance(end.op, Softmax | LogSoftmax | Sigmoid):
        return result, None
    before = end.inputs[0]
    if before is None or before.node is None:
        raise ShapeError(f"The network must compute something before its {end.op.kind}; it does not.")
    return before, end.op


def _keeps_order(node: Node) -> bool:
    """Whether a node's result has all numbers of its only input, in the same order."""
    source, *others = node.inputs
    if source is None or any(others) or not is_move(node.op):
        return False
    numbers = np.arange(source.type.size).reshape(source.shape)
    return np.array_equal(node.op.reference(numbers, *others)[0].ravel(), numbers.ravel())


def class_names(net: Module, count: int) -> list[str]:
    """Return the classes' names, or their numbers where the network does not name so many."""
    named: Any = net.metadata.get("classes")
    if isinstance(named, list | tuple) and len(named) == count:
        return [str(name) for name in named]
    return [str(index) for index in range(count)]
