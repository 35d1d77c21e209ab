"""What the report shows of a network's inside: filters, feature maps, one cell."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid.analysis.summary import size
from pellucid.explain.cell import Cell
from pellucid.explain.cells.words import Grid as Patch
from pellucid.explain.cells.words import grids, largest
from pellucid.explain.numbers import fixed, number
from pellucid.explain.trace import Layer, Trace
from pellucid.graph import Node
from pellucid.ops import Conv2d
from pellucid.types import Array
from pellucid.views import scales
from pellucid.views.pictures import mosaic, ramp
from pellucid.views.scales import Scale

_FILTERS = 64
_MAPS, _FEW_MAPS, _MANY_LAYERS = 16, 6, 30
_CHANNELS = 3
_ROW, _LONG_ROW = 64, 128
"""Numbers in a row of a vector's picture: the long one where there are more than 512."""
_WIDTH, _LARGEST_CELL = 736, 46
"""Pixels of the page's column, and of one number in a vector's picture."""
SHADES = 10
"""Shades on either side of zero in a grid of numbers."""


@dataclass(frozen=True, slots=True)
class Legend:
    """A scale's colours with the numbers at its ends and, for a signed one, 0 between."""

    picture: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """A convolution's filters before and after training, on one scale."""

    layer: str
    count: int
    shape: str
    before: str
    after: str
    legend: Legend
    change: float | None
    """‖after − before‖ / ‖before‖; None where they started at zero."""
    shown: str


@dataclass(frozen=True, slots=True)
class Maps:
    """One layer's result as a picture."""

    name: str
    op: str
    shape: str
    picture: str
    legend: Legend
    shown: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbers in rows, each with the class of its colour: "a-10" … "a10" or "w-10" … "w10"."""

    name: str
    rows: list[list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class WrittenCell:
    """A cell as grids: (input channel, patch, weights, products, their sum) for each input channel shown."""

    cell: Cell
    channels: list[tuple[int, Grid, Grid, Grid, str]]
    left_out: int
    """Input channels that are not shown."""
    sum: str
    bias: str
    preactivation: str
    value: str


def filters(node: Node, before: Mapping[str, Array], after: Mapping[str, Array]) -> Filters:
    """Draw the filters of a convolution from two state dicts; a filter's input channels lie side by side."""
    assert node.inputs[1] is not None
    old, new = before[node.inputs[1].name], after[node.inputs[1].name]  # (O, C/groups, KH, KW)
    count, *shape = new.shape
    scale = scales.signed(np.stack([old[:_FILTERS], new[:_FILTERS]]), scales.WEIGHTS)
    length = float(np.linalg.norm(old))
    return Filters(
        layer=node.name,
        count=count,
        shape=size(tuple(shape)),
        before=_filter_mosaic(old[:_FILTERS], scale),
        after=_filter_mosaic(new[:_FILTERS], scale),
        legend=legend(scale),
        change=float(np.linalg.norm(new - old)) / length if length else None,
        shown=f"the first {_FILTERS} of {count} filters" if count > _FILTERS else f"all {count} filters",
    )


def feature_maps(trace: Trace) -> list[Maps]:
    """Draw every layer's result on a scale of its own: some of its maps, or all its numbers in rows."""
    most = _MAPS if len(trace) <= _MANY_LAYERS else _FEW_MAPS
    return [_maps(layer, most) for layer in trace]


def strongest_cell(trace: Trace, node: Node) -> WrittenCell:
    """Write out a convolution's largest cell, if possible one whose window does not hang over the border."""
    assert isinstance(node.op, Conv2d)
    result = trace[node.name].output
    inside = [
        slice(-(-before // stride), max(length + (-after // stride), 0))
        for (before, after), stride, length in zip(node.op.padding, node.op.stride, result.shape[1:], strict=True)
    ]
    cut = result[:, inside[0], inside[1]]
    y0, x0 = (inside[0].start, inside[1].start) if cut.size else (0, 0)
    cut = cut if cut.size else result
    channel, y, x = (int(index) for index in np.unravel_index(cut.argmax(), cut.shape))
    return written(trace.cell(node.name, channel=channel, y=y + y0, x=x + x0))


def written(cell: Cell) -> WrittenCell:
    """Turn a cell into grids of numbers; of many input channels, the three that contribute most."""
    patches = [piece for piece in grids(cell.operands[0], most=_CHANNELS) if isinstance(piece, Patch)]
    shown = [(patch, patch.multiplied) for patch in patches if patch.multiplied is not None]
    limits = [
        largest(np.array(numbers))
        for numbers in zip(*((patch.values, by.weights, by.products) for patch, by in shown), strict=True)
    ]
    channels = [
        (
            patch.channel,
            _grid("patch", "a", patch.values, limits[0]),
            _grid("weights", "w", by.weights, limits[1]),
            _grid("products", "a", by.products, limits[2]),
            number(by.total),
        )
        for patch, by in shown
    ]
    return WrittenCell(
        cell=cell,
        channels=channels,
        left_out=len(cell.patch) - len(shown),
        sum=number(cell.steps[0].value),
        bias=number(cell.bias),
        preactivation=number(cell.preactivation),
        value=number(cell.value if cell.activation is None else cell.activation.value),
    )


def legend(scale: Scale) -> Legend:
    """Return a scale's legend: its colours, and the numbers below them."""
    return Legend(ramp(scale.colours), scale.marks)


def _filter_mosaic(weights: Array, scale: Scale) -> str:
    count, channels, height, width = weights.shape
    tiles = weights.transpose(0, 2, 1, 3).reshape(count, height, channels * width)
    tile, columns = (38, 8) if channels == 1 else (108, 3)
    return mosaic(tiles, scale, tile=tile, columns=columns, width=350)


def _maps(layer: Layer, most: int) -> Maps:
    values = layer.output
    scale = scales.for_activations(values)
    if values.ndim == 3 and values.shape[1:] != (1, 1):
        tiles, shown = values[:most], f"{min(most, len(values))} of {len(values)} maps"
        shown = f"all {len(values)} maps" if len(values) <= most else f"the first {shown}"
        picture = mosaic(tiles, scale, tile=87, columns=8, width=_WIDTH)
    else:
        shown = f"all {values.size:,} numbers, row by row"
        tiles = _rows(values)  # (1, rows, columns)
        picture = mosaic(tiles, scale, tile=min(_WIDTH, tiles.shape[2] * _LARGEST_CELL), columns=1, width=_WIDTH)
    return Maps(layer.name, layer.op, size(values.shape), picture, legend(scale), shown)


def _rows(values: Array) -> Array:
    """Lay numbers out as one tile (1, rows, columns); the last row is filled up with the scale's middle."""
    flat = values.reshape(-1)
    columns = min(flat.size, _ROW if flat.size <= 512 else _LONG_ROW)
    missing = -flat.size % columns
    return np.concatenate([flat, np.zeros(missing, flat.dtype)]).reshape(1, -1, columns)


def _grid(name: str, family: str, values: Array, limit: float) -> Grid:
    def entry(value: float) -> tuple[str, str]:
        shade = round(SHADES * value / limit) if limit and np.isfinite(value) else 0
        return fixed(value), f"{family}{shade}"

    return Grid(name, [[entry(float(value)) for value in row] for row in values])
