"""Filters of photos against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import correlate

import pellucid as pel
from pellucid.errors import ParameterError, ShapeError
from pellucid.kernels import filters
from pellucid.kernels.interpret import Bytes, Floats
from pellucid.nn.filters import _program, filter2d
from tests.comparison import EPSILON, assert_matches

KERNELS = st.tuples(st.integers(1, 7), st.integers(1, 7))
PHOTOS = st.tuples(st.integers(1, 70), st.integers(1, 70), st.sampled_from([None, 1, 2, 3, 4]))


def photo_of(sizes, dtype, seed):
    height, width, channels = sizes
    shape = (height, width) if channels is None else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


def by_scipy(photo, kernel):
    """Correlate each colour in float64, zeros around."""
    kernel = np.asarray(kernel, np.float64)
    origin = tuple(-1 if size % 2 == 0 else 0 for size in kernel.shape)
    planes = photo.reshape(*photo.shape[:2], -1).astype(np.float64)
    found = [correlate(planes[:, :, c], kernel, mode="constant", origin=origin) for c in range(planes.shape[2])]
    return np.stack(found, 2).reshape(photo.shape)


@given(PHOTOS, KERNELS, st.integers(0, 99))
def test_whole_numbers_come_out_exactly(sizes, kernel_size, seed):
    photo = photo_of(sizes, "float32", seed)
    kernel = np.random.default_rng(seed).integers(-3, 4, kernel_size).astype(np.float32)
    kernel.flat[0] += min(kernel_size) > 2 and np.linalg.matrix_rank(kernel) == 1  # one of rank 1 is split by roots
    assert_matches(filter2d(photo, kernel), by_scipy(photo, kernel).astype(np.float32))


@given(PHOTOS, KERNELS, st.integers(0, 99), st.booleans())
def test_real_numbers_are_within_the_rounding_of_a_sum(sizes, kernel_size, seed, separable):
    """One rounding for each product of a direct sum; of a column and a row, one for each and for the two factors."""
    photo, numbers = photo_of(sizes, "float32", seed), np.random.default_rng(seed)
    column, row = numbers.standard_normal(kernel_size[0]), numbers.standard_normal(kernel_size[1])
    kernel = (np.outer(column, row) if separable else numbers.standard_normal(kernel_size)).astype(np.float32)
    bound = (kernel.size + sum(kernel_size) + 4) * EPSILON["float32"] * by_scipy(photo, abs(kernel))
    expected = by_scipy(photo, kernel).astype(np.float32)
    assert_matches(filter2d(photo, kernel), expected, bound)


@given(PHOTOS, KERNELS, st.integers(0, 99))
def test_bytes_are_rounded_and_cut_off(sizes, kernel_size, seed):
    photo = photo_of(sizes, "uint8", seed)
    kernel = np.random.default_rng(seed).integers(-3, 4, kernel_size) / 4  # quarters: exact, halves among them
    kernel.flat[0] += min(kernel_size) > 2 and np.linalg.matrix_rank(kernel) == 1
    expected = np.rint(by_scipy(photo, kernel)).clip(0, 255).astype(np.uint8)
    assert_matches(filter2d(photo, kernel), expected)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("separated", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 40), (35, 33, 3)])
def test_no_access_outside_the_arrays(shape, separated, dtype):
    """The kernel as Python, each access checked; scratch memory that nobody has written holds NaN."""
    photo, column = photo_of((*shape, None)[:3], dtype, 0), np.array([1, 2, 1], np.float32)
    kernel = np.outer(column, column) / 16
    (call,) = _program(photo.shape, dtype, kernel.shape, separated).calls
    pointer = Bytes if dtype == "uint8" else Floats
    weight = np.concatenate([column / 4, column / 4]) if separated else kernel.T.ravel().astype(np.float32)
    y = np.zeros_like(photo)
    given_ = {"x": pointer(photo.ravel()), "weight": Floats(weight), "y": pointer(y.reshape(-1))}
    for part in range(call.parts):
        scratch = Floats(np.full(call.scratch, np.nan, np.float32))
        call.kernel(part, scratch, *(given_[getattr(a, "external", "")] if hasattr(a, "external") else a
                                     for a in call.arguments))  # fmt: skip
    assert_matches(y, filter2d(photo, kernel), 0 if dtype == "uint8" else 1e-4)


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
