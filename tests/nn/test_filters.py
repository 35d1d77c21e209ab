"""Filters of photos against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import correlate

import pellucid as pel
from pellucid.errors import ParameterError, ShapeError
from pellucid.kernels import filters
from pellucid.kernels.interpret import Bytes, Floats, Longs
from pellucid.nn.filters import _column_and_row, _program, _tables, filter2d
from tests.comparison import EPSILON, assert_matches

KERNELS = st.tuples(st.integers(1, 7), st.integers(1, 7))
SIZES = st.integers(1, 70) | st.integers(1, 5)  # many smaller than the kernel
PHOTOS = st.tuples(SIZES, SIZES, st.sampled_from([None, 1, 2, 3, 4]))
MODES = {"zeros": "constant", "replicate": "nearest", "reflect": "mirror", "circular": "wrap"}
"""What SciPy calls each border."""
BORDERS = st.sampled_from(sorted(MODES))


def photo_of(sizes, dtype, seed):
    height, width, channels = sizes
    shape = (height, width) if channels is None else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


def by_scipy(photo, kernel, border):
    """Correlate each colour in float64."""
    kernel = np.asarray(kernel, np.float64)
    origin = tuple(-1 if size % 2 == 0 else 0 for size in kernel.shape)
    planes = photo.reshape(*photo.shape[:2], -1).astype(np.float64)
    found = [correlate(planes[:, :, c], kernel, mode=MODES[border], origin=origin) for c in range(planes.shape[2])]
    return np.stack(found, 2).reshape(photo.shape)


def whole_kernel(size, seed):
    """Make a kernel of whole numbers that is no product, whose factors may not be whole."""
    kernel = np.random.default_rng(seed).integers(-3, 4, size).astype(np.float32)
    kernel.flat[0] += min(size) > 2 and np.linalg.matrix_rank(kernel) == 1
    return kernel


@given(PHOTOS, KERNELS, BORDERS, st.integers(0, 99))
def test_whole_numbers_come_out_exactly(sizes, kernel_size, border, seed):
    photo = photo_of(sizes, "float32", seed)
    kernel = whole_kernel(kernel_size, seed)
    assert_matches(filter2d(photo, kernel, border), by_scipy(photo, kernel, border).astype(np.float32))


@pytest.mark.parametrize("column", [(1, 2, 1), (3, 10, 3), (1, 4, 6, 4, 1)])
@pytest.mark.parametrize("row", [(-1, 0, 1), (1, 4, 6, 4, 1), (1, 1, 1, 1)])
def test_a_column_times_a_row_of_whole_numbers_comes_out_exactly(column, row):
    photo = photo_of((40, 70, 3), "float32", 0)
    for kernel in (np.outer(column, row) / 16, np.outer(row, column)):
        assert (_column_and_row(kernel.astype(np.float32)) is not None) == (kernel.size > 9)
        assert_matches(filter2d(photo, kernel), by_scipy(photo, kernel, "zeros").astype(np.float32))


@given(PHOTOS, KERNELS, BORDERS, st.integers(0, 99), st.booleans())
def test_real_numbers_are_within_the_rounding_of_a_sum(sizes, kernel_size, border, seed, separable):
    """One rounding for each product of a direct sum; of a column and a row, one for each and for the two factors."""
    photo, numbers = photo_of(sizes, "float32", seed), np.random.default_rng(seed)
    column, row = numbers.standard_normal(kernel_size[0]), numbers.standard_normal(kernel_size[1])
    kernel = (np.outer(column, row) if separable else numbers.standard_normal(kernel_size)).astype(np.float32)
    bound = (kernel.size + sum(kernel_size) + 4) * EPSILON["float32"] * by_scipy(photo, abs(kernel), border)
    expected = by_scipy(photo, kernel, border).astype(np.float32)
    assert_matches(filter2d(photo, kernel, border), expected, bound)


@given(PHOTOS, KERNELS, BORDERS, st.integers(0, 99))
def test_bytes_are_rounded_and_cut_off(sizes, kernel_size, border, seed):
    photo = photo_of(sizes, "uint8", seed)
    kernel = whole_kernel(kernel_size, seed) / 4  # quarters: exact, halves among them
    expected = np.rint(by_scipy(photo, kernel, border)).clip(0, 255).astype(np.uint8)
    assert_matches(filter2d(photo, kernel, border), expected)


def test_a_kernel_far_larger_than_the_photo_goes_on_mirroring_and_repeating():
    photo = photo_of((3, 2, 3), "float32", 0)
    kernel = np.random.default_rng(0).integers(-3, 4, (23, 40)).astype(np.float32)
    for border in MODES:
        assert_matches(filter2d(photo, kernel, border), by_scipy(photo, kernel, border).astype(np.float32))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("separated", [False, True])
@pytest.mark.parametrize("border", ["zeros", "circular"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 40), (35, 33, 3)])
def test_no_access_outside_the_arrays(shape, border, separated, dtype):
    """The kernel as Python, each access checked; scratch memory that nobody has written holds NaN."""
    photo, column = photo_of((*shape, None)[:3], dtype, 0), np.array([1, 2, 1], np.float32)
    kernel = np.outer(column, column) / 16
    (call,) = _program(photo.shape, dtype, kernel.shape, separated).calls
    pointer = Bytes if dtype == "uint8" else Floats
    weight = np.concatenate([column / 4, column / 4]) if separated else kernel.T.ravel().astype(np.float32)
    sources, ends = map(Longs, _tables(photo.shape, kernel.shape, border))
    y = np.zeros_like(photo)
    x = pointer(photo.ravel())
    given_ = {"x": x, "weight": Floats(weight), "sources": sources, "ends": ends, "y": pointer(y.reshape(-1))}
    for part in range(call.parts):
        scratch = Floats(np.full(call.scratch, np.nan, np.float32))
        call.kernel(part, scratch, *(given_[getattr(a, "external", "")] if hasattr(a, "external") else a
                                     for a in call.arguments))  # fmt: skip
    assert_matches(y, filter2d(photo, kernel, border), 0 if dtype == "uint8" else 1e-4)


def test_results_do_not_depend_on_the_number_of_threads():
    photo = photo_of((3 * filters.LINES + 5, 50, 3), "float32", 0)
    kernel = np.random.default_rng(1).standard_normal((5, 5))
    before = pel.kernels.threads.count()
    try:
        results = []
        for count in (1, 2):
            pel.set_threads(count)
            results.append(filter2d(photo, kernel))
    finally:
        pel.set_threads(before)
    assert_matches(results[0], results[1])


@pytest.mark.parametrize("photo", [np.zeros((2, 2), "int32"), np.zeros(4, "float32"), np.zeros((0, 3), "uint8")])
def test_what_is_no_photo_is_refused(photo):
    with pytest.raises(ShapeError, match=r"The photo must be \(H, W\) or \(H, W, C\), not empty, of uint8 or float32"):
        filter2d(photo, np.ones((3, 3)))


def test_what_is_no_kernel_is_refused():
    photo = np.zeros((4, 4), np.uint8)
    with pytest.raises(ShapeError, match=r"The kernel must be \(KH, KW\), not empty; got shape \(3,\)"):
        filter2d(photo, np.ones(3))
    with pytest.raises(ParameterError, match="must be finite numbers; got NaN or infinity"):
        filter2d(photo, np.full((3, 3), np.nan))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_tall_product_is_filtered_along_rows_twice(dtype):
    """So that the compiler need not unroll hundreds of rows."""
    photo, bell = photo_of((50, 40, 3), dtype, 0), np.exp(-((np.arange(45) - 22) ** 2) / 99)
    kernel = np.outer(bell, bell) / bell.sum() ** 2
    y = filter2d(photo, kernel, "reflect")
    expected = by_scipy(photo, kernel, "reflect")
    assert y.flags.c_contiguous
    assert y.dtype == photo.dtype
    assert abs(y - expected).max() < (0.51 if dtype == "uint8" else 1e-3)


def test_an_unknown_border_is_refused():
    with pytest.raises(ParameterError, match="must be one of zeros, replicate, reflect, circular; got 'mirror'"):
        filter2d(np.zeros((4, 4), np.uint8), np.ones((3, 3)), border="mirror")


def test_a_kernel_of_numbers_next_to_nothing_is_split_without_a_warning():
    row = np.array([1e-45, 1, 1e30], np.float32)
    y = filter2d(np.ones((5, 5), np.float32), np.outer(row, [1, 1, 1, 1]), "replicate")
    np.testing.assert_allclose(y, 4e30, rtol=1e-6)


def test_numbers_beyond_float32_are_refused_without_a_warning():
    with pytest.raises(ParameterError, match="must be finite numbers"):
        filter2d(np.zeros((4, 4), np.uint8), [[1e39]])
