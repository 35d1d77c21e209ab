"""Pooling that shifts disturb less."""

from typing import Any

import numpy as np

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.nn.functional import apply
from pellucid.nn.module import Module
from pellucid.nn.settings import positive
from pellucid.nn.tracing import here
from pellucid.ops.pad import BORDERS
from pellucid.types import Array


class BlurPool2d(Module):
    """Blur every channel with a binomial filter, then keep every ``stride``-th cell (Zhang 2019, arXiv:1904.11486).

    A strided layer changes when its input moves by less than the stride, because it samples maps that change faster
    than it samples; the blur takes these changes away first. Max pooling is split in two: the maximum at every place,
    then this, ``MaxPool2d(2, stride=1)`` and ``BlurPool2d()`` instead of ``MaxPool2d(2)``. A strided convolution
    becomes one of stride 1, its activation, then this.

    ``kernel_size`` is that of the filter: 2 is [1, 1] / 2, 3 is [1, 2, 1] / 4, 4 is [1, 3, 3, 1] / 8, and so on.
    ``padding_mode`` fills the ⌊(kernel_size − 1) / 2⌋ cells before and ⌊kernel_size / 2⌋ after a map; reflected, they
    leave an even map as even at its edges. It has no parameters.

    >>> import numpy as np
    >>> BlurPool2d()(np.float32([[[[0, 0, 4, 4, 0, 0, 4, 4]] * 8]]))[0, 0, 0]
    array([0., 3., 1., 3.], dtype=float32)
    """

    def __init__(self, kernel_size: int = 3, stride: int = 2, padding_mode: str = "reflect") -> None:
        super().__init__()
        self.kernel_size = positive(kernel_size, "kernel_size", "BlurPool2d")
        self.stride = positive(stride, "stride", "BlurPool2d")
        if padding_mode not in BORDERS:
            raise ParameterError(
                f"The 'padding_mode' parameter of BlurPool2d must be one of {', '.join(BORDERS)}; got {padding_mode!r}."
            )
        self.padding_mode = padding_mode

    def forward(self, x: Any) -> Any:
        """Add the padding and the strided filter to the graph."""
        if x.ndim != 4:
            raise ShapeError(f"{here('BlurPool2d')} needs an input of 4 axes (N, C, H, W), got shape {x.shape}.")
        channels, cells = x.shape[1], ((self.kernel_size - 1) // 2, self.kernel_size // 2)
        weight = np.tile(binomial(self.kernel_size), (channels, 1, 1, 1)).astype(x.dtype)
        padded = apply(ops.Pad(((0, 0), (0, 0), cells, cells), self.padding_mode), x)
        return apply(ops.Conv2d((self.stride, self.stride), groups=channels), padded, weight, None)

    def extra_repr(self) -> str:
        """Return the layer's settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding_mode={self.padding_mode!r}"


def binomial(size: int) -> Array:
    """Return the filter (size, size) of binomial coefficients, of sum 1.

    >>> (16 * binomial(3)).tolist()
    [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    row = np.ones(1)
    for _ in range(size - 1):
        row = np.convolve(row, [0.5, 0.5])
    return np.outer(row, row)
