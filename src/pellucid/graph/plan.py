"""A plan: a graph made ready to run, kernels chosen, layouts and memory assigned."""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.graph.fuse import fuse
from pellucid.graph.graph import Graph, Node, Value
from pellucid.kernels.program import Buffer, Program, image, padded
from pellucid.kernels.threads import one_blas_thread
from pellucid.ops import Choice, by_definition, choose
from pellucid.ops.base import Op, Types
from pellucid.ops.lowering import Lowered, Work
from pellucid.ops.modes import selection
from pellucid.types import Array, TensorType, dtype_name

EXECUTORS = ("fast", "reference")

Select: TypeAlias = Callable[[Op, Types], Choice]


@dataclass(frozen=True, slots=True)
class Step:
    """One node with its kernel."""

    node: Node
    choice: Choice


class Plan:
    """Runs a graph on arrays; several threads may do so at once.

    The executor "reference" computes every node by its definition; "fast" by the first kernel that accepts it.
    """

    def __init__(
        self, graph: Graph, executor: str = "fast", keep: tuple[str, ...] = (), select: Select | None = None
    ) -> None:
        """Choose kernels; ``keep`` names values that a run returns besides the outputs and updates.

        ``select`` chooses in place of what :func:`pellucid.set_selection` asks for.
        """
        if executor not in EXECUTORS:
            raise ParameterError(f"The 'executor' parameter must be one of {EXECUTORS}; got {executor!r}.")
        self.graph, self.executor, self.keep = graph, executor, keep
        wanted = (value.name for value in (*graph.outputs.values(), *graph.updates.values()))
        self.wanted = tuple(dict.fromkeys((*wanted, *keep)))
        unknown = sorted(name for name in self.wanted if name not in graph)
        if unknown:
            raise ParameterError(f"The 'keep' parameter must name values of the graph; there is no {unknown[0]!r}.")
        select = select or (_selecting() if executor == "fast" else by_definition)
        nodes = _reachable(graph.nodes, set(self.wanted))
        if executor == "fast":
            nodes = _reachable(fuse(nodes, self.wanted), set(self.wanted))
        self.steps = [Step(node, select(node.op, node.types)) for node in nodes]
        self._programs: dict[frozenset[str], _Programs] = {}

    def run(self, feeds: Mapping[str, Array], version: Hashable = None) -> dict[str, Array]:
        """Run on arrays for all inputs, parameters and buffers; return the outputs, updates and kept values by name.

        ``version`` changes whenever a parameter or buffer does; with None, what follows from them is computed anew.
        Infinities and NaN pass through silently. Raises ShapeError naming the first array that is missing or of
        another type than the graph's.
        """
        inputs = {name: _checked(value, feeds.get(name)) for name, value in self.graph.inputs.items()}
        if self.executor == "reference":
            with np.errstate(all="ignore"), one_blas_thread():
                results = self._run_by_definition(inputs | self._weights(feeds))
            return {name: results[name] for name in self.wanted}
        results = self._compiled(inputs).run(inputs, partial(self._weights, feeds), version)
        return {name: results[name] if name in results else self._outside(name, feeds) for name in self.wanted}

    def _weights(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Check the parameters and buffers."""
        weights = self.graph.parameters | self.graph.buffers
        return {name: _checked(value, feeds.get(name)) for name, value in weights.items()}

    def _outside(self, name: str, feeds: Mapping[str, Array]) -> Array:
        """Return a wanted value that is not computed."""
        return self.graph.constants[name] if name in self.graph.constants else feeds[name]

    def _run_by_definition(self, feeds: dict[str, Array]) -> dict[str, Array]:
        arrays = self.graph.constants | feeds
        last_used = {name: step for step in self.steps for name in _names(step.node)}
        for step in self.steps:
            node = step.node
            given = [None if value is None else arrays[value.name] for value in node.inputs]
            names = (value.name for value in node.outputs)
            arrays.update(zip(names, step.choice.function()(*given), strict=True))
            for name in _names(node):
                if last_used[name] is step and name not in self.wanted:
                    del arrays[name]
        return arrays

    def _compiled(self, arrays: dict[str, Array]) -> "_Programs":
        """Find the programs for inputs that lie in memory as these do."""
        images = frozenset(name for name in self.graph.inputs if _is_image(arrays[name]))
        found = self._programs.get(images)
        if found is None:
            found = self._programs[images] = _Programs(self, images)
        return found


def _selecting() -> Select:
    """Return how kernels are to be chosen at present."""
    if selection() == "rule":
        return choose
    from pellucid.graph.measure import measured  # which runs plans itself

    return measured


class _Programs:
    """What a plan becomes for inputs of a given layout: a program for every run, one for every change of weights."""

    def __init__(self, plan: Plan, images: frozenset[str]) -> None:
        graph = plan.graph
        self.images, self.wanted = images, plan.wanted
        given = {name: value.type for name, value in (graph.inputs | graph.parameters | graph.buffers).items()}
        given |= {name: TensorType.of(array) for name, array in graph.constants.items()}
        read = frozenset(value.name for step in plan.steps for value in step.node.inputs if value is not None)
        lowered = Lowered(wanted=frozenset(plan.wanted), read=read)
        lowered.buffers.update((name, _given(name, type_, name in images)) for name, type_ in given.items())
        lowered.fixed.update((*graph.parameters, *graph.buffers, *graph.constants))
        for step in plan.steps:
            inputs = [None if value is None else value.name for value in step.node.inputs]
            step.choice.lower(Work(lowered, inputs, [(value.name, value.type) for value in step.node.outputs]))
        constants = {name: np.asarray(array, order="C") for name, array in graph.constants.items()}
        self.constants = constants | lowered.constants
        self.results, self.kept = lowered.results, lowered.kept
        self.main = Program(lowered.calls, lasting={*self.constants, *self.kept})
        self.preparation = Program(lowered.preparation)
        calls_python = self.main.calls_python or self.preparation.calls_python
        self._surroundings = _surroundings_of_numpy if calls_python else nullcontext
        self._lock, self._running = threading.Lock(), 0
        self._version: Hashable = None
        self._prepared: dict[str, Array] = {}
        self._lasting: dict[str, Array] = {}

    def run(
        self, inputs: dict[str, Array], weights: Callable[[], dict[str, Array]], version: Hashable
    ) -> dict[str, Array]:
        """Return what was computed, by name; the weights are only asked for where they may have changed."""
        with self._surroundings():
            return self._run(inputs, weights, version)

    def _run(
        self, inputs: dict[str, Array], weights: Callable[[], dict[str, Array]], version: Hashable
    ) -> dict[str, Array]:
        arrays = {
            name: array.transpose(0, 2, 3, 1) if name in self.images else np.asarray(array, order="C")
            for name, array in inputs.items()
        }
        with self._lock:
            if version is None or version != self._version:
                self._prepare(weights(), version)
            prepared, lasting = self._prepared, self._lasting
            self._running += 1
        try:
            made = {name: np.empty(buffer.stored, buffer.dtype) for name, buffer in self.results.items()}
            self.main.run(lasting | arrays | made)
        finally:
            with self._lock:
                self._running -= 1
        computed = {name: buffer.view(made[name]) for name, buffer in self.results.items()}
        copied = {name: self.kept[name].view(prepared[name]).copy() for name in self.wanted if name in self.kept}
        return inputs | copied | computed

    def _prepare(self, weights: dict[str, Array], version: Hashable) -> None:
        if self._running or not self._prepared:  # a run may be reading what is there
            self._prepared = {name: np.empty(buffer.stored, buffer.dtype) for name, buffer in self.kept.items()}
        known = {name: np.asarray(array, order="C") for name, array in weights.items()} | self.constants
        self.preparation.run(known | self._prepared)
        every = known | self._prepared
        self._lasting = {name: every[name] for name in self.main.externals if name in every}
        self._version = version


@contextmanager
def _surroundings_of_numpy() -> Iterator[None]:
    """Let infinities and NaN pass silently, and BLAS leave the cores to the team."""
    with np.errstate(all="ignore"), one_blas_thread():
        yield


def _given(name: str, type_: TensorType, is_image: bool) -> Buffer:
    return image(type_.shape, name) if is_image else Buffer(type_.shape, type_.dtype, external=name)


def _is_image(array: Array) -> bool:
    """Whether an array (N, C, H, W) lies in memory as the engine's images do."""
    if array.ndim != 4 or array.dtype != np.float32 or padded(array.shape[1]) != array.shape[1]:
        return False
    return array.transpose(0, 2, 3, 1).flags.c_contiguous and not array.flags.c_contiguous


def _names(node: Node) -> set[str]:
    return {value.name for value in (*node.inputs, *node.outputs) if value is not None}


def _reachable(run: list[Node], wanted: set[str]) -> list[Node]:
    """Nodes, in running order, that something wanted depends on."""
    needed, nodes = set(wanted), []
    for node in reversed(run):
        if any(value.name in needed for value in node.outputs):
            needed |= {value.name for value in node.inputs if value is not None}
            nodes.append(node)
    return nodes[::-1]


def _checked(value: Value, array: Array | None) -> Array:
    if array is None:
        raise ShapeError(f"The graph needs an array for '{value.name}' of type {value.type}; none was given.")
    if array.shape != value.type.shape or dtype_name(array.dtype) != value.type.dtype:
        raise ShapeError(f"The graph needs {value.type} for '{value.name}', got {TensorType.of(array)}.")
    return array
