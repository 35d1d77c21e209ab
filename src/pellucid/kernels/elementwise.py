"""Element by element, in whatever memory order the operands have."""

import numpy as np

from pellucid.types import Array


def keep_where(values: Array, mask: Array) -> Array:
    """Return values where the mask holds and +0 elsewhere, also for infinities and NaN.

    Masks the bits: NumPy vectorises that, but neither ``where`` nor a masked copy.
    """
    bits = np.dtype(f"i{values.dtype.itemsize}")
    return np.asarray((values.view(bits) & -mask.astype(bits)).view(values.dtype))


def relu_backward(dy: Array, y: Array) -> Array:
    """Pass dy where y > 0, or is NaN; see the reference."""
    return keep_where(dy, ~(y <= 0))
