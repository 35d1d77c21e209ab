"""A convolution's filters as a sheet: colours, signed numbers, a matrix of kernels, and Gabor fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pellucid.analysis.summary import size
from pellucid.errors import ParameterError
from pellucid.explain.filters import Filters, GaborStudy
from pellucid.explain.numbers import fixed
from pellucid.types import Array
from pellucid.views import scales
from pellucid.views.grid import CAPTION, PIXEL, SMALL, Grid, caption, layout, limit, paint, paint_photos, ramp
from pellucid.views.scales import WEIGHTS, Scale
from pellucid.views.sheet import BLUE, INK, MUTED, PAPER, RULE, WIDTH, Sheet, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALES = ("local", "layer")
"""Each filter its own, or one for all filters of the layer."""

_MARGIN, _WIDE, _LEGEND = 16.0, WIDTH - 32.0, 110.0
_MOST, _MOST_KERNELS, _MOST_POINTS = 256, (32, 32), (256, 256)
"""Filters in a grid; rows and columns of a matrix of kernels, and of one of 1×1 kernels."""
_LABEL, _NORM, _CELL, _TALL, _APART = 24.0, 32.0, 8.0, 560.0, 8.0
"""Points: before and behind a matrix's rows, of its largest cell, of its height; between tiles with captions."""
_NUMBERED, _MARKED = 19.0, 4.5
"""Points of a cell into which its number is written, or a minus."""
_HEAD, _SECTION, _AFTER = 52.0, 28.0, 14.0


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of the sheet: its height in points, and how it is drawn from a height on."""

    height: float
    draw: Callable[[Sheet, float], None]


def filters_sheet(
    filters: Filters,
    study: GaborStudy | None = None,
    *,
    scale: str = "layer",
    title: str = "Filters",
    subtitle: str = "",
) -> Figure:
    """Draw filters: negative weights are purple, positive ones orange, and 0 is white.

    Filters on three channels of the image are drawn as colours, too; filters on many channels as a matrix of kernels, a
    row for each filter. Raises ParameterError where there is no such scale.

    >>> found = Filters("conv1", np.eye(3)[None, None], None, (1, 1), 1, True, (0,))
    >>> filters_sheet(found).get_label().splitlines()
    ['Filters: conv1', 'conv1: 1 filter of 1×3×3, weights from 0 to 1.']
    """
    if scale not in SCALES:
        raise ParameterError(f"The 'scale' of filters must be one of {', '.join(SCALES)}; got {scale!r}.")
    channels = filters.weights.shape[1]
    if channels == 1:
        blocks = [_signed(filters, scale)]
    elif filters.first and channels == 3:
        blocks = [_as_colours(filters, scale), _by_channel(filters, scale)]
    else:
        blocks = [_matrix(filters, scale)]
    blocks += [] if study is None else [_distributions(filters, study), _fits(filters, study)]
    height = _MARGIN + _HEAD + sum(block.height + _AFTER for block in blocks)
    sheet = Sheet(WIDTH, height, f"{title}: {filters.layer}", _about(filters, study))
    sheet.text((_MARGIN, _MARGIN + 5), title, bold=True, size=10)
    sheet.text((_MARGIN, _MARGIN + 21), f"{filters.layer} · {extent(filters)}", bold=True)
    sheet.text((_MARGIN, _MARGIN + 34), subtitle, colour=MUTED, width=_WIDE)
    y = _MARGIN + _HEAD
    for block in blocks:
        block.draw(sheet, y)
        y += block.height + _AFTER
    return sheet.figure


def _signed(filters: Filters, scale: str) -> _Block:
    """Show filters on one channel each, with their numbers where these find room."""
    shown = filters.order[:_MOST]
    weights = filters.weights[list(shown), 0]
    kernel = weights.shape[1:]
    grid = layout(len(shown), kernel, _WIDE, least=33, most=70, tallest=420, caption=CAPTION, gap=_APART)
    scaled = _scales(filters, weights, scale)

    def draw(sheet: Sheet, y: float) -> None:
        marks = "; a minus marks negative weights" if _is_marked(grid, kernel[1]) else ""
        _heading(sheet, y, "Weights", _captions(scale) + marks + _limited(shown, filters), scaled[0], scale)
        top = y + _SECTION
        paint(sheet, grid, weights, scaled, _MARGIN, top, _WIDE)
        _captioned(sheet, grid, filters, shown, scaled if scale == "local" else None, top)
        for index, (one, own) in enumerate(zip(weights, scaled * (len(shown) // len(scaled)), strict=True)):
            _write_numbers(sheet, grid.place(index), one, own, top)
        _mark_negative(sheet, grid, weights, scaled, top)

    return _Block(_SECTION + grid.height, draw)


def _as_colours(filters: Filters, scale: str) -> _Block:
    shown = filters.order[:_MOST]
    weights = filters.weights[list(shown)]
    grid = layout(len(shown), weights.shape[2:], _WIDE, least=24, most=70, tallest=330, caption=CAPTION, gap=_APART)
    limits = np.array([one.high for one in _scales(filters, weights, scale)])
    pixels = as_pixels(weights, limits)

    def draw(sheet: Sheet, y: float) -> None:
        note = (
            "Grey is 0 in all three channels; a colour that is more than grey is looked for, one that is less avoided."
        )
        sheet.text((_MARGIN, y + 4), "As colours", bold=True, size=9)
        sheet.text((_MARGIN, y + 17), note + _limited(shown, filters), size=7, colour=MUTED, width=_WIDE)
        paint_photos(sheet, grid, pixels, _MARGIN, y + _SECTION, _WIDE)
        _captioned(sheet, grid, filters, shown, None, y + _SECTION)

    return _Block(_SECTION + grid.height, draw)


def as_pixels(weights: Array, limits: Array) -> Array:
    """Return filters (N, 3, KH, KW) as pictures (N, KH, KW, 3), uint8: 0 is grey, ± a filter's limit black and white.

    >>> as_pixels(np.array([1.0, 0.0, -1.0]).reshape(1, 3, 1, 1), np.ones(1)).tolist()
    [[[[255, 128, 0]]]]
    """
    shares = weights / np.where(limits > 0, limits, 1.0)[:, None, None, None]
    return np.rint(127.5 + 127.5 * shares).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _by_channel(filters: Filters, scale: str) -> _Block:
    """Show each filter's red, green and blue kernels side by side."""
    shown = filters.order[:_MOST]
    weights = filters.weights[list(shown)]
    count, _, rows, columns = weights.shape
    tiles = np.full((count, rows, 3 * columns + 2), np.nan)
    for channel in range(3):
        tiles[:, :, channel * (columns + 1) : channel * (columns + 1) + columns] = weights[:, channel]
    grid = layout(count, tiles.shape[1:], _WIDE, least=60, most=210, tallest=420, caption=CAPTION, gap=_APART)
    scaled = _scales(filters, weights, scale)

    def draw(sheet: Sheet, y: float) -> None:
        note = "red, green and blue side by side; " + _captions(scale)
        _heading(sheet, y, "By channel", note, scaled[0], scale)
        paint(sheet, grid, tiles, scaled, _MARGIN, y + _SECTION, _WIDE)
        _captioned(sheet, grid, filters, shown, scaled if scale == "local" else None, y + _SECTION)

    return _Block(_SECTION + grid.height, draw)


