"""Which pixels a cell sees: windows walked backwards through the graph."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pellucid import ops
from pellucid.graph import Graph, Node, Value
from pellucid.types import Pair

Box: TypeAlias = tuple[int, int, int, int]
"""(y0, x0, y1, x1), ends excluded."""

Cells: TypeAlias = tuple[frozenset[int], frozenset[int]]
"""Rows and columns: strides and dilation leave gaps that a box would fill."""

ACTIVATIONS = (
    *(ops.ELU, ops.GELU, ops.Hardsigmoid, ops.Hardswish, ops.LeakyReLU, ops.PReLU),
    *(ops.ReLU, ops.ReLU6, ops.Sigmoid, ops.SiLU, ops.Tanh),
)
"""Operations that turn one number into one number."""

_PLACE_BY_PLACE = (
    *(*ACTIVATIONS, ops.Add, ops.ChannelShuffle, ops.Dropout),
    *(ops.LocalResponseNorm, ops.Multiply),
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
    return boxes(graph, value, y, x).get(next(iter(graph.inputs)), (0, 0, 0, 0))


def boxes(graph: Graph, value: Value, y: int, x: int) -> dict[str, Box]:
    """Return, for every image on the way from the graph's inputs to a cell, the box of what the cell depends on.

    The value itself is among them, with the cell's own box; see :func:`input_box`.

    >>> import pellucid.nn as nn
    >>> graph = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2)).graph((1, 1, 8, 8))
    >>> boxes(graph, graph.value("1"), 0, 1)
    {'1': (0, 1, 1, 2), '0': (0, 2, 2, 4), 'x': (0, 2, 4, 6)}
    """
    axes = plane_axes(graph)
    seen: dict[str, Cells] = {value.name: (frozenset({y}), frozenset({x}))}
    for node in reversed(graph.nodes):
        cells = seen.get(node.outputs[0].name)
        if cells is None:
            continue
        for index, source in enumerate(node.inputs):
            if source is not None:
                rows, columns = _behind(node, index, source, cells, axes)
                if rows and columns:
                    before = seen.get(source.name, (frozenset(), frozenset()))
                    seen[source.name] = rows | before[0], columns | before[1]
    return {
        name: (min(rows), min(columns), max(rows) + 1, max(columns) + 1)
        for name, (rows, columns) in seen.items()
        if name in axes or name in graph.inputs
    }


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
    if isinstance(op, ops.BatchNorm):
        return axis == 1 or not op.training  # the statistics of what it is given are taken over all other axes
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


def _behind(node: Node, index: int, source: Value, cells: Cells, axes: Mapping[str, Pair]) -> Cells:
    """Return the rows and columns of an input behind some of the node's result."""
    ours, theirs = axes.get(node.outputs[0].name), axes.get(source.name)
    if ours is None or theirs is None:
        height, width = (source.shape[axis] for axis in theirs) if theirs else (1, 1)
        return frozenset(range(height)), frozenset(range(width))
    return (
        _along(node, index, source, ours[0], theirs[0], cells[0]),
        _along(node, index, source, ours[1], theirs[1], cells[1]),
    )


def _along(node: Node, index: int, source: Value, axis: int, old: int, cells: frozenset[int]) -> frozenset[int]:
    """Follow cells of an axis of the result to the axis ``old`` of an input."""
    op, size, result = node.op, source.shape[old], node.outputs[0].shape[axis]
    window = op.window(*node.types)
    if window is not None and index == 0:
        along, border = window.rows if axis == 2 else window.columns, getattr(op, "border", "zeros")
        return _real(border_source(cell, size, border) for place in cells for cell in along.inputs(place))
    if isinstance(op, ops.Pad):
        return _real(border_source(cell - op.padding[axis][0], size, op.mode) for cell in cells)
    if isinstance(op, ops.Slice) and op.axis == axis:
        return frozenset(cell + op.start for cell in cells)
    if isinstance(op, ops.Resize):
        return frozenset(cell for place in cells for cell in op.sources(source.type, axis - 2, place))
    if isinstance(op, ops.PixelShuffle):
        return frozenset(cell * size // result for cell in cells)
    if isinstance(op, ops.PixelUnshuffle):
        times = size // result
        return frozenset(cell * times + part for cell in cells for part in range(times))
    if isinstance(op, ops.AdaptiveAvgPool2d):
        ends = ((cell * size // result, -(-(cell + 1) * size // result)) for cell in cells)
        return frozenset(cell for first, last in ends for cell in range(first, last))
    return cells if size == result and keeps_places(node, axis) else frozenset(range(size))


def _real(cells: Iterable[int | None]) -> frozenset[int]:
    """Leave out zeros of the border."""
    return frozenset(cell for cell in cells if cell is not None)
