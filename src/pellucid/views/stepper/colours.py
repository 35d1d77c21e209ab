"""Which colour a number on the stage has: pixels are grey, weights and maps have their own scales, centred on zero."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pellucid.explain.numbers import number
from pellucid.explain.steps.frame import Scene
from pellucid.views.scales import ACTIVATIONS, LEVELS, WEIGHTS, Scale, palette, signed
from pellucid.views.sheet import INK

GREY = "gray"
GONE = "#d4d6d9"
"""Of a cell that ReLU made 0."""
_FEWER = 8
"""Levels of a scale that share a shade: an animation then has few colours."""
_DARKEST, _BRIGHTEST = 0.28, 0.97
"""Greys of the darkest and the brightest pixel: the window stands out on one, the page on the other."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """A scale, the maps that it is for, and what the legend calls them."""

    title: str
    grids: tuple[str, ...]
    scale: Scale

    def colour(self, value: float) -> str:
        """Return the colour of a number."""
        return _colour(self.scale, value)

    @property
    def marks(self) -> tuple[str, ...]:
        """What is written below the legend."""
        if self.scale.colours == GREY:
            return number(self.scale.low, 3), number(self.scale.high, 3)
        return self.scale.marks

    @property
    def samples(self) -> list[str]:
        """Colours from end to end."""
        shades = _shades(self.scale.colours)
        return [shades[level] for level in range(0, LEVELS, _FEWER)]


@lru_cache(8192)
def _colour(scale: Scale, value: float) -> str:
    return _shades(scale.colours)[int(scale.levels(np.array(value)))]


_GROUPS = (
    ("image", ("image",)),
    ("kernel", ("kernel",)),
    ("maps", ("products", "conv", "relu", "pool")),
    ("gradients of maps", ("d_conv", "d_relu", "d_pool")),
    ("of the kernel", ("d_kernel", "d_bias")),
    ("of the image", ("d_image",)),
)


@lru_cache(8)
def ramps(scene: Scene) -> tuple[Ramp, ...]:
    """Return the scales of a scene; maps that pass numbers on to each other share one."""
    found = []
    for title, names in _GROUPS:
        values = np.array(list(_values(scene, names)))
        if not values.size:
            continue
        if title == "image" and values.min() >= 0:
            scale = Scale(0.0, float(values.max()) or 1.0, GREY)
        else:
            scale = signed(values, WEIGHTS if title in ("kernel", "of the kernel") else ACTIVATIONS)
        found.append(Ramp(title, names, scale))
    return tuple(found)


def _values(scene: Scene, names: Iterable[str]) -> Iterable[float]:
    return (v for name in names if name in scene for row in scene.grid(name).values for v in row)


@lru_cache(8)
def ramp_of(scene: Scene, grid: str) -> Ramp:
    """Return the scale of a map."""
    return next(ramp for ramp in ramps(scene) if grid in ramp.grids)


@lru_cache(1024)
def on(face: str) -> str:
    """Return the colour of text, light or dark, that can be read better on a face."""
    bright = _luminance(face) + 0.05
    return "#ffffff" if 1.05 / bright > bright / (_luminance(INK) + 0.05) else INK


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.2)."""
    parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@lru_cache(1024)
def faded(face: str) -> str:
    """Mix a colour with a light grey: for cells of the border."""
    return "#" + "".join(f"{round(0.2 * int(face[index : index + 2], 16) + 0.8 * 244):02x}" for index in (1, 3, 5))


@lru_cache(8)
def _shades(colours: str) -> tuple[str, ...]:
    """Return the colours of a scale's levels, eight neighbours alike; zero, in the middle, keeps its own."""
    middle = LEVELS // 2
    levels = middle + np.rint((np.arange(LEVELS) - middle) / _FEWER).astype(int) * _FEWER
    found = palette(colours)[levels.clip(0, LEVELS - 1)].astype(float)
    if colours == GREY:
        found = 255 * _DARKEST + found * (_BRIGHTEST - _DARKEST)
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in found.round().astype(int).tolist())
