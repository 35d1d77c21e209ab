"""Kernels as pictures: the gallery on a sheet, one kernel on a page, and two that become one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.kernels.composition import Collapse
from pellucid.explain.kernels.exhibits import Exhibit
from pellucid.explain.kernels.matrices import whole_numbers, write_number
from pellucid.types import Array
from pellucid.views.scales import ACTIVATIONS, BRIGHTNESS, WEIGHTS, Scale, for_activations, signed
from pellucid.views.sheet import INK, MUTED, PAPER, RULE, WIDTH, Sheet, measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EDGE = 16
_SMALLEST = 6.0
"""Points of the smallest numbers that are written into cells."""
_DARK, _FAINT = 0.62, 0.05
"""Shares of a kernel's largest magnitude: above, cells are dark and written on in light; below, next to nothing."""
_COLUMNS, _TILE, _ROW = 4, 62, 92
"""Kernels in a row of the gallery, the side of each of their two squares, and the height of a row."""
_PANEL = 168
_BRIGHTNESS = Scale(0.0, 1.0, BRIGHTNESS)


def gallery(exhibits: Sequence[Exhibit]) -> Figure:
    """Draw kernels with their numbers, each beside what it makes of the picture that all were applied to."""
    rows = -(-len(exhibits) // _COLUMNS)
    about = "; ".join(f"{exhibit.name}: {dict(exhibit.description.lines())['kernel']}" for exhibit in exhibits)
    sheet = Sheet(WIDTH, 112 + rows * _ROW, f"{len(exhibits)} kernels, and what each makes of a picture", about)
    _header(sheet, exhibits[0].picture)
    step = (WIDTH - 2 * _EDGE + 14) / _COLUMNS
    for index, exhibit in enumerate(exhibits):
        x, y = _EDGE + index % _COLUMNS * step, 112 + index // _COLUMNS * _ROW
        over = _divisor(exhibit.kernel, _TILE)
        sheet.text((x, y), exhibit.name, bold=True, width=step - 20 - measure(over, 7))
        sheet.text((x + 2 * _TILE + 4, y), over, size=7, colour=MUTED, align="right")
        draw_kernel(sheet, exhibit.kernel, x, y + 9, _TILE)
        _answer(sheet, exhibit, x + _TILE + 4, y + 9, _TILE)
    return sheet.figure


def page(exhibit: Exhibit) -> Figure:
    """Draw one kernel: its numbers, its frequency response, what it makes of a picture, and its description."""
    lines = _lines(exhibit.description.lines())
    sheet = Sheet(WIDTH, 270 + 14 * len(lines), f"The kernel {exhibit.name}", exhibit.description.text())
    sheet.text((_EDGE, 20), exhibit.name, bold=True, size=11, width=WIDTH - 2 * _EDGE)
    step = (WIDTH - 2 * _EDGE - _PANEL) / 2
    places = [_EDGE + index * step for index in range(3)]
    rows, columns = exhibit.kernel.shape
    over = _divisor(exhibit.kernel, _PANEL)
    sheet.text((places[0], 42), f"{rows}×{columns} weights" + (f", each {over}" if over else ""), colour=MUTED)
    is_cut = not exhibit.is_signed and (exhibit.answer.min() < 0 or exhibit.answer.max() > 1)
    title = "what it makes of a picture" + (", cut off" if is_cut else "")
    sheet.text((places[2], 42), title, colour=MUTED)
    draw_kernel(sheet, exhibit.kernel, places[0], 52, _PANEL)
    sheet.legend(signed(exhibit.kernel, WEIGHTS), places[0], 234, _PANEL)
    _response(sheet, exhibit, places[1])
    _answer(sheet, exhibit, places[2], 52, _PANEL)
    sheet.legend(_scale(exhibit), places[2], 234, _PANEL)
    for index, (word, said) in enumerate(lines):
        y = 272 + 14 * index
        sheet.text((_EDGE, y), word, colour=MUTED)
        sheet.text((_EDGE + 72, y), said)
    return sheet.figure


def composition(found: Collapse) -> Figure:
    """Draw two kernels and the one that they are, and a picture after both, after the one, and with a ReLU between."""
    lines, title = found.text().split("\n"), "Two kernels in turn are one, until a ReLU stands between"
    sheet = Sheet(WIDTH, 412 + 14 * len(lines), title, found.text())
    sheet.text((_EDGE, 20), title, bold=True, size=11)
    side, apart = 132, 50
    for index, (name, kernel, sign) in enumerate(
        (("first", found.first, "then"), ("second", found.second, "="), ("both as one", found.composed, ""))
    ):
        left = _EDGE + index * (side + apart)
        over = _divisor(kernel, side)
        sheet.text(
            (left, 42), f"{name}, {kernel.shape[0]}×{kernel.shape[1]}" + (f", {over}" if over else ""), colour=MUTED
        )
        draw_kernel(sheet, kernel, left, 52, side)
        sheet.text((left + side + apart / 2, 52 + side / 2), sign, size=10, align="center")
        sheet.legend(signed(kernel, WEIGHTS), left, 192, side)
    sheet.text((WIDTH - _EDGE, 112), "the picture", size=7, colour=MUTED, align="right")
    _fit(sheet, found.picture, WIDTH - _EDGE - _TILE, 122, _TILE, _BRIGHTNESS)
    _maps(sheet, found, side)
    for index, line in enumerate(lines):
        sheet.text((_EDGE, 418 + 14 * index), line, width=WIDTH - 2 * _EDGE)
    return sheet.figure


def _maps(sheet: Sheet, found: Collapse, side: float) -> None:
    """Draw what two kernels make of a picture in all three ways, and what the ReLU changes, in one scale."""
    maps = {
        "first, then second": found.in_turn,
        "both as one": found.at_once,
        "ReLU between": found.with_relu,
        "what the ReLU changes": found.with_relu - found.in_turn,
    }
    scale, step = for_activations(np.stack(list(maps.values()))), (WIDTH - 2 * _EDGE - side) / 3
    for index, (name, map_) in enumerate(maps.items()):
        x = _EDGE + index * step
        sheet.text((x, 234), name, colour=MUTED)
        _fit(sheet, map_, x, 244, side, scale)
    sheet.legend(scale, _EDGE, 384, side)
    sheet.text((_EDGE + step, 388), "one scale for the four maps", size=7, colour=MUTED)


def draw_kernel(sheet: Sheet, kernel: Array, x: float, y: float, side: float) -> None:
    """Draw a kernel (KH, KW) into a square, with its numbers or, where they would be too small, their signs."""
    scale = signed(kernel, WEIGHTS)
    cell = side / max(kernel.shape)
    left, top = x + (side - cell * kernel.shape[1]) / 2, y + (side - cell * kernel.shape[0]) / 2
    right, bottom = left + cell * kernel.shape[1], top + cell * kernel.shape[0]
    sheet.picture(kernel, left, top, right - left, bottom - top, scale)
    if cell >= _SMALLEST:
        across = [(left, right, top + row * cell, top + row * cell) for row in range(1, kernel.shape[0])]
        down = [(left + step * cell, left + step * cell, top, bottom) for step in range(1, kernel.shape[1])]
        points = [point for x0, x1, y0, y1 in across + down for point in ((x0, y0), (x1, y1), (math.nan, math.nan))]
        if points:
            sheet.line(points, RULE, width=0.5, on_top=True)
        _write_cells(sheet, kernel, left, top, cell)
    sheet.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], MUTED, width=0.6, on_top=True)


