"""Small pictures to step over: the bar of the lessons, rows of numbers, or a file."""

import os
import re
from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.data.images import open_image
from pellucid.errors import ParameterError, nearest
from pellucid.explain.kernels.matrices import parse_rows
from pellucid.explain.steps.frame import LARGEST_IMAGE
from pellucid.types import Array, Pair

_BAR = np.zeros((6, 6))
_BAR[1:5, 2:4] = 9


def _drawn(text: str) -> Array:
    """Read rows of "." (0) and "#" (9)."""
    return np.array([[9.0 if mark == "#" else 0.0 for mark in row] for row in text.split()])


IMAGES = {
    "bar": _BAR,
    "horizontal-bar": _BAR.T,
    "diagonal": np.eye(6) * 9,
    "cross": _drawn("...#... ...#... ...#... ####### ...#... ...#... ...#..."),
    "corner": _drawn("...... .####. .#.... .#.... .#.... ......"),
    "square": _drawn("........ .######. .#....#. .#....#. .#....#. .#....#. .######. ........"),
    "disc": _drawn("........ ..####.. .######. .######. .######. .######. ..####.. ........"),
    "checkerboard": np.indices((8, 8)).sum(axis=0) % 2 * 9.0,
    "ramp": np.tile(np.arange(8.0), (8, 1)),
}
"""Pictures by name, (H, W), of the numbers 0 to 9."""


def _painted(size: Pair, *parts: tuple[Array, tuple[float, float, float]]) -> Array:
    """Return (3, H, W): where each mask lies its colour, the later over the earlier."""
    image = np.zeros((3, *size))
    for mask, colour in parts:
        image[:, mask] = np.array(colour)[:, None]
    return image


def _disc(size: Pair, row: float, column: float, radius: float) -> Array:
    y, x = np.indices(size)
    return np.asarray(np.hypot(y - row, x - column) <= radius)


def _coloured() -> dict[str, Array]:
    sky, lights = (16, 16), (9, 21)
    x = np.indices((12, 12))[1]
    return {
        "sun": _painted(
            sky,
            (np.indices(sky)[0] < 12, (2, 4, 9)),
            (np.indices(sky)[0] >= 12, (1, 6, 1)),
            (_disc(sky, 5.5, 7.5, 4.2), (9, 8, 1)),
        ),
        "lights": _painted(
            lights,
            (np.ones(lights, bool), (1, 1, 1)),
            (_disc(lights, 4, 4, 2.6), (9, 1, 1)),
            (_disc(lights, 4, 10, 2.6), (9, 7, 1)),
            (_disc(lights, 4, 16, 2.6), (1, 9, 2)),
        ),
        "colour-bars": _painted(
            (12, 12),
            (x < 3, (9, 0, 0)),
            ((x >= 3) & (x < 6), (0, 9, 0)),
            ((x >= 6) & (x < 9), (0, 0, 9)),
            (x >= 9, (9, 9, 9)),
        ),
    }


COLOURED = _coloured()
"""Pictures in colours by name, (3, H, W): red, green and blue from 0 to 9."""


def read_image(text: str) -> tuple[Array, str]:
    """Return the image, float64 (H, W), that a name, a file or rows of numbers stand for, and a note or "".

    A file becomes grey, 0 to 255; one of more than 16×16 pixels is scaled down, and the note says so. Raises
    DataError, FileError or ParameterError where the text stands for no image.

    >>> read_image("0 9; 9 0")[0].tolist()
    [[0.0, 9.0], [9.0, 0.0]]
    """
    if text in IMAGES:
        return IMAGES[text].copy(), ""
    if not os.path.exists(text):  # Path.exists would raise where rows are longer than a file's name can be
        if re.fullmatch(r"[\s\d.,;/eE+−-]+", text):
            return parse_rows(text, "image"), ""
        if not Path(text).suffix:
            known = nearest(text, IMAGES)
            raise ParameterError(
                f"There is no image '{text}'; {known}; or give a file, or rows such as '0,9,9; 0,9,0'."
            )
    picture = open_image(text).convert("L")
    width, height = picture.size
    if max(width, height) <= LARGEST_IMAGE:
        return np.asarray(picture, np.float64), ""
    picture.thumbnail((LARGEST_IMAGE, LARGEST_IMAGE), Image.Resampling.BOX)
    note = f"'{text}' has {height}×{width} pixels; it is scaled down to {picture.height}×{picture.width}."
    return np.asarray(picture, np.float64), note
