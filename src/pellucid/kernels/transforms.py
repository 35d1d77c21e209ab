"""Winograd's transforms: the matrices of F(2×2, 3×3) and F(4×4, 3×3), and the tiles that apply them.

Points of F(2×2) are 0, 1, −1 and ∞, of F(4×4) also 2 and −2, as in A. Lavin and S. Gray, Fast Algorithms for
Convolutional Neural Networks, 2015.
"""

from functools import cache
from typing import Any

import numpy as np

from pellucid.kernels.compiler import helper, tile
from pellucid.kernels.host import host
from pellucid.kernels.pooling import better
from pellucid.kernels.tiles import finish, transform, transform_both_sides
from pellucid.types import Array

B_T = {
    2: np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], float),
    4: np.array(
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        float,
    ),
}
G = {
    2: np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]) / 2,
    4: np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24,
}
A_T = {
    2: np.array([[1, 1, 1, 0], [0, 1, -1, -1]], float),
    4: np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], float),
}


@cache
def transform_tile(matrix: str, m: int, transposed: bool = False, border: bool = False) -> Any:
    """Make the tile that writes M·X·Mᵀ for a square X of vectors; source and target by row and column stride.

    At the border of an image the row stride is a table: where each row lies, then how much of each column there is.
    """
    coefficients = coefficients_of(matrix, m, transposed)
    size = coefficients.shape[1]

    @tile
    def both_sides(e: Any, source: Any, row: Any, column: Any, target: Any, to_row: Any, to_column: Any) -> None:
        if border:
            rows, exist = [source + e.index(row, i) for i in range(size)], [e.index(row, size + j) for j in range(size)]
            cells = [[e.load(rows[i], column * j, exist[j]) for j in range(size)] for i in range(size)]
        else:
            cells = [[e.load(source, row * i + column * j) for j in range(size)] for i in range(size)]
        for i, line in enumerate(transform_both_sides(coefficients, cells)):
            for j, value in enumerate(line):
                e.store(value, target, to_row * i + to_column * j)

    return both_sides


def coefficients_of(matrix: str, m: int, transposed: bool = False) -> Array:
    """Find a matrix by its letter."""
    coefficients = {"B": B_T, "G": G, "A": A_T}[matrix][m]
    return coefficients.T if transposed else coefficients


@cache
def reading(matrix: str, m: int, transposed: bool = False) -> Any:
    """Make the helper that transforms the tile at (top, left) of an image, channels ``first`` to ``last``.

    The image starts ``base`` floats behind x, and ``zeros`` floats behind x lies a row of zeros. The table is where
    the helper notes which rows and columns of a tile exist.
    """
    points, size = coefficients_of(matrix, m, transposed).shape
    width = host().width
    inside, border = transform_tile(matrix, m, transposed), transform_tile(matrix, m, transposed, border=True)

    @helper
    def read(x, base, top, left, height, wide, pixel, first, last, target, point, table, zeros):  # type: ignore[no-untyped-def]
        if top >= 0 and left >= 0 and top + size <= height and left + size <= wide:
            source = x + (base + (top * wide + left) * pixel)
            for c in range(first, last, width):
                inside(source + c, wide * pixel, pixel, target + (c - first), points * point, point)
        else:
            for i in range(size):
                y, z = top + i, left + i
                table[i] = base + (y * wide + left) * pixel if y >= 0 and y < height else zeros
                table[size + i] = width if z >= 0 and z < wide else 0
            for c in range(first, last, width):
                border(x + c, table, pixel, target + (c - first), points * point, point)

    return read


