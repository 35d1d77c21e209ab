"""Softmax and cross-entropy of rows of every length around whole vectors."""

import numpy as np
import pytest

from pellucid import reference
from pellucid.kernels import softmax
from pellucid.kernels.host import host

from .compiled import both

W = host().width
LENGTHS = [1, 2, W - 1, W, W + 1, 2 * W + 3]
ROWS, SIZE = 5, 2
PARTS = 3


def scores(length, seed=0, spread=3):
    """Rows with a gap of two floats between them, which hold NaN."""
    rows = np.full((ROWS, length + 2), np.nan, np.float32)
    rows[:, :length] = spread * np.random.default_rng(seed).standard_normal((ROWS, length))
    return rows


def rows_of(body, length, *arrays):
    """What a kernel of rows writes, compiled and interpreted."""
    step, y = length + 2, np.full((ROWS, length + 2), np.nan, np.float32)
    sizes = (ROWS, length, step, step, SIZE)
    with np.errstate(all="ignore"):
        results = both(body, *arrays, y, *sizes, parts=PARTS)
    for after in results:
        assert np.isnan(after[-1][:, length:]).all()
    return [after[-1][:, :length] for after in results]


@pytest.mark.parametrize("spread", [3, 1000])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_values_and_gradients(name, length, spread):
    x, dy = scores(length, 0, spread), scores(length, 1)
    numbers, slope = x[:, :length].astype(np.float64), dy[:, :length].astype(np.float64)
    y = getattr(reference, name)(numbers, axis=1)
    for found in rows_of(getattr(softmax, name), length, x):
        np.testing.assert_allclose(found, y, rtol=1e-6 * (1 + spread), atol=1e-6)
    saved = np.full_like(x, np.nan)
    saved[:, :length] = y
    dx = getattr(reference, f"{name}_backward")(slope, saved[:, :length].astype(np.float64), axis=1)
    for found in rows_of(getattr(softmax, f"{name}_backward"), length, dy, saved):
        np.testing.assert_allclose(found, dx, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_numbers_go_where_they_go_in_the_reference(special):
    x = scores(3)
    x[1, 1] = special
    for name in ("softmax", "log_softmax"):
        expected = getattr(reference, name)(x[:, :3].astype(np.float64), axis=1)
        for found in rows_of(getattr(softmax, name), 3, x):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def cross_entropy(x, labels, length, smoothing, divisor):
    """The loss and its gradient, compiled and interpreted."""
    sums, loss, dx = np.zeros(PARTS, np.float32), np.zeros(1, np.float32), np.full_like(x, np.nan)
    scratch = softmax.cross_entropy_scratch()
    forward = (x, labels, sums, ROWS, length, length + 2, SIZE, smoothing)
    backward = (
        np.full(1, 2, np.float32),
        x,
        labels,
        dx,
        ROWS,
        length,
        length + 2,
        length + 2,
        SIZE,
        smoothing,
        divisor,
    )
    with np.errstate(all="ignore"):
        summed = [after[2] for after in both(softmax.cross_entropy, *forward, parts=PARTS, scratch=scratch)]
        losses = [both(softmax.sum_of_parts, part, PARTS, divisor, loss)[0][1][0] for part in summed]
        results = both(softmax.cross_entropy_backward, *backward, parts=PARTS, scratch=scratch)
    for after in results:
        assert np.isnan(after[3][:, length:]).all()
    return losses, [after[3][:, :length] for after in results]


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("length", LENGTHS)
def test_cross_entropy(length, smoothing):
    x, labels = scores(length), np.arange(ROWS) % length
    settings = {"label_smoothing": smoothing, "reduction": "mean"}
    numbers = x[:, :length].astype(np.float64)
    losses, gradients = cross_entropy(x, labels, length, smoothing, float(ROWS))
    np.testing.assert_allclose(losses, 2 * [reference.cross_entropy(numbers, labels, **settings)], rtol=1e-6, atol=1e-6)
    expected = reference.cross_entropy_backward(np.array(2.0), numbers, labels, **settings)
    for found in gradients:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_an_impossible_class_costs_nothing_where_it_is_not_asked_for():
    x = scores(4)
    x[:, 2] = -np.inf
    losses, gradients = cross_entropy(x, np.array([0, 1, 3, 0, 1]), 4, 0.0, 1.0)
    assert np.isfinite(losses).all()
    assert np.isfinite(gradients).all()
    losses, _ = cross_entropy(x, np.array([0, 1, 3, 0, 2]), 4, 0.0, 1.0)
    assert losses == [np.inf, np.inf]


@pytest.mark.parametrize("label", [-1, 4, 2**62])
def test_a_label_that_is_no_class_reads_nothing_beyond_the_row(label):
    x, labels = scores(4), np.array([0, 1, 3, 0, label])
    numbers = x[:, :4].astype(np.float64)
    losses, gradients = cross_entropy(x, labels, 4, 0.2, 1.0)
    settings = {"label_smoothing": 0.2, "reduction": "sum"}
    np.testing.assert_allclose(losses, 2 * [reference.cross_entropy(numbers, labels, **settings)], rtol=1e-6)
    expected = reference.cross_entropy_backward(np.array(2.0), numbers, labels, **settings)
    for found in gradients:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
