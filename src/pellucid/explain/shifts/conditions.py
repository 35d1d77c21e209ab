"""Changes of pictures, each by a number: what a network may meet that it was not trained on.

Every change takes pictures (N, C, H, W) before normalisation, uint8 or float32 from 0 to 1, and returns the same shape
and dtype. What comes into view from outside of a picture is black, as in training's augmentation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.augment import resampled, rotated
from pellucid.types import Array

_CUT = 4
"""Deviations after which a Gaussian counts as 0."""


@dataclass(frozen=True)
class Condition:
    """A kind of change, and how much of it is tried.

    ``change(pictures, value, noise)`` makes it; ``unchanged`` is the value that leaves pictures as they are, ``unit``
    what values count in. ``noise`` is a generator that is in the same state for every value.
    """

    name: str
    about: str
    unit: str
    unchanged: float
    values: tuple[float, ...]
    change: Callable[[Array, float, np.random.Generator], Array]


def moved(pictures: Array, columns: int) -> Array:
    """Move pictures (…, W) to the right, or to the left by less than 0; 0 comes in.

    >>> moved(np.array([1, 2, 3]), 1).tolist(), moved(np.array([1, 2, 3]), -5).tolist()
    ([0, 1, 2], [0, 0, 0])
    """
    wide = pictures.shape[-1]
    first, last = min(max(columns, 0), wide), max(min(wide + columns, wide), 0)
    result = np.zeros_like(pictures)
    result[..., first:last] = pictures[..., first - columns : last - columns] if last > first else 0
    return result


def scaled(pictures: Array, factor: float) -> Array:
    """Scale pictures (N, C, H, W) about their middle, bilinearly; the size of the frame stays.

    Smaller pictures are sampled, not averaged; black surrounds them.
    """
    height, wide = pictures.shape[2:]
    y = (np.arange(height)[:, None] - (height - 1) / 2) / factor + (height - 1) / 2
    x = (np.arange(wide) - (wide - 1) / 2) / factor + (wide - 1) / 2
    return resampled(pictures, *(places[None] for places in np.broadcast_arrays(y, x)))


def blurred(units: Array, sigma: float) -> Array:
    """Blur pictures (N, C, H, W) by a Gaussian of so many pixels' deviation; black surrounds them."""
    if not sigma:
        return units
    rows, columns = (_gaussian(size, sigma) for size in units.shape[2:])
    result: Array = rows @ units @ columns.T
    return result


def _gaussian(size: int, sigma: float) -> Array:
    """Return the matrix (size, size) that blurs a line of pixels."""
    reach = int(_CUT * sigma + 0.5)
    total = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).sum()
    apart = np.arange(size)[:, None] - np.arange(size)
    weights = np.where(abs(apart) <= reach, np.exp(-0.5 * (apart / sigma) ** 2) / total, 0)
    return weights.astype(np.float32)


def _contrasted(units: Array, factor: float) -> Array:
    mean = units.mean(axis=(1, 2, 3), keepdims=True)
    changed: Array = mean + factor * (units - mean)
    return changed


def _noisy(units: Array, sigma: float, noise: np.random.Generator) -> Array:
    added: Array = np.float32(sigma) * noise.standard_normal(units.shape, np.float32)
    return units + added


def _of_light(change: Callable[..., Array]) -> Callable[[Array, float, np.random.Generator], Array]:
    """Turn a function of light, 0 being black and 1 white, into one of pictures, which stop at both."""

    def of_pictures(pictures: Array, value: float, noise: Any) -> Array:
        is_bytes = pictures.dtype == np.uint8
        units = pictures.astype(np.float32) / 255 if is_bytes else pictures
        result = change(units, value, noise).clip(0, 1)
        return np.rint(255 * result).astype(np.uint8) if is_bytes else result.astype(np.float32)

    return of_pictures


def _steps(first: float, last: float, count: int) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in np.linspace(first, last, count))


CONDITIONS = (
    Condition(
        "rotation", "turned anticlockwise", "°", 0, _steps(0, 360, 25),
        lambda pictures, degrees, _: rotated(pictures, np.full(len(pictures), float(degrees))),
    ),
    Condition(
        "translation", "moved to the right", "px", 0, _steps(-8, 8, 17),
        lambda pictures, columns, _: moved(pictures, int(columns)),
    ),
    Condition(
        "scale", "scaled about the middle", "×", 1, _steps(0.5, 1.5, 11),
        lambda pictures, factor, _: scaled(pictures, factor),
    ),
    Condition(
        "brightness", "light multiplied", "×", 1, _steps(0.2, 2, 10), _of_light(lambda units, factor, _: factor * units)
    ),
    Condition(
        "contrast", "about the picture's mean", "×", 1, _steps(0.2, 2, 10),
        _of_light(lambda units, factor, _: _contrasted(units, factor)),
    ),
    Condition(
        "inversion", "mixed with the negative", "share", 0, _steps(0, 1, 11),
        _of_light(lambda units, share, _: units + share * (1 - 2 * units)),
    ),
    Condition("noise", "Gaussian, added; white is 1", "σ", 0, _steps(0, 0.5, 11), _of_light(_noisy)),
    Condition(
        "blur", "Gaussian", "σ, px", 0, _steps(0, 3, 7), _of_light(lambda units, sigma, _: blurred(units, sigma))
    ),
)  # fmt: skip
"""The changes that are tried where nobody chooses others."""
