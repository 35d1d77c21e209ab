"""Softmax and its logarithm: scores to probabilities."""

import numpy as np

from pellucid.reference._arrays import Array


def softmax(x: Array, *, axis: int) -> Array:
    """Compute y_k = exp(x_k) / Σ_j exp(x_j) along one axis.

    The largest x is subtracted first: the quotient stays the same and exp cannot overflow.

    >>> softmax(np.array([1000.0, 1000.0]), axis=0)
    array([0.5, 0.5])
    """
    with np.errstate(invalid="ignore"):  # ∞ − ∞ gives NaN
        exponentials = np.exp(x - x.max(axis, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis, keepdims=True))


def softmax_backward(dy: Array, y: Array, *, axis: int) -> Array:
    """Compute dx_k = y_k · (dy_k − Σ_j dy_j · y_j).

    >>> softmax_backward(np.array([4.0, 0.0]), np.array([0.5, 0.5]), axis=0)
    array([ 1., -1.])
    """
    return np.asarray(y * (dy - (dy * y).sum(axis, keepdims=True)))


def log_softmax(x: Array, *, axis: int) -> Array:
    """Compute y_k = x_k − log Σ_j exp(x_j) along one axis, the largest x subtracted first.

    >>> log_softmax(np.array([1000.0, 0.0]), axis=0)
    array([    0., -1000.])
    """
    with np.errstate(invalid="ignore"):  # ∞ − ∞ gives NaN
        shifted = x - x.max(axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis, keepdims=True)))


def log_softmax_backward(dy: Array, y: Array, *, axis: int) -> Array:
    """Compute dx_k = dy_k − exp(y_k) · Σ_j dy_j.

    >>> log_softmax_backward(np.array([4.0, 0.0]), np.log([0.5, 0.5]), axis=0)
    array([ 2., -2.])
    """
    return np.asarray(dy - np.exp(y) * dy.sum(axis, keepdims=True))
