"""One channel taken apart into maps, one cell into its arithmetic."""

from __future__ import annotations

import math

import numpy as np

from pellucid.analysis.receptive_field import ACTIVATIONS, boxes, plane_axes
from pellucid.errors import ParameterError
from pellucid.explain.cell import Cell
from pellucid.explain.cells.words import Grid, Line, Listing, Piece, grids, pieces
from pellucid.explain.products import Products, channel_products
from pellucid.explain.trace import Trace
from pellucid.graph import Node
from pellucid.studio.messages.base import Tensor
from pellucid.studio.messages.inspect import (
    InspectActivation,
    InspectBox,
    InspectCell,
    InspectCellAsked,
    InspectChannel,
    InspectChannelAsked,
    InspectGrid,
    InspectLine,
    InspectListing,
    InspectProduct,
    InspectRow,
    InspectSource,
    InspectStep,
)
from pellucid.studio.rooms.inspect.look import planes
from pellucid.studio.studio import Studio
from pellucid.studio.subjects import opened_of
from pellucid.studio.tensors import to_tensor
from pellucid.types import Array

_NUMBERS = 1 << 20
"""Of all maps of an answer."""
_SOURCES = 8
"""Maps that are shown of what a channel reads, where it is no sum of products."""


def channel(asked: InspectChannelAsked, studio: Studio) -> InspectChannel:
    """Open a channel: its map, and the maps that it is made of."""
    _, trace, _ = opened_of(asked.subject, studio)
    maps = planes(trace, asked.layer)
    if asked.channel >= len(maps):
        raise ParameterError(f"The channel of '{asked.layer}' must be 0 to {len(maps) - 1}; got {asked.channel}.")
    products = channel_products(trace, asked.layer, asked.channel)
    shown: list[int] = []
    if products is not None:
        room = _NUMBERS // max(1, products.inputs[0].size + products.partials[0].size)
        shown = products.strongest[asked.first : asked.first + max(1, min(asked.most, room))]
    return InspectChannel(
        layer=asked.layer,
        op=trace[asked.layer].op,
        channel=asked.channel,
        of=len(maps),
        map=to_tensor(maps[asked.channel]),
        bias=None if products is None else products.bias,
        source=None if products is None else products.source,
        products=[] if products is None else [_product(products, place) for place in shown],
        inputs=0 if products is None else len(products.inputs),
        rest=None if products is None else _rest(products, shown),
        error=None if products is None else products.error,
        sources=_sources(trace, asked.layer, asked.channel) if products is None else [],
        activation=_activation(trace, asked.layer, asked.channel),
    )


def _product(products: Products, place: int) -> InspectProduct:
    return InspectProduct(
        channel=products.channels[place],
        input=to_tensor(products.inputs[place]),
        kernel=to_tensor(products.kernels[place]),
        partial=to_tensor(products.partials[place]),
    )


def _rest(products: Products, shown: list[int]) -> Tensor | None:
    others = np.delete(products.partials, shown, axis=0)
    return to_tensor(others.sum(axis=0, dtype=np.float64)) if len(others) else None


