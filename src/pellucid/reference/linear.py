"""The fully connected layer."""

import numpy as np

from pellucid.reference._arrays import Array


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Compute y = x · weightᵀ + bias over the last axis.

    x is (…, I), weight (O, I), bias (O,); returns (…, O).

    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]), np.array([0.0, 1.0]))
    array([[11., 18.]])
    """
    y = x @ weight.T
    return np.asarray(y if bias is None else y + bias)


def linear_backward_data(dy: Array, weight: Array) -> Array:
    """Compute dx = dy · weight; dy is (…, O), weight (O, I), dx (…, I).

    >>> linear_backward_data(np.array([[1.0, 10.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]))
    array([[53., 64.]])
    """
    return np.asarray(dy @ weight)


def linear_backward_weight(dy: Array, x: Array) -> Array:
    """Compute dweight = dyᵀ · x, summed over all leading axes; dy is (…, O), x (…, I), dweight (O, I).

    >>> linear_backward_weight(np.array([[1.0, 10.0]]), np.array([[3.0, 4.0]]))
    array([[ 3.,  4.],
           [30., 40.]])
    """
    rows = int(np.prod(dy.shape[:-1]))
    return np.asarray(dy.reshape(rows, dy.shape[-1]).T @ x.reshape(rows, x.shape[-1]))


def linear_backward_bias(dy: Array) -> Array:
    """Sum dy (…, O) over all axes but the last; returns (O,).

    >>> linear_backward_bias(np.ones((2, 3, 4)))
    array([6., 6., 6., 6.])
    """
    return np.asarray(dy.sum(tuple(range(dy.ndim - 1))))
