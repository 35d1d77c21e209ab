"""The patches that excite channels most as a sheet: a row for each channel, its filter before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.images import as_bytes
from pellucid.explain.exciting import Patch
from pellucid.explain.filters import Filters
from pellucid.types import Array, Pair
from pellucid.views import scales
from pellucid.views.filters import as_pixels
from pellucid.views.grid import PIXEL, SMALL, sized
from pellucid.views.scales import WEIGHTS
from pellucid.views.sheet import MUTED, RULE, WIDTH, Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN, _WIDE = 16.0, WIDTH - 32.0
_HEAD, _LEGEND, _LABEL = 66.0, 110.0, 30.0
_LARGEST, _GAP, _CAPTION, _BETWEEN = 60.0, 6.0, 18.0, 9.0
_MOST = 64
"""Rows of a sheet."""
_HATCH = np.array([[0xE9, 0xEC, 0xF0], [0xD2, 0xD7, 0xDE]], np.uint8)
"""Stripes where a patch hangs over the image's border."""


def patches_sheet(
    found: Mapping[int, Sequence[Patch]],
    images: Array,
    layer: str,
    filters: Filters | None = None,
    *,
    title: str = "Exciting patches",
    subtitle: str = "",
) -> Figure:
    """Draw what :func:`pellucid.explain.exciting.exciting_patches` found on the data set's ``images``.

    ``filters`` are those of the layer where it reads the image itself: they stand before the patches. Of more than 64
    channels the first are drawn.

    >>> patch = Patch(0, 2.5, 0, "bag", (1, 1), (0, 0, 3, 3), (-1, -1, 3, 3))
    >>> patches_sheet({0: [patch]}, np.zeros((1, 1, 8, 8), np.uint8), "conv1").get_label().splitlines()[0]
    'Exciting patches: conv1'
    """
    count, found = len(found), dict(list(found.items())[:_MOST])
    top = max(len(patches) for patches in found.values())
    before = _LABEL + (0.0 if filters is None else _LARGEST + _GAP)
    side = min(_LARGEST, (_WIDE - before - (top - 1) * _GAP) / top)
    pitch = side + _CAPTION + _BETWEEN
    sheet = Sheet(WIDTH, _MARGIN + _HEAD + len(found) * pitch + 4, f"{title}: {layer}", _about(found, layer))
    subtitle += f" · {len(found)} of {count:,} channels" if len(found) < count else ""
    _draw_head(sheet, layer, filters, title, subtitle, found)
    largest = max((_extent(patch) for patches in found.values() for patch in patches), key=max)
    for row, (channel, patches) in enumerate(found.items()):
        y = _MARGIN + _HEAD + row * pitch
        sheet.text((_MARGIN, y + _CAPTION + side / 2), str(channel), bold=True)
        if filters is not None:
            _draw_filter(sheet, filters, channel, _MARGIN + _LABEL, y + _CAPTION, side)
        if not any(patch.value for patch in patches):
            sheet.text((_MARGIN + before, y + _CAPTION + side / 2), "not above 0 on any image", colour=MUTED)
            continue
        for column, patch in enumerate(patches):
            x = _MARGIN + before + column * (side + _GAP)
            _draw_patch(sheet, images[patch.index], patch, (x, y), side, max(largest))
    return sheet.figure


def _draw_head(
    sheet: Sheet,
    layer: str,
    filters: Filters | None,
    title: str,
    subtitle: str,
    found: Mapping[int, Sequence[Patch]],
) -> None:
    extents = [_extent(patch) for patches in found.values() for patch in patches]
    height, width = (min(sizes) for sizes in zip(*extents, strict=True))  # repeated borders widen some frames
    sheet.text((_MARGIN, _MARGIN + 5), title, bold=True, size=10)
    sheet.text((_MARGIN, _MARGIN + 21), f"{layer} · a cell sees {height}×{width} pixels", bold=True)
    wide = _WIDE - _LEGEND - 16
    sheet.text((_MARGIN, _MARGIN + 34), subtitle, colour=MUTED, width=wide)
    words = "A row for each channel, the largest value first; above a patch: the cell's value and the image's class"
    is_over = any(patch.box != patch.frame for patches in found.values() for patch in patches)
    sheet.text((_MARGIN, _MARGIN + 50), words + "; stripes: outside the image" * is_over, size=7, width=_WIDE)
    if filters is not None:
        x = WIDTH - _MARGIN - _LEGEND
        sheet.text((x, _MARGIN + 5), "weights of the filters", size=7, colour=MUTED)
        if filters.weights.shape[1] == 1:
            sheet.legend(scales.signed(filters.weights, WEIGHTS), x, _MARGIN + 13, _LEGEND)
        else:
            sheet.text((x, _MARGIN + 17), "as colours; grey is 0", size=7, colour=MUTED)


