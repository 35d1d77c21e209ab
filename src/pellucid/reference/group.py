"""The group p4: translations, and turns by quarters (Cohen & Welling, 2016)."""

import numpy as np

from pellucid.reference._arrays import Array, Shape


def orientations(x: Array) -> Array:
    """Lay out a layer's base parameters in the four orientations r, each a quarter turn anticlockwise from the last.

    - kernels on images, (O, C, K, K) → (O·4, C, K, K):  y[4·o + r, c] = turn^r w[o, c]
    - kernels on p4 maps, (O, C, 4, K, K) → (O·4, C·4, K, K):  y[4·o + r, 4·c + s] = turn^r w[o, c, (s − r) mod 4]
    - biases, (O,) → (O·4,):  y[4·o + r] = b[o]

    >>> orientations(np.array([[[[1, 2], [3, 4]]]]))[:, 0].tolist()
    [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]
    """
    turned = np.stack([_turned(x, quarters) for quarters in range(4)], axis=1)  # (O, 4, C, 4, K, K)
    if x.ndim == 5:
        turned = turned.reshape(*turned.shape[:2], -1, *turned.shape[4:])  # (O, 4, C·4, K, K)
    return turned.reshape(-1, *turned.shape[2:])


def orientations_backward(dy: Array, shape: Shape) -> Array:
    """Turn the gradients of the four orientations back and add them up; ``shape`` is that of x.

    >>> orientations_backward(np.ones((4, 1, 2, 2)), (1, 1, 2, 2)).tolist()
    [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    turned = dy.reshape(shape[0], 4, *shape[1:])
    return np.sum([_turned(turned[:, quarters], -quarters) for quarters in range(4)], axis=0, dtype=dy.dtype)


def _turned(x: Array, quarters: int) -> Array:
    """Turn kernels; those on p4 maps move on by as many orientations."""
    if x.ndim == 1:
        return x
    if x.ndim == 5:
        x = np.roll(x, quarters, axis=2)
    return np.rot90(x, quarters, axes=(-2, -1))
