"""Digits that somebody has drawn, prepared as those of MNIST were."""

import numpy as np

from pellucid.errors import ShapeError
from pellucid.types import Array

SIDE, INK_SIDE = 28, 20
"""Pixels of an MNIST picture, and of the box that its digit fits into."""
_FAINT = 25
"""What is darker than this is no ink."""


def as_mnist(drawing: Array) -> Array:
    """Return a drawing, white on black, as MNIST's pictures were made of scanned digits: uint8 (1, 28, 28).

    The ink is cut out, scaled so that its longer side is 20 pixels, and laid with its centre of mass in the middle
    (LeCun, Cortes & Burges, "The MNIST database of handwritten digits", 1998). A drawing without ink becomes black.

    Parameters
    ----------
    drawing
        uint8 (H, W) or (1, H, W).

    Raises
    ------
    ShapeError
        If it is something else.

    Examples
    --------
    >>> drawing = np.zeros((100, 100), np.uint8)
    >>> drawing[10:50, 10:14] = 255  # a stroke of 40 × 4 in a corner
    >>> rows, columns = np.nonzero(as_mnist(drawing)[0] > 128)
    >>> int(rows.min()), int(rows.max()), sorted({int(column) for column in columns})
    (4, 23, [13, 14])
    """
    from PIL import Image

    plane = drawing[0] if drawing.ndim == 3 and len(drawing) == 1 else drawing
    if plane.ndim != 2 or plane.dtype != np.uint8:
        raise ShapeError(f"A drawing must be uint8 (H, W) or (1, H, W); got {drawing.dtype} {drawing.shape}.")
    rows, columns = (np.flatnonzero((plane > _FAINT).any(axis=axis)) for axis in (1, 0))
    picture = np.zeros((SIDE, SIDE), np.uint8)
    if not rows.size:
        return picture[None]
    ink = Image.fromarray(np.ascontiguousarray(plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]))
    scale = INK_SIDE / max(ink.size)
    size = max(1, round(ink.width * scale)), max(1, round(ink.height * scale))
    small = np.asarray(ink.resize(size, Image.Resampling.BILINEAR))  # reducing, it averages what a pixel covers
    top, left = (_start(small.sum(axis=axis, dtype=np.float64)) for axis in (1, 0))
    picture[top : top + small.shape[0], left : left + small.shape[1]] = small
    return picture[None]


def _start(mass: Array) -> int:
    """Return where a line of ink begins so that its centre of mass is in the middle and all of it in the picture."""
    centre = float(mass @ np.arange(len(mass))) / max(float(mass.sum()), 1e-9)
    return min(max(round((SIDE - 1) / 2 - centre), 0), SIDE - len(mass))
