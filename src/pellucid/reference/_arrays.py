"""Names for arrays, and how a sliding window reads one of them."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]  # (rows, columns)
Padding: TypeAlias = tuple[Pair, Pair]  # ((top, bottom), (left, right))


def tap(plane: Array, ky: int, kx: int, out: Pair, stride: Pair, dilation: Pair) -> Array:
    """Return what kernel cell (ky, kx) sees at every output position: a view (N, C, OH, OW) into ``plane``.

    >>> import numpy as np
    >>> plane = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> tap(plane, 0, 1, (2, 2), stride=(2, 2), dilation=(1, 1))
    array([[[[ 1.,  3.],
             [ 9., 11.]]]])
    """
    top, left = ky * dilation[0], kx * dilation[1]
    bottom, right = top + stride[0] * (out[0] - 1) + 1, left + stride[1] * (out[1] - 1) + 1
    return plane[:, :, top : bottom : stride[0], left : right : stride[1]]


def along(vector: Array, axis: int, ndim: int) -> Array:
    """Reshape a vector so that it broadcasts along one axis of an array with ``ndim`` axes.

    >>> import numpy as np
    >>> along(np.array([1.0, 2.0]), 1, 4).shape
    (1, 2, 1, 1)
    """
    return vector.reshape([-1 if i == axis else 1 for i in range(ndim)])
