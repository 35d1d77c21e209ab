"""The shift lab on one sheet: curves of one network, or of several side by side, and what their layers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.numbers import number
from pellucid.explain.shifts.equivariance import SHIFTS, LayerError, Pooling
from pellucid.explain.shifts.remedies import Comparison
from pellucid.explain.shifts.shift import Curve, ShiftRecord
from pellucid.views.findings import percent
from pellucid.views.panel import Panel, Stroke
from pellucid.views.scales import POSITIVE, Scale
from pellucid.views.sheet import BLUE, INK, MUTED, ORANGE, PAPER, WIDTH, Sheet, fitted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEFT, _RIGHT, _TOP = 44, 584, 74
_LARGE, _SMALL, _ACROSS = (318, 118), (118, 72), 4
_STROKES = (
    Stroke(INK, 1.3, mark="o"),
    Stroke(BLUE, 1.4, (5, 2), "s"),
    Stroke(ORANGE, 1.4, (1.5, 1.5), "^"),
    Stroke("#159a86", 2.2, mark="D"),
)
"""Of the first network and the others."""
_ACCURACY, _PROBABILITY = Stroke(BLUE, 1.8), Stroke(ORANGE, 1.3, (3, 2))
_TOLD = {"rotation": (0.0, 45.0, 90.0, 180.0, 270.0)}
"""Values whose numbers are printed."""
_WINDOWED = ("Conv2d", "ConvTranspose2d", "MaxPool2d", "AvgPool2d", "LPPool2d")
_MOST_ROWS, _ROW, _BELOW = 14, 12, 53
_APART = 0.2
"""Share of a plot's width between numbers below it."""


@dataclass(frozen=True, slots=True)
class _Series:
    """A line in every plot: its name, its look, its shares by the name of the change."""

    name: str
    about: str
    stroke: Stroke
    shares: Mapping[str, Sequence[float]]


def shift_figure(record: ShiftRecord) -> Figure:
    """Draw what changes do to one network: accuracy and probability against each change, its layers, its poolings."""
    title = f"{record.network} on changed pictures of {record.data}"
    layers = _shown(record.layers)
    rows = max(len(layers), 2 + sum(pooling.side for pooling in record.poolings))
    sheet = Sheet(WIDTH, _errors_top(len(record.curves)) + 30 + rows * _ROW + 52, title, _words(record))
    series = (
        _Series(
            "accuracy", "share of pictures recognised", _ACCURACY, {c.condition: c.accuracy for c in record.curves}
        ),
        _Series(
            "probability", "of the true class, mean", _PROBABILITY, {c.condition: c.confidence for c in record.curves}
        ),
    )
    _heading(sheet, title, f"{record.images:,} test pictures; unchanged {percent(record.accuracy)} are recognised")
    top = _draw_curves(sheet, record.curves, series)
    scale = _scale([layers])
    _draw_errors(sheet, "", layers, scale, (_LEFT - 30, top + 30), (76, 25))
    _draw_error_heading(sheet, scale, top, record.measured)
    _draw_poolings(sheet, record.poolings, top)
    return sheet.figure


def remedies_figure(comparison: Comparison) -> Figure:
    """Draw what changes do to networks that were trained alike, in the same plots, and the error of their layers."""
    tried = comparison.tried
    first = tried[0].record
    title = f"Remedies, trained alike on {comparison.data} for {comparison.length}"
    shown = [_shown(one.record.layers) for one in tried]
    rows = max(len(layers) for layers in shown)
    words = " ".join(f"{one.remedy.name}: {_words(one.record)}" for one in tried)
    sheet = Sheet(WIDTH, _errors_top(len(first.curves)) + 44 + rows * _ROW + 52, title, words)
    series = [
        _Series(
            one.remedy.name, one.remedy.about, _STROKES[index % len(_STROKES)],
            {curve.condition: curve.accuracy for curve in one.record.curves},
        )
        for index, one in enumerate(tried)
    ]  # fmt: skip
    _heading(sheet, title, f"Accuracy on {first.images:,} changed test pictures")
    top = _draw_curves(sheet, first.curves, series)
    scale, wide = _scale(shown), (_RIGHT - _LEFT + 30) / len(tried)
    for index, (one, layers) in enumerate(zip(tried, shown, strict=True)):
        label = 40
        cell = min(24.0, (wide - label - 8) / len(SHIFTS))
        _draw_errors(sheet, one.remedy.name, layers, scale, (_LEFT - 30 + index * wide, top + 44), (label, cell))
    _draw_error_heading(sheet, scale, top, first.measured)
    return sheet.figure


def _heading(sheet: Sheet, title: str, about: str) -> None:
    sheet.text((_LEFT - 30, 18), title, bold=True, size=10, width=_RIGHT - _LEFT + 30)
    sheet.text((_LEFT - 30, 34), about, size=8, colour=MUTED, width=_RIGHT - _LEFT + 30)