def _write_cells(sheet: Sheet, kernel: Array, left: float, top: float, cell: float) -> None:
    """Write the numbers, or only the signs of those that matter: dark on light and light on dark."""
    shown, size = _whole(kernel)[0], _number_size(kernel, cell)
    shades = abs(kernel) / (float(abs(kernel).max()) or 1)
    for (row, column), value in np.ndenumerate(shown):
        word = write_number(float(value)) if size else ("+" if value > 0 else "−")
        if size or shades[row, column] > _FAINT:
            place = left + (column + 0.5) * cell, top + (row + 0.5) * cell
            colour = PAPER if shades[row, column] > _DARK else INK
            sheet.text(place, word, size=size or min(cell - 1, 8.0), colour=colour, align="center")


def _number_size(kernel: Array, cell: float) -> float:
    """Return the size at which all numbers fit into their cells, 0 where that is too small to read."""
    if cell < 2 * _SMALLEST:
        return 0.0
    words = (write_number(value) for value in np.unique(_whole(kernel)[0]).tolist())
    size = min(9.0, (cell - 2) / max(measure(word, 1) for word in words))
    return size if size >= _SMALLEST else 0.0


def _divisor(kernel: Array, side: float) -> str:
    """Return what is written beside the numbers of a kernel drawn so large: "÷ 16", or nothing."""
    _, divisor = _whole(kernel)
    return f"÷ {divisor}" if divisor > 1 and _number_size(kernel, side / max(kernel.shape)) else ""


