"""Differentiation by graph: gradients are more nodes of the same graph, not a tape of a run."""

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.graph.graph import Graph, Node, Value
from pellucid.ops import Add, Backward, Op


def differentiate(graph: Graph, loss: Value, wrt: list[Value]) -> dict[str, Value]:
    """Append the nodes that compute d loss / d value and return them by value name.

    Walks the nodes backwards once; a value used in several places sums what comes from each. A value that the loss
    does not depend on gets no entry. Raises ShapeError where the loss is not a single number, ParameterError where
    an operation on the way has no gradient.
    """
    if loss.type.size != 1:
        raise ShapeError(f"The loss must be a single number to be differentiated; '{loss.name}' is {loss.type}.")
    forward = list(graph.nodes)
    needed = _depends_on(forward, wrt)
    slopes = {loss.name: graph.constant(np.ones(loss.shape, loss.dtype), graph._unused("dloss"))}
    for node in reversed(forward):
        dy = slopes.get(node.outputs[0].name)
        if dy is None or node.outputs[0].name not in needed:
            continue
        for value, slope in _gradients(graph, node, dy, needed):
            known = slopes.get(value.name)
            slopes[value.name] = slope if known is None else _named(graph, value, Add(), known, slope)
    return {value.name: slopes[value.name] for value in wrt if value.name in slopes}


def _depends_on(nodes: list[Node], wrt: list[Value]) -> set[str]:
    """Names of the values through which the loss can depend on ``wrt``."""
    names = {value.name for value in wrt}
    for node in nodes:
        if any(value is not None and value.name in names for value in node.inputs):
            names.add(node.outputs[0].name)
    return names


def _gradients(graph: Graph, node: Node, dy: Value, needed: set[str]) -> list[tuple[Value, Value]]:
    """(input, its gradient) for the inputs of a node that need one."""
    wanted = {argument: value for argument, value in _arguments(node) if value is not None and value.name in needed}

    def emit(op: Op, *inputs: Value) -> Value:
        return graph.add(op, *inputs, name=f"d.{node.name}.{op.kind.lower()}")

    composed = node.op.gradient(emit, node.inputs, dy, wanted)
    if composed is not None:
        return [(value, composed[argument]) for argument, value in wanted.items()]
    undefined = set(wanted).difference(*node.op.gradient_groups())
    if undefined:
        raise ParameterError(
            f"{node.op} '{node.name}' has no gradient with respect to its {', '.join(sorted(undefined))}; "
            "differentiate by values that it does not depend on there."
        )
    pairs = []
    for group in node.op.gradient_groups():
        wrt = tuple(argument for argument in group if argument in wanted)
        if wrt:
            outputs = _backward(graph, node, dy, wrt)
            pairs += [(wanted[argument], output) for argument, output in zip(wrt, outputs, strict=True)]
    return pairs


def _arguments(node: Node) -> list[tuple[str, Value | None]]:
    names = node.op.arguments
    if names[0].endswith("*"):
        return [(f"{names[0][:-1]}{index}", value) for index, value in enumerate(node.inputs)]
    return list(zip(names, node.inputs, strict=True))


def _backward(graph: Graph, node: Node, dy: Value, wrt: tuple[str, ...]) -> tuple[Value, ...]:
    values = dict(_arguments(node)) | dict(zip(node.op.results, node.outputs, strict=True))
    saved = (values[name] for name in node.op.saved(wrt))
    op = Backward(node.op, wrt, node.types)
    first = graph.add(op, dy, *saved, name=f"d.{node.name}.{'.'.join(wrt)}")
    assert first.node is not None
    return first.node.outputs


def _named(graph: Graph, value: Value, op: Op, *inputs: Value) -> Value:
    return graph.add(op, *inputs, name=f"d.{value.name}.{op.kind.lower()}")
