"""Filtered photos as pictures at their full size: signed answers and edges in colours, their legend below them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import cache

import numpy as np

from pellucid.data.photos import Photo, save_photo
from pellucid.explain.numbers import number, signed
from pellucid.explain.photo import Edges, FilteredPhoto
from pellucid.types import Array
from pellucid.views.scales import ACTIVATIONS, Scale, palette
from pellucid.views.sheet import INK, MUTED, RULE, Sheet

_NARROWEST, _WIDEST = 270.0, 600.0
"""Points of a legend: no less than its words need, and no more, so that a large photo has large ones."""
_EDGE, _RAMP = 10, 250
_LIGHTNESS, _CHROMA, _FIRST_HUE = 0.62, 0.2, 20
"""Of the colours of directions in OKLCH: all of one lightness, so that only strength is seen as lighter or darker."""
_TO_CONES = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
"""From OKLab to the roots of what the eye's cones see, and from that to light of red, green and blue."""


def signed_picture(filtered: FilteredPhoto, name: str) -> Photo:
    """Colour a signed result: blue below 0, white at 0, red above; a legend with its numbers is added below."""
    scale = Scale(filtered.low, filtered.high, ACTIVATIONS)
    pixels = palette(scale.colours).take(scale.levels(filtered.values), axis=0)
    low, high = (signed(value) for value in filtered.extremes or (scale.low, scale.high))

    def draw(sheet: Sheet) -> None:
        sheet.text((_EDGE, 13), name, bold=True, width=116)
        sheet.text((_EDGE + _RAMP, 13), f"answers from {low} to {high}", colour=MUTED, align="right", width=126)
        sheet.legend(scale, _EDGE, 23, _RAMP)

    return _above(pixels, filtered.alpha, 50, draw)


def direction_picture(edges: Edges) -> Photo:
    """Colour directions by a wheel, the fainter the weaker the edge; the wheel is added below."""
    strength = np.clip(edges.magnitude / np.float32(edges.limit), 0, 1)
    pixels = _faint(directions()[np.rint(edges.direction).astype(np.int16) % 360], strength)

    def draw(sheet: Sheet) -> None:
        _draw_wheel(sheet, 52, 46, 26)
        x = 104
        sheet.text((x, 20), f"{edges.pair}: where it grows brighter", bold=True)
        full = number(edges.limit, 3)
        for index, line in enumerate(
            ("colour: the direction of growth", f"full: a growth of {full} or more", "white: none")
        ):
            sheet.text((x, 40 + 13 * index), line, colour=MUTED)

    return _above(pixels, edges.source.alpha, 92, draw)


@cache
def directions() -> Array:
    """Return the colours of the directions 0° to 359°, uint8 (360, 3): the hues of OKLCH (Ottosson 2020)."""
    hue = np.radians(np.arange(360) + _FIRST_HUE)
    colours = np.stack([np.full(360, _LIGHTNESS), _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)])
    light = (_TO_RGB @ (_TO_CONES @ colours) ** 3).T.clip(0, 1)  # the nearest that a screen can show
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * encoded), np.uint8)


def save_filtered(made: FilteredPhoto, path: str | os.PathLike[str], kernel: str, name: str) -> None:
    """Write what a kernel made of the photo ``name`` as a PNG file, with words for those who cannot see it.

    Raises FileError where the file cannot be written.
    """
    picture = signed_picture(made, kernel) if made.result == "signed" else made.photo
    about = f"Answers {caption(made.result, made.low, made.high)}; border: {made.border}."
    save_photo(picture, path, {"Title": f"{name} filtered by {kernel}", "Description": about})


def save_edges(edges: Edges, magnitude: str | os.PathLike[str], direction: str | os.PathLike[str], name: str) -> None:
    """Write the edges of the photo ``name`` as two PNG files. Raises FileError where they cannot be written."""
    full = number(edges.limit, 3)
    about = f"Black where brightness does not change, white where it grows by {full} or more; border: {edges.border}."
    save_photo(edges.photo, magnitude, {"Title": f"{edges.pair} magnitude of {name}", "Description": about})
    about = "The colour is the direction in which brightness grows, as the wheel below says; white where it does not."
    save_photo(
        direction_picture(edges), direction, {"Title": f"{edges.pair} direction of {name}", "Description": about}
    )


def caption(result: str, low: float, high: float) -> str:
    """Say in a few words how answers became a picture.

    >>> caption("signed", -289, 289), caption("scale", -12.5, 510)
    ('signed, −289 to +289', 'black to white, −12.5 to 510')
    """
    if result == "clip":
        return "as they are, clipped"
    if result == "signed":
        return f"signed, {signed(low)} to {signed(high)}"
    ends = " to ".join(number(value, 3) for value in (low, high))
    return f"{'magnitude' if result == 'absolute' else 'black to white'}, {ends}"


def rendered(sheet: Sheet, width: int) -> Array:
    """Return a sheet as pixels, uint8 (H, width, 3)."""
    figure = sheet.figure
    figure.set_dpi(72 * width / sheet.width)
    figure.canvas.draw()
    pixels: Array = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]  # type: ignore[attr-defined]
    fitting = np.full((len(pixels), width, 3), 255, np.uint8)  # Matplotlib may have rounded to a pixel less or more
    fitting[:, : pixels.shape[1]] = pixels[:, :width]
    return fitting


def _above(pixels: Array, alpha: Array | None, height: float, draw: Callable[[Sheet], None]) -> Photo:
    """Put a picture above a legend that is ``height`` points high, both on white paper."""
    across = pixels.shape[1]
    points = min(max(0.75 * across, _NARROWEST), _WIDEST)
    sheet = Sheet(points, height, "")
    draw(sheet)
    legend = rendered(sheet, max(across, round(_NARROWEST / 0.75)))
    paper = np.full((len(pixels) + len(legend), legend.shape[1], 3), 255, np.uint8)
    paper[: len(pixels), :across] = pixels
    paper[len(pixels) :] = legend
    if alpha is None:
        return Photo(paper)
    opaque = np.full(paper.shape[:2], 255, np.uint8)
    opaque[: len(pixels), :across] = alpha if alpha.dtype == np.uint8 else alpha >> 8
    return Photo(paper, opaque)


def _faint(colours: Array, strength: Array) -> Array:
    """Mix colours (…, 3) with white: a strength of 0 is white."""
    mixed = colours.astype(np.float32)
    mixed -= 255
    mixed *= strength[..., None]
    mixed += 255
    return np.rint(mixed, out=mixed).astype(np.uint8)


def _draw_wheel(sheet: Sheet, x: float, y: float, radius: float) -> None:
    """Draw all directions and strengths around a middle, with degrees."""
    steps = np.linspace(-1, 1, 257)
    right, up = steps[None, :], -steps[:, None]
    strength, angle = np.hypot(right, up), np.degrees(np.arctan2(up, right))
    wheel = _faint(directions()[np.rint(angle).astype(int) % 360], strength.clip(0, 1))
    wheel[strength > 1] = 255
    sheet.photo(wheel, x - radius, y - radius, 2 * radius, 2 * radius)
    ring = [
        (x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in np.linspace(0, 2 * math.pi, 73).tolist()
    ]
    sheet.line(ring, RULE, width=0.6, on_top=True)
    for degrees, place, align in (
        ("0°", (x + radius + 3, y), "left"),
        ("90°", (x, y - radius - 7), "center"),
        ("180°", (x - radius - 3, y), "right"),
        ("270°", (x, y + radius + 8), "center"),
    ):
        sheet.text(place, degrees, size=7, colour=INK, align=align)