def _draw_filter(sheet: Sheet, filters: Filters, channel: int, x: float, y: float, side: float) -> None:
    weights = filters.weights[channel]
    rows, columns = weights.shape[1:]
    fit = side / max(rows, columns)
    if len(weights) == 1:
        sheet.picture(weights[0], x, y, columns * fit, rows * fit, scales.signed(filters.weights, WEIGHTS))
    else:
        limit = float(abs(filters.weights).max())
        sheet.photo(as_pixels(weights[None], np.array([limit]))[0], x, y, columns * fit, rows * fit)
    _outline(sheet, x, y, columns * fit, rows * fit)


def _draw_patch(sheet: Sheet, image: Array, patch: Patch, place: tuple[float, float], side: float, most: int) -> None:
    (x, y), pixels = place, int(side / PIXEL)
    value = f"{patch.value:.3g}".replace("-", "−")
    sheet.text((x, y + 4), value, size=7, width=side)
    sheet.text((x, y + 12.5), patch.label, size=SMALL, colour=MUTED, width=side)
    drawn = cut_out(image, patch, max(1, pixels // most))
    height, width = drawn.shape[:2]
    share = pixels / max(height, width)
    if share < 1:
        drawn = sized(drawn, max(1, round(height * share)), max(1, round(width * share)))
    wide, high = (extent / max(height, width) * side for extent in (width, height))
    sheet.photo(drawn, x, y + _CAPTION, wide, high)
    _outline(sheet, x, y + _CAPTION, wide, high)


def _outline(sheet: Sheet, x: float, y: float, width: float, height: float) -> None:
    """Tell white pixels from the paper."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    sheet.line(corners, RULE, width=0.5, on_top=True)


def cut_out(image: Array, patch: Patch, factor: int) -> Array:
    """Return a patch's frame as a picture (h, w, 3), uint8, ``factor`` pixels a cell, with stripes outside the image.

    >>> patch = Patch(0, 1.0, 0, "", (0, 0), (0, 0, 2, 2), (-1, -1, 2, 2))
    >>> cut_out(np.full((1, 4, 4), 7, np.uint8), patch, 1)[:, :, 0].tolist()
    [[233, 233, 233], [233, 7, 7], [233, 7, 7]]
    """
    y0, x0, y1, x1 = patch.frame
    height, width = (y1 - y0) * factor, (x1 - x0) * factor
    stripes = (np.add.outer(np.arange(height), np.arange(width)) // 5) % 2  # (h, w)
    drawn: Array = _HATCH[stripes]
    top, left, bottom, right = patch.box
    inside = as_bytes(image)[:, top:bottom, left:right].transpose(1, 2, 0)  # (h, w, C)
    inside = np.broadcast_to(inside, (*inside.shape[:2], 3)).repeat(factor, 0).repeat(factor, 1)
    row, column = (top - y0) * factor, (left - x0) * factor
    drawn[row : row + len(inside), column : column + inside.shape[1]] = inside
    return drawn


def _extent(patch: Patch) -> Pair:
    y0, x0, y1, x1 = patch.frame
    return y1 - y0, x1 - x0


def _about(found: Mapping[int, Sequence[Patch]], layer: str) -> str:
    said = [f"Of {layer}, for each channel, the patches with the largest values."]
    for channel, patches in found.items():
        best = patches[0]
        value = f"{best.value:.3g}".replace("-", "−")
        said.append(f"Channel {channel}: {value} in image {best.index} ({best.label}).")
    return " ".join(said)
