"""Softmax, its logarithm and the cross-entropy of rows: numbers side by side, such as the channels of a pixel.

The largest number of a row is taken off first; exp cannot overflow then. A row with a NaN or +∞ becomes NaN
throughout.
"""

from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.elementary import exp, log
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.pointwise import rows_per_part
from pellucid.kernels.tiles import vector_width

_LOWEST = -float("inf")
_COST = 4
"""How much longer a number takes here than where it is only read and written, about."""


def rows(count: int, length: int) -> tuple[int, int]:
    """Return how many parts a pass over rows has, and how many rows are in one."""
    size, parts = rows_per_part(count, _COST * length)
    return parts, size


def _highest(e: Any, x: Any, length: Any, vectors: Any) -> Any:
    """Return the largest number of a row, in every place."""

    def step(number: Any, best: list[Any]) -> list[Any]:
        at = number * e.width
        return [best[0].at_least(e.load(x, at, length - at, _LOWEST))]

    (best,) = e.loop(vectors, [e.lift(_LOWEST)], step)
    return best.highest()


def _sum(e: Any, length: Any, vectors: Any, term: Any) -> Any:
    """Add term(at, valid) up over the vectors of a row, in every place; terms beyond the row must be 0."""

    def step(number: Any, total: list[Any]) -> list[Any]:
        at = number * e.width
        return [total[0] + term(at, length - at)]

    (total,) = e.loop(vectors, [e.zero()], step)
    return total.summed()


def _each(e: Any, length: Any, vectors: Any, y: Any, value: Any) -> None:
    """Write value(at, valid) to the vectors of a row."""

    def step(number: Any, _: list[Any]) -> list[Any]:
        at = number * e.width
        e.store(value(at, length - at), y, at, length - at)
        return []

    e.loop(vectors, [], step)


@tile
def softmax_row(e: Any, x: Any, y: Any, length: Any, vectors: Any) -> None:
    """Write exp(x − max) and add it up, then divide."""
    best = _highest(e, x, length, vectors)

    def term(at: Any, valid: Any) -> Any:
        value = exp(e.load(x, at, valid, _LOWEST) - best)
        e.store(value, y, at, valid)
        return value

    share = 1.0 / _sum(e, length, vectors, term)
    _each(e, length, vectors, y, lambda at, valid: e.load(y, at, valid) * share)


@tile
def log_softmax_row(e: Any, x: Any, y: Any, length: Any, vectors: Any) -> None:
    """Write x − max − log Σ exp(x − max)."""
    best = _highest(e, x, length, vectors)
    total = _sum(e, length, vectors, lambda at, valid: exp(e.load(x, at, valid, _LOWEST) - best))
    logarithm = log(total)
    _each(e, length, vectors, y, lambda at, valid: e.load(x, at, valid) - best - logarithm)


@tile
def softmax_backward_row(e: Any, dy: Any, y: Any, dx: Any, length: Any, vectors: Any) -> None:
    """Write y · (dy − Σ dy · y)."""
    total = _sum(e, length, vectors, lambda at, valid: e.load(dy, at, valid) * e.load(y, at, valid))
    _each(e, length, vectors, dx, lambda at, valid: e.load(y, at, valid) * (e.load(dy, at, valid) - total))


@tile
def log_softmax_backward_row(e: Any, dy: Any, y: Any, dx: Any, length: Any, vectors: Any) -> None:
    """Write dy − exp(y) · Σ dy."""
    total = _sum(e, length, vectors, lambda at, valid: e.load(dy, at, valid))
    _each(e, length, vectors, dx, lambda at, valid: e.load(dy, at, valid) - exp(e.load(y, at, valid)) * total)


def _of_one(name: str, row: Any) -> Any:
    @kernel(name)
    def run(
        part: int, scratch: Floats, x: Floats, y: Floats, count: int, length: int, x_step: int, y_step: int, size: int
    ) -> None:
        vectors = (length + vector_width() - 1) // vector_width()
        for number in range(part * size, min(count, (part + 1) * size)):
            row(x + number * x_step, y + number * y_step, length, vectors)

    return run


