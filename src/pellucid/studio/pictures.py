"""Pictures as the page names them, as pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.studio.messages.base import Drawing, Picture, Sample
from pellucid.studio.tensors import to_array
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.data import Dataset
    from pellucid.studio.studio import Studio

LARGEST = 1024
"""Pixels along a side of a drawing."""


def pixels(picture: Picture, studio: Studio) -> Array:
    """Return a picture's pixels (C, H, W), grey or RGB: float32 from 0 to 1 of a drawing, else uint8.

    Raises ParameterError, ShapeError, DataError or FileError where there is no such picture.
    """
    if isinstance(picture, Drawing):
        return _drawn(to_array(picture.values, None, None, None))
    if isinstance(picture, Sample):
        return sample(picture.data, picture.index)
    from pellucid.data import images

    return images.to_array(images.simplify(studio.uploads.image(picture.id), "the uploaded image"))


def sample(data: str, index: int) -> Array:
    """Return a picture of a data set's test part, uint8 (C, H, W). Raises DataError where there is none."""
    from pellucid.data.images import as_bytes

    test = test_part(data)
    if index >= len(test):
        raise DataError(f"The picture of '{data}' must be 0 to {len(test) - 1}; got {index}.")
    return as_bytes(test.images[index])


@lru_cache(maxsize=4)
def test_part(data: str) -> Dataset:
    """Load the test part of a data set that Pellucid knows by name; paths are refused.

    Raises DataError where there is none of that name, FileError where it is not on this machine.
    """
    from pellucid.data import registry

    registry.info(data)  # loading takes paths, too
    return registry.load(data)[1]


def _drawn(values: Array) -> Array:
    channels, height, width = values.shape
    if channels not in (1, 3) or not (1 <= height <= LARGEST and 1 <= width <= LARGEST):
        raise ShapeError(
            f"A drawing must be 1 or 3 planes of at most {LARGEST} × {LARGEST} pixels; got {channels}×{height}×{width}."
        )
    if values.min() < 0 or values.max() > 1:
        raise ParameterError("The numbers of a drawing must be from 0, black, to 1, white.")
    return np.asarray(values)