def _matrix(filters: Filters, scale: str) -> _Block:
    """Show kernels in rows of filters and columns of input channels."""
    rows, cells = filters.weights.shape[2:]
    is_points = (rows, cells) == (1, 1)
    most_rows, most_columns = _MOST_POINTS if is_points else _MOST_KERNELS
    shown, columns = filters.order[:most_rows], min(filters.weights.shape[1], most_columns)
    weights = filters.weights[list(shown), :columns]
    gap = 0 if is_points else 1
    spread = np.full((len(shown), rows, columns, cells + gap), np.nan)  # a row of kernels is one tile
    spread[..., :cells] = weights.transpose(0, 2, 1, 3)
    tiles = spread.reshape(len(shown), rows, -1)[:, :, : columns * (cells + gap) - gap]
    grid = _rows(len(shown), tiles.shape[1:], gap)
    scaled = _scales(filters, weights, scale)

    def draw(sheet: Sheet, y: float) -> None:
        group = f" of its group, one of {filters.groups}" if filters.groups > 1 else ""
        note = f"a row for each filter, a column for each input channel{group}"
        cut = f"{columns} of {filters.weights.shape[1]} columns; " if columns < filters.weights.shape[1] else ""
        of_rows = f"{len(shown)} of {len(filters.order)} rows; " if len(shown) < len(filters.order) else ""
        last = "behind a row: its limits" if scale == "local" else "behind a row: the filter's norm"
        _heading(sheet, y, "Weights", f"{note}; {of_rows}{cut}{last}", scaled[0], scale)
        top = y + _SECTION
        paint(sheet, grid, tiles, scaled, _MARGIN + _LABEL, top)
        pitch = grid.step[1] * PIXEL
        for index in range(0, len(shown), max(1, math.ceil(7.5 / pitch))):
            _, down, _, tall = grid.place(index)
            middle = top + down + tall / 2
            sheet.text((_MARGIN + _LABEL - 4, middle), str(shown[index]), size=SMALL, colour=MUTED, align="right")
            words = limit(scaled[index]) if scale == "local" else f"{filters.norms[shown[index]]:.2f}"
            sheet.text((_MARGIN + _LABEL + grid.width + 4, middle), words, size=SMALL)

    return _Block(_SECTION + grid.height, draw)


