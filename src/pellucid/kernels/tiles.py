"""Inner tiles: a block of a matrix product held in registers, and small linear transforms of tiles of an image."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from pellucid.kernels.activations import ACTIVATIONS
from pellucid.kernels.compiler import tile
from pellucid.kernels.interpret import Longs
from pellucid.types import Array


@tile(returns=int)
def vector_width(e: Any) -> Any:
    """How many floats a vector holds: a constant of the compiled code, which is not known before it is needed."""
    return e.number(e.width)


@tile(returns=int)
def distance(e: Any, start: Any, end: Any) -> Any:
    """How many floats lie between two places in memory."""
    return e.distance(start, end)


@tile(returns=Longs)
def as_longs(e: Any, floats: Any) -> Any:
    """Use memory for integers."""
    return e.as_longs(floats)


@cache
def product_tile(rows: int, vectors: int, *, masked: bool = False, accumulate: bool = False) -> Any:
    """Make the tile C (rows, vectors·width) = Σ_k A[:, k] ⊗ B[k, :], added to C where it accumulates.

    It is called with a, the strides of its rows and of k, b and its stride of k, c and the stride of its rows, and
    how many k; all strides in floats. A masked tile is told, too, how many columns there are.
    """

    def write(
        e: Any, a: Any, a_row: Any, a_step: Any, b: Any, b_step: Any, c: Any, c_row: Any, depth: Any, valid: Any = None
    ) -> None:
        downs = [a + a_row * row for row in range(rows)]
        places = [c_row * row + v * e.width for row in range(rows) for v in range(vectors)]

        def step(k: Any, sums: list[Any]) -> list[Any]:
            across = [e.load(b, k * b_step + v * e.width, valid) for v in range(vectors)]
            return outer(sums, (e.splat(down, k * a_step) for down in downs), across)

        start = [e.load(c, place, valid) if accumulate else e.zero() for place in places]
        for place, total in zip(places, e.loop(depth, start, step), strict=True):
            e.store(total, c, place, valid)

    def whole(e: Any, a: Any, a_row: Any, a_step: Any, b: Any, b_step: Any, c: Any, c_row: Any, depth: Any) -> None:
        write(e, a, a_row, a_step, b, b_step, c, c_row, depth)

    return tile(write if masked else whole)


@cache
def gather_tile(rows: int, vectors: int, shared: bool, curve: str) -> Any:
    """Make the tile y[row] = finish(bias + Σ_tap Σ_k x[row's place for tap, k] · weight[tap, k]); see :func:`finish`.

    Tables say where, in floats: ``table`` first the places of the rows in y (and in ``other``), then those in x for
    each tap; or, where taps are ``shared``, those for no tap, which every tap shifts alike. ``steps`` has four numbers
    for each tap, the third the place of its weights (depth, vectors·width), the fourth its shift. So padding, stride
    and dilation cost nothing here.
    """

    @tile
    def gather(
        e: Any, x: Any, table: Any, steps: Any, taps: Any, depth: Any, weight: Any, bias: Any, y: Any, other: Any,
        add: Any, mask: Any, low: Any, high: Any, setting: Any,
    ) -> None:  # fmt: skip
        across_row = vectors * e.width
        unmoved = [x + e.index(table, rows + row) for row in range(rows)] if shared else []

        def tap(number: Any, sums: list[Any]) -> list[Any]:
            weights = weight + e.index(steps, number * 4 + 2)
            if shared:  # one shift for all rows, which an address takes in for nothing
                downs, shift = unmoved, e.index(steps, number * 4 + 3)
            else:
                downs, shift = [x + e.index(table, number * rows + (rows + row)) for row in range(rows)], e.number(0)

            def step(k: Any, sums: list[Any]) -> list[Any]:
                across = [e.load(weights, k * across_row + v * e.width) for v in range(vectors)]
                return outer(sums, (e.splat(down, shift + k) for down in downs), across)

            return list(e.loop(depth, sums, step))

        totals = e.loop(taps, [e.zero()] * (rows * vectors), tap)
        biases = [e.load(bias, v * e.width) for v in range(vectors)]
        bounds, settings = (e.lift(low), e.lift(high)), [setting + v * e.width for v in range(vectors)]
        for row in range(rows):
            place = e.index(table, row)
            places = [place + v * e.width for v in range(vectors)]
            values = [totals[row * vectors + v] + biases[v] for v in range(vectors)]
            finish(e, values, places, y, other, add, mask, bounds, curve, settings)

    return gather


def finish(
    e: Any, values: list[Any], places: list[Any], y: Any, other: Any, add: Any, mask: Any, bounds: tuple[Any, Any],
    curve: str, settings: Sequence[Any], valid: Sequence[Any] = (),
) -> None:  # fmt: skip
    """Write sums to their places in y, after what follows a convolution.

    Either ``other`` is added at the same places, or 0 is written where it is not above 0; then comes the activation
    of the name ``curve``, if there is one, whose setting for each vector lies where ``settings`` says; and what lies
    beyond the bounds is cut off. ``valid`` tells of each vector how many floats exist, if not all do.
    """
    exist = valid or [None] * len(values)
    others = list(zip(places, exist, strict=True))

    def added() -> list[Any]:
        return [value + e.load(other, *place) for value, place in zip(values, others, strict=True)]

    values = e.when(add, values, added)
    zero = e.zero()

    def masked() -> list[Any]:
        pairs = zip(values, others, strict=True)
        return [e.load(other, *place).where_above(zero, value, zero) for value, place in pairs]

    values = e.when(mask, values, masked)
    if curve:
        bend = ACTIVATIONS[curve].forward
        givens = zip(values, settings, exist, strict=True)
        values = [bend(value, e.load(place, 0, valid_)) for value, place, valid_ in givens]
    for value, place in zip(values, others, strict=True):
        e.store(value.at_least(bounds[0]).at_most(bounds[1]), y, *place)


@cache
def finishing(curve: str) -> Any:
    """Make the tile that writes one sum to y[0]; see :func:`finish`. What it reads fills no vector, so it masks."""

    @tile
    def finish_one(
        e: Any, value: Any, y: Any, other: Any, add: Any, mask: Any, low: Any, high: Any, setting: Any
    ) -> None:
        one, bounds = e.number(1), (e.lift(low), e.lift(high))
        finish(e, [e.lift(value)], [0], y, other, add, mask, bounds, curve, [setting], [one])

    return finish_one


def suffix(curve: str) -> str:
    """How the names end of kernels that apply an activation."""
    return f"_{curve}" if curve else ""


def outer(sums: list[Any], down: Any, across: list[Any]) -> list[Any]:
    """Add the outer product of a column and a row of vectors to the sums."""
    width = len(across)
    return [value.fma(across[v], sums[row * width + v]) for row, value in enumerate(down) for v in range(width)]


def transform(matrix: Array, vectors: Sequence[Any]) -> list[Any]:
    """Apply a matrix of coefficients to a list of vectors; zeros cost nothing, ones no multiplication.

    Two columns that differ in signs only are read as the sum and the difference of their vectors; two rows that do
    are the sum and the difference of what they share: so Winograd's transforms need a third fewer operations.
    """
    rows, terms = _paired_columns(np.asarray(matrix, float), list(vectors))
    results: dict[int, Any] = {}
    for one in range(len(rows)):
        if one in results:
            continue
        same, differing, other = _paired_row(rows, one, results)
        if other is None:
            results[one] = _sum(rows[one], terms)
            continue
        factor = min(abs(differing[differing != 0]))
        even, odd = _sum(same, terms), _sum(differing / factor, terms)
        results[one], results[other] = odd.fma(factor, even), odd.fma(-factor, even)
        if factor == 1:
            results[one], results[other] = even + odd, even - odd
    return [results[row] for row in range(len(rows))]


def _paired_columns(rows: Array, vectors: list[Any]) -> tuple[Array, list[Any]]:
    """Replace pairs of columns that differ in signs only by sums and differences of their vectors."""
    rows, used = rows.copy(), set[int]()
    for one in range(rows.shape[1]):
        for other in range(one + 1, rows.shape[1]):
            left, right = rows[:, one], rows[:, other]
            if used & {one, other} or (abs(left) != abs(right)).any() or (left == right).all() or sum(left != 0) < 3:
                continue
            used |= {one, other}
            vectors[one], vectors[other] = vectors[one] + vectors[other], vectors[one] - vectors[other]
            rows[:, one], rows[:, other] = np.where(left == right, left, 0), np.where(left == right, 0, left)
    return rows, vectors


def _paired_row(rows: Array, one: int, taken: Any) -> tuple[Array, Array, int | None]:
    """Find a later row with the same coefficients but for some signs; return the same and the differing ones."""
    for other in range(one + 1, len(rows)):
        differing = np.where(rows[one] != rows[other], rows[one], 0)
        same = rows[one] - differing
        if other not in taken and (abs(rows[one]) == abs(rows[other])).all() and same.any() and differing.any():
            return same, differing, other
    return rows[one], rows[one], None


def _sum(coefficients: Array, vectors: Sequence[Any]) -> Any:
    """Add up vectors times coefficients, starting with a coefficient of 1 if there is one."""
    terms = sorted(((c, v) for c, v in zip(coefficients, vectors, strict=True) if c), key=lambda term: term[0] != 1)
    coefficient, vector = terms[0]
    total = vector if coefficient == 1 else vector * float(coefficient)
    for coefficient, vector in terms[1:]:
        if abs(coefficient) == 1:
            total = total + vector if coefficient == 1 else total - vector
        else:
            total = vector.fma(float(coefficient), total)
    return total


def transform_both_sides(matrix: Array, cells: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """M·X·Mᵀ for a square X of vectors: the columns first, then the rows."""
    columns = [transform(matrix, column) for column in zip(*cells, strict=True)]
    return [transform(matrix, row) for row in zip(*columns, strict=True)]
