"""What is said about a step, and about sizes, with the numbers put in."""

from collections.abc import Sequence

from pellucid.explain.numbers import factor, number
from pellucid.geometry import Axis
from pellucid.types import Pair

_IN_FULL = 9
"""Terms of a sum that are written out; of more, those that are not 0, and of more of these the first."""


def place(cell: Pair) -> str:
    """Name a cell.

    >>> place((0, 2))
    'row 0, column 2'
    """
    return f"row {cell[0]}, column {cell[1]}"


def sentence(cell: Pair, said: str, what: str = "") -> str:
    """Begin with the cell, and the map where it is not plain.

    >>> sentence((1, 0), "0 stays 0"), sentence((1, 0), "no window saw it", "pixel")
    ('Row 1, column 0: 0 stays 0.', 'Pixel at row 1, column 0: no window saw it.')
    """
    where = f"{what} at {place(cell)}" if what else place(cell)
    return f"{where[0].upper()}{where[1:]}: {said}."


def sum_of_products(pairs: Sequence[tuple[float, float]], bias: float, value: float) -> str:
    """Write patch · weight + … + bias = value; of many products, those that are 0 only as their number.

    >>> sum_of_products([(9.0, 1.0), (0.0, -1.0)], 0.0, 9.0)
    '9·1 + 0·(−1) = 9'
    """
    shown = list(pairs)
    if len(shown) > _IN_FULL:
        shown = [pair for pair in shown if pair[0] * pair[1]]
    zeros, more = len(pairs) - len(shown), len(shown) - _IN_FULL
    terms = [f"{factor(a) if index else number(a)}·{factor(b)}" for index, (a, b) in enumerate(shown[:_IN_FULL])]
    terms += [f"… ({more} more)"] if more > 0 else []
    if zeros:
        terms.append(f"{zeros} zeros" if zeros > 1 else "one zero")
    return " + ".join(terms) + (f" + bias {factor(bias)}" if bias else "") + f" = {number(value)}"


def plain_sum(values: Sequence[float]) -> str:
    """Write a sum; of more than nine numbers, those that are not zero, and of more of these the first.

    >>> plain_sum([1.0, -2.0])
    '1 + (−2)'
    """
    shown = list(values) if len(values) <= _IN_FULL else [value for value in values if value]
    terms = [factor(value) if index else number(value) for index, value in enumerate(shown[:_IN_FULL])]
    more = len(shown) - _IN_FULL
    return " + ".join([*terms, *([f"… ({more} more)"] if more > 0 else [])]) or "0"


def listed(values: Sequence[float]) -> str:
    """Name some numbers: "18, 18, 27 and 27"."""
    words = [number(value) for value in values]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def size_formula(size: Pair, rows: Axis, columns: Axis, *, padded: bool = True) -> tuple[str, ...]:
    """Write where a map's size comes from: one line, or one for the rows and one for the columns where they differ.

    ``padded`` says whether a padding of 0 is worth telling.

    >>> size_formula((6, 6), Axis(3), Axis(3))
    ('⌊(6 − 3 + 2·0)/1⌋ + 1 = 4',)
    """
    down, across = (_formula(one, axis, padded) for one, axis in zip(size, (rows, columns), strict=True))
    lines = [down] if down == across else [f"rows {down}", f"columns {across}"]
    lines += [
        f"{axis.kernel} taps, {axis.dilation} apart, reach over {axis.extent}"
        for axis in (rows, columns)
        if axis.dilation > 1
    ]
    return tuple(dict.fromkeys(lines))


def _formula(size: int, axis: Axis, padded: bool) -> str:
    padding = f" + 2·{axis.before}" if axis.before == axis.after else f" + {axis.before} + {axis.after}"
    if not padded and not axis.before and not axis.after:
        padding = ""
    left, right = "⌈⌉" if axis.ceil_mode else "⌊⌋"
    count = axis.output_size(size)
    text = f"{left}({size} − {axis.extent}{padding})/{axis.stride}{right} + 1 = "
    slack = size + axis.before + axis.after - axis.extent
    whole = -(-slack // axis.stride) + 1 if axis.ceil_mode else count
    return f"{text}{whole}" + (f", less 1 that would begin outside: {count}" if whole != count else "")
