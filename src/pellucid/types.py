"""Names for the types that every floor shares."""

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array of any dtype. Images are (N, C, H, W)."""

Shape: TypeAlias = tuple[int, ...]

Pair: TypeAlias = tuple[int, int]
"""One number for the rows, one for the columns."""

Padding: TypeAlias = tuple[Pair, Pair]
"""((top, bottom), (left, right))"""


@cache
def dtype_name(dtype: np.dtype[Any]) -> str:
    """Name a dtype; NumPy spells the name out anew each time, which takes longer than a small layer."""
    return dtype.name


@dataclass(frozen=True, slots=True)
class TensorType:
    """What is known of an array before it exists: its shape and dtype.

    >>> TensorType((1, 3, 8, 8), "float32")
    float32(1, 3, 8, 8)
    """

    shape: Shape
    dtype: str = "float32"

    @classmethod
    def of(cls, array: Array) -> "TensorType":
        """Return the type of an array."""
        return cls(array.shape, dtype_name(array.dtype))

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    @property
    def nbytes(self) -> int:
        """Bytes that an array of this type takes."""
        return self.size * np.dtype(self.dtype).itemsize

    def __repr__(self) -> str:
        return f"{self.dtype}{self.shape}"
