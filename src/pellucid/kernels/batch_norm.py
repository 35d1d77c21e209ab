"""Batch normalisation: y = (x − mean) · factor + bias for each channel, factor = weight / √(variance + eps).

The statistics of a batch are gathered in one pass over memory. A part of the pixels is taken chunk by chunk, small
enough to be at hand when the squared deviations from the chunk's own mean are added up; mean and deviations of chunks,
and in the end of parts, are put together by the rule of T. Chan, G. Golub and R. LeVeque, Updating Formulae and a
Pairwise Algorithm for Computing Sample Variances, 1979. So a mean far from 0 costs no digits.

What is known of the channels lies in rows of one pixel each: see :data:`MEAN` and those after it.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.program import Buffer
from pellucid.kernels.tiles import vector_width
from pellucid.kernels.winograd import clear

MEAN, FACTOR, BIAS = 0, 1, 2
"""Rows of what normalising needs."""
SLOPE, STRETCH = 2, 3
"""Rows, besides mean and factor, of what the gradient needs: the mean of dy, and of dy · x̂ divided by √(…)."""

_PART_FLOATS, _CHUNK_FLOATS = 16_384, 8_192
_MOST_PARTS = 32
"""Parts with sums of their own."""
_SIDE = 4
"""Pixels gone through side by side."""


@cache
def sum_tile(cells: int) -> Any:
    """Make the tile that adds so many pixels."""

    @tile
    def add(e: Any, x: Any, pixel: Any, total: Any) -> None:
        e.store(e.load(total, 0) + _tree([e.load(x, pixel * i) for i in range(cells)]), total, 0)

    return add


@cache
def deviation_tile(cells: int) -> Any:
    """Make the tile that adds the squared deviations of so many pixels from total · share."""

    @tile
    def add(e: Any, x: Any, pixel: Any, total: Any, share: Any, deviations: Any) -> None:
        mean = e.load(total, 0) * e.lift(share)
        away = [e.load(x, pixel * i) - mean for i in range(cells)]
        e.store(e.load(deviations, 0) + _tree([value * value for value in away]), deviations, 0)

    return add


@cache
def slope_tile(cells: int) -> Any:
    """Make the tile that adds dy, and dy · (x − mean), of so many pixels."""

    @tile
    def add(e: Any, x: Any, dy: Any, pixel: Any, mean: Any, slopes: Any, products: Any) -> None:
        middle = e.load(mean, 0)
        found = [e.load(dy, pixel * i) for i in range(cells)]
        away = [(e.load(x, pixel * i) - middle) * slope for i, slope in enumerate(found)]
        e.store(e.load(slopes, 0) + _tree(found), slopes, 0)
        e.store(e.load(products, 0) + _tree(away), products, 0)

    return add


def _tree(values: list[Any]) -> Any:
    """Add neighbours, then sums of neighbours."""
    while len(values) > 1:
        values = [a + b for a, b in zip(values[::2], values[1::2], strict=True)]
    return values[0]


@tile
def merge_tile(
    e: Any, mean: Any, deviations: Any, more: Any, unit: Any, more_deviations: Any, gain: Any, share: Any
) -> None:
    """Put together two sets of cells: ``share`` of all are in the second, ``gain`` = share · cells in the first.

    The second's mean is ``more`` · ``unit``.
    """
    old = e.load(mean, 0)
    away = e.load(more, 0) * e.lift(unit) - old
    e.store(away.fma(e.lift(share), old), mean, 0)
    both = e.load(deviations, 0) + e.load(more_deviations, 0)
    e.store((away * away).fma(e.lift(gain), both), deviations, 0)


@cache
def statistics() -> Any:
    """Make the kernel that writes mean and squared deviations, a pixel each, of a part of the pixels."""
    width = host().width
    four, one = sum_tile(_SIDE), sum_tile(1)
    four_away, one_away = deviation_tile(_SIDE), deviation_tile(1)

    @kernel("batch_norm_statistics")
    def gather(
        part: int, scratch: Floats, x: Floats, found: Floats, pixel: int, pixels: int, per_part: int, chunk: int
    ) -> None:
        mean, deviations = found + part * 2 * pixel, found + (part * 2 + 1) * pixel
        clear(mean, 2 * pixel)
        total, away = scratch + 0, scratch + pixel
        first, last = part * per_part, min(pixels, (part + 1) * per_part)
        for start in range(first, last, chunk):
            end = min(last, start + chunk)
            whole = end - (end - start) % _SIDE
            clear(scratch, 2 * pixel)
            share = 1.0 / (end - start)
            for p in range(start, whole, _SIDE):
                for c in range(0, pixel, width):
                    four(x + (p * pixel + c), pixel, total + c)
            for p in range(whole, end):
                for c in range(0, pixel, width):
                    one(x + (p * pixel + c), pixel, total + c)
            for p in range(start, whole, _SIDE):
                for c in range(0, pixel, width):
                    four_away(x + (p * pixel + c), pixel, total + c, share, away + c)
            for p in range(whole, end):
                for c in range(0, pixel, width):
                    one_away(x + (p * pixel + c), pixel, total + c, share, away + c)
            added = (end - start) / (end - first)
            for c in range(0, pixel, width):
                merge_tile(mean + c, deviations + c, total + c, share, away + c, added * (start - first), added)

    return gather


@tile
def factor_tile(e: Any, weight: Any, variance: Any, eps: Any, factor: Any, valid: Any) -> None:
    """Write weight / √(variance + eps) for the channels that exist, something for the others."""
    e.store(e.load(weight, 0, valid) / (e.load(variance, 0, valid) + e.lift(eps)).sqrt(), factor, 0)


@tile
def copy_tile(e: Any, source: Any, target: Any, valid: Any) -> None:
    """Copy channels, and zeros for those that do not exist."""
    e.store(e.load(source, 0, valid), target, 0)


@tile
def scale_tile(e: Any, values: Any, scale: Any) -> None:
    """Multiply a vector by a number."""
    e.store(e.load(values, 0) * e.lift(scale), values, 0)


@cache
def conclusion() -> Any:
    """Make the kernel that puts the parts together for one vector of channels."""
    width = host().width

    @kernel("batch_norm_conclusion")
    def conclude(
        part: int, scratch: Floats, found: Floats, weight: Floats, bias: Floats, mean: Floats, variance: Floats,
        rows: Floats, pixel: int, channels: int, pixels: int, per_part: int, eps: float,
    ) -> None:  # fmt: skip
        c = part * width
        whole, deviations = rows + (MEAN * pixel + c), scratch + 0
        count, valid = (pixels + per_part - 1) // per_part, min(width, channels - c)
        clear(whole, width)
        clear(deviations, width)
        for number in range(count):
            seen, more = number * per_part, min(pixels - number * per_part, per_part)
            share = more / (seen + more)
            own = found + (number * 2 * pixel + c)
            merge_tile(whole, deviations, own, 1.0, own + pixel, share * seen, share)
        scale_tile(deviations, 1.0 / pixels)
        factor_tile(weight + c, deviations, eps, rows + (FACTOR * pixel + c), valid)
        copy_tile(bias + c, rows + (BIAS * pixel + c), valid)
        for lane in range(valid):
            mean[c + lane] = whole[lane]
            variance[c + lane] = deviations[lane]

    return conclude


@kernel("batch_norm_rows")
def prepare(
    part: int, scratch: Floats, weight: Floats, bias: Floats, mean: Floats, variance: Floats, rows: Floats, pixel: int,
    channels: int, eps: float,
) -> None:  # fmt: skip
    """Write the rows for given statistics."""
    for c in range(0, pixel, vector_width()):
        valid = min(vector_width(), channels - c)
        copy_tile(mean + c, rows + (MEAN * pixel + c), valid)
        factor_tile(weight + c, variance + c, eps, rows + (FACTOR * pixel + c), valid)
        copy_tile(bias + c, rows + (BIAS * pixel + c), valid)


@cache
def normal_tile(cells: int) -> Any:
    """Make the tile that normalises so many pixels."""

    @tile
    def normalise(e: Any, x: Any, y: Any, row: Any, pixel: Any) -> None:
        mean, factor, bias = (e.load(row, pixel * number) for number in (MEAN, FACTOR, BIAS))
        for i in range(cells):
            e.store((e.load(x, pixel * i) - mean).fma(factor, bias), y, pixel * i)

    return normalise


@cache
def application() -> Any:
    """Make the kernel y = (x − mean) · factor + bias, on some pixels."""
    width, four, one = host().width, normal_tile(_SIDE), normal_tile(1)

    @kernel("batch_norm")
    def apply(
        part: int, scratch: Floats, x: Floats, y: Floats, rows: Floats, pixel: int, pixels: int, per_part: int
    ) -> None:
        first, last = part * per_part, min(pixels, (part + 1) * per_part)
        whole = last - (last - first) % _SIDE
        for p in range(first, whole, _SIDE):
            for c in range(0, pixel, width):
                four(x + (p * pixel + c), y + (p * pixel + c), rows + c, pixel)
        for p in range(whole, last):
            for c in range(0, pixel, width):
                one(x + (p * pixel + c), y + (p * pixel + c), rows + c, pixel)

    return apply


@cache
def slopes() -> Any:
    """Make the kernel that writes Σ dy and Σ dy · (x − mean), a pixel each, of a part of the pixels."""
    width, four, one = host().width, slope_tile(_SIDE), slope_tile(1)

    @kernel("batch_norm_backward_sums")
    def gather(
        part: int, scratch: Floats, dy: Floats, x: Floats, mean: Floats, found: Floats, pixel: int, channels: int,
        pixels: int, per_part: int,
    ) -> None:  # fmt: skip
        total, products = found + part * 2 * pixel, found + (part * 2 + 1) * pixel
        clear(total, 2 * pixel)
        for c in range(0, pixel, width):
            copy_tile(mean + c, scratch + c, min(width, channels - c))
        first, last = part * per_part, min(pixels, (part + 1) * per_part)
        whole = last - (last - first) % _SIDE
        for p in range(first, whole, _SIDE):
            for c in range(0, pixel, width):
                four(x + (p * pixel + c), dy + (p * pixel + c), pixel, scratch + c, total + c, products + c)
        for p in range(whole, last):
            for c in range(0, pixel, width):
                one(x + (p * pixel + c), dy + (p * pixel + c), pixel, scratch + c, total + c, products + c)

    return gather


@tile
def slope_rows_tile(
    e: Any, found: Any, step: Any, parts: Any, weight: Any, mean: Any, variance: Any, eps: Any, share: Any, rows: Any,
    pixel: Any, valid: Any,
) -> None:  # fmt: skip
    """Write the rows of the gradient for one vector of channels, then Σ dy and Σ dy · x̂."""

    def further(number: Any, sums: list[Any]) -> list[Any]:
        return [total + e.load(found, number * step + pixel * i) for i, total in enumerate(sums)]

    slopes, products = e.loop(parts, [e.zero()] * 2, further)
    root = (e.load(variance, 0, valid) + e.lift(eps)).sqrt()
    products = products / root
    e.store(e.load(mean, 0, valid), rows, pixel * MEAN)
    e.store(e.load(weight, 0, valid) / root, rows, pixel * FACTOR)
    e.store(slopes * e.lift(share), rows, pixel * SLOPE)
    e.store(products * e.lift(share) / root, rows, pixel * STRETCH)
    e.store(slopes, rows, pixel * 4)
    e.store(products, rows, pixel * 5)


@kernel("batch_norm_backward_rows")
def slope_rows(
    part: int, scratch: Floats, found: Floats, parts: int, weight: Floats, mean: Floats, variance: Floats,
    dweight: Floats, dbias: Floats, has_weight: int, has_bias: int, rows: Floats, pixel: int, channels: int,
    pixels: int, eps: float,
) -> None:  # fmt: skip
    """Put the parts together: dweight and dbias where asked for, and the rows that dx needs."""
    for c in range(0, pixel, vector_width()):
        valid = min(vector_width(), channels - c)
        slope_rows_tile(
            found + c, 2 * pixel, parts, weight + c, mean + c, variance + c, eps, 1.0 / pixels, rows + c, pixel, valid
        )
    for c in range(channels):
        if has_weight != 0:
            dweight[c] = rows[5 * pixel + c]
        if has_bias != 0:
            dbias[c] = rows[4 * pixel + c]


SLOPE_ROWS = 6
"""How many rows the gradient has."""


@cache
def backward_tile(cells: int) -> Any:
    """Make the tile of dx = factor · (dy − mean of dy − (x − mean) · stretch) for so many pixels."""

    @tile
    def backward(e: Any, dy: Any, x: Any, dx: Any, rows: Any, pixel: Any) -> None:
        mean, factor, slope, stretch = (e.load(rows, pixel * number) for number in (MEAN, FACTOR, SLOPE, STRETCH))
        for i in range(cells):
            away = (e.load(x, pixel * i) - mean) * stretch
            e.store((e.load(dy, pixel * i) - slope - away) * factor, dx, pixel * i)

    return backward


@cache
def backward_data() -> Any:
    """Make the kernel of dx through the statistics of the batch, on some pixels."""
    width, four, one = host().width, backward_tile(_SIDE), backward_tile(1)

    @kernel("batch_norm_backward_data")
    def apply(
        part: int, scratch: Floats, dy: Floats, x: Floats, dx: Floats, rows: Floats, pixel: int, pixels: int,
        per_part: int,
    ) -> None:  # fmt: skip
        first, last = part * per_part, min(pixels, (part + 1) * per_part)
        whole = last - (last - first) % _SIDE
        for p in range(first, whole, _SIDE):
            for c in range(0, pixel, width):
                place = p * pixel + c
                four(dy + place, x + place, dx + place, rows + c, pixel)
        for p in range(whole, last):
            for c in range(0, pixel, width):
                place = p * pixel + c
                one(dy + place, x + place, dx + place, rows + c, pixel)

    return apply


@kernel("running_average")
def running_average(
    part: int, scratch: Floats, running: Floats, batch: Floats, y: Floats, count: int, kept: float, added: float
) -> None:
    """Write kept · running + added · batch."""
    for i in range(count):
        y[i] = kept * running[i] + added * batch[i]


def sum_parts(x: Buffer) -> tuple[int, int, int]:
    """Deal out pixels to parts with sums of their own: how many parts, how many pixels, pixels of a part."""
    pixels = x.nbytes // 4 // x.pixel
    parts = max(1, min(_MOST_PARTS, pixels * x.pixel // _PART_FLOATS))
    per_part = -(-pixels // parts)
    return -(-pixels // per_part), pixels, per_part


def parts(x: Buffer) -> tuple[int, int, int]:
    """Deal out pixels: how many parts, how many pixels, pixels of a part."""
    pixels = x.nbytes // 4 // x.pixel
    per_part = max(1, _PART_FLOATS // x.pixel)
    return -(-pixels // per_part), pixels, per_part


def chunk(pixel: int) -> int:
    """Pixels whose statistics are taken while they are at hand."""
    return max(_SIDE, _CHUNK_FLOATS // pixel // _SIDE * _SIDE)
