"""Weights laid out anew: the filters of a panel side by side, by squares that are transposed in registers."""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import tile


@cache
def turn_tile(size: int) -> Any:
    """Make the tile target[j·step + lane] = source[lane·row + j], for one vector of lanes and j below ``size``."""

    @tile
    def turn(e: Any, source: Any, row: Any, target: Any, step: Any) -> None:
        for start in range(0, size, e.width):
            count = min(e.width, size - start)
            valid = None if count == e.width else e.number(count)
            rows = [e.load(source, row * lane + start, valid) for lane in range(e.width)]
            for j, column in enumerate(e.transposed(rows)[:count]):
                e.store(column, target, step * (start + j))

    return turn


@tile
def copy_vector(e: Any, source: Any, target: Any) -> None:
    """Copy one vector."""
    e.store(e.load(source, 0), target, 0)