def _rows(count: int, plane: tuple[int, ...], gap: int) -> Grid:
    """Lay out rows of kernels, with as much between rows as between kernels."""
    rows, columns = plane
    room = min(_CELL, _TALL / (count * (rows + gap)), (_WIDE - _LABEL - _NORM - 9) / columns)
    cell = max(1, int(room / PIXEL))
    tile = columns * cell, rows * cell
    return Grid(count, 1, tile, (tile[0], tile[1] + gap * cell))


def _distributions(filters: Filters, study: GaborStudy) -> _Block:
    """Show where R² of these filters and of random ones lie, each as a stroke, with the medians."""
    kernel = size(filters.weights.shape[2:])

    def draw(sheet: Sheet, y: float) -> None:
        channels = filters.weights.shape[1]
        share = f"{100 * float(np.median(study.shares)):.0f} %"
        plane = f"; fitted is each filter's principal plane ({share} of its squares, by median)"
        sheet.text((_MARGIN, y + 4), "Gabor functions", bold=True, size=9)
        note = "R²: the share of a filter's variance that a Gabor function of 9 parameters explains"
        sheet.text((_MARGIN, y + 17), note + plane * (channels > 1), size=7, colour=MUTED, width=_WIDE)
        left, right = _MARGIN + 104, _MARGIN + _WIDE - 92
        rows = (("these filters", study.r2, BLUE), (f"random filters of {kernel}", study.random, MUTED))
        for index, (name, values, colour) in enumerate(rows):
            middle, known = y + 38 + 22 * index, values[~np.isnan(values)]
            sheet.text((_MARGIN, middle), name, width=100)
            sheet.line([(left, middle), (right, middle)], RULE, width=0.6)
            for value in known.tolist():
                x = left + max(value, 0.0) * (right - left)
                sheet.line([(x, middle - 5), (x, middle + 5)], tint(colour, 0.55), width=0.7)
            if len(known):
                x = left + float(np.median(known)) * (right - left)
                sheet.line([(x, middle - 8), (x, middle + 8)], INK, width=1.6, on_top=True)
                words = f"median {np.median(known):.2f}"
                sheet.text((_MARGIN + _WIDE, middle), words, bold=index == 0, align="right")
        for mark in (0.0, 0.25, 0.5, 0.75, 1.0):
            sheet.text((left + mark * (right - left), y + 78), f"{mark:g}", size=7, colour=MUTED, align="center")

    return _Block(84, draw)


def _fits(filters: Filters, study: GaborStudy) -> _Block:
    """Show each filter's plane and, to the right of it, the Gabor function nearest to it, on a common scale."""
    shown = filters.order[:_MOST]
    count, (rows, columns) = len(shown), study.planes.shape[1:]
    tiles = np.full((count, rows, 2 * columns + 1), np.nan)
    tiles[:, :, :columns] = study.planes[:count]
    drawn = [fit.gabor.draw(rows, columns) for fit in study.fits[:count]]
    tiles[:, :, columns + 1 :] = drawn
    grid = layout(count, tiles.shape[1:], _WIDE, least=54, most=110, tallest=420, caption=CAPTION, gap=_APART)
    scaled = [scales.signed(np.nan_to_num(tile), WEIGHTS) for tile in tiles]

    def draw(sheet: Sheet, y: float) -> None:
        note = "left the filter, right its Gabor function; above: the filter's number and R²"
        _heading(sheet, y, "Fits", note + _limited(shown, filters), scaled[0], "local")
        paint(sheet, grid, tiles, scaled, _MARGIN, y + _SECTION, _WIDE)
        for index, (number, fit) in enumerate(zip(shown, study.fits, strict=False)):
            words = "constant" if math.isnan(fit.r2) else f"R² {fit.r2:.2f}"
            caption(sheet, grid, index, _MARGIN, y + _SECTION, str(number), words)

    return _Block(_SECTION + grid.height, draw)


