"""How much memory a network's numbers take: all maps, those that live at once, those that training keeps."""

from collections.abc import Collection
from dataclasses import dataclass

from pellucid.graph import Graph, Node, Value
from pellucid.ops import Multiply


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes.

    ``parameters``: what the network learns. ``activations``: the results of all layers together. ``inference``: weights
    (parameters and running statistics), and the most that lives at once when
    each map is given up after its last use. ``training``: weights and their gradients, every map that a gradient
    reads, and the two gradients between which the largest layer stands; an optimiser with a momentum adds the
    weights once more, Adam twice.
    """

    parameters: int
    activations: int
    inference: int
    training: int


def memory(graph: Graph, frozen: Collection[str] = ()) -> Memory:
    """Add up a graph's memory without making any of it; ``frozen`` parameters have no gradients."""
    parameters = sum(value.type.nbytes for value in graph.parameters.values())
    weights = parameters + sum(value.type.nbytes for value in graph.buffers.values())
    trained = sum(value.type.nbytes for name, value in graph.parameters.items() if name not in frozen)
    kept = sum(value.type.nbytes for value in _saved(graph, frozen).values())
    slopes = max((_between(node) for node in graph.nodes), default=0)
    activations = sum(value.type.nbytes for node in graph.nodes for value in node.outputs[:1])
    return Memory(parameters, activations, weights + _peak(graph), weights + trained + kept + slopes)


def _peak(graph: Graph) -> int:
    """Return the most bytes of inputs and results that are alive during a node."""
    fixed = _fixed(graph)
    last = {value.name: number for number, node in enumerate(graph.nodes) for value in _maps(node, fixed)}
    wanted = {value.name for value in graph.outputs.values()}
    alive = sum(value.type.nbytes for value in graph.inputs.values())
    peak = alive
    for number, node in enumerate(graph.nodes):
        alive += node.outputs[0].type.nbytes
        peak = max(peak, alive)
        done = {value.name: value for value in _maps(node, fixed) if last[value.name] == number}
        alive -= sum(value.type.nbytes for name, value in done.items() if name not in wanted)
        if node.outputs[0].name not in last and node.outputs[0].name not in wanted:
            alive -= node.outputs[0].type.nbytes
    return peak


def _fixed(graph: Graph) -> set[str]:
    """Names of weights and constants."""
    return {*graph.parameters, *graph.buffers, *graph.constants}


def _maps(node: Node, fixed: set[str]) -> list[Value]:
    """Return the inputs of a node that are no weights."""
    return [value for value in node.inputs if value is not None and value.name not in fixed]


def _saved(graph: Graph, frozen: Collection[str]) -> dict[str, Value]:
    """Return the maps that gradients read."""
    fixed, kept = _fixed(graph), dict[str, Value]()
    for node in graph.nodes:
        named = dict(zip(node.op.arguments, node.inputs, strict=False)) | dict(
            zip(node.op.results, node.outputs, strict=False)
        )
        asked = {name: value for name, value in named.items() if value is not None and name in node.op.arguments}
        wrt = tuple(name for name, value in asked.items() if value.name not in frozen)
        read = node.op.arguments if isinstance(node.op, Multiply) else node.op.saved(wrt)
        values = (named.get(name) for name in read)
        kept |= {value.name: value for value in values if value is not None and value.name not in fixed}
    return kept


def _between(node: Node) -> int:
    return node.outputs[0].type.nbytes + max((value.type.nbytes for value in node.inputs if value), default=0)
