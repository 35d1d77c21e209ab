"""How numbers are written where there is little room: alike in all cells of a map, never without their sign."""

import math
from collections.abc import Collection

from pellucid.explain.numbers import number
from pellucid.types import Pair
from pellucid.views.stepper.marks import measure

_AROUND, _FINEST, _READABLE = 5, 6, 9
"""Pixels beside a number in its cell; sizes of text, the smallest and the smallest that is easily read."""
_POWER = -1
"""Stands for no decimals but powers of ten."""


def numerals(values: Collection[float], cell: int) -> Pair:
    """Return the size of text and the decimals with which all numbers of a map fit into its cells."""
    for digits in (4, 3, 2):
        places = decimals(values, digits)
        size = min(_fit(short(value, places), cell) for value in values)
        if size >= _READABLE:
            return size, places
    return max(_FINEST, size), places


def fitted(value: float, size: int, places: int, cell: int) -> tuple[str, int]:
    """Return a number and its size of text in a cell; one that is longer than the map's others is made to fit."""
    texts = [short(value, fewer) for fewer in range(places, -1, -1)] or [short(value, places)]
    text = next((text for text in texts if measure(text, size) <= cell - _AROUND), texts[-1])
    return text, max(_FINEST, min(size, _fit(text, cell)))


def decimals(values: Collection[float], digits: int) -> int:
    """Return how many decimals give the largest of some numbers so many digits.

    >>> decimals([2.33, -0.004], 3), decimals([141.6], 3), decimals([0.0204], 2), decimals([3e-7], 3)
    (2, 0, 3, -1)
    """
    largest = max(abs(value) for value in values)
    if largest and not 1e-3 <= largest < 1e5:
        return _POWER
    return max(0, digits - 1 - math.floor(math.log10(largest))) if largest else 0


def short(value: float, places: int) -> str:
    """Write a number with so many decimals, whole ones without.

    >>> [short(value, 2) for value in (-255.0, 0.5, 141.625, -0.004)], short(2e-7, -1)
    (['−255', '0.5', '141.62', '−0.00'], '2e−7')
    """
    if value == int(value) and abs(value) < 1e5:
        return number(value)
    if places == _POWER or abs(value) >= 1e5:
        mantissa, _, power = f"{value:.0e}".partition("e")
        return f"{mantissa}e{int(power)}".replace("-", "−")
    text = f"{value:.{places}f}"
    if "." in text and float(text):
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def _fit(text: str, cell: int) -> int:
    return next((size for size in range(round(0.42 * cell), _FINEST, -1) if measure(text, size) <= cell - _AROUND), 0)
