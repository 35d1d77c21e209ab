"""What a network's sizes and fields tell its designer: fields too small or too large, pixels that nobody reads."""

from collections.abc import Mapping
from typing import NamedTuple

from pellucid.analysis.fields import Field, covers
from pellucid.geometry import Axis
from pellucid.graph import Graph, Node
from pellucid.types import Pair


class Remark(NamedTuple):
    """A sentence about a layer."""

    layer: str
    text: str


def warnings(graph: Graph, found: Mapping[str, Field]) -> tuple[str, ...]:
    """Return one sentence for each thing worth a look, the fields of all values being known.

    >>> import pellucid.nn as nn
    >>> from pellucid.analysis.fields import fields
    >>> graph = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)).graph((1, 1, 9, 9))
    >>> for sentence in warnings(graph, fields(graph)): print(sentence)
    The last maps, of '1', see 4 × 4 of 9 × 9 pixels.
    '1' never reads the last 1 of 7 rows and the last 1 of 7 columns: its stride of 2 does not divide.
    """
    return tuple(remark.text for remark in remarks(graph, found))


def remarks(graph: Graph, found: Mapping[str, Field]) -> tuple[Remark, ...]:
    """Return the same sentences, each with the layer that it is about."""
    image = next(iter(graph.inputs.values())).shape
    if len(image) != 4:
        return ()
    pixels = image[2], image[3]
    maps = [node for node in graph.nodes if _field(node, found) is not None]
    unread = (Remark(node.name, _unread(node)) for node in graph.nodes)
    fields = (*_too_small(maps, found, pixels), *_too_large(maps, found, pixels))
    return (*fields, *(remark for remark in unread if remark.text))


def _field(node: Node, found: Mapping[str, Field]) -> Field | None:
    """Return the field of a layer's maps, if it has any that do not see everything."""
    field = found.get(node.outputs[0].name)
    return field if field is not None and field.size is not None else None


def _too_small(maps: list[Node], found: Mapping[str, Field], pixels: Pair) -> list[Remark]:
    if not maps or covers(found[maps[-1].outputs[0].name], pixels):
        return []
    last = maps[-1]
    return [
        Remark(last.name, f"The last maps, of '{last.name}', see {_sides(found, last)} of {_across(pixels)} pixels.")
    ]


def _too_large(maps: list[Node], found: Mapping[str, Field], pixels: Pair) -> list[Remark]:
    """Say from which window on every field is larger than the image: those layers see little that is new."""
    large = []
    for node in reversed(maps):
        field = found[node.outputs[0].name]
        if not (covers(field, pixels) and field.size != pixels):
            break
        large.append(node)
    windows = [node for node in reversed(large) if node.op.window(*node.types) is not None]
    if not windows:
        return []
    first = windows[0]
    there = f"{_sides(found, first)} pixels there, of {_across(pixels)}"
    return [Remark(first.name, f"From '{first.name}' on, fields exceed the image: {there}.")]


def _unread(node: Node) -> str:
    window, x = node.op.window(*node.types), node.inputs[0]
    if window is None or x is None or not isinstance(window.rows, Axis) or not isinstance(window.columns, Axis):
        return ""
    lost = [
        (axis.uncovered(size), size, name, axis.stride)
        for axis, size, name in zip((window.rows, window.columns), x.shape[2:], ("rows", "columns"), strict=True)
        if axis.uncovered(size)
        and axis.stride <= axis.extent  # a larger stride leaves cells out everywhere, on purpose
    ]
    if not lost:
        return ""
    which = " and ".join(f"the last {count} of {size} {name}" for count, size, name, _ in lost)
    strides = sorted({stride for *_, stride in lost})
    reason = f"stride of {strides[0]} does" if len(strides) == 1 else f"strides of {strides[0]} and {strides[1]} do"
    return f"'{node.name}' never reads {which}: its {reason} not divide."


def _sides(found: Mapping[str, Field], node: Node) -> str:
    size = found[node.outputs[0].name].size
    assert size is not None
    return _across(size)


def _across(sides: tuple[object, object]) -> str:
    return f"{sides[0]} × {sides[1]}"
