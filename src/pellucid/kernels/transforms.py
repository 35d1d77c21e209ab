"""Winograd's transforms: the matrices of F(2×2, 3×3) and F(4×4, 3×3), and the tiles that apply them.

Points of F(2×2) are 0, 1, −1 and ∞, of F(4×4) also 2 and −2, as in A. Lavin and S. Gray, Fast Algorithms for
Convolutional Neural Networks, 2015.
"""

from functools import cache
from typing import Any

import numpy as np

from pellucid.kernels.compiler import tile
from pellucid.kernels.tiles import finish, transform, transform_both_sides

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
def transform_tile(matrix: str, m: int, transposed: bool = False) -> Any:
    """Make the tile that writes M·X·Mᵀ for a square X of vectors; both are given by place, row and column stride."""
    coefficients = {"B": B_T, "G": G, "A": A_T}[matrix][m]
    coefficients = coefficients.T if transposed else coefficients

    @tile
    def both_sides(e: Any, source: Any, row: Any, column: Any, target: Any, to_row: Any, to_column: Any) -> None:
        size = coefficients.shape[1]
        cells = [[e.load(source, row * i + column * j) for j in range(size)] for i in range(size)]
        for i, line in enumerate(transform_both_sides(coefficients, cells)):
            for j, value in enumerate(line):
                e.store(value, target, to_row * i + to_column * j)

    return both_sides


@cache
def output_tile(m: int) -> Any:
    """Make the tile that writes finish(Aᵀ·M·A + bias), and adds 0 · its sums to ``check``; see :func:`finish`.

    So ``check`` stays 0 unless one of them is infinite or not a number.
    """

    @tile
    def output(
        e: Any, sums: Any, row: Any, column: Any, bias: Any, y: Any, y_row: Any, y_column: Any, other: Any, add: Any,
        mask: Any, low: Any, high: Any, check: Any,
    ) -> None:  # fmt: skip
        cells = [[e.load(sums, row * i + column * j) for j in range(m + 2)] for i in range(m + 2)]
        start, bounds = e.load(bias, 0), (e.lift(low), e.lift(high))
        watch = e.load(check, 0)
        columns = [transform(A_T[m], cell) for cell in zip(*cells, strict=True)]
        for i, line in enumerate(zip(*columns, strict=True)):
            values = [value + start for value in transform(A_T[m], line)]
            for value in values:
                watch = value.fma(0.0, watch)
            finish(e, values, [y_row * i + y_column * j for j in range(m)], y, other, add, mask, bounds)
        e.store(watch, check, 0)

    return output