def _of_two(name: str, row: Any) -> Any:
    @kernel(name)
    def run(
        part: int, scratch: Floats, dy: Floats, y: Floats, dx: Floats, count: int, length: int, step: int, dx_step: int,
        size: int,
    ) -> None:  # fmt: skip
        vectors = (length + vector_width() - 1) // vector_width()
        for number in range(part * size, min(count, (part + 1) * size)):
            row(dy + number * step, y + number * step, dx + number * dx_step, length, vectors)

    return run


softmax = _of_one("softmax", softmax_row)
log_softmax = _of_one("log_softmax", log_softmax_row)
softmax_backward = _of_two("softmax_backward", softmax_backward_row)
log_softmax_backward = _of_two("log_softmax_backward", log_softmax_backward_row)


@tile
def cross_entropy_row(e: Any, x: Any, numbers: Any, length: Any, vectors: Any) -> None:
    """Write three vectors that hold max, log Σ exp(x − max) and Σ (x − max) in every place."""
    best = _highest(e, x, length, vectors)
    e.store(best, numbers, 0)
    total = _sum(e, length, vectors, lambda at, valid: exp(e.load(x, at, valid, _LOWEST) - best))
    e.store(log(total), numbers, e.width)
    # read back, max is 0 beyond the row, as x is
    away = _sum(e, length, vectors, lambda at, valid: e.load(x, at, valid) - e.load(numbers, 0, valid))
    e.store(away, numbers, 2 * e.width)


def cross_entropy_scratch() -> int:
    """Floats of scratch memory that :func:`cross_entropy` needs."""
    return 3 * int(vector_width())


@kernel("cross_entropy")
def cross_entropy(
    part: int, scratch: Floats, x: Floats, labels: Longs, sums: Floats, count: int, length: int, step: int, size: int,
    smoothing: float,
) -> None:  # fmt: skip
    """Add up the losses of some rows: (1 − s) · (log Σ − x[label]) + s / K · Σ_k (log Σ − x_k), Σ being Σ_k exp(x_k).

    A label that is no class counts for nothing.
    """
    vectors = (length + vector_width() - 1) // vector_width()
    total = 0.0
    for number in range(part * size, min(count, (part + 1) * size)):
        row, label = x + number * step, labels[number]
        cross_entropy_row(row, scratch, length, vectors)
        logarithm = scratch[vector_width()]
        if label >= 0 and label < length:
            total += (1.0 - smoothing) * (logarithm - (row[label] - scratch[0]))
        if smoothing > 0.0:
            total += smoothing * (logarithm - scratch[2 * vector_width()] / length)
    sums[part] = total


@kernel("sum_of_parts")
def sum_of_parts(part: int, scratch: Floats, sums: Floats, count: int, divisor: float, y: Floats) -> None:
    """Add up what the parts have summed, and divide."""
    total = 0.0
    for number in range(count):
        total += sums[number]
    y[0] = total / divisor


@tile
def cross_entropy_backward_row(e: Any, x: Any, dx: Any, rates: Any, length: Any, vectors: Any) -> None:
    """Write rates[0] · softmax(x) − rates[1]."""
    best = _highest(e, x, length, vectors)

    def term(at: Any, valid: Any) -> Any:
        value = exp(e.load(x, at, valid, _LOWEST) - best)
        e.store(value, dx, at, valid)
        return value

    share, even = e.splat(rates, 0) / _sum(e, length, vectors, term), e.splat(rates, 1)
    _each(e, length, vectors, dx, lambda at, valid: e.load(dx, at, valid) * share - even)


@kernel("cross_entropy_backward")
def cross_entropy_backward(
    part: int, scratch: Floats, dy: Floats, x: Floats, labels: Longs, dx: Floats, count: int, length: int, step: int,
    dx_step: int, size: int, smoothing: float, divisor: float,
) -> None:  # fmt: skip
    """Dy / divisor · (softmax(x) · Σ q − q) for some rows, q being the smoothed target."""
    vectors = (length + vector_width() - 1) // vector_width()
    slope = dy[0] / divisor
    for number in range(part * size, min(count, (part + 1) * size)):
        label, target = labels[number], dx + number * dx_step
        hit = label >= 0 and label < length
        scratch[0] = slope if hit else slope * smoothing
        scratch[1] = slope * smoothing / length
        cross_entropy_backward_row(x + number * step, target, scratch, length, vectors)
        if hit:
            target[label] -= slope * (1.0 - smoothing)
