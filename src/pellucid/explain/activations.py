"""All values of one run, in bounded memory: what is not kept is computed again, to the same bit.

Every layer is computed by itself. In a plan whose values are all wanted nothing is fused, and which kernel computes a
layer is decided once. So a value follows from the values before it by one kernel, whatever else is kept or forgotten.

The layers are cut, in running order, into stretches whose results take a quarter of the limit. Asked for a value, the
engine runs the stretches that lead to it from those that are still there; the stretches used longest ago are forgotten.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np

from pellucid.graph import Graph, Node, Plan, Value
from pellucid.ops import Choice, Op, Types
from pellucid.types import Array

_STRETCHES = 4
"""So many of them fit into the limit."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Nodes that are run together, what they read of stretches before, and what of theirs is kept."""

    nodes: tuple[Node, ...]
    reads: tuple[str, ...]
    keeps: tuple[str, ...]


class Activations:
    """The values of a graph by name, batch included: inputs, weights, constants and every node's results.

    Results take at most ``limit`` bytes, or what one stretch takes where that is more; while the engine runs, one
    stretch more and what leads to it. Threads may share it.
    """

    def __init__(self, graph: Graph, feeds: Mapping[str, Array], limit: int) -> None:
        """Take the arrays of all inputs, parameters and buffers; nobody may change them afterwards."""
        self.graph, self.limit, self.batched = graph, limit, _batched(graph)
        self._given = {**graph.constants, **feeds}
        plan = Plan(graph, keep=tuple(_results(graph)))
        self._choices: dict[tuple[Op, Types], Choice] = {
            (step.node.op, step.node.types): step.choice for step in plan.steps
        }
        self._stretches = _cut(graph, limit // _STRETCHES)
        self._home = {
            value.name: number
            for number, stretch in enumerate(self._stretches)
            for node in stretch.nodes
            for value in node.outputs
        }
        self._kept: OrderedDict[int, dict[str, Array]] = OrderedDict()
        self._nbytes = 0
        self._lock = Lock()

    def __getitem__(self, name: str) -> Array:
        if name in self._given:
            return self._given[name]
        number = self._home[name]
        with self._lock:
            if number not in self._kept:
                self._run_to(number)
            self._kept.move_to_end(number)
            return self._kept[number][name]

    @property
    def nbytes(self) -> int:
        """Bytes that the kept results take at present."""
        return self._nbytes

    def kernel(self, node: Node) -> str:
        """Name the kernel that computes a node."""
        return self._choices[node.op, node.types].name

    def _run_to(self, last: int) -> None:
        """Run the stretches that lead to one and are not kept, each once and in order."""
        passing: dict[str, Array] = {}
        to_run = {last}
        for number in range(last, -1, -1):
            for name in self._stretches[number].reads if number in to_run else ():
                if (source := self._home.get(name)) is None:
                    passing[name] = self._given[name]
                elif source in self._kept:
                    passing[name] = self._kept[source][name]
                else:
                    to_run.add(source)
        for number in sorted(to_run):
            results = self._run(self._stretches[number], passing)
            self._keep(number, results)
            still_read = {name for later in to_run if later > number for name in self._stretches[later].reads}
            passing = {name: array for name, array in (passing | results).items() if name in still_read}

    def _run(self, stretch: _Stretch, passing: Mapping[str, Array]) -> dict[str, Array]:
        part = _part(self.graph, stretch)
        plan = Plan(part, keep=stretch.keeps, select=lambda op, types: self._choices[op, types])
        results = plan.run({name: passing[name] if name in passing else self._given[name] for name in _needs(part)})
        # As wide as it is, and not as wide as the engine's vectors made it.
        return {name: _read_only(np.array(results[name], order="C")) for name in stretch.keeps}

    def _keep(self, number: int, results: dict[str, Array]) -> None:
        self._kept[number] = results
        self._nbytes += _size(results)
        while self._nbytes > self.limit and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._nbytes -= _size(oldest)


def _size(results: Mapping[str, Array]) -> int:
    return sum(array.nbytes for array in results.values())


def _results(graph: Graph) -> list[str]:
    """Name every node's first result, and the others that somebody reads."""
    read = {value.name for node in graph.nodes for value in node.inputs if value is not None}
    return [
        value.name for node in graph.nodes for value in node.outputs if value is node.outputs[0] or value.name in read
    ]


def _cut(graph: Graph, largest: int) -> list[_Stretch]:
    kept = set(_results(graph))
    runs: list[list[Node]] = []
    size = 0
    for node in graph.nodes:
        needs = sum(value.type.nbytes for value in node.outputs if value.name in kept)
        if not runs or size + needs > largest:
            runs.append([])
            size = 0
        runs[-1].append(node)
        size += needs
    return [_stretch(nodes, kept) for nodes in runs]


def _stretch(nodes: list[Node], kept: set[str]) -> _Stretch:
    made = [value.name for node in nodes for value in node.outputs]
    read = dict.fromkeys(value.name for node in nodes for value in node.inputs if value is not None)
    own = set(made)
    return _Stretch(
        tuple(nodes),
        reads=tuple(name for name in read if name not in own),
        keeps=tuple(name for name in made if name in kept),
    )


def _part(graph: Graph, stretch: _Stretch) -> Graph:
    """Return a graph of some nodes; what other nodes have made goes in."""
    part = Graph()
    for name in stretch.reads:
        _declare(part, graph, graph.value(name))
    for node in stretch.nodes:
        part.add(node.op, *(value and part.value(value.name) for value in node.inputs), name=node.name)
    return part


def _declare(part: Graph, graph: Graph, value: Value) -> None:
    if value.name in graph.constants:
        part.constant(graph.constants[value.name], value.name)
    elif value.name in graph.parameters:
        part.parameter(value.name, value.type)
    elif value.name in graph.buffers:
        part.buffer(value.name, value.type)
    else:
        part.input(value.name, value.type)


def _needs(part: Graph) -> tuple[str, ...]:
    return (*part.inputs, *part.parameters, *part.buffers)


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _batched(graph: Graph) -> frozenset[str]:
    """Name the values that follow from the image and whose first axis is a batch of one."""
    found: set[str] = set()
    computed = set(graph.inputs)
    found.update(name for name, value in graph.inputs.items() if value.shape[:1] == (1,))
    for node in graph.nodes:
        if any(value is not None and value.name in computed for value in node.inputs):
            computed.update(value.name for value in node.outputs)
            found.update(value.name for value in node.outputs if value.shape[:1] == (1,))
    return frozenset(found)
