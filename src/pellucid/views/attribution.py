"""Attributions as pictures: the image, the map with its signs, and the map on the image; or many methods at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.attribution.record import Attribution, Where, where
from pellucid.explain.attribution.sanity import Sanity
from pellucid.explain.numbers import fixed, number, percent, signed
from pellucid.reference import resize_bilinear
from pellucid.types import Array
from pellucid.views.scales import ACTIVATIONS, LEVELS, POSITIVE, Scale, palette
from pellucid.views.sheet import INK, MUTED, RULE, WIDTH, Sheet, measure, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EDGE, _GAP = 16, 20
_LEAVING_OUT = 0.5
"""Percent of the pixels that may lie beyond a signed scale: single ones would leave the others white."""
_LINE = 13
_OVER = 0.6
"""How much of a colour is laid over the image."""
_DIM = 0.7
"""How much of the image's contrast stays under the colours; half of that where the strongest colours are dark."""
_SHORTER = 512
"""An image's map is interpolated to so many pixels a side, at most, before it is drawn on it."""


def attribution(pixels: Array, found: Attribution, checked: Sanity | None = None) -> Figure:
    """Draw an attribution beside its image, uint8 (C, H, W), and on it; below, its words and a sanity check's stages.

    A map that is 0 everywhere is not painted; its words say why.
    """
    side = (WIDTH - 2 * _EDGE - 2 * _GAP) / 3
    words = [*found.words[1:], *(checked.words if checked else ())]
    lines = [line for sentence in words for line in wrapped(sentence, WIDTH - 2 * _EDGE, partial(measure, size=8))]
    stages = _stages_height(checked) if checked and checked.stages else 0
    top = 66
    bottom = top + side * _ratio(pixels) + 36
    title = f"{found.title} for {_class(found)}"
    about = " ".join((found.words[0], *words))
    sheet = Sheet(WIDTH, bottom + len(lines) * _LINE + stages + _EDGE, title, about)
    sheet.text((_EDGE, 22), title, bold=True, size=11, width=WIDTH - 2 * _EDGE)
    sheet.text((_EDGE, 39), _standing(found), size=8, colour=MUTED)
    on_image = "on the image; the line is at half the maximum" if found.layer else "on the image"
    heads = ("the image", _head(found), on_image)
    for column, head in enumerate(heads):
        x = _EDGE + column * (side + _GAP)
        sheet.text((x, top - 8), head, size=7.5, colour=MUTED, width=side)
        _draw(sheet, pixels, found, ("photo", "map", "overlay")[column], x, top, side)
    y = bottom
    for line in lines:
        y += _LINE
        sheet.text((_EDGE, y), line, size=8)
    if checked and checked.stages:
        _draw_stages(sheet, pixels, checked, y + 22)
    return sheet.figure


