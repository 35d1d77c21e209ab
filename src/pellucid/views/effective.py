"""The effective receptive field as a picture: beside what a cell may see, what it does see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid.analysis.effective import SHARE, EffectiveField
from pellucid.views.scales import for_activations
from pellucid.views.sheet import BLUE, INK, MUTED, RULE, Sheet, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT, _LEFT, _TOP, _LARGEST = 600, 356, 16, 16, 324
_COLUMN, _WIDE = 364, 220
_INNER = "#ff6f4d"
"""Seen on every shade of the scale; the theoretical box is white and dashed."""


def effective(field: EffectiveField) -> Figure:
    """Draw where a cell's gradient lies on the image, with the theoretical field and the square that holds 95 % of it.

    >>> import numpy as np
    >>> found = EffectiveField("conv", (1, 1), np.eye(3), (3.0, 3.0), (0, 0, 3, 3), (1.0, 1.0), 3)
    >>> effective(found).get_label()
    'Effective receptive field of conv: 95 % of the gradient in 3×3 pixels'
    """
    held = f"{SHARE:.0%} of the gradient".replace("%", " %")
    label = f"Effective receptive field of {field.layer}: {held} in {field.side}×{field.side} pixels"
    sheet = Sheet(_WIDTH, _HEIGHT, label)
    _draw_map(sheet, field)
    where = "" if field.cell is None else f", the cell in row {field.cell[0]}, column {field.cell[1]}"
    sheet.text((_COLUMN, 28), "Effective receptive field", bold=True, size=10)
    sheet.text((_COLUMN, 46), f"of {field.layer}{where}", size=8, colour=MUTED, width=_WIDE)
    size = "the whole image" if field.size is None else f"{field.size[0]:.4g}×{field.size[1]:.4g} pixels"
    _key(sheet, 74, dashed=True)
    sheet.text((_COLUMN + 32, 74), f"theoretical: {size}")
    _key(sheet, 94, dashed=False)
    sheet.text((_COLUMN + 32, 94), f"{held}: {field.side}×{field.side} pixels")
    _draw_profile(sheet, field, 130, 120)
    sheet.text((_COLUMN, 291), "mean absolute gradient", size=7, colour=MUTED)
    sheet.legend(for_activations(field.map), _COLUMN, 300, _WIDE)
    return sheet.figure


def _draw_map(sheet: Sheet, field: EffectiveField) -> None:
    rows, columns = field.map.shape
    scale = _LARGEST / max(rows, columns)
    left, top = _LEFT + (_LARGEST - columns * scale) / 2, _TOP + (_LARGEST - rows * scale) / 2
    sheet.picture(field.map, left, top, columns * scale, rows * scale, for_activations(field.map))
    (y, x), half = field.centre, field.side / 2
    inner = (y + 0.5 - half, x + 0.5 - half, y + 0.5 + half, x + 0.5 + half)
    for box, colour, dashed in ((field.box, "#ffffff", True), (inner, _INNER, False)):
        y0, y1 = (min(max(edge, 0), rows) * scale + top for edge in (box[0], box[2]))
        x0, x1 = (min(max(edge, 0), columns) * scale + left for edge in (box[1], box[3]))
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        sheet.line(corners, colour, width=1.4, dashed=dashed, on_top=True)


def _key(sheet: Sheet, y: float, *, dashed: bool) -> None:
    sheet.box(_COLUMN, y - 7, 24, 14, "#00224e")
    colour = "#ffffff" if dashed else _INNER
    sheet.line([(_COLUMN + 3, y), (_COLUMN + 21, y)], colour, width=1.4, dashed=dashed, on_top=True)


def _draw_profile(sheet: Sheet, field: EffectiveField, top: float, height: float) -> None:
    """Draw the gradient of each column of the image, summed over its rows."""
    columns = field.map.sum(axis=0)
    largest, step, base = float(columns.max()) or 1.0, _WIDE / len(columns), top + height
    corners = [
        (_COLUMN + (index + side) * step, base - float(value) / largest * (height - 16))
        for index, value in enumerate(columns)
        for side in (0, 1)
    ]
    sheet.text((_COLUMN, top), "along the columns of the image", size=7, colour=MUTED)
    sheet.polygon([(_COLUMN, base), *corners, (_COLUMN + _WIDE, base)], tint(BLUE, 0.75))
    sheet.line([(_COLUMN, base), (_COLUMN + _WIDE, base)], RULE)
    ends = (field.centre[1] + 0.5 - field.side / 2, field.centre[1] + 0.5 + field.side / 2)
    spans = ((field.box[1], field.box[3], INK, True, 6), (*ends, _INNER, False, 11))
    for first, last, colour, dashed, below in spans:
        first, last = (min(max(edge, 0), len(columns)) * step + _COLUMN for edge in (first, last))
        sheet.line([(first, base + below), (last, base + below)], colour, width=1.4, dashed=dashed)
