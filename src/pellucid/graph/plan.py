"""A plan: a graph made ready to run, kernels chosen and lifetimes known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.graph.graph import Graph, Node, Value
from pellucid.kernels.threads import one_blas_thread
from pellucid.ops import Choice, choose
from pellucid.types import Array, TensorType

EXECUTORS = ("fast", "reference")


@dataclass(frozen=True, slots=True)
class Step:
    """One node with its kernel, and the values that nobody reads afterwards."""

    node: Node
    choice: Choice
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    last_used: tuple[str, ...]


class Plan:
    """Runs a graph on arrays.

    The executor "reference" computes every node by its definition; "fast" by the first kernel that accepts it. A
    plan holds no arrays between runs, so several threads may run it.
    """

    def __init__(self, graph: Graph, executor: str = "fast", keep: tuple[str, ...] = ()) -> None:
        """Choose kernels; ``keep`` names values that a run returns besides the outputs and updates."""
        if executor not in EXECUTORS:
            raise ParameterError(f"The 'executor' parameter must be one of {EXECUTORS}; got {executor!r}.")
        self.graph, self.executor, self.keep = graph, executor, keep
        self._feeds = graph.inputs | graph.parameters | graph.buffers
        kept = {value.name for value in (*graph.outputs.values(), *graph.updates.values())} | set(keep)
        unknown = sorted(name for name in kept if name not in graph)
        if unknown:
            raise ParameterError(f"The 'keep' parameter must name values of the graph; there is no {unknown[0]!r}.")
        self.steps = self._plan(_reachable(graph, kept), kept)

    def _plan(self, nodes: list[Node], kept: set[str]) -> list[Step]:
        steps: list[Step] = []
        seen = set(kept)
        for node in reversed(nodes):
            inputs = tuple(None if value is None else value.name for value in node.inputs)
            outputs = tuple(value.name for value in node.outputs)
            names = {name for name in (*inputs, *outputs) if name is not None}
            last_used = tuple(sorted(names - seen))
            seen |= names
            choice = choose(node.op, node.types) if self.executor == "fast" else _by_definition(node)
            steps.append(Step(node, choice, inputs, outputs, last_used))
        return steps[::-1]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays for all inputs, parameters and buffers; return the outputs, updates and kept values by name.

        Infinities and NaN pass through silently. Raises ShapeError naming the first array that is missing or of
        another type than the graph's.
        """
        arrays: dict[str, Array] = dict(self.graph.constants)
        for name, value in self._feeds.items():
            arrays[name] = _checked(value, feeds.get(name))
        with np.errstate(all="ignore"), one_blas_thread():
            for step in self.steps:
                given = [None if name is None else arrays[name] for name in step.inputs]
                arrays.update(zip(step.outputs, step.choice.kernel(*given), strict=True))
                for name in step.last_used:
                    del arrays[name]
        graph = self.graph
        wanted = [value.name for value in (*graph.outputs.values(), *graph.updates.values())]
        return {name: arrays[name] for name in (*wanted, *self.keep)}


def _by_definition(node: Node) -> Choice:
    return Choice("reference", node.op.reference, ())


def _reachable(graph: Graph, wanted: set[str]) -> list[Node]:
    """Nodes, in running order, that something wanted depends on."""
    needed, nodes = set(wanted), []
    for node in reversed(graph.nodes):
        if any(value.name in needed for value in node.outputs):
            needed |= {value.name for value in node.inputs if value is not None}
            nodes.append(node)
    return nodes[::-1]


def _checked(value: Value, array: Array | None) -> Array:
    if array is None:
        raise ShapeError(f"The graph needs an array for '{value.name}' of type {value.type}; none was given.")
    if array.shape != value.type.shape or array.dtype.name != value.type.dtype:
        raise ShapeError(f"The graph needs {value.type} for '{value.name}', got {TensorType.of(array)}.")
    return array