@cache
def output_tile(m: int, partial: bool, curve: str) -> Any:
    """Make the tile that writes finish(Aᵀ·M·A + bias), and adds 0 · its sums to ``check``; see :func:`finish`.

    So ``check`` stays 0 unless one of them is infinite or not a number: each sum is part of one of the four corners.
    A partial tile has a table that says how many floats of each output cell exist: all or none.
    """

    @tile
    def output(
        e: Any, sums: Any, row: Any, column: Any, bias: Any, y: Any, y_row: Any, y_column: Any, other: Any, add: Any,
        mask: Any, low: Any, high: Any, setting: Any, check: Any, table: Any,
    ) -> None:  # fmt: skip
        cells = [[e.load(sums, row * i + column * j) for j in range(m + 2)] for i in range(m + 2)]
        start, bounds = e.load(bias, 0), (e.lift(low), e.lift(high))
        watch = e.load(check, 0)
        columns = [transform(A_T[m], cell) for cell in zip(*cells, strict=True)]
        for i, line in enumerate(zip(*columns, strict=True)):
            values = [value + start for value in transform(A_T[m], line)]
            if i in (0, m - 1):
                watch = values[m - 1].fma(0.0, values[0].fma(0.0, watch))
            exist = [e.index(table, i * m + j) for j in range(m)] if partial else ()
            places = [y_row * i + y_column * j for j in range(m)]
            finish(e, values, places, y, other, add, mask, bounds, curve, [setting] * m, exist)
        e.store(watch, check, 0)

    return output


@cache
def pooled_tile(keep: bool, partial: bool = False) -> Any:
    """Make the tile that writes the maxima of the 2×2 cells of Aᵀ·M·A + bias, cut off at both bounds, for m = 4.

    If asked it also writes where they stood, counted from ``place``, where the tile stands in the plane. The rest is
    as in :func:`output_tile`.
    """

    @tile
    def output(
        e: Any, sums: Any, row: Any, column: Any, bias: Any, y: Any, y_row: Any, y_column: Any, indices: Any,
        place: Any, wide: Any, low: Any, high: Any, check: Any, table: Any,
    ) -> None:  # fmt: skip
        cells = [[e.load(sums, row * i + column * j) for j in range(6)] for i in range(6)]
        start, low, high = e.load(bias, 0), e.lift(low), e.lift(high)
        lines = [[v + start for v in line] for line in transform_both_sides(A_T[4], cells)]
        watch = e.load(check, 0)
        for i, j in ((0, 0), (0, 3), (3, 0), (3, 3)):
            watch = lines[i][j].fma(0.0, watch)
        e.store(watch, check, 0)
        lines = [[v.at_least(low).at_most(high) for v in line] for line in lines]
        for i, j in ((0, 0), (0, 2), (2, 0), (2, 2)):
            state = [lines[i][j], *([e.bits(place + wide * i + j)] if keep else [])]
            for down, right in ((0, 1), (1, 0), (1, 1)):
                state = better(e, state, [lines[i + down][j + right]], place + wide * (i + down) + (j + right))
            exists = e.index(table, i + j // 2) if partial else None
            for value, target in zip(state, (y, indices), strict=False):
                e.store(value, target, y_row * (i // 2) + y_column * (j // 2), exists)

    return output


@cache
def writing(m: int, curve: str) -> Any:
    """Make the helper that transforms sums back to the output tile whose first cell is y[0].

    ``down`` × ``across`` cells of the output exist from there on.
    """
    size, width = m + 2, host().width
    whole, partial = output_tile(m, False, curve), output_tile(m, True, curve)

    @helper
    def write(sums, point, bias, y, other, add, mask, down, across, wide, pixel, low, high, setting, check, table):  # type: ignore[no-untyped-def]
        if down >= m and across >= m:
            for k in range(0, pixel, width):
                whole(
                    sums + k, size * point, point, bias + k, y + k, wide * pixel, pixel, other + k, add, mask, low,
                    high, setting + k, check, table,
                )  # fmt: skip
        else:
            for i in range(m):
                for j in range(m):
                    table[i * m + j] = width if i < down and j < across else 0
            for k in range(0, pixel, width):
                partial(
                    sums + k, size * point, point, bias + k, y + k, wide * pixel, pixel, other + k, add, mask, low,
                    high, setting + k, check, table,
                )  # fmt: skip

    return write
