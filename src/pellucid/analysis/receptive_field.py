"""Which pixels a cell sees: windows walked backwards through the graph."""

from collections.abc import Mapping
from typing import TypeAlias

from pellucid import ops
from pellucid.geometry import Axis, TransposedAxis
from pellucid.graph import Graph, Node, Value
from pellucid.types import Pair, TensorType

Box: TypeAlias = tuple[int, int, int, int]
"""(y0, x0, y1, x1), ends excluded."""

ACTIVATIONS = (
    *(ops.ELU, ops.GELU, ops.Hardsigmoid, ops.Hardswish, ops.LeakyReLU, ops.PReLU),
    *(ops.ReLU, ops.ReLU6, ops.Sigmoid, ops.SiLU, ops.Tanh),
)
"""Operations that turn one number into one number."""

_PLACE_BY_PLACE = (
    *(*ACTIVATIONS, ops.Add, ops.BatchNorm, ops.ChannelShuffle),
    *(ops.Dropout, ops.LocalResponseNorm, ops.Multiply),
)
_ALONG_AN_AXIS = (ops.Concatenate, ops.LogSoftmax, ops.Slice, ops.Softmax)


def input_box(graph: Graph, value: Value, y: int, x: int) -> Box:
    """Return the box of pixels of the graph's first input on which the cell (y, x) of a value may depend.

    Windows, border modes, resizing and paths that part and meet again are followed exactly. An operation that mixes
    places without having a window, such as flattening, counts as seeing its whole input. A cell that sees nothing but
    padding gets (0, 0, 0, 0).

    >>> import pellucid.nn as nn
    >>> graph = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)).graph((1, 1, 8, 8))
    >>> input_box(graph, graph.value("1"), 0, 1)       # 2 cells, of 3 pixels each, one apart
    (0, 2, 4, 6)
    """
    axes = plane_axes(graph)
    boxes: dict[str, Box] = {value.name: (y, x, y + 1, x + 1)}
    for node in reversed(graph.nodes):
        box = boxes.get(node.outputs[0].name)
        if box is None:
            continue
        for index, source in enumerate(node.inputs):
            if source is not None and (seen := _seen(node, index, source, box, axes)) is not None:
                boxes[source.name] = _union(boxes.get(source.name), seen)
    return boxes.get(next(iter(graph.inputs)), (0, 0, 0, 0))


def plane_axes(graph: Graph) -> dict[str, Pair]:
    """Tell of every image, in whatever order its axes are, which axes are its rows and its columns.

    Images are arrays of four axes; rows and columns are the last two until a transposition moves them.
    """
    found: dict[str, Pair] = {name: (2, 3) for name, value in graph.inputs.items() if value.ndim == 4}
    for node in graph.nodes:
        images = [found[value.name] for value in node.inputs if value is not None and value.name in found]
        if not images or node.outputs[0].ndim != 4:
            continue
        rows, columns = images[0]
        if isinstance(node.op, ops.Transpose):
            rows, columns = node.op.permutation.index(rows), node.op.permutation.index(columns)
        found |= {value.name: (rows, columns) for value in node.outputs}
    return found


def keeps_places(node: Node, axis: int) -> bool:
    """Whether each cell of a node's result depends, along one of the result's axes, on the same cell of its inputs."""
    op, ndim = node.op, node.outputs[0].ndim
    if isinstance(op, ops.LayerNorm):
        return axis < ndim - op.axes
    if isinstance(op, ops.Linear):
        return axis != ndim - 1
    if isinstance(op, _ALONG_AN_AXIS):
        return op.axis != axis
    return isinstance(op, (*_PLACE_BY_PLACE, ops.Transpose))


def border_source(cell: int, size: int, border: str) -> int | None:
    """Return the cell whose number stands at ``cell``, which may lie outside 0 … size−1; None where a zero stands.

    >>> [border_source(-1, 5, border) for border in ("zeros", "replicate", "reflect", "circular")]
    [None, 0, 1, 4]
    """
    if 0 <= cell < size:
        return cell
    if border == "zeros":
        return None
    if border == "replicate":
        return min(max(cell, 0), size - 1)
    if border == "circular":
        return cell % size
    return size - 1 - abs(size - 1 - abs(cell))  # reflect: mirrored about the first and about the last cell


def _seen(node: Node, index: int, source: Value, box: Box, axes: Mapping[str, Pair]) -> Box | None:
    """Return the box of an input's cells behind a box of the node's result; None where there are none."""
    ours, theirs = axes.get(node.outputs[0].name), axes.get(source.name)
    if ours is None or theirs is None:
        return _whole(source.type, theirs)
    y0, x0, y1, x1 = box
    rows = _seen_axis(node, index, source, ours[0], theirs[0], (y0, y1))
    columns = _seen_axis(node, index, source, ours[1], theirs[1], (x0, x1))
    return (rows[0], columns[0], rows[1], columns[1]) if rows and columns else None


def _seen_axis(node: Node, index: int, source: Value, axis: int, old: int, span: Pair) -> Pair | None:
    """Follow a span of an axis of the result to the axis ``old`` of an input."""
    op, size = node.op, source.shape[old]
    window = op.window(*node.types)
    if window is not None and index == 0:
        return _through(window.rows if axis == 2 else window.columns, span, size, getattr(op, "border", "zeros"))
    if isinstance(op, ops.Pad):
        before = op.padding[axis][0]
        return _hull([border_source(cell - before, size, op.mode) for cell in range(*span)])
    if isinstance(op, ops.Slice) and op.axis == axis:
        return span[0] + op.start, span[1] + op.start
    if isinstance(op, ops.Resize):
        return _hull([cell for place in range(*span) for cell in op.sources(source.type, axis - 2, place)])
    if isinstance(op, ops.PixelShuffle):
        times = node.outputs[0].shape[axis] // size
        return span[0] // times, -(-span[1] // times)
    return span if size == node.outputs[0].shape[axis] and keeps_places(node, axis) else (0, size)


def _through(axis: Axis | TransposedAxis, span: Pair, size: int, border: str) -> Pair | None:
    return _hull([border_source(cell, size, border) for place in range(*span) for cell in axis.inputs(place)])


def _hull(cells: list[int | None]) -> Pair | None:
    real = [cell for cell in cells if cell is not None]
    return (min(real), max(real) + 1) if real else None


def _whole(type_: TensorType, axes: Pair | None) -> Box:
    height, width = (type_.shape[axes[0]], type_.shape[axes[1]]) if axes else (1, 1)
    return 0, 0, height, width


def _union(a: Box | None, b: Box) -> Box:
    return b if a is None else (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
