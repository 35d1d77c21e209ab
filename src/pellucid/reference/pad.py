"""Padding: new cells round an array, and the adjoint that folds their gradient back."""

from collections.abc import Sequence

import numpy as np

from pellucid.reference._arrays import Array, Pair, Shape


def pad(x: Array, padding: Sequence[Pair], *, mode: str = "zeros", value: float = 0.0) -> Array:
    """Surround x with new cells: ``padding`` holds one (before, after) for every axis of x.

    ======== =====================  ===========================================
    mode     of a b c, padded by 2  limit on one side
    ======== =====================  ===========================================
    zeros    0 0 a b c 0 0          none (``value`` is used in place of 0)
    replicate a a a b c c c         none
    reflect  c b a b c b a          smaller than the axis
    circular b c a b c a b          at most the axis
    ======== =====================  ===========================================

    >>> pad(np.array([1.0, 2.0, 3.0]), [(2, 1)], mode="reflect")
    array([3., 2., 1., 2., 3., 2.])
    """
    if mode == "zeros":
        y = np.full([b + size + a for size, (b, a) in zip(x.shape, padding, strict=True)], value, x.dtype)
        y[_inside(x.shape, padding)] = x
        return y
    y = x.copy()
    for axis, (before, after) in enumerate(padding):
        y = y.take(_source(x.shape[axis], before, after, mode), axis)
    return y


def pad_backward(dy: Array, x_shape: Shape, padding: Sequence[Pair], *, mode: str = "zeros") -> Array:
    """Give every cell of x the sum of the gradients of all its copies; returns dx of ``x_shape``.

    >>> pad_backward(np.array([1.0, 10.0, 100.0, 1000.0]), (2,), [(1, 1)], mode="replicate")
    array([  11., 1100.])
    """
    if mode == "zeros":
        return dy[_inside(x_shape, padding)].copy()
    dx = dy
    for axis, (before, after) in enumerate(padding):
        size = x_shape[axis]
        source = _source(size, before, after, mode)
        copies = np.moveaxis(dx, axis, 0)  # (before + size + after, …)
        folded = copies[before : before + size].copy()  # (size, …): the middle is its own source
        for position in [*range(before), *range(before + size, before + size + after)]:
            folded[source[position]] += copies[position]
        dx = np.moveaxis(folded, 0, axis)
    return dx.copy()


def _inside(shape: Shape, padding: Sequence[Pair]) -> tuple[slice, ...]:
    """Return where x lies in the padded array."""
    return tuple(slice(before, before + size) for size, (before, _) in zip(shape, padding, strict=True))


def _source(size: int, before: int, after: int, mode: str) -> Array:
    """Return, for every position of one padded axis, the index of x that is copied there."""
    position = np.arange(-before, size + after)
    if mode == "replicate":
        return np.clip(position, 0, size - 1)
    if mode == "circular":
        return position % size
    last = size - 1
    return last - abs(last - abs(position))  # reflect: mirrored about the first and about the last cell
