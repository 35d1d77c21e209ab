"""Operations that only move numbers. A result may share memory with its input."""

from collections.abc import Sequence

import numpy as np

from pellucid.reference._arrays import Array, Shape


def pixel_shuffle(x: Array, *, factor: int) -> Array:
    """Turn each run of factor² channels into a factor × factor block of pixels (Shi et al., 2016).

    y[n, c, i·r + a, j·r + b] = x[n, c·r² + a·r + b, i, j],  r = ``factor``

    x is (N, C·r², H, W), y (N, C, H·r, W·r).

    >>> pixel_shuffle(np.arange(4.0).reshape(1, 4, 1, 1), factor=2)
    array([[[[0., 1.],
             [2., 3.]]]])
    """
    n, c, h, w = x.shape
    c = c // factor**2
    blocks = x.reshape(n, c, factor, factor, h, w)
    blocks = blocks.transpose(0, 1, 4, 2, 5, 3)  # (N, C, H, r, W, r)
    return blocks.reshape(n, c, h * factor, w * factor)


def pixel_unshuffle(x: Array, *, factor: int) -> Array:
    """Turn each factor × factor block of pixels into factor² channels: the inverse of :func:`pixel_shuffle`.

    x is (N, C, H·r, W·r), the result (N, C·r², H, W).

    >>> pixel_unshuffle(np.arange(4.0).reshape(1, 1, 2, 2), factor=2).ravel()
    array([0., 1., 2., 3.])
    """
    n, c, h, w = x.shape
    h, w = h // factor, w // factor
    blocks = x.reshape(n, c, h, factor, w, factor)
    blocks = blocks.transpose(0, 1, 3, 5, 2, 4)  # (N, C, r, r, H, W)
    return blocks.reshape(n, c * factor**2, h, w)


def pixel_shuffle_backward(dy: Array, *, factor: int) -> Array:
    """Move the gradient back where the pixels came from; a permutation's adjoint is its inverse.

    >>> pixel_shuffle_backward(np.ones((1, 1, 4, 4)), factor=2).shape
    (1, 4, 2, 2)
    """
    return pixel_unshuffle(dy, factor=factor)


def channel_shuffle(x: Array, *, groups: int) -> Array:
    """Deal the channels of ``groups`` equal runs out in turn (Zhang et al., 2018).

    y[n, j·groups + g] = x[n, g·C/groups + j];  x is (N, C, …).

    >>> channel_shuffle(np.arange(6.0).reshape(1, 6), groups=2)
    array([[0., 3., 1., 4., 2., 5.]])
    """
    n, c, *rest = x.shape
    runs = x.reshape(n, groups, c // groups, *rest)
    return runs.swapaxes(1, 2).reshape(x.shape)  # (N, C/G, G, …) → (N, C, …)


def channel_shuffle_backward(dy: Array, *, groups: int) -> Array:
    """Deal the gradient back: the inverse is the shuffle with C/groups groups.

    >>> channel_shuffle_backward(np.array([[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]]), groups=2)
    array([[0., 1., 2., 3., 4., 5.]])
    """
    return channel_shuffle(dy, groups=dy.shape[1] // groups)


def flatten(x: Array, *, start: int, end: int) -> Array:
    """Join the axes ``start`` to ``end``, both included, into one; negative numbers count from the back.

    >>> flatten(np.ones((2, 3, 4, 5)), start=1, end=-1).shape
    (2, 60)
    """
    if x.ndim == 0:
        return x.reshape(1)
    first, last = start % x.ndim, end % x.ndim
    joined = int(np.prod(x.shape[first : last + 1]))
    return x.reshape(*x.shape[:first], joined, *x.shape[last + 1 :])


def reshape(x: Array, shape: Shape) -> Array:
    """Return the same numbers, in the same reading order, in another shape; also its own backward.

    >>> reshape(np.arange(4.0), (2, 2))
    array([[0., 1.],
           [2., 3.]])
    """
    return x.reshape(shape)


def transpose(x: Array, permutation: Sequence[int]) -> Array:
    """Reorder the axes: axis i of the result is axis permutation[i] of x.

    Backward is the transpose by the inverse permutation.

    >>> transpose(np.ones((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return x.transpose(permutation)


def concatenate(arrays: Sequence[Array], *, axis: int) -> Array:
    """Join arrays along one axis.

    >>> concatenate([np.zeros((1, 2)), np.ones((1, 1))], axis=1)
    array([[0., 0., 1.]])
    """
    return np.concatenate(arrays, axis)


def concatenate_backward(dy: Array, sizes: Sequence[int], *, axis: int) -> list[Array]:
    """Cut dy into the pieces it was joined from; ``sizes`` are their extents along ``axis``.

    >>> concatenate_backward(np.array([[0.0, 0.0, 1.0]]), (2, 1), axis=1)
    [array([[0., 0.]]), array([[1.]])]
    """
    return np.split(dy, np.cumsum(sizes)[:-1], axis)
