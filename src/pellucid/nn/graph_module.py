"""A network that is given as a graph: what a file holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pellucid import ops
from pellucid.errors import FileError, ShapeError
from pellucid.graph import Graph, Node, Value
from pellucid.nn import tracing
from pellucid.nn.batch_norm import batch_norm, p4_batch_norm
from pellucid.nn.functional import apply_all
from pellucid.nn.module import Module
from pellucid.nn.parameter import Buffer, Parameter
from pellucid.types import Array

COUNT = "num_batches_tracked"
_DEEPEST = 100
"""Modules inside one another; a damaged name must not exhaust the interpreter's stack."""


class GraphModule(Module):
    """Runs the operations of an inference graph, for any batch size; can be trained further.

    Parameters and buffers are found under the paths that they had in the network that was saved. Raises FileError
    where a path is none that a network can have.
    """

    def __init__(self, graph: Graph, arrays: Mapping[str, Array]) -> None:
        super().__init__()
        self._graph = graph
        self.last_shapes = tuple(graph.inputs[name].shape[1:] for name in self.input_names(len(graph.inputs)))
        for name in graph.parameters:
            self._place(name, Parameter(arrays[name]))
        for name in graph.buffers:
            self._place(name, Buffer(arrays[name]))

    def _place(self, name: str, parameter: Parameter) -> None:
        """Put a parameter where its path says, making the modules on the way."""
        *path, last = name.split(".")
        owner: Module = self
        for part in path[:_DEEPEST]:
            child = vars(owner).get(part)
            if not isinstance(child, Module):
                child = Module()
                self._set(owner, part, child, name)
            owner = child
        self._set(owner, last if len(path) <= _DEEPEST else "", parameter, name)

    def _set(self, owner: Module, part: str, value: Module | Parameter, name: str) -> None:
        if not part or part in vars(owner) or hasattr(type(owner), part):
            raise FileError(f"A network cannot have a parameter named '{name:.80}': the name is taken, or none.")
        setattr(owner, part, value)

    def input_names(self, count: int) -> list[str]:
        """Names that the graph's inputs had."""
        return [name for name in self._graph.inputs if name != tracing.KEY]

    def forward(self, *inputs: Any) -> Any:
        """Add the graph's operations to the graph being traced."""
        graph = self._graph
        names = self.input_names(len(inputs))
        if len(inputs) != len(names):
            raise ShapeError(f"The network takes {len(names)} inputs ({', '.join(names)}), got {len(inputs)}.")
        values: dict[str, Any] = dict(zip(names, inputs, strict=True))
        values |= dict(self.named_parameters()) | dict(self.named_buffers()) | graph.constants
        target = inputs[0].graph
        for node in graph.nodes:
            with target.scope(_path(target, node.name), one_op=True):
                results = self._replay(node, values)
            values |= {value.name: result for value, result in zip(node.outputs, results, strict=False)}
        target.layers |= {_path(target, path): values[value.name] for path, value in graph.layers.items()}
        return tracing.unpack(graph.returns, {name: values[value.name] for name, value in graph.outputs.items()})

    def _replay(self, node: Node, values: dict[str, Any]) -> tuple[Any, ...]:
        if self.training and isinstance(node.op, ops.BatchNorm):
            return (_normalised(replace(node.op, training=True), node, values),)
        inputs = [None if value is None else values[value.name] for value in node.inputs]
        if self.training and isinstance(node.op, ops.Dropout):
            return apply_all(replace(node.op, training=True), inputs[0], tracing.dropout_key())
        return apply_all(node.op, *inputs)


def _normalised(op: ops.BatchNorm, node: Node, values: Mapping[str, Any]) -> Any:
    """Normalise by the batch and remember its statistics, as the layer did before it was saved."""
    base = [_base(value) for value in node.inputs]
    x, weight, bias, mean, variance = (None if value is None else values[value.name] for value in base)
    path = base[3].name.rpartition(".")[0] if base[3] else ""
    count = values.get(f"{path}.{COUNT}" if path else COUNT)
    normalise = batch_norm if base == list(node.inputs) else p4_batch_norm
    return normalise(op, x, weight, bias, mean, variance, count)


def _base(value: Value | None) -> Value | None:
    """Return the number for each feature that was repeated for its orientations, or the value itself."""
    node = None if value is None else value.node
    return node.inputs[0] if node is not None and isinstance(node.op, ops.Orientations) else value


def _path(target: Graph, name: str) -> str:
    prefix = target.prefix
    return f"{prefix}.{name}" if prefix else name
