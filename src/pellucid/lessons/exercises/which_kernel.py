"""Which kernel made this map: a picture, its map, and four kernels of which one fits."""

from __future__ import annotations

import numpy as np

from pellucid.explain.kernels.gallery import GALLERY, kernel
from pellucid.explain.numbers import number
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.forms import Choice, Choices
from pellucid.lessons.exercises.pictures import bar, cross, diagonal, dot, square, step
from pellucid.lessons.exercises.records import KERNEL, MAP, PICTURE, Exercise, grid
from pellucid.nn.functional import conv2d
from pellucid.types import Array

KERNELS = (
    "identity", "vertical-edge", "horizontal-edge", "diagonal-edge", "antidiagonal-edge", "sobel-x", "sobel-y",
    "vertical-line", "horizontal-line", "laplacian", "laplacian-diagonal", "sharpen", "emboss",
)  # fmt: skip
_SIDE = 7
_VALUE = 3
"""Brightness of what is drawn: numbers stay small."""
_APART = _VALUE
"""By how much two maps differ somewhere at least."""
_OTHERS = 3


def which_kernel(seed: int) -> Exercise:
    """Ask which of four kernels made a map; their maps differ by at least 3 in some cell."""
    chance = Chance("which-kernel", seed)
    picture = _draw(chance)
    maps = {name: conv2d(picture, kernel(name).astype(np.float32)) for name in KERNELS}
    right = chance.one([name for name, values in maps.items() if len(_apart(name, maps)) >= _OTHERS and values.any()])
    names = chance.shuffled([right, *chance.some(_apart(right, maps), _OTHERS)])
    choices = tuple(_choice(name, right, maps) for name in names)
    figure = grid("picture", PICTURE, picture), grid("map", MAP, maps[right])
    question = "One of these kernels made the map of the picture, with stride 1 and no padding. Which one?"
    return Exercise("which-kernel", seed, question, Choices(choices, names.index(right)), figure)


def _draw(chance: Chance) -> Array:
    drawn = chance.one(
        [
            bar(_SIDE, chance.number(1, 4), chance.number(1, 2), _VALUE),
            step(_SIDE, chance.number(2, 5), _VALUE),
            square(_SIDE, chance.number(1, 2), chance.number(2, 3), _VALUE),
            diagonal(_SIDE, _VALUE),
            cross(_SIDE, _VALUE),
            dot(_SIDE, chance.number(2, 4), chance.number(2, 4), _VALUE),
        ]
    )
    return np.ascontiguousarray(np.rot90(drawn, chance.number(0, 3)))


def _apart(name: str, maps: dict[str, Array]) -> list[str]:
    """Return the kernels whose maps cannot be taken for this one's."""
    return [other for other, values in maps.items() if abs(values - maps[name]).max() >= _APART]


def _choice(name: str, right: str, maps: dict[str, Array]) -> Choice:
    shown = (grid(name, KERNEL, kernel(name)),)
    about = f"{name}: {GALLERY[name].about}."
    if name == right:
        return Choice(name, f"The map is that of {about}", shown)
    difference = abs(maps[name] - maps[right])
    y, x = np.unravel_index(int(difference.argmax()), difference.shape)
    made, wanted = number(maps[name][y, x]), number(maps[right][y, x])
    why = f"In row {y + 1}, column {x + 1} {name} gives {made}, but the map has {wanted}."
    return Choice(name, why, shown, (grid(f"map of {name}", MAP, maps[name], marked=[(int(y), int(x))]),))
