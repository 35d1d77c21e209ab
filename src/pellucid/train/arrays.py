"""Training data given as arrays: used as they are, with no preprocessing of ours."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.data.batches import Source
from pellucid.data.dataset import Dataset
from pellucid.errors import DataError
from pellucid.types import Array


class AsTheyAre:
    """Passes images on as float32; what a network is given later should be prepared as these were."""

    def normalise(self, images: Array) -> Array:
        """Convert to float32."""
        return np.asarray(images, np.float32)


@dataclass(frozen=True)
class Arrays:
    """Inputs (N, …) and targets (N, …)."""

    images: Array
    labels: Array
    preprocessing: AsTheyAre = field(default_factory=AsTheyAre)

    def __len__(self) -> int:
        return len(self.images)


def as_source(data: Any, role: str) -> Source:
    """Take a data set, or a pair of arrays, to draw batches from.

    Raises DataError where the arrays do not fit each other, are empty, integers, or not finite.
    """
    if isinstance(data, Dataset):
        return data
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise DataError(f"The {role} data must be a data set or a pair (inputs, targets); got {type(data).__name__}.")
    images, labels = np.asarray(data[0]), np.asarray(data[1])
    if not len(images.shape) or not len(labels.shape) or len(images) != len(labels) or not len(images):
        raise DataError(
            f"The {role} data must hold as many targets as inputs, and at least one; "
            f"got shapes {images.shape} and {labels.shape}."
        )
    if images.dtype.kind != "f":
        raise DataError(
            f"The {role} inputs must be floating point; got {images.dtype}. "
            "For pixels: images.astype('float32') / 255, or pellucid.data.Dataset.from_arrays, which also normalises."
        )
    if not np.isfinite(images).all():
        first = int(np.argmax(~np.isfinite(images.reshape(len(images), -1)).all(axis=1)))
        raise DataError(f"The {role} inputs must be finite; input {first} holds NaN or infinity.")
    return Arrays(images, labels.astype(np.int64) if labels.dtype.kind in "iu" else labels)
