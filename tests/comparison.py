"""The comparison of arrays: exact, or within a bound that the caller derives."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}


def assert_matches(actual: Array, expected: Array, bound: float | Array = 0.0, *, kernel: str = "result") -> None:
    """Raise AssertionError unless shape and dtype are equal and every cell is within ``bound`` of what is expected.

    NaN matches NaN, an infinity itself. The message names ``kernel``, the worst cell and both its values.
    """
    assert actual.shape == expected.shape, f"{kernel}: shape {actual.shape} instead of {expected.shape}"
    assert actual.dtype == expected.dtype, f"{kernel}: dtype {actual.dtype} instead of {expected.dtype}"
    same = (actual == expected) | ((actual != actual) & (expected != expected))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(np.subtract(actual, expected, dtype=np.float64))
    error = np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
    allowed = np.broadcast_to(bound, error.shape)
    wrong = error > allowed
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(wrong, error - allowed, -1)), error.shape)
        cell = tuple(map(int, worst))
        raise AssertionError(
            f"{kernel}: cell {cell} is {actual[worst]} instead of {expected[worst]}, off by {error[worst]:.3g} where "
            f"{allowed[worst]:.3g} is allowed; {wrong.sum()} of {wrong.size} cells are wrong"
        )