def attributions(pixels: Array, found: Sequence[Attribution], checked: Sequence[Sanity] = ()) -> Figure:
    """Draw several methods' attributions of one image to one class side by side, each on a scale of its own.

    Where they were ``checked``, in the same order, how far each map stays the same with random weights is written too.
    """
    columns, gap = 4, 14
    side = (WIDTH - 2 * _EDGE - (columns - 1) * gap) / columns
    high = 38 + side * _ratio(pixels) + 30 + (11 if checked else 0)
    rows = -(-(len(found) + 1) // columns)
    title = f"What speaks for and against {_class(found[0])}, by {len(found)} methods"
    about = " ".join(f"{each.title}: {_place(each, long=True)}" for each in found)
    about += "".join(f" {each.words[0]}" for each in checked)
    sheet = Sheet(WIDTH, 50 + rows * high + _EDGE, title, about)
    sheet.text((_EDGE, 22), title, bold=True, size=11, width=WIDTH - 2 * _EDGE)
    sheet.text(
        (_EDGE, 39),
        f"{_standing(found[0])}; each map on its own scale; white lines at half the maximum",
        size=8,
        colour=MUTED,
    )
    for index in range(len(found) + 1):
        row, column = divmod(index, columns)
        x, y = _EDGE + column * (side + gap), 50 + row * high
        each = found[index - 1]
        sheet.text((x, y + 14), each.title if index else "The image", bold=True, size=8, width=side)
        note = _place(each, long=False) if index else f"{pixels.shape[2]} × {pixels.shape[1]} pixels"
        sheet.text((x, y + 26), note, size=6.5, colour=MUTED, width=side)
        kind = "photo" if index == 0 else ("map" if each.layer is None else "overlay")
        below = _draw(sheet, pixels, each, kind, x, y + 34, side)
        if index and checked and checked[index - 1].stages:
            first, last = checked[index - 1].stages[0], checked[index - 1].stages[-1]
            said = f"{first.layers[0]} random {fixed(first.correlation)}, all {fixed(last.correlation)}"
            sheet.text((x, below + 34), said, size=6.5, width=side)
    return sheet.figure


def _draw(sheet: Sheet, pixels: Array, found: Attribution, kind: str, x: float, y: float, side: float) -> float:
    """Draw the image ("photo"), the "map" or the "overlay" of both, with its legend; return the picture's lower end."""
    height = side * _ratio(pixels)
    scale = _scale(found)
    if kind == "photo":
        sheet.photo(_photo(pixels), x, y, side, height)
    elif not found.summary.any():
        sheet.photo(_dimmed(pixels), x, y, side, height)
        sheet.text((x + side / 2, y + height / 2), "0 everywhere", size=8, align="center")
    elif kind == "map":
        sheet.picture(found.map if found.layer else found.summary, x, y, side, height, scale)
    else:
        sheet.photo(_overlay(pixels, found, scale), x, y, side, height)
    _frame(sheet, x, y, side, height)
    if kind == "overlay" and found.summary.any():
        (_draw_boxes if found.layer is None else _draw_contour)(sheet, found, x, y, side / pixels.shape[2])
    if kind != "photo" and found.summary.any():
        _legend(sheet, scale, x, y + height + 5, side, over=kind == "overlay")
    return y + height


def _legend(sheet: Sheet, scale: Scale, x: float, y: float, width: float, *, over: bool) -> None:
    """Draw a legend, its colours as they look over a middle grey where they lie over an image."""
    sheet.legend(scale, x, y, width)
    if over:
        ramp = np.linspace(scale.low, scale.high, LEVELS)[None]
        sheet.photo(_blended(np.full(ramp.shape, 0.5), ramp, scale), x, y, width, 9)


def _scale(found: Attribution) -> Scale:
    """Return the scale of a map: from 0, or with both signs and up to all but the largest magnitudes."""
    if found.layer:
        return Scale(0.0, float(found.map.max()), POSITIVE)
    limit = _limit(found.summary)
    return Scale(-limit, limit, ACTIVATIONS)


def _limit(values: Array) -> float:
    magnitudes = abs(values)
    return float(np.percentile(magnitudes, 100 - _LEAVING_OUT)) or float(magnitudes.max())


def _overlay(pixels: Array, found: Attribution, scale: Scale) -> Array:
    """Lay a map over the image in grey, uint8 (H, W, 3)."""
    grey = _grey(pixels)
    if not found.layer:
        return _blended(grey, found.summary, scale)
    factor = max(1, _SHORTER // max(grey.shape))
    fine = resize_bilinear(
        found.map[None, None].astype(np.float64),
        size=(grey.shape[0] * factor, grey.shape[1] * factor),
        align_corners=False,
    )
    return _blended(np.kron(grey, np.ones((factor, factor))), fine[0, 0], scale)


def _blended(grey: Array, values: Array, scale: Scale) -> Array:
    """Mix the colours of numbers with a grey of 0…1; where a scale has two signs, the more the larger a number is."""
    colours = palette(scale.colours)[scale.levels(values)] / 255
    share = np.full(values.shape, _OVER)
    if scale.signed:
        share = np.minimum(abs(values) / (scale.high or 1), 1) ** 0.5
    under = 1 - (_DIM / 2 if scale.signed else _DIM) * (1 - grey[..., None])
    mixed = share[..., None] * colours + (1 - share[..., None]) * under
    return np.asarray(np.rint(255 * mixed).astype(np.uint8))


def _draw_boxes(sheet: Sheet, found: Attribution, x: float, y: float, pixel: float) -> None:
    """Mark where most of what is positive lies by a line, most of what is negative by a dashed one."""
    for values, sign, dashed in ((found.summary, "+", False), (-found.summary, "−", True)):
        place = where(values)
        if place is None or _covers(place, values):
            continue
        (top, bottom), (left, right) = place.rows, place.columns
        x0, x1 = x + left * pixel, x + (right + 1) * pixel
        y0, y1 = y + top * pixel, y + (bottom + 1) * pixel
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        sheet.line(corners, INK, width=1.1, dashed=dashed, on_top=True)
        above, below = y0 - 6, y1 + 6  # inside where the picture ends
        corner = (x0 + 2, above if above > y + 5 else y0 + 7)
        if sign == "−":
            corner = (x1 - 9, below if below < y + len(values) * pixel - 5 else y1 - 7)
        sheet.text(corner, sign, size=9, bold=True)


def _draw_contour(sheet: Sheet, found: Attribution, x: float, y: float, pixel: float) -> None:
    """Draw a line where the interpolated map is half its maximum: it is seen in grey, too."""
    rows, columns = found.summary.shape
    xs, ys = x + (np.arange(columns) + 0.5) * pixel, y + (np.arange(rows) + 0.5) * pixel
    half = float(found.summary.max()) / 2
    sheet.axes.contour(xs, ys, found.summary, levels=[half], colors="#ffffff", linewidths=1.2, zorder=2)


def _covers(place: Where, values: Array) -> bool:
    (top, bottom), (left, right) = place.rows, place.columns
    return (bottom - top + 1) * (right - left + 1) == values.size


def _stages_height(checked: Sanity) -> float:
    return 56 + _step(checked) * _ratio_of(checked.attribution.summary)


def _step(checked: Sanity) -> float:
    """Return from where one stage's picture begins to where the next does."""
    return min(92, (WIDTH - 2 * _EDGE) / (len(checked.stages) + 1))


def _draw_stages(sheet: Sheet, pixels: Array, checked: Sanity, y: float) -> None:
    """Draw the map as it is, and after each stage of the check, all in their own scales."""
    shown = [(checked.attribution.summary, "as learned", "")]
    shown += [
        (stage.summary, f"+ {stage.layers[-1]}" if index else stage.layers[-1], fixed(stage.correlation))
        for index, stage in enumerate(checked.stages)
    ]
    step = _step(checked)
    side, unsigned = step - 6, checked.attribution.layer is not None
    sheet.text((_EDGE, y), "Weights made random, from the scores on; each map on its own scale, its ranks' correlation "
               "with the first below", size=7.5, colour=MUTED)  # fmt: skip
    for index, (values, head, alike) in enumerate(shown):
        x, top = _EDGE + index * step, y + 20
        height = side * _ratio_of(values)
        limit = _limit(values)
        scale = Scale(0.0, limit, POSITIVE) if unsigned else Scale(-limit, limit, ACTIVATIONS)
        sheet.text((x, top - 7), head, size=6.5, width=side)
        sheet.picture(values, x, top, side, height, scale)
        _frame(sheet, x, top, side, height)
        sheet.text((x + side / 2, top + height + 9), alike, size=7.5, align="center")


def _frame(sheet: Sheet, x: float, y: float, width: float, height: float) -> None:
    """Draw a thin line around a picture: the white of a scale's middle is the paper's."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    sheet.line(corners, RULE, width=0.8, on_top=True)


def _photo(pixels: Array) -> Array:
    return pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)


def _grey(pixels: Array) -> Array:
    """Return the image's lightness, 0…1 (H, W)."""
    weights = np.array([0.299, 0.587, 0.114] if len(pixels) == 3 else [1 / len(pixels)] * len(pixels))
    return np.asarray(np.tensordot(weights, pixels / 255, 1))


def _dimmed(pixels: Array) -> Array:
    return np.asarray(np.rint(255 * (1 - 0.2 * (1 - _grey(pixels)))).astype(np.uint8))


def _ratio(pixels: Array) -> float:
    return float(pixels.shape[1] / pixels.shape[2])


def _ratio_of(values: Array) -> float:
    return float(values.shape[0] / values.shape[1])


def _class(found: Attribution) -> str:
    return f"class {found.name}" if found.name == str(found.target) else f"“{found.name}”"


def _standing(found: Attribution) -> str:
    probability = "" if found.probability is None else f", probability {percent(found.probability)}"
    return f"class {found.target}, score {number(found.score)}{probability}"


def _head(found: Attribution) -> str:
    if found.layer:
        return f"{found.map.shape[0]} × {found.map.shape[1]} cells of {found.layer}"
    what = "attribution" if found.map.ndim == 2 or len(found.map) == 1 else "channels summed"
    return f"{what}; the largest is {_largest(found.summary)}"


def _largest(values: Array) -> str:
    """Write the number of the largest magnitude, with its sign."""
    return signed(values.ravel()[abs(values).argmax()])


def _place(found: Attribution, *, long: bool) -> str:
    place = where(found.summary)
    if place is None:
        if long:
            return " ".join(found.words[1:])
        return "nothing is positive" if found.summary.any() else "blank"
    return f"{percent(place.share)} of what is positive lies in {place}." if long else f"+ {place}"
