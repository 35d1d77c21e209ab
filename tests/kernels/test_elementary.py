"""Exponential functions against NumPy's in float64, in units of the last place."""

import math

import numpy as np
import pytest

from pellucid.kernels import elementary
from pellucid.kernels.pointwise import of_one

from .compiled import both

RANDOM = np.random.default_rng(0)
WIDE = np.concatenate((RANDOM.uniform(-20, 20, 4000), RANDOM.uniform(-1, 1, 4000), RANDOM.normal(size=500) * 1e-4))
NORMAL = np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2)
FUNCTIONS = {
    # the function, the true one, where, and how many units of the last place it may be off
    "exp": (elementary.exp, np.exp, RANDOM.uniform(-86, 88.7, 8000), 2),
    "expm1": (elementary.expm1, np.expm1, WIDE, 3),
    "log": (elementary.log, np.log, np.exp(RANDOM.uniform(-80, 80, 8000)), 3),
    "log_near_one": (elementary.log, np.log, RANDOM.uniform(0.5, 2, 8000), 3),
    "sigmoid": (elementary.sigmoid, lambda x: 1 / (1 + np.exp(-x)), WIDE, 4),
    "tanh": (elementary.tanh, np.tanh, WIDE, 4),
    "normal": (lambda x: elementary.normal(x)[0], NORMAL, RANDOM.uniform(-4, 8, 8000), 12),
    "density": (
        lambda x: elementary.normal(x)[1], lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        RANDOM.uniform(-2, 2, 8000), 6,
    ),
}  # fmt: skip


def computed(name, function, x):
    """Run a function of vectors, compiled and interpreted."""
    x = np.asarray(x, np.float32)
    y = np.full_like(x, np.nan)
    body = of_one(f"test_{name}", lambda vector, _: function(vector))
    with np.errstate(all="ignore"):
        compiled, interpreted = both(body, len(x), x, y, 0.0)
    return compiled[1], interpreted[1]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_right_to_a_few_units_of_the_last_place(name):
    function, true, where, units = FUNCTIONS[name]
    x = where.astype(np.float32)
    expected = true(x.astype(np.float64))
    for found in computed(name, function, x):
        error = abs(found - expected) / np.spacing(abs(expected).astype(np.float32))
        assert error.max() <= units, x[error.argmax()]


INFINITE = float("inf")
SPECIAL = [np.nan, INFINITE, -INFINITE, 0.0, 1e30, -1e30]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("exp", [np.nan, INFINITE, 0, 1, INFINITE, 0]),
        ("sigmoid", [np.nan, 1, 0, 0.5, 1, 0]),
        ("tanh", [np.nan, 1, -1, 0, 1, -1]),
        ("normal", [np.nan, 1, 0, 0.5, 1, 0]),
    ],
)
def test_nan_infinities_and_what_is_far_away(name, expected):
    for found in computed(name, FUNCTIONS[name][0], SPECIAL):
        np.testing.assert_array_equal(found, np.asarray(expected, np.float32))


def test_the_logarithm_of_no_number_is_none():
    for found in computed("log", elementary.log, [np.nan, INFINITE, 1.0]):
        np.testing.assert_array_equal(found, np.float32([np.nan, INFINITE, 0]))
