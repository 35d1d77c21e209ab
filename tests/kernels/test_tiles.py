"""Register tiles and transforms against NumPy, around their edges, and their machine code."""

import re

import numpy as np
import pytest

from pellucid.kernels import direct, transforms, winograd
from pellucid.kernels.compiler import kernel
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.tiles import product_tile, transform, transform_both_sides
from tests.kernels.compiled import assembly, both, inner_loops, is_fused, is_splat, run, stack_traffic, wrote

W = host().width
ROWS, VECTORS = host().tile
fused = pytest.mark.skipif(not host().fused, reason="without fused multiply-add the code is another")


def product(rows, vectors, **settings):
    """Make a kernel of one tile."""
    made = product_tile(rows, vectors, **settings)

    @kernel(f"test_product_{rows}_{vectors}_{'_'.join(settings)}")
    def body(
        part: int, scratch: Floats, a: Floats, a_row: int, a_step: int, b: Floats, b_step: int, c: Floats, c_row: int,
        depth: int,
    ) -> None:  # fmt: skip
        made(a, a_row, a_step, b, b_step, c, c_row, depth)

    return body


@pytest.mark.parametrize("depth", [0, 1, 2, 37])
@pytest.mark.parametrize("accumulate", [False, True])
def test_a_tile_is_the_product(depth, accumulate):
    rng, across = np.random.default_rng(depth), VECTORS * W
    a = rng.integers(-8, 9, (ROWS, depth + 2)).astype(np.float32)
    b = rng.integers(-8, 9, (depth + 1, across)).astype(np.float32)
    c = rng.integers(-8, 9, (ROWS, across + 3)).astype(np.float32)
    expected = a[:, :depth] @ b[:depth] + (c[:, :across] if accumulate else 0)
    settings = {"accumulate": True} if accumulate else {}
    for _, _, found in both(product(ROWS, VECTORS, **settings), a, depth + 2, 1, b, across, c, across + 3, depth):
        np.testing.assert_array_equal(found[:, :across], expected)
        np.testing.assert_array_equal(found[:, across:], c[:, across:])  # nothing is written beside the tile


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_tiles_of_fewer_rows_and_a_read_down_its_columns(rows):
    rng, depth = np.random.default_rng(rows), 9
    a = rng.integers(-8, 9, (depth, rows)).astype(np.float32)  # k runs along the rows of memory
    b = rng.integers(-8, 9, (depth, W)).astype(np.float32)
    for _, _, c in both(product(rows, 1), a, 1, rows, b, W, np.zeros((rows, W), np.float32), W, depth):
        np.testing.assert_array_equal(c, a.T @ b)


@pytest.mark.parametrize("valid", [1, W - 1, W])
def test_a_masked_tile_touches_only_the_columns_that_there_are(valid):
    made = product_tile(2, 1, masked=True)

    @kernel("test_product_masked")
    def body(part: int, scratch: Floats, a: Floats, b: Floats, c: Floats, depth: int, valid: int) -> None:
        made(a, depth, 1, b, valid, c, valid, depth, valid)

    rng, depth = np.random.default_rng(valid), 5
    a, b = (rng.integers(-8, 9, shape).astype(np.float32) for shape in ((2, depth), (depth, valid)))
    for _, _, c in both(body, a, b, np.zeros((2, valid), np.float32), depth, valid):
        np.testing.assert_array_equal(c, a @ b)


def test_real_numbers_stay_within_the_bound_of_a_sum():
    rng, depth, across = np.random.default_rng(0), 288, VECTORS * W
    a = rng.standard_normal((ROWS, depth)).astype(np.float32)
    b = rng.standard_normal((depth, across)).astype(np.float32)
    c = np.zeros((ROWS, across), np.float32)
    run(product(ROWS, VECTORS), a, depth, 1, b, across, c, across, depth)
    exact, size = a.astype(float) @ b.astype(float), abs(a).astype(float) @ abs(b).astype(float)
    # Each of the K additions, and unless it is fused each product, rounds by at most half of ε = 2⁻²³.
    assert (abs(c - exact) <= depth * 2.0**-23 * (0.5 if host().fused else 1.0) * size).all()


