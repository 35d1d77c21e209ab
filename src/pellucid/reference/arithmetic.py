"""Sums, products and means, with NumPy's broadcasting."""

import numpy as np

from pellucid.reference._arrays import Array, Shape


def add(a: Array, b: Array) -> Array:
    """Compute a + b, broadcast.

    >>> add(np.array([1.0, 2.0]), np.array([[10.0], [20.0]]))
    array([[11., 12.],
           [21., 22.]])
    """
    return np.asarray(a + b)


def add_backward(dy: Array, a_shape: Shape, b_shape: Shape) -> tuple[Array, Array]:
    """Return (da, db): dy itself, summed where a or b was broadcast.

    >>> add_backward(np.ones((2, 2)), (2,), (2, 1))
    (array([2., 2.]), array([[2.],
           [2.]]))
    """
    return unbroadcast(dy, a_shape), unbroadcast(dy, b_shape)


def multiply(a: Array, b: Array) -> Array:
    """Compute a · b cell by cell, broadcast.

    >>> multiply(np.array([1.0, 2.0]), np.array([[10.0], [20.0]]))
    array([[10., 20.],
           [20., 40.]])
    """
    return np.asarray(a * b)


def multiply_backward(dy: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Return (da, db) = (dy · b, dy · a), summed where a or b was broadcast.

    >>> multiply_backward(np.ones(2), np.array([1.0, 2.0]), np.array([10.0]))
    (array([10., 10.]), array([3.]))
    """
    return unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)


def unbroadcast(dy: Array, shape: Shape) -> Array:
    """Sum dy over the axes along which an array of ``shape`` was repeated to dy's shape.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    new = dy.ndim - len(shape)  # axes that broadcasting put in front
    repeated = [new + axis for axis, size in enumerate(shape) if size == 1]
    return np.asarray(dy.sum((*range(new), *repeated))).reshape(shape)


def total(x: Array, *, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Sum x over ``axes``.

    >>> total(np.ones((2, 3)), axes=(1,), keepdims=True)
    array([[3.],
           [3.]])
    """
    return np.asarray(x.sum(axes, keepdims=keepdims))


def total_backward(dy: Array, x_shape: Shape, *, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Give every cell the gradient of the sum it entered; dx is of ``x_shape``.

    >>> total_backward(np.array([5.0, 6.0]), (2, 2), axes=(1,), keepdims=False)
    array([[5., 5.],
           [6., 6.]])
    """
    kept = dy if keepdims else np.expand_dims(dy, tuple(axis % len(x_shape) for axis in axes))
    return np.broadcast_to(kept, x_shape).copy()


def mean(x: Array, *, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Average x over ``axes``.

    >>> mean(np.array([[1.0, 3.0]]), axes=(1,), keepdims=False)
    array([2.])
    """
    return np.asarray(x.mean(axes, keepdims=keepdims))


def mean_backward(dy: Array, x_shape: Shape, *, axes: tuple[int, ...], keepdims: bool) -> Array:
    """Share the gradient of each mean equally among the cells it was made of.

    >>> mean_backward(np.array([5.0, 6.0]), (2, 2), axes=(1,), keepdims=False)
    array([[2.5, 2.5],
           [3. , 3. ]])
    """
    count = int(np.prod([x_shape[axis] for axis in axes]))
    return total_backward(dy, x_shape, axes=axes, keepdims=keepdims) / count
