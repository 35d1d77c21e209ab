"""Kernels that go number by number, around the ends of vectors and parts, against the reference in float64."""

import numpy as np
import pytest

from pellucid import reference
from pellucid.kernels import pointwise
from pellucid.kernels.activations import ACTIVATIONS
from pellucid.kernels.host import host

from .compiled import both, run

W = host().width
SIZES = [1, W - 1, W, W + 1, 3 * W + 2]
SETTINGS = {"leaky_relu": {"negative_slope": 0.25}, "elu": {"alpha": 1.5}}
REFERENCES = {"gelu": ("gelu", {"approximate": "none"}), "gelu_tanh": ("gelu", {"approximate": "tanh"})}
OF_Y = ("relu", "sigmoid", "tanh")
KINKS = np.array([-6, -3, -0.0, 0, 3, 6, 2.5, -2.5, 30, -30])


def numbers(size, seed):
    drawn = 3 * np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    drawn[: len(KINKS)] = KINKS[:size]
    return drawn


def compute(name, *arrays):
    """Return what an activation's kernel, or its gradient's, writes: compiled and interpreted."""
    (setting,) = SETTINGS.get(name, {"": 0.0}).values()
    size = arrays[0].size
    y, parts = np.full(size + 1, np.nan, np.float32), -(-size // pointwise.PART)
    if len(arrays) == 1:
        body = pointwise.of_one(name, ACTIVATIONS[name].forward)
    else:
        body = pointwise.of_two(f"{name}_backward", ACTIVATIONS[name].backward)
    with np.errstate(all="ignore"):
        results = both(body, size, *arrays, y, setting, parts=parts)
    for after in results:
        assert np.isnan(after[-1][-1])  # nothing is written beyond the end
    return [after[-1][:-1] for after in results]


def expected(name, *arrays):
    function, settings = REFERENCES.get(name, (name, SETTINGS.get(name, {})))
    suffix = "_backward" if len(arrays) == 2 else ""
    with np.errstate(all="ignore"):
        return getattr(reference, function + suffix)(*(array.astype(np.float64) for array in arrays), **settings)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_gradients(name, size):
    x, dy = numbers(size, 0), numbers(size, 1)[::-1].copy()
    saved = expected(name, x).astype(np.float32) if name in OF_Y else x
    for found in compute(name, x):
        np.testing.assert_allclose(found, expected(name, x), rtol=2e-6, atol=1e-6)
    for found in compute(name, dy, saved):
        np.testing.assert_allclose(found, expected(name, dy, saved), rtol=2e-6, atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_nan_and_infinities(name):
    x, dy = np.float32([np.nan, np.inf, -np.inf, 1.0]), np.float32([2.0, 3.0, 5.0, np.nan])
    for found in compute(name, x):
        np.testing.assert_allclose(found, expected(name, x), rtol=1e-6)
    saved = expected(name, x).astype(np.float32) if name in OF_Y else x
    for found in compute(name, dy, saved):
        np.testing.assert_allclose(found, expected(name, dy, saved), rtol=1e-6)


def test_parts_cover_everything_once():
    size = 2 * pointwise.PART + 5
    x, y = np.arange(size, dtype=np.float32), np.zeros(size, np.float32)
    run(pointwise.of_two("add", pointwise.add), size, x, x, y, 0.0, parts=3)
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["add", "multiply"])
def test_two_operands_and_a_number(name, size):
    function = getattr(pointwise, name)
    a, b = (np.random.default_rng(seed).integers(-9, 9, size).astype(np.float32) for seed in (0, 1))
    true = {"add": np.add, "multiply": np.multiply}[name]
    for after in both(pointwise.of_two(name, function), size, a, b, np.zeros_like(a), 0.0):
        np.testing.assert_array_equal(after[-1], true(a, b))
    for after in both(pointwise.of_one_and_number(name, function), size, a, b[:1], np.zeros_like(a)):
        np.testing.assert_array_equal(after[-1], true(a, b[0]))
