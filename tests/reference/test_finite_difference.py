import numpy as np
import pytest

from tests.reference.finite_difference import assert_gradients

A = np.array([[1.0, 2.0], [3.0, -1.0]])
B = np.array([0.5, -2.0])
DY = np.array([1.0, 3.0])


def bent_product(a, b):
    return a @ b + np.sin(b)


def correct():
    return [np.outer(DY, B), A.T @ DY + DY * np.cos(B)]


def test_correct_gradients_pass():
    assert_gradients(bent_product, [A, B], DY, correct())


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    "corrupt",
    [
        lambda g: g + 1e-7 * (np.arange(g.size) == g.size - 1).reshape(g.shape),  # one cell, slightly
        lambda g: g * 2,
        lambda g: -g,
        lambda g: g[::-1],
        np.zeros_like,
        lambda g: g * np.nan,
        lambda g: g[..., None],
    ],
)
def test_a_corrupted_gradient_is_caught(which, corrupt):
    gradients = correct()
    gradients[which] = corrupt(gradients[which])
    with pytest.raises(AssertionError, match=f"gradient {which} "):
        assert_gradients(bent_product, [A, B], DY, gradients)


def test_a_missing_gradient_is_caught():
    with pytest.raises(AssertionError):
        assert_gradients(bent_product, [A, B], DY, correct()[:1])
