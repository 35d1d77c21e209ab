"""Do two results agree? Asked before anything is timed."""

from collections.abc import Mapping

import numpy as np

from pellucid.types import Array


def relative_error(actual: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """Return the largest difference as a share of the largest value, over arrays of the same names.

    Infinite where names or shapes differ, or where a value is not finite.

    >>> relative_error({"y": np.array([1.0, 4.0])}, {"y": np.array([2.0, 4.0])})
    0.25
    """
    if set(actual) != set(expected):
        return float("inf")
    return max((_error(actual[name], expected[name]) for name in expected), default=0.0)


def gradient_error(actual: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """Return the largest difference of an array as a share of its norm, over arrays of the same names.

    For gradients of deep networks, where rounding opens or shuts a ReLU here and there: single weights then change
    by some percent, in any framework, but not a whole array. An array of less than a thousandth of the largest norm
    is held to that instead, for a gradient that would be zero is nothing but rounding.

    >>> gradient_error({"w": np.array([3.0, 4.5])}, {"w": np.array([3.0, 4.0])})
    0.1
    """
    if set(actual) != set(expected):
        return float("inf")
    norms = {name: float(np.linalg.norm(array)) for name, array in expected.items()}
    least = 1e-3 * max(norms.values(), default=0.0)
    errors = [_norm_of_difference(actual[name], expected[name]) / (max(norms[name], least) or 1.0) for name in expected]
    return max(errors, default=0.0)


def _norm_of_difference(actual: Array, expected: Array) -> float:
    if actual.shape != expected.shape or not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return float("inf")
    return float(np.linalg.norm(np.subtract(actual, expected, dtype=np.float64)))


def _error(actual: Array, expected: Array) -> float:
    if actual.shape != expected.shape or not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return float("inf")
    difference = float(np.abs(np.subtract(actual, expected, dtype=np.float64)).max(initial=0.0))
    scale = float(np.abs(expected.astype(np.float64)).max(initial=0.0))
    if scale:
        return difference / scale
    return 0.0 if difference == 0 else float("inf")
