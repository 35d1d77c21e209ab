"""Memory layout: images are (N, C, H, W) by shape and channels-last in memory.

A channels-last array is an ordinary NumPy array whose transpose (0, 2, 3, 1) is contiguous. The shape that everyone
sees stays PyTorch's; kernels work on the transposed view, where the channels of one pixel lie side by side.
"""

import numpy as np

from pellucid.types import Array


def nhwc(x: Array) -> Array:
    """View (N, C, H, W) as contiguous (N, H, W, C), copying only where the memory lies otherwise."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def nchw(x: Array) -> Array:
    """View (N, H, W, C) as (N, C, H, W)."""
    return x.transpose(0, 3, 1, 2)
