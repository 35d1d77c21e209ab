"""A network as blocks, for drawings: layer by layer where there is room, else part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from pellucid import ops
from pellucid.analysis.receptive_field import ACTIVATIONS
from pellucid.analysis.summary import LayerSummary, amount, summarise
from pellucid.analysis.weights import made_of_weights
from pellucid.graph import Graph, Node
from pellucid.types import Shape

_MOST_BLOCKS, _MOST_PATHS = 60, 6
_FINISHING = (*ACTIVATIONS, ops.BatchNorm, ops.Dropout, ops.LocalResponseNorm)
_SMALL = (*_FINISHING, ops.Flatten, ops.Reshape, ops.Transpose)
IMAGE = -1
"""Where a block that reads the image has it from."""


@dataclass(frozen=True, slots=True)
class Block:
    """Layers drawn as one; ``times`` of them in a row, each like the other.

    ``sources`` are the places, in the outline, of the blocks that it reads; ``output`` is the last layer's, without the
    batch. ``is_trunk``: every way from the image to the result leads through it.
    """

    name: str
    nodes: tuple[Node, ...]
    layers: tuple[LayerSummary, ...]
    sources: tuple[int, ...]
    is_trunk: bool = True
    times: int = 1

    @property
    def output(self) -> Shape:
        """Shape of the last layer's result, without the batch."""
        return self.layers[-1].output

    @property
    def parameters(self) -> int:
        """Of all of them together."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Of all of them together."""
        return sum(layer.macs for layer in self.layers)

    @property
    def is_folded(self) -> bool:
        """Whether it is a part of the network rather than a layer with what belongs to it."""
        return sum(not isinstance(node.op, _SMALL) for node in self.nodes) > 1

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; a source of −1 is the image."""
        return {
            "name": self.name,
            "ops": [layer.op for layer in self.layers],
            "output": list(self.output),
            "parameters": self.parameters,
            "macs": self.macs,
            "sources": list(self.sources),
            "times": self.times,
        }


def outline(graph: Graph) -> tuple[Block, ...]:
    """Divide a graph into at most about 60 blocks, of which at most 6 are on their way at once.

    A layer takes the normalisation and activation behind it along, and the reshaping before it. Where that gives too
    many, layers are put together by the beginning of their names, no further than needed; equal parts in a row then
    become one block.

    >>> from pellucid import zoo
    >>> [block.name for block in outline(zoo.build("tiny").graph((1, 1, 28, 28)))]
    ['conv1', 'pool1', 'conv2', 'pool2', 'fc']
    """
    layers = {layer.name: layer for layer in summarise(graph).layers}
    deepest = max((node.name.count(".") for node in graph.nodes), default=0)
    blocks = _divided(graph, layers, None)
    for depth in range(deepest, 0, -1):
        if len(blocks) <= _MOST_BLOCKS and _paths(blocks) <= _MOST_PATHS:
            break
        blocks = _without_repeats(_divided(graph, layers, depth))
    return tuple(blocks)


def describe(node: Node) -> str:
    """Name an operation with its window.

    >>> import pellucid.nn as nn
    >>> describe(nn.Conv2d(8, 8, 3, stride=2, groups=8).graph((1, 8, 9, 9)).nodes[0])
    'Conv2d 3×3, stride 2, depthwise'
    """
    window = None if isinstance(node.op, ops.AdaptiveAvgPool2d) else node.op.window(*node.types)
    if window is None:
        return node.op.kind
    rows, columns = window.rows, window.columns
    words = [f"{node.op.kind} {rows.kernel}×{columns.kernel}"]
    for what, pair in (("stride", (rows.stride, columns.stride)), ("dilation", (rows.dilation, columns.dilation))):
        if pair != (1, 1):
            words.append(f"{what} {pair[0]}" if pair[0] == pair[1] else f"{what} {pair[0]}×{pair[1]}")
    groups, x = getattr(node.op, "groups", 1), node.types[0]
    if groups > 1 and x is not None:
        words.append("depthwise" if groups == x.shape[1] else f"{groups} groups")
    return ", ".join(words)


def main_node(block: Block) -> Node:
    """Return the layer that a block is about."""
    return next((node for node in block.nodes if not isinstance(node.op, _SMALL)), block.nodes[0])


def heading(name: str, parameters: int, macs: int) -> str:
    """Sum a network up in a line.

    >>> heading("tiny", 4266, 88592)
    'tiny: 4,266 parameters, 88,592 multiply-adds'
    """
    return f"{name}: " * bool(name) + f"{parameters:,} parameters, {amount(macs)} multiply-adds"


def contents(block: Block) -> str:
    """Count the operations of a block that is a part.

    >>> from pellucid import zoo
    >>> net = zoo.build("resnet50").eval()
    >>> contents(outline(net.graph((1, 3, 224, 224)))[2])
    '4 Conv2d, Add'
    """
    counts = Counter(node.op.kind for node in block.nodes if not isinstance(node.op, _SMALL))
    each = ((kind, count // block.times) for kind, count in counts.most_common())
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in each)


def _divided(graph: Graph, layers: Mapping[str, LayerSummary], depth: int | None) -> list[Block]:
    """Divide the nodes, in running order, into runs of one layer or of names that begin alike."""
    made = made_of_weights(graph)
    nodes = [node for node in _leading_to_results(graph) if node.outputs[0].name not in made]
    readers = Counter(value.name for node in nodes for value in node.inputs if value is not None)
    readers.update(value.name for value in graph.outputs.values())
    runs: list[list[Node]] = []
    for group in _groups(nodes, depth):
        if runs and _belongs(runs[-1], group, readers, made):
            runs[-1] += group
        else:
            runs.append(group)
    place = {value.name: index for index, run in enumerate(runs) for node in run for value in node.outputs}
    place |= dict.fromkeys(graph.inputs, IMAGE)
    blocks = []
    for index, run in enumerate(runs):
        sources = {place[value.name] for node in run for value in node.inputs if value and value.name in place}
        summaries = tuple(layers[node.name] for node in run)
        block = Block("", tuple(run), summaries, tuple(sorted(sources - {index})))
        name = main_node(block).name
        blocks.append(replace(block, name=".".join(name.split(".")[:depth]) if block.is_folded else name))
    ends = {place[value.name] for value in graph.outputs.values()}
    return [replace(block, is_trunk=on) for block, on in zip(blocks, _on_trunk(blocks, ends), strict=True)]


def _leading_to_results(graph: Graph) -> list[Node]:
    """Leave out what does not: the running statistics of a network in training."""
    wanted, kept = {value.name for value in graph.outputs.values()}, list[Node]()
    for node in reversed(graph.nodes):
        if any(value.name in wanted for value in node.outputs):
            wanted |= {value.name for value in node.inputs if value is not None}
            kept.append(node)
    return kept[::-1]


def _groups(nodes: Sequence[Node], depth: int | None) -> Iterator[list[Node]]:
    """Put nodes in a row together whose names begin alike; with no depth, each stands alone."""
    if depth is None:
        yield from ([node] for node in nodes)
        return
    for _, group in groupby(nodes, lambda node: node.name.split(".")[:depth]):
        yield list(group)


def _belongs(run: list[Node], group: list[Node], readers: Mapping[str, int], made: Container[str]) -> bool:
    """Whether a group only finishes what the run before it made, or is what the run only prepares for.

    ``made`` names what follows from weights alone, as if it were weights.
    """
    result, read = run[-1].outputs[0], [value for value in group[0].inputs if value is not None]
    computed = [value.name for value in read if value.node is not None and value.name not in made]
    if computed != [result.name] or readers[result.name] > 1:
        return False
    is_finishing = all(isinstance(node.op, _FINISHING) for node in group)
    return is_finishing or all(isinstance(node.op, _SMALL) for node in run)


def _on_trunk(blocks: Sequence[Block], ends: set[int]) -> Iterator[bool]:
    """Count the ways: a block through which all of them lead is on the trunk."""
    to = {IMAGE: 1}
    for index, block in enumerate(blocks):
        to[index] = sum(to[source] for source in block.sources)
    on = dict.fromkeys(range(IMAGE, len(blocks)), 0) | dict.fromkeys(ends, 1)
    for index in reversed(range(len(blocks))):
        for source in blocks[index].sources:
            on[source] += on[index]
    return (to[index] * on[index] == on[IMAGE] for index in range(len(blocks)))


def _paths(blocks: Sequence[Block]) -> int:
    """How many results, at most, are waiting to be read at once."""
    last = {source: index for index, block in enumerate(blocks) for source in block.sources}
    return max((sum(source < at <= read for source, read in last.items()) for at in range(len(blocks))), default=0)


def _without_repeats(blocks: Sequence[Block]) -> list[Block]:
    """Let one block stand for equal ones in a row."""
    readers = Counter(source for block in blocks for source in block.sources)
    kept, place = list[Block](), {IMAGE: IMAGE}
    for index, block in enumerate(blocks):
        is_next = index > 0 and block.sources == (index - 1,) and readers[index - 1] == 1
        if is_next and block.is_folded and _signature(blocks[index - 1]) == _signature(block):
            one = kept[-1]
            nodes, layers = (*one.nodes, *block.nodes), (*one.layers, *block.layers)
            kept[-1] = replace(one, nodes=nodes, layers=layers, times=one.times + 1)
        else:
            kept.append(replace(block, sources=tuple(place[source] for source in block.sources)))
        place[index] = len(kept) - 1
    return kept


def _signature(block: Block) -> tuple[object, ...]:
    return tuple((layer.op, layer.output, layer.parameters, layer.macs) for layer in block.layers)
