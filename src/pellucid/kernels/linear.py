"""The dense layer's three matrix products, each on the weight (O, I) as it lies: nothing is packed.

Rows are those of a batch, ``x_row`` and ``y_row`` floats apart.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import helper, kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.tiles import product_tile

_INPUTS = 4
_OUTPUTS = 4
"""The forward tile: so many rows of x against so many of the weight, one vector of partial sums for each pair."""


@cache
def dot_tile(inputs: int, outputs: int) -> Any:
    """Make the tile that writes the dot products of some rows of x and some of the weight, ``depth`` floats long."""

    @tile
    def dot(e: Any, x: Any, x_row: Any, weight: Any, w_row: Any, sums: Any, vectors: Any, rest: Any) -> None:
        def step(sums: list[Any], offset: Any, valid: Any = None) -> list[Any]:
            down = [e.load(x, x_row * i + offset, valid) for i in range(inputs)]
            across = [e.load(weight, w_row * o + offset, valid) for o in range(outputs)]
            return [d.fma(a, sums[i * outputs + o]) for i, d in enumerate(down) for o, a in enumerate(across)]

        totals = e.loop(vectors, [e.zero()] * (inputs * outputs), lambda k, sums: step(sums, k * e.width))
        totals = e.when(rest, totals, lambda: step(totals, vectors * e.width, rest))
        for number, total in enumerate(totals):
            e.store_number(total.total(), sums, number)

    return dot


@cache
def forward() -> Any:
    """Make the kernel y = clamp(x·weightᵀ + bias) for one run of outputs."""
    width = host().width
    block, row, single = dot_tile(_INPUTS, _OUTPUTS), dot_tile(1, _OUTPUTS), dot_tile(1, 1)

    @helper
    def write(sums, inputs, outputs, bias, has_bias, y, y_row, low, high):  # type: ignore[no-untyped-def]
        for i in range(inputs):
            for o in range(outputs):
                value = sums[i * outputs + o]
                if has_bias != 0:
                    value += bias[o]
                if value < low:
                    value = low
                if value > high:
                    value = high
                y[i * y_row + o] = value

    @kernel("linear")
    def linear(
        part: int, scratch: Floats, x: Floats, weight: Floats, bias: Floats, has_bias: int, y: Floats, low: float,
        high: float, rows: int, x_row: int, depth: int, outputs: int, y_row: int, run: int,
    ) -> None:  # fmt: skip
        vectors, rest = depth // width, depth % width
        o, last = part * run, min(outputs, (part + 1) * run)
        while o < last:
            wide = _OUTPUTS if last - o >= _OUTPUTS else 1
            i = 0
            while i < rows:
                deep = _INPUTS if wide == _OUTPUTS and rows - i >= _INPUTS else 1
                source, weights = x + i * x_row, weight + o * depth
                if deep == _INPUTS:
                    block(source, x_row, weights, depth, scratch, vectors, rest)
                elif wide == _OUTPUTS:
                    row(source, x_row, weights, depth, scratch, vectors, rest)
                else:
                    single(source, x_row, weights, depth, scratch, vectors, rest)
                write(scratch, deep, wide, bias + has_bias * o, has_bias, y + (i * y_row + o), y_row, low, high)
                i += deep
            o += wide

    return linear


@cache
def product() -> Any:
    """Make the kernel that writes one block of C (rows, columns) = A · B, C's and B's rows contiguous.

    A's element (row, k) lies at row · a_row + k · a_step. Nothing beyond the last column is touched.
    """
    (rows, vectors), width = host().tile, host().width
    panel = vectors * width
    full, half, single = (product_tile(count, vectors) for count in (rows, rows // 2, 1))
    full_edge, half_edge, single_edge = (product_tile(count, 1, masked=True) for count in (rows, rows // 2, 1))

    @kernel("matrix_product")
    def multiply(
        part: int, scratch: Floats, a: Floats, a_row: int, a_step: int, b: Floats, b_step: int, c: Floats, c_row: int,
        depth: int, height: int, columns: int, down: int, across: int,
    ) -> None:  # fmt: skip
        wide = (columns + across - 1) // across
        top, bottom = part // wide * down, min(height, part // wide * down + down)
        left, right = part % wide * across, min(columns, part % wide * across + across)
        j = left
        while j < right:
            whole = right - j >= panel
            i = top
            while i < bottom:
                source, weights, target = a + i * a_row, b + j, c + (i * c_row + j)
                count = rows if bottom - i >= rows else (rows // 2 if bottom - i >= rows // 2 else 1)
                if whole:
                    if count == rows:
                        full(source, a_row, a_step, weights, b_step, target, c_row, depth)
                    elif count == 1:
                        single(source, a_row, a_step, weights, b_step, target, c_row, depth)
                    else:
                        half(source, a_row, a_step, weights, b_step, target, c_row, depth)
                elif count == rows:
                    full_edge(source, a_row, a_step, weights, b_step, target, c_row, depth, right - j)
                elif count == 1:
                    single_edge(source, a_row, a_step, weights, b_step, target, c_row, depth, right - j)
                else:
                    half_edge(source, a_row, a_step, weights, b_step, target, c_row, depth, right - j)
                i += count
            j += panel if whole else width

    return multiply


@kernel("row_sums")
def sum_rows(part: int, scratch: Floats, dy: Floats, result: Floats, rows: int, row: int, columns: int) -> None:
    """Sum a few columns of dy over the rows."""
    for o in range(part * 64, min(columns, part * 64 + 64)):
        result[o] = 0.0
    for i in range(rows):
        for o in range(part * 64, min(columns, part * 64 + 64)):
            result[o] += dy[i * row + o]
