"""How far a cell sees: the cells of every layer behind it, down to the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid import nn
from pellucid.analysis.summary import LayerSummary, summary
from pellucid.errors import ParameterError

MOST_LAYERS = 6
WIDEST = 128
"""Pixels of a drawing."""
_TOP = 3
"""Cells of the last map: one that is followed, and its neighbours."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A row of cells, how many there are, and those behind the cell at the top.

    Cell i stands above pixel ``first + i · jump``; ``formula`` is that of its field.
    """

    cells: int
    behind: tuple[int, ...]
    first: float = 0
    jump: int = 1
    formula: str = ""


def field(layers: Sequence[tuple[int, int, int]]) -> tuple[Seen, ...]:
    """Follow a cell of the last map, the second of three, back to the pixels.

    The rows go from the image upwards; layers are (kernel, stride, dilation). Raises ParameterError where there are too
    many layers, or the image is wider than can be drawn.

    >>> [(row.cells, len(row.behind)) for row in field([(3, 1, 1), (3, 2, 1), (3, 1, 1)])]
    [(13, 9), (11, 7), (5, 3), (3, 1)]
    >>> field([(3, 1, 1)])[1].formula
    '1 + (3 − 1)·1 = 3'
    """
    if not 1 <= len(layers) <= MOST_LAYERS:
        raise ParameterError(f"There must be 1 to {MOST_LAYERS} layers to draw a field of; got {len(layers)}.")
    net = nn.Sequential(*[nn.Conv2d(1, 1, (1, k), (1, s), dilation=(1, d)) for k, s, d in layers])
    width = _TOP
    for kernel, stride, dilation in reversed(layers):
        width = (width - 1) * stride + dilation * (kernel - 1) + 1
    if width > WIDEST:
        raise ParameterError(
            f"The image must be at most {WIDEST} pixels wide to be drawn; got {width}; take layers off."
        )
    graph = net.graph((1, 1, 1, width))
    rows, behind = list[Seen](), {_TOP // 2}
    told = summary(net, (1, 1, width)).layers
    for node, layer in zip(reversed(graph.nodes), reversed(told), strict=True):
        window = node.op.window(*node.types)
        assert window is not None
        rows.append(_seen(node.outputs[0].shape[3], behind, layer))
        behind = {cell for place in behind for cell in window.columns.inputs(place)}
    return Seen(width, tuple(sorted(behind))), *reversed(rows)


def _seen(cells: int, behind: set[int], layer: LayerSummary) -> Seen:
    formula = next((one.text for one in layer.formulas if one.of in ("field", "field, columns")), "")
    assert layer.field is not None
    assert layer.field.reaches is not None
    reach = layer.field.reaches[1]
    return Seen(cells, tuple(sorted(behind)), float(reach.centre), int(reach.jump), formula)
