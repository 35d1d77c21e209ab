"""Small pictures of digits, for exercises: shapes on a dark ground."""

from __future__ import annotations

import numpy as np

from pellucid.types import Array


def bar(side: int, first: int, width: int, value: float) -> Array:
    """Draw an upright bar through the whole picture, float32 (side, side).

    >>> bar(3, 1, 1, 9).tolist()
    [[0.0, 9.0, 0.0], [0.0, 9.0, 0.0], [0.0, 9.0, 0.0]]
    """
    drawn = np.zeros((side, side), np.float32)
    drawn[:, first : first + width] = value
    return drawn


def step(side: int, first: int, value: float) -> Array:
    """Draw a picture whose columns before ``first`` are bright, float32 (side, side)."""
    return bar(side, 0, first, value)


def dot(side: int, y: int, x: int, value: float) -> Array:
    """Draw one bright cell, float32 (side, side)."""
    drawn = np.zeros((side, side), np.float32)
    drawn[y, x] = value
    return drawn


def square(side: int, first: int, width: int, value: float) -> Array:
    """Draw a filled square, float32 (side, side)."""
    drawn = np.zeros((side, side), np.float32)
    drawn[first : first + width, first : first + width] = value
    return drawn


def diagonal(side: int, value: float) -> Array:
    """Draw a line that falls from the upper left, float32 (side, side)."""
    return np.eye(side, dtype=np.float32) * np.float32(value)


def cross(side: int, value: float) -> Array:
    """Draw an upright cross, float32 (side, side)."""
    middle = bar(side, side // 2, 1, value)
    return np.maximum(middle, middle.T)


def flat(side: int, value: float) -> Array:
    """Draw a picture of one brightness, float32 (side, side)."""
    return np.full((side, side), value, np.float32)


def ramp(side: int, rise: float) -> Array:
    """Draw brightness that grows evenly to the right, float32 (side, side)."""
    return np.tile(np.arange(side, dtype=np.float32) * np.float32(rise), (side, 1))
