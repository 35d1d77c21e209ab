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
from pellucid.types import Array

_BAR = np.zeros((6, 6))
_BAR[1:5, 2:4] = 9
IMAGES = {"bar": _BAR, "horizontal-bar": _BAR.T}


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
