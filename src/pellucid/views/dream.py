"""Dreams as a picture: what excites parts of a network most, and how far each number climbed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.dreams.dream import Dream
from pellucid.explain.numbers import number
from pellucid.types import Array
from pellucid.views.grid import CAPTION, Grid, layout
from pellucid.views.sheet import BLUE, INK, MUTED, ORANGE, RULE, WIDTH, Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN, _HEAD, _FOOT = 16, 58, 40
_ALONE, _COLUMN = 260, 304
_RAMP = 120


def dream_sheet(dreams: Sequence[Dream], weights: str, others: str = "") -> Figure:
    """Draw one dream large, with its climb, or several of one layer as a grid.

    ``weights`` says whose they are, ``others`` of which pictures the best and the mean are.
    """
    return _alone(dreams[0], weights, others) if len(dreams) == 1 else _several(dreams, weights, others)


def _several(dreams: Sequence[Dream], weights: str, others: str) -> Figure:
    first = dreams[0]
    rows, columns = first.picture.shape[1:]
    grid = layout(
        len(dreams),
        (rows, columns),
        WIDTH - 2 * _MARGIN,
        least=64,
        most=108,
        tallest=150 if len(dreams) <= 5 else 330,
        caption=2 * CAPTION,
    )
    what = "the classes" if first.goal.label is not None else first.goal.layer
    title = f"Dreams of {what}: {len(dreams)} pictures that excite them most"
    told = "; ".join(f"{one.goal.part} from {number(one.start, 3)} to {number(one.score, 3)}" for one in dreams)
    sheet = Sheet(WIDTH, _HEAD + grid.height + _FOOT, title, f"{first.goal.kind.capitalize()}: {told}.")
    _head(sheet, f"Dreams of {what}", first, weights, others)
    left = _MARGIN - grid.place(0)[0]
    for index, one in enumerate(dreams):
        _tile(sheet, grid, index, left, one)
    _legend(sheet, first.picture, _MARGIN, _HEAD + grid.height + 8)
    return sheet.figure


def _tile(sheet: Sheet, grid: Grid, index: int, left: float, one: Dream) -> None:
    x, y, width, height = grid.place(index)
    x, y = x + left, y + _HEAD
    score = number(one.score, 3)
    sheet.text((x, y - 13), one.goal.part, size=7, bold=True, width=width - 6 * len(score))
    sheet.text((x + width, y - 13), score, size=7, align="right")
    best = "" if one.best is None else f" · best {number(one.best, 3)}"
    said = "no pixel moves it" if one.is_stuck else f"from {number(one.start, 3)}"
    sheet.text((x, y - 4.5), said + best, size=5.5, colour=MUTED, width=width)
    sheet.photo(_photo(one.picture), x, y, width, height)


def _alone(one: Dream, weights: str, others: str) -> Figure:
    rows, columns = one.picture.shape[1:]
    scale = _ALONE / max(rows, columns)
    title = f"Dream of {one.goal}: {one.goal.kind} from {number(one.start, 3)} to {number(one.score, 3)}"
    sheet = Sheet(WIDTH, _HEAD + _ALONE + _MARGIN, title, f"{rows} × {columns} pixels, with {weights}.")
    _head(sheet, f"Dream of {one.goal}", one, weights, "")
    left, top = _MARGIN + (_ALONE - columns * scale) / 2, _HEAD + (_ALONE - rows * scale) / 2
    sheet.photo(_photo(one.picture), left, top, columns * scale, rows * scale)
    _climb(sheet, one, _HEAD + 6, 112)
    lines = [(one.score, "this picture", INK), (one.start, f"the picture at the start{_stuck(one)}", MUTED)]
    if one.best is not None and one.mean is not None:
        lines += [(one.best, f"the best of {others}", ORANGE), (one.mean, "their mean", MUTED)]
    for index, (value, words, colour) in enumerate(lines):
        y = _HEAD + 158 + 16 * index
        sheet.text((_COLUMN + 52, y), number(value, 3), colour=colour, bold=index == 0, align="right")
        sheet.text((_COLUMN + 62, y), words, colour=colour, width=WIDTH - _MARGIN - _COLUMN - 62)
    _legend(sheet, one.picture, _COLUMN, _HEAD + _ALONE - 22)
    return sheet.figure


def _stuck(one: Dream) -> str:
    return ": no pixel moves it" if one.is_stuck else ""


def _climb(sheet: Sheet, one: Dream, top: float, height: float) -> None:
    """Draw the score of every step, of the picture as it was moved, and the best of other pictures as a line."""
    scores = np.array(one.scores or (one.start,))
    marks = scores if one.best is None else np.append(scores, one.best)
    low, high = float(marks.min()), float(marks.max())
    high = high if high > low else low + 1
    left, right = _COLUMN + 34, WIDTH - _MARGIN

    def place(share: float, score: float) -> tuple[float, float]:
        return left + share * (right - left), top + height - (score - low) / (high - low) * height

    for value in (low, high):
        sheet.line([place(0, value), place(1, value)], RULE)
        sheet.text((left - 6, place(0, value)[1]), number(value, 3), size=7, colour=MUTED, align="right")
    if one.best is not None:
        sheet.line([place(0, one.best), place(1, one.best)], ORANGE, dashed=True)
    shares = np.linspace(0, 1, len(scores)) if len(scores) > 1 else np.zeros(1)
    sheet.line([place(*both) for both in zip(shares.tolist(), scores.tolist(), strict=True)], BLUE, width=1.2)
    sheet.text((left, top + height + 12), "step 1", size=7, colour=MUTED)
    sheet.text((right, top + height + 12), str(one.settings.steps), size=7, colour=MUTED, align="right")


def _head(sheet: Sheet, title: str, one: Dream, weights: str, others: str) -> None:
    sheet.text((_MARGIN, 20), title, size=11, bold=True, width=WIDTH - 2 * _MARGIN)
    words = f"{one.goal.kind}, with {weights}; {one.settings.steps} steps, seed {one.settings.seed}"
    if others:
        words += f"; best: the largest among {others}"
    sheet.text((_MARGIN, 38), words, size=7.5, colour=MUTED, width=WIDTH - 2 * _MARGIN)


def _legend(sheet: Sheet, picture: Array, x: float, y: float) -> None:
    sheet.photo(np.arange(256, dtype=np.uint8)[None], x, y, _RAMP, 9)
    sheet.text((x, y + 17), "0", size=7)
    sheet.text((x + _RAMP, y + 17), "255", size=7, align="right")
    words = "pixels from black to white" if len(picture) == 1 else "red, green and blue of a pixel"
    sheet.text((x + _RAMP + 10, y + 5), words, size=7, colour=MUTED)


def _photo(picture: Array) -> Array:
    return picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