def _errors_top(curves: int) -> float:
    """Return where the plots end: a large one, then rows of small ones, of which one place is for the key."""
    rows = -(-curves // _ACROSS)
    return _TOP + _LARGE[1] + 40 + rows * (_SMALL[1] + _BELOW)


def _draw_curves(sheet: Sheet, curves: Sequence[Curve], series: Sequence[_Series]) -> float:
    """Draw the first change large, with a table, the others small; return where they end."""
    _draw_plot(sheet, curves[0], series, (_LEFT, _TOP), _LARGE, scale=True)
    _draw_table(sheet, curves[0], series, _LEFT + _LARGE[0] + 18)
    wide, top = _SMALL[0], _TOP + _LARGE[1] + 50
    gap = (_RIGHT - _LEFT - _ACROSS * wide) / (_ACROSS - 1)
    places = [
        (_LEFT + column * (wide + gap), top + row * (_SMALL[1] + _BELOW))
        for row in range(-(-len(curves) // _ACROSS))
        for column in range(_ACROSS)
    ]
    for curve, place in zip(curves[1:], places, strict=False):
        _draw_plot(sheet, curve, series, place, _SMALL, scale=place[0] == _LEFT)
    _draw_key(sheet, series, *places[len(curves) - 1])
    return _errors_top(len(curves))


def _draw_plot(
    sheet: Sheet,
    curve: Curve,
    series: Sequence[_Series],
    place: tuple[float, float],
    size: tuple[float, float],
    *,
    scale: bool,
) -> None:
    panel = Panel(sheet, *place, *size, curve.values)
    is_large = size == _LARGE
    told = _told(curve) if is_large else ()
    is_single = series[0].stroke is _ACCURACY
    ticks = told or _ticks(curve, with_worst=is_single)
    name = f"{curve.condition}, {curve.unit}"
    sheet.text((place[0], place[1] - 19), name, bold=True, size=8)
    sheet.text((place[0], place[1] - 9), fitted(curve.about, size[0], 6.5), size=6.5, colour=MUTED)
    panel.frame((*ticks, curve.values[-1]) if is_large else ticks, curve.unit, curve.unchanged, scale=scale)
    for one in series:
        panel.draw(one.shares[curve.condition], one.stroke)
    if not is_large and is_single:
        for tick in ticks:
            x, _ = panel.at(tick, 0)
            sheet.text((x, place[1] + size[1] + 17), percent(curve.at(tick), 0), size=6.5, align="center")


def _ticks(curve: Curve, *, with_worst: bool) -> list[float]:
    """Return the values below a small plot: both ends, the unchanged one, and the worst if it is away from them."""
    ticks = {curve.values[0], curve.unchanged, curve.values[-1]}
    worst = curve.values[int(np.argmin(curve.accuracy))]
    if with_worst and min(abs(worst - tick) for tick in ticks) > _APART * (curve.values[-1] - curve.values[0]):
        ticks.add(worst)
    return sorted(ticks)


def _told(curve: Curve) -> tuple[float, ...]:
    """Return the values whose numbers are printed: those asked for, or five from the first to the last."""
    asked = _TOLD.get(curve.condition, ())
    if asked and set(asked) <= set(curve.values):
        return asked
    places = np.linspace(0, len(curve.values) - 1, min(5, len(curve.values))).round().astype(int)
    return tuple(curve.values[place] for place in places)


def _draw_table(sheet: Sheet, curve: Curve, series: Sequence[_Series], left: float) -> None:
    """Print what the large plot shows, a line in each column, which the heading's sample names."""
    wide = (_RIGHT - left - 26) / len(series)
    for index, one in enumerate(series):
        right = left + 26 + (index + 1) * wide
        one.stroke.draw(sheet, (right - 24, right - 12, right), (_TOP - 10,) * 3, 2)
        sheet.text((right, _TOP + 2), one.name, size=6.5, bold=True, align="right", width=wide)
    for row, value in enumerate(_told(curve)):
        y = _TOP + 20 + row * 15
        unit = curve.unit if curve.unit == "°" else ""
        sheet.text((left + 22, y), f"{number(value)}{unit}", size=8, colour=MUTED, align="right")
        for index, one in enumerate(series):
            share = one.shares[curve.condition][curve.values.index(value)]
            sheet.text((left + 26 + (index + 1) * wide, y), percent(share), size=8, align="right")
    y = _TOP + 24 + len(_told(curve)) * 15
    sheet.text((left + 22, y), "mean", size=7, colour=MUTED, align="right")
    for index, one in enumerate(series):
        mean = float(np.mean(one.shares[curve.condition]))
        sheet.text((left + 26 + (index + 1) * wide, y), percent(mean), size=8, align="right", bold=True)


def _draw_key(sheet: Sheet, series: Sequence[_Series], left: float, top: float) -> None:
    for index, one in enumerate(series):
        y = top - 16 + index * 22
        one.stroke.draw(sheet, (left, left + 10, left + 20), (y,) * 3, 2)
        sheet.text((left + 26, y), one.name, size=7, bold=True)
        sheet.text((left + 26, y + 9), one.about, size=6, colour=MUTED, width=_RIGHT - left - 22)
    y = top - 16 + len(series) * 22
    sheet.axes.plot([left + 10, left + 10], [y - 5, y + 5], color=MUTED, linewidth=0.8, dashes=(1, 2))
    sheet.text((left + 26, y), "pictures as they are", size=7)


def _shown(layers: Sequence[LayerError]) -> list[LayerError]:
    """Choose the layers with windows; of many, some, evenly."""
    windowed = [layer for layer in layers if layer.op in _WINDOWED]
    if len(windowed) <= _MOST_ROWS:
        return windowed
    places = np.linspace(0, len(windowed) - 1, _MOST_ROWS).round().astype(int)
    return [windowed[place] for place in places]


def _scale(shown: Sequence[Sequence[LayerError]]) -> Scale:
    largest = max((error or 0.0 for layers in shown for layer in layers for error in layer.errors), default=0.0)
    return Scale(0.0, max(100 * largest, 1.0), POSITIVE)


def _draw_error_heading(sheet: Sheet, scale: Scale, top: float, measured: int) -> None:
    left = _LEFT - 30
    sheet.text((left, top), "Layers that follow a shift, and those that do not", bold=True, size=8)
    y = sheet.height - 40
    words = (
        f"‖f(shift x) − shift f(x)‖ as a share of ‖shift f(x)‖, in %, on {measured} pictures moved to the right by the "
        "pixels above; × n: n pixels from cell to cell."
    )
    sheet.text((left, y), words, size=6.5, colour=MUTED, width=_RIGHT - left)
    sheet.legend(scale, left, y + 9, 120)
    sheet.text((left + 132, y + 14), "% of the map; –: every cell's field reaches the border", size=6.5, colour=MUTED)


def _draw_errors(
    sheet: Sheet,
    name: str,
    layers: Sequence[LayerError],
    scale: Scale,
    place: tuple[float, float],
    widths: tuple[float, float],
) -> None:
    """Print and colour the errors, a row for each layer, a column for each shift."""
    (x, y), (label, cell) = place, widths
    size = 7 if cell > 16 else 6
    if name:
        sheet.text((x, y - 22), name, bold=True, size=7)
    sheet.text((x + label - 3, y - 7), "px", size=size, colour=MUTED, align="right")
    for column, shift in enumerate(SHIFTS):
        sheet.text((x + label + (column + 0.5) * cell, y - 7), str(shift), size=size, colour=MUTED, align="center")
    values = np.array([[np.nan if e is None else 100 * e for e in layer.errors] for layer in layers])
    if layers:
        sheet.picture(values, x + label, y, cell * len(SHIFTS), _ROW * len(layers), scale)
    for row, layer in enumerate(layers):
        middle = y + (row + 0.5) * _ROW
        jump = f"× {number(float(layer.jump))}"
        sheet.text((x, middle), layer.layer, size=6.5, width=label - 18)
        sheet.text((x + label - 3, middle), jump, size=6, colour=MUTED, align="right")
        for column, error in enumerate(layer.errors):
            words = "–" if error is None else f"{100 * error:.0f}"
            is_light = error is None or 100 * error > 0.6 * scale.high
            colour = INK if is_light else PAPER
            sheet.text((x + label + (column + 0.5) * cell, middle), words, size=size, colour=colour, align="center")


def _draw_poolings(sheet: Sheet, poolings: Sequence[Pooling], top: float) -> None:
    """Print what max pooling leaves unchanged."""
    left, right = 338, _RIGHT
    sheet.text((left, top), "Max pooling: cells that keep their number", bold=True, size=8)
    if not poolings:
        sheet.text((left, top + 18), "This network has none.", size=7, colour=MUTED)
        return
    columns = ((left, "layer", "left"), (left + 118, "moved by", "right"), (right - 58, "entering", "right"))
    for x, words, align in (*columns, (right, "pooled", "right")):
        sheet.text((x, top + 18), words, size=7, colour=MUTED, align=align)
    y = top + 30
    for pooling in poolings:
        for moved, (entering, pooled) in enumerate(zip(pooling.entering, pooling.live, strict=True), 1):
            if y > sheet.height - 60:
                return
            what = f"{pooling.layer}, {pooling.side} wide, stride {pooling.stride}" if moved == 1 else ""
            sheet.text((left, y), what, size=7, width=80)
            sheet.text((left + 118, y), f"{moved}", size=7, align="right")
            for x, share in ((right - 58, entering), (right, pooled)):
                sheet.text((x, y), "–" if share is None else percent(share), size=7, align="right")
            y += _ROW
    about = (
        "of cells that are not 0, in the map that enters, moved by",
        "so many cells, and in the map that comes out",
    )
    for line, words in enumerate(about):
        sheet.text((left, y + 4 + 9 * line), words, size=6.5, colour=MUTED)


def _words(record: ShiftRecord) -> str:
    """Say in a few words what the curves show, for those who cannot see them."""
    said = []
    for curve in record.curves:
        worst = int(np.argmin(curve.accuracy))
        unit = curve.unit if curve.unit in ("°", "×") else f" {curve.unit}"
        said.append(
            f"{curve.condition} at worst {percent(curve.accuracy[worst])} at {number(curve.values[worst])}{unit}"
        )
    return f"{record.network}, unchanged {percent(record.accuracy)}: {', '.join(said)}."