def hot_loops(text):
    """Innermost loops that multiply a number from memory by vectors: the sums over channels."""
    return [lines for lines in inner_loops(text) if any(map(is_splat, lines))]


@fused
@pytest.mark.parametrize(
    "body",
    [
        product(ROWS, VECTORS),
        direct.convolution(VECTORS, ""),
        winograd.forward(2, VECTORS, ""),
        winograd.forward(4, VECTORS, ""),
    ],
    ids=repr,
)
def test_the_inner_loops_multiply_add_and_leave_the_stack_alone(body):
    text = assembly(body)
    loops = hot_loops(text)
    counts = [sum(map(is_fused, lines)) for lines in loops]
    assert any(count and count % (ROWS * VECTORS) == 0 for count in counts)  # the tile of full size is among them
    for lines in loops:
        assert not stack_traffic(text, lines)


def test_the_test_of_the_stack_sees_it():
    text = "f:\nmovq %rsp, %rbp\n.L1:\nvmovups 32(%rsp), %ymm0\nvfmadd231ps 4(%rbp), %ymm1, %ymm2\njne .L1\n"
    (lines,) = inner_loops(text)
    assert len(stack_traffic(text, lines)) == 2
    assert len(stack_traffic(text.replace("movq %rsp, %rbp", ""), lines)) == 1
    assert stack_traffic(text, ["leaq 8(%rsp), %rax", "vmovups (%rax,%rbx), %ymm0"]) == []


@pytest.mark.skipif(host().name != "sse", reason="only the fallback is for every processor")
def test_the_fallback_uses_no_wider_instructions():
    assert not re.search(r"%[yz]mm|\bvfm", assembly(direct.convolution(VECTORS, "")))


@pytest.mark.parametrize("m", [2, 4])
@pytest.mark.parametrize("matrix", ["B_T", "A_T"])
def test_transforms_are_matrix_products(m, matrix):
    matrix_, size = getattr(transforms, matrix)[m], m + 2
    source = np.random.default_rng(0).integers(-9, 10, (size, size, W)).astype(np.float32)

    def one_side(e, x, y):
        for i, result in enumerate(transform(matrix_, [e.load(x, i * W) for i in range(size)])):
            e.store(result, y, i * W)

    def both_sides(e, x, y):
        cells = [[e.load(x, (i * size + j) * W) for j in range(size)] for i in range(size)]
        for i, row in enumerate(transform_both_sides(matrix_, cells)):
            for j, result in enumerate(row):
                e.store(result, y, (i * len(row) + j) * W)

    rows = len(matrix_)
    found = wrote(f"test_transform_{matrix}{m}", one_side, source[0].ravel(), rows * W)
    np.testing.assert_array_equal(found.reshape(rows, W), matrix_ @ source[0])
    found = wrote(f"test_transforms_{matrix}{m}", both_sides, source.ravel(), rows * rows * W)
    expected = np.einsum("ij,jkw,lk->ilw", matrix_, source, matrix_)
    np.testing.assert_array_equal(found.reshape(rows, rows, W), expected)


@pytest.mark.parametrize("m", [2, 4])
def test_the_three_matrices_make_a_convolution(m):
    """Aᵀ[(G·g) ⊙ (Bᵀ·d)] is the correlation of d with g, in exact arithmetic."""
    rng = np.random.default_rng(m)
    d, g = rng.integers(-9, 10, m + 2), rng.integers(-9, 10, 3)
    found = transforms.A_T[m] @ ((transforms.G[m] @ g) * (transforms.B_T[m] @ d))
    np.testing.assert_allclose(found, np.correlate(d, g, "valid"), rtol=0, atol=1e-12)
