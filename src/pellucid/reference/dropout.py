"""Dropout: switch cells off by chance while training."""

import numpy as np

from pellucid.reference._arrays import Array


def dropout(x: Array, key: Array, *, p: float, salt: int, per_channel: bool = False) -> tuple[Array, Array]:
    """Set each cell to 0 with probability p and divide the rest by 1 − p (Srivastava et al., 2014).

    ``key`` holds two uint64 (seed, step); together with ``salt``, which tells layers apart, it fixes the
    mask, whatever was drawn before. Returns y of x's shape and the boolean mask of the cells kept: x's shape,
    or (N, C, 1, …) when ``per_channel`` switches whole channels.

    >>> y, mask = dropout(np.ones(4), np.array([1, 0], np.uint64), p=0.5, salt=7)
    >>> bool((y == 2 * mask).all())
    True
    """
    generator = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, salt]))
    shape = (*x.shape[:2], *(1 for _ in x.shape[2:])) if per_channel else x.shape
    mask = generator.random(shape) >= p
    return dropout_backward(x, mask, p=p), mask


def dropout_backward(dy: Array, mask: Array, *, p: float) -> Array:
    """Compute dx = dy · mask / (1 − p); with p = 1 nothing is kept and dx is 0.

    >>> dropout_backward(np.array([1.0, 1.0]), np.array([True, False]), p=0.75)
    array([4., 0.])
    """
    return dy * mask / (1 - p) if p < 1 else dy * mask
