import numpy as np
import pytest

from pellucid.bench.compare import gradient_error, relative_error


def test_the_error_is_a_share_of_the_largest_value():
    expected = {"y": np.array([-8.0, 1.0]), "z": np.ones(2)}
    assert relative_error(expected, expected) == 0
    assert relative_error({"y": np.array([-8.0, 3.0]), "z": np.ones(2)}, expected) == 0.25
    assert relative_error({"y": np.array([-8.0, 1.0]), "z": np.array([1, 1.5])}, expected) == 0.5


def test_unsigned_numbers_do_not_wrap_round():
    assert relative_error({"y": np.array([0, 4], np.uint8)}, {"y": np.array([1, 4], np.uint8)}) == 0.25


@pytest.mark.parametrize(
    "actual",
    [{}, {"x": np.zeros(2)}, {"y": np.zeros(3)}, {"y": np.array([0, np.nan])}, {"y": np.array([0, 1e-30])}],
    ids=["none", "another", "shape", "nan", "not zero"],
)
def test_what_cannot_be_compared_is_infinitely_wrong(actual):
    assert relative_error(actual, {"y": np.zeros(2)}) == float("inf")


def test_gradients_are_compared_by_their_norm():
    expected = {"w": np.full(100, 3.0), "b": np.full(4, 1e-6)}
    one_off = {"w": np.r_[np.full(99, 3.0), 2.4], "b": np.full(4, 1e-6)}
    assert gradient_error(one_off, expected) == pytest.approx(0.02)
    assert gradient_error({"w": -expected["w"], "b": expected["b"]}, expected) == pytest.approx(2.0)


def test_a_gradient_of_nothing_but_rounding_is_not_held_to_itself():
    expected = {"w": np.full(100, 3.0), "b": np.full(4, 1e-6)}
    assert gradient_error({**expected, "b": np.full(4, -1e-6)}, expected) < 2e-4
    assert gradient_error({**expected, "b": np.full(4, 0.1)}, expected) > 1


@pytest.mark.parametrize("actual", [{}, {"x": np.zeros(2)}, {"y": np.zeros(3)}, {"y": np.array([0, np.nan])}], ids=str)
def test_gradients_that_cannot_be_compared_are_infinitely_wrong(actual):
    assert gradient_error(actual, {"y": np.zeros(2)}) == float("inf")
