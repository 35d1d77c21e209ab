"""Pictures moved, turned and scaled a little, with the exact adjoint; and how rough a picture is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from pellucid.types import Array, Pair

_SMOOTH = 1e-2
"""Differences far below this count by their square, so that total variation has a slope everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """A linear map of pictures: each pixel becomes a weighted mean of four.

    ``places`` (4, H·W) says of which, by their place among the pixels, and ``weights`` (4, H·W) how much of each.
    """

    places: Array
    weights: Array

    @classmethod
    def turned(cls, size: Pair, shift: tuple[float, float], angle: float = 0.0, scale: float = 1.0) -> Self:
        """Return the map that turns and scales about the middle, then shifts, bilinearly.

        ``shift`` is in pixels, down and to the right; ``angle`` in degrees, counter-clockwise as seen. Outside of the
        picture lies its mirror image, so that no pixel of the border counts more than others.

        >>> Warp.turned((2, 3), (0, 1))(np.array([[1, 2, 3], [4, 5, 6]])).tolist()
        [[2.0, 1.0, 2.0], [5.0, 4.0, 5.0]]
        """
        height, width = size
        rows, columns = np.indices(size, dtype=np.float64)
        middle = (height - 1) / 2, (width - 1) / 2
        down, right = rows - middle[0] - shift[0], columns - middle[1] - shift[1]
        cosine, sine = (f(math.radians(angle)) / scale for f in (math.cos, math.sin))
        # Each pixel looks up where it came from: the map backwards.
        y = _mirrored(cosine * down + sine * right + middle[0], height)
        x = _mirrored(cosine * right - sine * down + middle[1], width)
        top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
        below, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
        v, u = y - top, x - left
        places = np.stack([top * width + left, top * width + beside, below * width + left, below * width + beside])
        weights = np.stack([(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u])
        return cls(places.reshape(4, -1), weights.reshape(4, -1).astype(np.float32))

    def __call__(self, pictures: Array) -> Array:
        """Map pictures (…, H, W), each by itself."""
        pixels = pictures.reshape(-1, self.places.shape[1])
        mapped: Array = sum(weight * pixels[:, place] for place, weight in zip(self.places, self.weights, strict=True))
        return mapped.reshape(pictures.shape)

    def adjoint(self, slopes: Array) -> Array:
        """Return the gradients (…, H, W) by the pictures, from those by the mapped ones: Aᵀ, where the map is A."""
        pixels, places = slopes.reshape(-1, self.places.shape[1]), self.places.ravel()
        sums = [np.bincount(places, (self.weights * row).ravel(), len(row)) for row in pixels]
        return np.stack(sums).reshape(slopes.shape).astype(slopes.dtype)


def _mirrored(places: Array, extent: int) -> Array:
    """Fold places along an axis back into it at its first and its last pixel."""
    there_and_back = max(1, 2 * (extent - 1))
    folded = places % there_and_back
    mirrored: Array = np.minimum(folded, there_and_back - folded) if extent > 1 else np.zeros_like(places)
    return mirrored


def total_variation(pictures: Array) -> tuple[Array, Array]:
    """Return how rough pictures (N, C, H, W) are, (N,), and its gradient by every pixel.

    That is the sum over all pixels of the length of the difference to the neighbours below and on the right (Rudin,
    Osher & Fatemi 1992), a little rounded off near zero.

    >>> flat, edge = np.zeros((1, 1, 4, 4)), np.tile([0.0, 0, 1, 1], (1, 1, 4, 1))
    >>> [round(float(total_variation(picture)[0][0]), 1) for picture in (flat, edge)]
    [0.0, 4.0]
    """
    down, right = np.zeros_like(pictures), np.zeros_like(pictures)
    down[..., :-1, :] = np.diff(pictures, axis=-2)
    right[..., :-1] = np.diff(pictures, axis=-1)
    length = np.sqrt(down**2 + right**2 + _SMOOTH**2)
    down, right = down / length, right / length
    slopes = -down - right
    slopes[..., 1:, :] += down[..., :-1, :]
    slopes[..., 1:] += right[..., :-1]
    return (length - _SMOOTH).sum(axis=(1, 2, 3)), slopes