def _heading(sheet: Sheet, y: float, name: str, note: str, scale: Scale, kind: str) -> None:
    left = WIDTH - _MARGIN - _LEGEND
    sheet.text((_MARGIN, y + 4), name, bold=True, size=9)
    sheet.text((_MARGIN, y + 17), note, size=7, colour=MUTED, width=left - _MARGIN - 12)
    if kind == "local":
        ramp(sheet, scale, ("−limit", "0", "+limit"), left, y - 3, _LEGEND)
    else:
        sheet.legend(scale, left, y - 3, _LEGEND)


def _captioned(
    sheet: Sheet, grid: Grid, filters: Filters, shown: tuple[int, ...], limits: list[Scale] | None, top: float
) -> None:
    norms = filters.norms
    for index, number in enumerate(shown):
        words = f"{norms[number]:.2f}" if limits is None else limit(limits[index])
        caption(sheet, grid, index, _MARGIN, top, str(number), words)


def _write_numbers(
    sheet: Sheet, place: tuple[float, float, float, float], values: Array, scale: Scale, top: float
) -> None:
    """Write a filter's numbers into its cells, in white where these are dark."""
    x, y, width, height = place
    rows, columns = values.shape
    if width / columns < _NUMBERED:
        return
    for (row, column), value in np.ndenumerate(values):
        middle = _MARGIN + x + (column + 0.5) * width / columns, top + y + (row + 0.5) * height / rows
        colour = PAPER if abs(value) > 0.6 * scale.high else INK
        sheet.text(middle, _short(float(value)), size=SMALL, colour=colour, align="center")


def _is_marked(grid: Grid, columns: int) -> bool:
    return _MARKED <= grid.tile[0] * PIXEL / columns < _NUMBERED


def _mark_negative(sheet: Sheet, grid: Grid, weights: Array, scaled: list[Scale], top: float) -> None:
    """Put a minus into clearly negative cells that are too small for numbers: in grey, colours do not tell signs."""
    rows, columns = weights.shape[1:]
    if not _is_marked(grid, columns):
        return
    cell = grid.tile[0] * PIXEL / columns
    strokes: dict[str, list[tuple[float, float]]] = {INK: [], PAPER: []}
    for index, values in enumerate(weights):
        x, y, _, height = grid.place(index)
        share = values / (scaled[min(index, len(scaled) - 1)].high or 1.0)
        for row, column in np.argwhere(share < -0.15).tolist():
            left, middle = _MARGIN + x + (column + 0.3) * cell, top + y + (row + 0.5) * height / rows
            ink = PAPER if share[row, column] < -0.6 else INK
            strokes[ink] += [(left, middle), (left + 0.4 * cell, middle), (np.nan, np.nan)]
    for ink, points in strokes.items():
        if points:
            sheet.line(points, ink, width=0.7, on_top=True)


def _scales(filters: Filters, weights: Array, scale: str) -> list[Scale]:
    """Return the layer's scale, or one of each filter that is shown."""
    return [scales.signed(one, WEIGHTS) for one in ([filters.weights] if scale == "layer" else weights)]


def _short(value: float) -> str:
    digits = 2 if abs(value) < 10 else 0
    return fixed(value, digits)


def _captions(scale: str) -> str:
    return f"above: the filter's number and {'its limits' if scale == 'local' else 'its norm'}"


def _limited(shown: tuple[int, ...], filters: Filters) -> str:
    return f"; {len(shown)} of {len(filters.order):,}" if len(shown) < len(filters.order) else ""


def extent(filters: Filters) -> str:
    """Say how many filters there are, and how large."""
    count, *shape = filters.weights.shape
    stride = "" if filters.stride == (1, 1) else f", stride {size(filters.stride)}"
    return f"{count:,} filter{'s' if count != 1 else ''} of {size(tuple(shape))}{stride}"


def _about(filters: Filters, study: GaborStudy | None) -> str:
    low, high = (f"{edge:.3g}".replace("-", "−") for edge in (filters.weights.min(), filters.weights.max()))
    said = f"{filters.layer}: {extent(filters)}, weights from {low} to {high}."
    if study is None:
        return said
    median = "none, as all filters are constant" if math.isnan(study.median) else f"{study.median:.2f}"
    return f"{said} Median R² of Gabor functions: {median}; of random filters {np.median(study.random):.2f}."
