"""Weighted sums over windows: average pooling, resizing, padding, and the gradients of all three.

y[i, j] = Σ_r Σ_c u[i, r] · v[j, c] · x[r, c] / (p[i] · q[j]), the sums over the cells that two tables name, one for the
rows and one for the columns (:mod:`pellucid.kernels.windows`). A vector holds channels of one pixel.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.program import Buffer
from pellucid.kernels.windows import Windows

PART_FLOATS = 16_384
"""About how many floats of the larger image a part goes through."""


@cache
def sum_tile(vectors: int) -> Any:
    """Make the tile that computes one output pixel for so many vectors of channels."""

    @tile
    def weighted_sum(
        e: Any, x: Any, wide: Any, pixel: Any, rows: Any, u: Any, down: Any, columns: Any, v: Any, across: Any,
        divide: Any, divisor: Any, y: Any,
    ) -> None:  # fmt: skip
        def row(a: Any, sums: list[Any]) -> list[Any]:
            first, weight = e.index(rows, a) * wide, e.splat(u, a)

            def column(b: Any, sums: list[Any]) -> list[Any]:
                cell, share = x + (first + e.index(columns, b)) * pixel, e.splat(v, b) * weight
                return [e.load(cell, k * e.width).fma(share, total) for k, total in enumerate(sums)]

            return list(e.loop(across, sums, column))

        totals = e.loop(down, [e.zero()] * vectors, row)
        bottom = e.lift(divisor)
        for k, value in enumerate(e.when(divide, totals, lambda: [total / bottom for total in totals])):
            e.store(value, y, k * e.width)

    return weighted_sum


@tile
def fill_tile(e: Any, value: Any, y: Any) -> None:
    """Write one number everywhere."""
    e.store(e.lift(value), y, 0)


@cache
def resample() -> Any:
    """Make the kernel for some lines of the output, or for some channels of them."""
    width, four, one = host().width, sum_tile(4), sum_tile(1)

    @kernel("resample_by_tables")
    def resampled(
        part: int, scratch: Floats, x: Floats, y: Floats, rows: Longs, u: Floats, columns: Longs, v: Floats,
        divide: int, empty: float, height: int, wide: int, pixel: int, y_height: int, y_wide: int, lines: int,
        per_part: int, chunk: int,
    ) -> None:  # fmt: skip
        """``empty`` is what a pixel becomes whose window is empty."""
        chunks = (pixel + chunk - 1) // chunk
        begin = part % chunks * chunk
        end = min(pixel, begin + chunk)
        first = part // chunks * per_part
        for line in range(first, min(lines, first + per_part)):
            i = line % y_height
            source = x + line // y_height * height * wide * pixel
            start, down = rows[i], rows[i + 1] - rows[i]
            for j in range(y_wide):
                target = y + (line * y_wide + j) * pixel
                left, across = columns[j], columns[j + 1] - columns[j]
                divisor = 1.0 * u[i] * v[j]
                c = begin
                if down * across == 0:
                    while c < end:
                        fill_tile(empty, target + c)
                        c += width
                while c + 4 * width <= end:
                    four(
                        source + c, wide, pixel, rows + start, u + start, down, columns + left, v + left, across,
                        divide, divisor, target + c,
                    )  # fmt: skip
                    c += 4 * width
                while c < end:
                    one(
                        source + c, wide, pixel, rows + start, u + start, down, columns + left, v + left, across,
                        divide, divisor, target + c,
                    )  # fmt: skip
                    c += width

    return resampled


def parts(x: Buffer, y: Buffer) -> tuple[int, int, int, int]:
    """Deal out the lines of y: how many parts, how many lines, lines of a part, channels of a part."""
    n, _, height, wide = y.images
    lines = n * height
    if height * wide == 1 and x.nbytes // 4 > n * PART_FLOATS:  # one pixel of a large plane: split its channels
        chunk = min(x.pixel, 4 * host().width)
        return lines * -(-x.pixel // chunk), lines, 1, chunk
    per_line = max(1, x.nbytes // 4 // lines, wide * y.pixel)
    per_part = max(1, PART_FLOATS // per_line)
    return -(-lines // per_part), lines, per_part, x.pixel


def arguments(
    x: Buffer, y: Buffer, rows: Windows, columns: Windows, constant: Any, divide: bool = False, empty: float = 0.0
) -> tuple[Any, ...]:
    """Return what a call takes, kernel first; ``constant`` makes a buffer of an array."""
    count, lines, per_part, chunk = parts(x, y)
    tables = [constant(array) for axis in (rows, columns) for array in (axis.table, axis.weights)]
    sizes = *x.images[2:], x.pixel, *y.images[2:]
    return resample(), count, x, y, *tables, int(divide), empty, *sizes, lines, per_part, chunk
