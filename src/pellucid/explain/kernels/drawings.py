"""Pictures that show what a kernel does: drawn ones, or one from outside."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pellucid.data import registry
from pellucid.data.images import from_array, open_image
from pellucid.explain.kernels.matrices import parse_rows
from pellucid.types import Array


def card() -> Array:
    """Draw a test card, float32 (96, 96) from 0 to 1: a disc, stripes that grow finer, a fan of lines, a ramp, dots.

    >>> card().shape, float(card().min()), float(card().max())
    ((96, 96), 0.0, 1.0)
    """
    y, x = np.indices((96, 96))
    drawn = np.full((96, 96), 0.25)
    for column, row, radius, shade in ((25, 25, 19, 0.85), (31, 20, 5, 0.0)):  # discs with a soft rim
        inside = np.clip(radius + 0.5 - np.hypot(x - column, y - row), 0, 1)
        drawn += inside * (shade - drawn)
    stripes = np.s_[6:30, 54:92]
    drawn[stripes] = 0.5 + 0.45 * np.cos(2 * np.pi * np.cumsum(np.linspace(0.08, 0.4, 38)))
    drawn[52:66, 6:44] = np.linspace(0, 1, 38)
    for angle in np.radians((0, 22.5, 45, 67.5, 90)):
        right, up = x - 54, 86 - y
        along, across = right * np.cos(angle) + up * np.sin(angle), right * np.sin(angle) - up * np.cos(angle)
        drawn[(abs(across) <= 0.5) & (along > 8) & (along < 38)] = 1
    for row, reach, number in ((74, 2.5, 5), (82, 1.5, 7), (89, 0.5, 9)):
        for middle in np.rint(np.linspace(8, 42, number)):
            drawn[np.hypot(x - middle, y - row) <= reach] = 1
    return drawn.astype(np.float32)


def line(angle: float, size: int = 33) -> Array:
    """Draw one bright line through the middle of a dark picture, float32 (size, size), one pixel wide.

    The angle is in degrees, counter-clockwise from the horizontal.

    >>> line(0, 3).tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    steps = np.arange(size) - size // 2
    turn = np.radians(angle)
    across = abs(steps[None, :] * np.sin(turn) + steps[:, None] * np.cos(turn))
    return np.asarray(np.clip(1 - across, 0, 1).round(6), np.float32)


DRAWINGS: dict[str, Callable[[], Array]] = {
    "card": card,
    "horizontal-line": lambda: line(0),
    "vertical-line": lambda: line(90),
    "diagonal-line": lambda: line(45),
}
"""Drawn pictures by name."""


def open_picture(source: str, longest: int | None = None) -> Array:
    """Return a grey picture, float32 (H, W), that a text stands for.

    That is a drawing's name ("card", "horizontal-line", …), an image file, a data set's test picture
    ("fashion-mnist-mini:17"), both grey or made so, from 0 to 1, or rows of numbers ("0,0;1,1"). ``longest`` shrinks a
    file's picture until no side has more pixels. Raises DataError, FileError or ParameterError where it is none.

    >>> open_picture("0 0; 1 1").tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    if source in DRAWINGS:
        return DRAWINGS[source]()
    if re.fullmatch(r"[\s\d.,;/eE+−-]+", source) and not Path(source).exists():
        return parse_rows(source, "picture").astype(np.float32)
    found = registry.picture(source)
    if found is not None:
        return np.asarray(from_array(found).convert("L"), np.float32) / 255
    image = open_image(source).convert("L")
    if longest is not None:
        image.thumbnail((longest, longest))
    return np.asarray(image, np.float32) / 255
