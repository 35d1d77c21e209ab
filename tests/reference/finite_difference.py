"""Gradients by central differences, and the comparison with them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STEP = 1e-5
# A central difference with step h errs by about h²·f‴/6 (1e-11 for the smooth functions here, whose third
# derivatives are of order 1 to 10) and by the rounding of f over h (1e-16·Σ|dy·y| / 1e-5, about 1e-10 for
# sums of tens of terms).
TOLERANCE = 1e-8


def numerical_gradient(function: Callable[[Array], Array], x: Array, dy: Array) -> Array:
    """Return d(Σ dy · function(x)) / dx, every cell of x moved by itself."""
    gradient = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[cell] += STEP
        below[cell] -= STEP
        gradient[cell] = ((function(above) - function(below)) * dy).sum() / (above[cell] - below[cell])
    return gradient


def assert_gradients(
    function: Callable[..., Array], inputs: Sequence[Array], dy: Array, gradients: Sequence[Array]
) -> None:
    """Raise AssertionError unless ``gradients`` are those of Σ dy · function(*inputs) for each input."""
    assert len(gradients) == len(inputs)
    for i, gradient in enumerate(gradients):

        def moved(x: Array, i: int = i) -> Array:
            return function(*inputs[:i], x, *inputs[i + 1 :])

        expected = numerical_gradient(moved, inputs[i], dy)
        assert gradient.shape == expected.shape, f"gradient {i} is {gradient.shape}, not {expected.shape}"
        error = abs(gradient - expected) / np.maximum(1, abs(expected))
        worst = np.unravel_index(error.argmax(), error.shape)
        assert error[worst] < TOLERANCE, (
            f"gradient {i} at {tuple(map(int, worst))}: {gradient[worst]}, by differences {expected[worst]}"
        )