def _sources(trace: Trace, layer: str, number: int) -> list[InspectSource]:
    """Return the maps that a channel's middle cell was computed from."""
    extents = planes(trace, layer)[number].shape
    cell = _cell_of(trace, layer, number, extents[0] // 2, extents[1] // 2)
    found: dict[tuple[str, int], None] = {}
    for source in cell.sources:
        if source.layer in trace.graph.inputs or source.layer in trace:
            found[source.layer, _channel_of(trace, source.layer, source.index)] = None
    return [
        InspectSource(layer=name, channel=place, map=to_tensor(_maps(trace, name)[place]))
        for name, place in list(found)[:_SOURCES]
    ]


def _maps(trace: Trace, name: str) -> Array:
    return trace.image if name in trace.graph.inputs else planes(trace, name)


def _channel_of(trace: Trace, name: str, index: tuple[int, ...]) -> int:
    """Return the channel of a place in a layer's result, whatever the order of its axes."""
    axes = plane_axes(trace.graph).get(name if name in trace.graph.inputs else trace.graph.layer(name).name)
    if axes is None or len(index) != 3:
        return index[0]
    return next(place for axis, place in enumerate(index, 1) if axis not in axes)


def _activation(trace: Trace, layer: str, number: int) -> InspectActivation | None:
    value = trace.graph.layer(layer)
    readers = [node for node in trace.graph.nodes if value in node.inputs]
    if len(readers) != 1 or not isinstance(readers[0].op, ACTIVATIONS):
        return None
    after: Node = readers[0]
    return InspectActivation(layer=after.name, op=after.op.kind, map=to_tensor(planes(trace, after.name)[number]))


def cell(asked: InspectCellAsked, studio: Studio) -> InspectCell:
    """Open a cell: the numbers that it was computed from, and how."""
    _, trace, _ = opened_of(asked.subject, studio)
    found = _cell_of(trace, asked.layer, asked.channel, asked.y, asked.x)
    value = trace.graph.layer(asked.layer)
    seen = boxes(trace.graph, value, asked.y or 0, asked.x or 0)
    made = {output.name: node.name for node in trace.graph.nodes for output in node.outputs}
    seen[next(iter(trace.graph.inputs))] = found.box
    after = found.activation
    return InspectCell(
        layer=asked.layer,
        op=found.op,
        engine=found.kernel,
        channel=asked.channel,
        y=asked.y,
        x=asked.x,
        formula=found.arithmetic.formula,
        pieces=_pieces(found, asked.most),
        steps=[InspectStep(name=step.name, numbers=step.numbers, value=step.value) for step in found.steps],
        bias=found.bias,
        value=found.value,
        explained=found.explained,
        error=found.error,
        bound=found.bound if math.isfinite(found.bound) else None,
        after=None if after is None else InspectStep(name=after.layer, numbers=after.op, value=after.value),
        boxes=[InspectBox(layer=made.get(name, name), box=box) for name, box in seen.items()],
        text=found.text(),
    )


def _cell_of(trace: Trace, layer: str, number: int, y: int | None, x: int | None) -> Cell:
    """Return a cell by its channel, row and column, in whatever order the layer's axes are."""
    shape = trace[layer].shape
    if len(shape) == 1:
        return trace.cell(layer, number)
    if len(shape) == 2:  # tokens: one map
        return trace.cell(layer, y, x)
    rows, columns = plane_axes(trace.graph).get(trace.graph.layer(layer).name, (2, 3))
    places = {rows - 1: y or 0, columns - 1: x or 0}
    return trace.cell(layer, *(places.get(axis, number) for axis in range(len(shape))))


def _pieces(found: Cell, most: int) -> list[InspectGrid | InspectListing | InspectLine]:
    """Choose what is written out, with so many channels of a patch."""
    chosen: list[Piece] = pieces(found)
    if any(isinstance(piece, Grid) for piece in chosen) and len(found.operands) == 1:
        chosen = list(grids(found.operands[0], found.arithmetic.winner, most))
    count = found.operands[0].values.size if found.operands else 0
    if any(isinstance(piece, Grid) for piece in chosen):
        count = len(found.operands[0].values)
    return [_piece(piece, count - sum(isinstance(one, Grid) for one in chosen)) for piece in chosen]


def _piece(piece: Piece, others: int) -> InspectGrid | InspectListing | InspectLine:
    """Write a piece as a message; ``others`` is how many channels, or numbers, are not shown as grids."""
    if isinstance(piece, Line):
        return InspectLine(
            kind="line",
            name=piece.name,
            value=piece.value,
            others=others if piece.name.startswith("the other") else None,
        )
    if isinstance(piece, Listing):
        rest = piece.rest
        return InspectListing(
            kind="listing",
            caption=piece.caption,
            columns=list(piece.columns),
            rows=[InspectRow(place=row.place, numbers=list(row.numbers), won=row.won) for row in piece.rows],
            rest=None
            if rest is None
            else InspectLine(kind="line", name=rest.name, value=rest.value, others=others - len(piece.rows)),
        )
    made = piece.multiplied
    return InspectGrid(
        kind="grid",
        layer=piece.layer,
        channel=piece.channel,
        rows=list(piece.rows),
        columns=list(piece.columns),
        values=to_tensor(piece.values),
        weights=None if made is None else to_tensor(made.weights),
        products=None if made is None else to_tensor(made.products),
        total=None if made is None else made.total,
        winner=piece.winner,
    )
