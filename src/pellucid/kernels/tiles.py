"""Inner tiles: a block of a matrix product held in registers, and small linear transforms of tiles of an image."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from pellucid.kernels.host import Host, host
from pellucid.kernels.vector import Emitter, Int, Vec, tile
from pellucid.types import Array, Pair


def gemm_shape(kind: Host | None = None) -> Pair:
    """(rows, vectors) of the register tile: as many sums as leave room for one row of b and one value of a.

    Twelve sums or more keep two multiply-adders busy while each takes four cycles or so.
    """
    return {16: (6, 2), 32: (8, 3)}[(kind or host()).registers]


@cache
def gemm_tile(rows: int, vectors: int, kind: Host | None = None) -> Any:
    """Make the tile C (rows, vectors·width) = Σ_k A[:, k] ⊗ B[k, :], for Numba code to call.

    It is called with a, the strides of its rows and of k, b packed as (K, vectors·width), c, the stride of its rows,
    and K; all strides in floats.
    """

    def write(e: Emitter, a: Any, a_row: Int, a_step: Int, b: Any, c: Any, c_row: Int, depth: Int) -> None:
        width = e.host.width

        def step(k: Int, sums: list[Vec]) -> list[Vec]:
            across = [e.load(b, k * (vectors * width) + v * width) for v in range(vectors)]
            down = (e.splat(a, a_row * row + k * a_step) for row in range(rows))
            return [
                value.fma(across[v], sums[row * vectors + v]) for row, value in enumerate(down) for v in range(vectors)
            ]

        sums = e.loop(depth, [e.zero()] * (rows * vectors), step)
        for row in range(rows):
            for v in range(vectors):
                e.store(sums[row * vectors + v], c, c_row * row + v * width)

    return tile(write, kind)


def transform(matrix: Array, vectors: Sequence[Vec]) -> list[Vec]:
    """Apply a matrix of coefficients to a list of vectors; zeros cost nothing, ones no multiplication.

    Each sum starts with a term whose coefficient is 1 if there is one.
    """
    results = []
    for row in np.asarray(matrix, float):
        terms = sorted(((c, v) for c, v in zip(row, vectors, strict=True) if c), key=lambda term: term[0] != 1)
        coefficient, vector = terms[0]
        total = vector if coefficient == 1 else vector * coefficient
        for coefficient, vector in terms[1:]:
            if abs(coefficient) == 1:
                total = total + vector if coefficient == 1 else total - vector
            else:
                total = vector.fma(coefficient, total)
        results.append(total)
    return results


def transform_both_sides(matrix: Array, cells: Sequence[Sequence[Vec]]) -> list[list[Vec]]:
    """M·X·Mᵀ for a square X of vectors: the columns first, then the rows."""
    columns = [transform(matrix, column) for column in zip(*cells, strict=True)]
    return [transform(matrix, row) for row in zip(*columns, strict=True)]
