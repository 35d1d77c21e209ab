"""The comparator itself: it must fail on a corrupted array and say where."""

import numpy as np
import pytest

from tests.comparison import assert_matches


@pytest.fixture
def array():
    return np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")


@pytest.mark.parametrize("bound", [0.0, 1e-3])
def test_equal_arrays_match(array, bound):
    array[0, 0] = [np.nan, np.inf, -np.inf, 0.0]
    assert_matches(array, array.copy(), bound)


def test_one_corrupted_cell_is_found_and_named(array):
    corrupted = array.copy()
    corrupted[0, 1, 2] += 0.25
    corrupted[1, 2, 3] += 0.5
    with pytest.raises(
        AssertionError, match=r"conv2d_fast: cell \(1, 2, 3\) is .* instead of .*, off by 0\.5.*2 of 24"
    ):
        assert_matches(corrupted, array, 1e-3, kernel="conv2d_fast")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_the_wrong_place_are_found(array, wrong):
    corrupted = array.copy()
    corrupted[1, 0, 0] = wrong
    for actual, expected in ((corrupted, array), (array, corrupted)):
        with pytest.raises(AssertionError, match=r"cell \(1, 0, 0\)"):
            assert_matches(actual, expected, 1e9)


def test_infinities_of_other_sign_differ():
    with pytest.raises(AssertionError, match="is inf instead of -inf"):
        assert_matches(np.array([np.inf]), np.array([-np.inf]), 1.0)


def test_the_bound_may_differ_from_cell_to_cell(array):
    assert_matches(array + np.float32(0.5), array, np.full(array.shape, 0.6))
    bound = np.full(array.shape, 0.6)
    bound[1, 1, 1] = 0.4
    with pytest.raises(AssertionError, match=r"cell \(1, 1, 1\).*where 0\.4 is allowed; 1 of 24"):
        assert_matches(array + np.float32(0.5), array, bound)


def test_shapes_and_dtypes_must_be_equal(array):
    with pytest.raises(AssertionError, match="shape"):
        assert_matches(array, array[:1])
    with pytest.raises(AssertionError, match="dtype float32 instead of float64"):
        assert_matches(array, array.astype("float64"))


def test_integers_and_single_numbers_are_compared_too():
    assert_matches(np.array(3, "int32"), np.array(3, "int32"))
    with pytest.raises(AssertionError, match=r"cell \(\) is 3 instead of 4"):
        assert_matches(np.array(3, "int32"), np.array(4, "int32"))
    with pytest.raises(AssertionError, match="True instead of False"):
        assert_matches(np.array([True]), np.array([False]))
