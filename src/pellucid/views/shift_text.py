"""The shift lab in a terminal."""

from collections.abc import Iterator, Sequence

import numpy as np

from pellucid.analysis.tables import Table
from pellucid.explain.numbers import number
from pellucid.explain.shifts.equivariance import SHIFTS
from pellucid.explain.shifts.remedies import Comparison
from pellucid.explain.shifts.shift import Curve, ShiftRecord
from pellucid.views.findings import duration, percent

_BARS = "▁▂▃▄▅▆▇█"
_QUARTERS = (90.0, 180.0, 270.0)


def shift_text(record: ShiftRecord) -> str:
    """Lay out what changes do to a network, what its layers do, and what its poolings leave unchanged."""
    head = f"{record.network} on {record.data}: of {record.images:,} pictures as they are, {percent(record.accuracy)}"
    changes = Table(
        ("change", "from … to", "accuracy", "first", "last", "least", "at"),
        [_change(curve) for curve in record.curves],
        numbers=frozenset({3, 4, 5, 6}),
    )
    layers = Table(
        ("layer", "op", "jump", *(f"{shift} px" for shift in SHIFTS)),
        [
            (layer.layer, layer.op, number(float(layer.jump)), *map(_whole, layer.errors))
            for layer in record.layers
            if any(error is not None for error in layer.errors)
        ],
        numbers=frozenset(range(2, 3 + len(SHIFTS))),
        notes=("‖f(shift x) − shift f(x)‖ / ‖shift f(x)‖ in %; jump: pixels from cell to cell.",),
    )
    poolings = Table(
        ("pooling", "moved by", "entering", "pooled", "whole maps"),
        list(_poolings(record)),
        numbers=frozenset({2, 3, 4}),
        notes=("Cells, of those not 0, that keep their number when the map that enters moves.",),
    )
    return "\n\n".join([head, *(table.text() for table in (changes, layers, poolings) if table.rows)])


def remedies_text(comparison: Comparison) -> str:
    """Lay out the accuracy of networks that were trained alike, side by side."""
    tried = comparison.tried
    records = [one.record for one in tried]
    rows = [("as they are", *(percent(record.accuracy) for record in records))]
    for curve in records[0].curves:
        shared = [record.curve(curve.condition) for record in records]
        if curve.condition == "rotation":
            rows += [
                (f"turned by {number(angle)}°", *(percent(one.at(angle)) for one in shared))
                for angle in _QUARTERS
                if angle in curve.values
            ]
        rows.append((f"{curve.condition}, mean", *(percent(float(np.mean(one.accuracy))) for one in shared)))
    rows.append(("parameters", *(f"{one.parameters:,}" for one in tried)))
    rows.append(("training", *(duration(one.seconds) for one in tried)))
    notes = [f"{one.remedy.name}: {one.remedy.network}, {one.remedy.about}." for one in tried]
    table = Table(
        (f"{records[0].images:,} pictures", *(one.remedy.name for one in tried)), rows,
        numbers=frozenset(range(1, len(tried) + 1)), notes=notes,
    )  # fmt: skip
    return f"{comparison.data}, {comparison.length} each, seed {comparison.seed}\n\n{table.text()}"


def _change(curve: Curve) -> tuple[str, ...]:
    least = int(np.argmin(curve.accuracy))
    ends = f"{number(curve.values[0])} … {number(curve.values[-1])} {curve.unit}"
    shares = (curve.accuracy[0], curve.accuracy[-1], curve.accuracy[least])
    return curve.condition, ends, spark(curve.accuracy), *map(percent, shares), number(curve.values[least])


def spark(shares: Sequence[float]) -> str:
    """Draw shares of 0 to 1 as bars, a column each.

    >>> spark([0, 0.5, 1])
    '▁▅█'
    """
    return "".join(_BARS[min(int(share * len(_BARS)), len(_BARS) - 1)] for share in shares)


def _whole(error: float | None) -> str:
    return "–" if error is None else f"{100 * error:.0f}"


def _poolings(record: ShiftRecord) -> Iterator[tuple[str, ...]]:
    for pooling in record.poolings:
        for moved, shares in enumerate(zip(pooling.entering, pooling.live, pooling.maps, strict=True), 1):
            cells = f"{moved} cell{'s' if moved > 1 else ''}"
            yield pooling.layer, cells, *("–" if share is None else percent(share) for share in shares)
