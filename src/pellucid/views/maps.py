"""Feature maps as a sheet: the image, and what layers make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pellucid.analysis.summary import size
from pellucid.errors import ParameterError
from pellucid.explain.maps import Maps
from pellucid.types import Array
from pellucid.views import scales
from pellucid.views.grid import CAPTION, MAT, Grid, caption, layout, limit, paint, ramp
from pellucid.views.scales import Scale
from pellucid.views.sheet import INK, MUTED, WIDTH, Sheet, fitted, measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALES = ("local", "layer", "global")
"""Each map its own, one for the maps of a layer, one for all maps of the sheet."""
MOST = 1024
"""Maps of a layer on a sheet."""

_MARGIN, _WIDE = 16, WIDTH - 32
_PHOTO = 84.0
_HEADING, _NOTE, _AFTER = 15, 11, 14
_LEGEND = 110
_BARS, _BAR, _STRIP = 40, 13, 64
"""Numbers that are drawn as bars, their height in points; numbers in a row of a strip."""
_ORDER = {"index": "", "mean": "largest mean first", "max": "largest value first"}


@dataclass(frozen=True, slots=True)
class _Section:
    """One layer on the sheet: what is shown of it, and how many points high that is."""

    maps: Maps
    shown: tuple[int, ...]
    grid: Grid | None
    """None where numbers are drawn as bars."""
    notes: tuple[str, ...]
    has_legend: bool

    @property
    def height(self) -> float:
        """Points, with the heading."""
        body = self.grid.height if self.grid else -(-len(self.shown) // self.bar_columns) * _BAR
        return self.head + body

    @property
    def head(self) -> float:
        """Points of the name, the legend beside it and the notes below."""
        return _HEADING + _NOTE * max(len(self.notes), int(self.has_legend))

    @property
    def bar_columns(self) -> int:
        """Columns of bars."""
        return 1 if len(self.shown) <= 12 else 2


def maps_sheet(
    found: Sequence[Maps],
    picture: Array,
    *,
    scale: str = "layer",
    title: str = "Feature maps",
    subtitle: str = "",
    by: str = "index",
    classes: Sequence[str] = (),
    most: int = MOST,
) -> Figure:
    """Draw layers' maps below each other, the picture (C, H, W; uint8) above them.

    Maps with negative numbers are blue where negative and red where positive, the others from dark to light;
    ``classes`` name the numbers of the last layer. Raises ParameterError where there is no such scale.

    >>> record = Maps("relu", "ReLU", np.zeros((2, 4, 4)), (0, 1))
    >>> maps_sheet([record], np.zeros((1, 8, 8), np.uint8)).get_label().splitlines()
    ['Feature maps: relu', 'relu: 2 maps of 4×4, from 0 to 0; dead: 0–1.']
    """
    if scale not in SCALES:
        raise ParameterError(f"The 'scale' of maps must be one of {', '.join(SCALES)}; got {scale!r}.")
    sections = [_section(one, scale, by, most) for one in found]
    planes = [section.maps.values for section in sections if section.maps.values.ndim == 3]
    shared = _joined(planes) if scale == "global" and planes else None
    height = _MARGIN + _PHOTO + _AFTER + sum(section.height + _AFTER for section in sections)
    about = " ".join(_about(one) for one in found)
    sheet = Sheet(WIDTH, height, f"{title}: {', '.join(one.layer for one in found)}", about)
    _draw_head(sheet, picture, title, subtitle, scale, shared)
    y = _MARGIN + _PHOTO + _AFTER
    for section in sections:
        _draw(sheet, section, y, scale, shared, classes if section is sections[-1] else ())
        y += section.height + _AFTER
    return sheet.figure


def _section(maps: Maps, scale: str, by: str, most: int) -> _Section:
    is_plane = maps.values.ndim == 3
    shown = maps.order[: min(most, 256 if scale == "local" else MOST)] if is_plane else maps.order
    notes = []
    if len(shown) < len(maps.order):
        notes.append(f"{len(shown)} of {len(maps.order):,} are shown" + (f", {_ORDER[by]}" if _ORDER[by] else ""))
    elif _ORDER[by]:
        notes.append(_ORDER[by])
    if maps.dead:
        notes.append(f"0 everywhere on this image ({len(maps.dead)} of {len(maps.values)}): {_listed(maps.dead)}")
    grid = None
    if is_plane:
        in_rows = _is_run(shown) and len(shown) > 256 and scale != "local"  # too small to be named one by one
        least = {"local": 33.0}.get(scale, 7.0 if in_rows else 15.0)
        settings = {"least": least, "most": 66.0, "tallest": 330.0, "caption": 0.0 if in_rows else CAPTION}
        settings["gap"] = 7.0 if scale == "local" else 2.25
        grid = layout(len(shown), maps.values.shape[1:], _WIDE - 22 * in_rows, **settings)
    elif len(shown) > _BARS:
        rows, columns = -(-len(shown) // _STRIP), min(len(shown), _STRIP)
        grid = layout(1, (rows, columns), _WIDE - 22, least=100, most=_WIDE, tallest=1e4)
    return _Section(maps, shown, grid, tuple(notes), grid is not None and not (is_plane and scale == "global"))


def _draw_head(sheet: Sheet, picture: Array, title: str, subtitle: str, scale: str, shared: Scale | None) -> None:
    channels, rows, columns = picture.shape
    fit = _PHOTO / max(rows, columns)
    pixels = picture[0] if channels == 1 else picture.transpose(1, 2, 0)
    sheet.photo(pixels, _MARGIN, _MARGIN, columns * fit, rows * fit)
    x, width = _MARGIN + columns * fit + 14, _WIDE - columns * fit - 14
    sheet.text((x, _MARGIN + 6), title, bold=True, size=10, width=width)
    sheet.text((x, _MARGIN + 22), subtitle, colour=MUTED, width=width)
    words = {
        "local": "Each map has a scale of its own; its limits stand above it.",
        "layer": "One scale for each layer, so its maps can be compared; it stands beside the layer's name.",
        "global": "One scale for all maps of the sheet:",
    }[scale]
    sheet.text((x, _MARGIN + 40), "Numbers above maps count the layer's channels.", colour=MUTED, width=width)
    sheet.text((x, _MARGIN + 54), words, width=width)
    if shared is not None:
        sheet.legend(shared, x, _MARGIN + 65, _LEGEND * 1.4)


def _draw(sheet: Sheet, section: _Section, y: float, scale: str, shared: Scale | None, classes: Sequence[str]) -> None:
    maps, legend_x = section.maps, WIDTH - _MARGIN - _LEGEND
    sheet.text((_MARGIN, y + 4), maps.layer, bold=True, size=9)
    across = _MARGIN + measure(maps.layer, 9, bold=True) + 8
    sheet.text((across, y + 4), f"{maps.op} · {_extent(maps)}", colour=MUTED, width=legend_x - across - 8)
    for index, note in enumerate(section.notes):
        sheet.text((_MARGIN, y + 17 + _NOTE * index), note, size=7, width=legend_x - _MARGIN - 8)
    top = y + section.head
    if section.grid is None:
        _draw_bars(sheet, section, top, classes)
        return
    values = maps.values[list(section.shown)]
    if maps.values.ndim == 1:
        _draw_strip(sheet, section.grid, values, top, y)
        return
    own = scales.for_activations(maps.values)
    if scale == "local":
        signed = own.signed
        each = [scales.signed(one, own.colours) if signed else scales.for_activations(one) for one in values]
        marks = ("−limit", "0", "+limit") if signed else ("0", "limit")
        ramp(sheet, own, marks, legend_x, y - 3, _LEGEND)
    else:
        each = [shared or own]
        if shared is None:
            sheet.legend(own, legend_x, y - 3, _LEGEND)
    _draw_tiles(sheet, section, values, each, top)


def _draw_tiles(sheet: Sheet, section: _Section, values: Array, each: Sequence[Scale], top: float) -> None:
    assert section.grid is not None
    grid, left = section.grid, _MARGIN + (0 if section.grid.caption else 22)
    paint(sheet, grid, values, each, left, top, WIDTH - _MARGIN - left)
    if grid.caption:
        for index, channel in enumerate(section.shown):
            caption(sheet, grid, index, left, top, str(channel), limit(each[index]) if len(each) > 1 else "")
        return
    for index in range(0, len(section.shown), grid.columns):
        _, down, _, tall = grid.place(index)
        sheet.text((left - 4, top + down + tall / 2), str(section.shown[index]), size=6, colour=MUTED, align="right")


def _draw_strip(sheet: Sheet, grid: Grid, values: Array, top: float, heading: float) -> None:
    """Draw many numbers as cells in rows, the first one's number before each row."""
    scale = scales.for_activations(values)
    rows = np.full((-(-len(values) // _STRIP), min(len(values), _STRIP)), np.nan)
    rows.reshape(-1)[: len(values)] = values
    paint(sheet, grid, rows[None], [scale], _MARGIN + 22, top)
    sheet.legend(scale, WIDTH - _MARGIN - _LEGEND, heading - 3, _LEGEND)
    _, down, _, tall = grid.place(0)
    for row in range(len(rows)):
        y = top + down + (row + 0.5) * tall / len(rows)
        sheet.text((_MARGIN + 18, y), str(row * _STRIP), size=6, colour=MUTED, align="right")


def _draw_bars(sheet: Sheet, section: _Section, top: float, classes: Sequence[str]) -> None:
    """Draw few numbers as bars from a common zero, the largest in bold."""
    values, shown, columns = section.maps.values, section.shown, section.bar_columns
    names = [classes[i] if len(classes) == len(values) else str(i) for i in shown]
    width = (_WIDE - 24 * (columns - 1)) / columns
    label = min(max(measure(name, 8) for name in names), 0.3 * width)
    written = [f"{values[i]:+.3g}".replace("-", "−") for i in shown]
    room = width - label - 16 - max(measure(text, 8, bold=True) for text in written)
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    span, rows = (high - low) or 1.0, -(-len(shown) // columns)
    negative, positive = (_hex(scales.ACTIVATIONS, share) for share in (0.1, 0.9))
    for index, (channel, name, text) in enumerate(zip(shown, names, written, strict=True)):
        column, row = divmod(index, rows)
        x, y, value = _MARGIN + column * (width + 24), top + row * _BAR + _BAR / 2, float(values[channel])
        is_largest = value == values.max()
        sheet.text((x, y), fitted(name, label, 8), colour=INK if is_largest else MUTED)
        start, zero = x + label + 8, x + label + 8 - low / span * room
        end = start + (value - low) / span * room
        sheet.box(start, y - 3.5, room, 7, MAT)
        if end != zero:
            sheet.box(min(zero, end), y - 3.5, abs(end - zero), 7, positive if value > 0 else negative)
        sheet.line([(zero, y - 5), (zero, y + 5)], INK, width=0.6, on_top=True)
        sheet.text((x + width, y), text, bold=is_largest, align="right")


def _joined(values: Sequence[Array]) -> Scale:
    """Return the scale of several layers' maps."""
    return scales.for_activations(np.array([edge for one in values for edge in (one.min(), one.max())]))


def _hex(colours: str, share: float) -> str:
    red, green, blue = scales.palette(colours)[round(share * (scales.LEVELS - 1))]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _extent(maps: Maps) -> str:
    values = maps.values
    return f"{len(values):,} numbers" if values.ndim == 1 else f"{len(values):,} maps of {size(values.shape[1:])}"


def _about(maps: Maps) -> str:
    low, high = (f"{edge:.3g}".replace("-", "−") for edge in (maps.values.min(), maps.values.max()))
    dead = f"; dead: {_listed(maps.dead)}" if maps.dead else ""
    return f"{maps.layer}: {_extent(maps)}, from {low} to {high}{dead}."


def _is_run(channels: Sequence[int]) -> bool:
    return tuple(channels) == tuple(range(channels[0], channels[0] + len(channels)))


def _listed(channels: Sequence[int]) -> str:
    """Write channels, runs of them as first–last.

    >>> _listed((1, 2, 3, 7))
    '1–3, 7'
    """
    runs: list[list[int]] = []
    for channel in channels:
        if runs and channel == runs[-1][-1] + 1:
            runs[-1].append(channel)
        else:
            runs.append([channel])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
