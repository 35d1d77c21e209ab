"""What an exercise draws from its seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from pellucid.types import Array

T = TypeVar("T")


class Chance:
    """Draws that depend on nothing but a name and a seed, alike on every machine.

    >>> Chance("size", 7).number(0, 100) == Chance("size", 7).number(0, 100)
    True
    """

    def __init__(self, name: str, seed: int) -> None:
        self._random = random.Random(f"{name} {seed}")

    def number(self, least: int, most: int) -> int:
        """Draw a whole number, both ends included."""
        return least + int(self._random.random() * (most - least + 1))  # random() alone is promised never to change

    def one(self, things: Sequence[T]) -> T:
        """Draw one of some things."""
        return things[self.number(0, len(things) - 1)]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """Draw several, each once, in any order."""
        rest = list(things)
        return [rest.pop(self.number(0, len(rest) - 1)) for _ in range(count)]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Put things into any order."""
        return self.some(things, len(things))

    def picture(self, rows: int, columns: int, least: int, most: int) -> Array:
        """Draw a picture of whole numbers, float32 (rows, columns)."""
        return np.array([[self.number(least, most) for _ in range(columns)] for _ in range(rows)], np.float32)
