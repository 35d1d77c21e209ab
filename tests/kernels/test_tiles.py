"""Register tiles and transforms against NumPy, around their edges, and their machine code."""

import numpy as np
import pytest
from numba import njit

from pellucid.kernels.host import host
from pellucid.kernels.tiles import gemm_shape, gemm_tile, transform, transform_both_sides
from pellucid.kernels.vector import address

from .compiled import I, every_kind, inner_loops, is_fused, run

# The transforms of Winograd's F(4×4, 3×3), as Lavin and Gray (2015) give them.
B_T = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
A_T = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]


def product(rows, vectors, kind):
    """Compile a caller of one tile."""
    made = gemm_tile(rows, vectors, kind)

    @njit
    def call(a, a_row, a_step, b, c, c_row, depth):
        made(address(a, I(0)), a_row, a_step, address(b, I(0)), address(c, I(0)), c_row, depth)

    return call


@every_kind
@pytest.mark.parametrize("depth", [0, 1, 2, 37])
def test_a_tile_is_the_product(kind, depth):
    rows, vectors = gemm_shape(kind)
    rng = np.random.default_rng(depth)
    across = vectors * kind.width
    a = rng.integers(-8, 9, (rows, depth + 2)).astype(np.float32)
    b = rng.integers(-8, 9, (depth, across)).astype(np.float32)
    flat = np.full(rows * (across + 3), np.nan, np.float32)
    product(rows, vectors, kind)(a.ravel(), depth + 2, 1, np.resize(b.ravel(), b.size + 1), flat, across + 3, depth)
    c = flat.reshape(rows, across + 3)
    assert (c[:, :across] == a[:, :depth] @ b).all()
    assert np.isnan(c[:, across:]).all()  # nothing is written beside the tile


@every_kind
@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_tiles_of_fewer_rows_and_a_read_down_its_columns(kind, rows):
    rng = np.random.default_rng(rows)
    depth = 9
    a = rng.integers(-8, 9, (depth, rows)).astype(np.float32)  # k runs along the rows of memory
    b = rng.integers(-8, 9, (depth, kind.width)).astype(np.float32)
    c = np.zeros(rows * kind.width, np.float32)
    product(rows, 1, kind)(a.ravel(), 1, rows, b.ravel(), c, kind.width, depth)
    assert (c.reshape(rows, kind.width) == a.T @ b).all()


@every_kind
def test_real_numbers_stay_within_the_bound_of_a_sum(kind):
    rows, vectors = gemm_shape(kind)
    rng = np.random.default_rng(0)
    depth, across = 288, vectors * kind.width
    a, b = (
        rng.standard_normal((rows, depth)).astype(np.float32),
        rng.standard_normal((depth, across)).astype(np.float32),
    )
    c = np.zeros(rows * across, np.float32)
    product(rows, vectors, kind)(a.ravel(), depth, 1, b.ravel(), c, across, depth)
    exact, size = a.astype(float) @ b.astype(float), abs(a).astype(float) @ abs(b).astype(float)
    # Each of the K additions, and unless it is fused each product, rounds by at most half of ε = 2⁻²³.
    bound = depth * 2.0**-23 * (0.5 if kind.fused else 1.0) * size
    assert (abs(c.reshape(rows, across) - exact) <= bound).all()


@pytest.mark.skipif(not host().fused, reason="without fused multiply-add the code is another")
def test_the_inner_loop_multiplies_adds_and_leaves_the_stack_alone():
    rows, vectors = gemm_shape()
    call = product(rows, vectors, host())
    call(*(np.zeros(4096, np.float32) if i in (0, 3, 4) else 1 for i in range(7)))
    loops = inner_loops(call)
    assert loops
    for lines in loops:
        assert sum(map(is_fused, lines)) % (rows * vectors) == 0
        assert not [line for line in lines if "(%rsp)" in line or "(%rbp)" in line or "[sp" in line]


@every_kind
@pytest.mark.parametrize("matrix", [B_T, A_T, np.eye(6)], ids=["input", "output", "identity"])
def test_a_transform_is_the_matrix_product(kind, matrix):
    matrix, w = np.asarray(matrix, float), kind.width
    rng = np.random.default_rng(0)
    source = rng.integers(-9, 10, (6, w)).astype(np.float32)

    def write(e, x, y):
        for i, result in enumerate(transform(matrix, [e.load(x, i * w) for i in range(6)])):
            e.store(result, y, i * w)

    assert (run(write, kind, source.ravel(), len(matrix) * w).reshape(-1, w) == matrix @ source).all()


@every_kind
def test_a_transform_of_both_sides(kind):
    matrix, w = np.asarray(B_T, float), kind.width
    source = np.random.default_rng(0).integers(-9, 10, (6, 6, w)).astype(np.float32)

    def write(e, x, y):
        cells = [[e.load(x, (i * 6 + j) * w) for j in range(6)] for i in range(6)]
        for i, row in enumerate(transform_both_sides(matrix, cells)):
            for j, result in enumerate(row):
                e.store(result, y, (i * 6 + j) * w)

    result = run(write, kind, source.ravel(), 36 * w).reshape(6, 6, w)
    assert (result == np.einsum("ij,jkw,lk->ilw", matrix, source, matrix)).all()