def _whole(kernel: Array) -> tuple[Array, int]:
    """Return a kernel as whole numbers over a divisor, or as it is over 1 where that cannot be."""
    return whole_numbers(kernel, 999) or (kernel, 1)


def _scale(exhibit: Exhibit) -> Scale:
    """Return the colours of an answer: those of signs, or grey from black to white as the picture has."""
    return signed(exhibit.answer, "RdBu_r") if exhibit.is_signed else _BRIGHTNESS


def _answer(sheet: Sheet, exhibit: Exhibit, x: float, y: float, side: float) -> None:
    _fit(sheet, exhibit.answer, x, y, side, _scale(exhibit))


def _fit(sheet: Sheet, map_: Array, x: float, y: float, side: float, scale: Scale) -> None:
    """Draw a map into the middle of a square, its sides in proportion."""
    cell = side / max(map_.shape)
    height, width = (extent * cell for extent in map_.shape)
    sheet.picture(map_, x + (side - width) / 2, y + (side - height) / 2, width, height, scale)


def _header(sheet: Sheet, picture: Array) -> None:
    _fit(sheet, picture, _EDGE, _EDGE, 76, _BRIGHTNESS)
    x = _EDGE + 90
    sheet.text((x, 24), "Kernels, and what each makes of the picture on the left", bold=True, size=11)
    sheet.text((x, 42), "Left: the weights, each kernel's colours reaching its largest magnitude.", colour=MUTED)
    sheet.text(
        (x, 54), "Right: the answer; in grey where flat areas keep a brightness, else signed, 0 white.", colour=MUTED
    )
    for index, (name, scale) in enumerate(
        (
            ("weights", Scale(-1.0, 1.0, WEIGHTS)),
            ("signed answers", Scale(-1.0, 1.0, ACTIVATIONS)),
            ("pictures", _BRIGHTNESS),
        )
    ):
        left = x + index * 160
        sheet.text((left, 72), name, size=7, colour=MUTED)
        sheet.legend(scale, left, 78, 130)


def _response(sheet: Sheet, exhibit: Exhibit, x: float) -> None:
    """Draw the gains of waves over their frequencies, flat areas in the middle."""
    side, top = _PANEL - 30, 52
    left = x + 30
    scale = for_activations(exhibit.gains)
    sheet.text((left, 42), "gain of waves", colour=MUTED)
    sheet.picture(exhibit.gains, left, top, side, side, scale)
    for share, mark in ((0.0, "−½"), (0.5, "0"), (1.0, "½")):
        sheet.line([(left + share * side, top + side), (left + share * side, top + side + 3)], MUTED)
        sheet.line([(left - 3, top + (1 - share) * side), (left, top + (1 - share) * side)], MUTED)
        sheet.text((left + share * side, top + side + 9), mark, size=7, align="center")
        sheet.text((left - 5, top + (1 - share) * side), mark, size=7, align="right")
    sheet.text(
        (left + side / 2, top + side + 19),
        "cycles per pixel, to the right and upwards",
        size=7,
        colour=MUTED,
        align="center",
    )
    sheet.legend(scale, left, 234, side)


def _lines(description: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Break what is said where it is too wide; the word before it stands at its first line only."""
    lines: list[tuple[str, str]] = []
    for word, said in description:
        line = ""
        for part in said.split(" "):
            longer = f"{line} {part}".strip()
            if measure(longer, 8) > WIDTH - 2 * _EDGE - 72:
                lines.append((word, line))
                word, line = "", part
            else:
                line = longer
        lines.append((word, line))
    return lines
