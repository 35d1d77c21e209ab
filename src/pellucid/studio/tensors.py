"""Arrays as messages, and back."""

import base64
import math

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.studio.messages.base import KERNEL_SIZE, Tensor
from pellucid.types import Array

LARGEST_WEIGHT = 1e6


def to_tensor(values: Array) -> Tensor:
    """Write an array down.

    >>> to_tensor(np.float32([[1, 2]])).shape
    [1, 2]
    """
    exact = np.ascontiguousarray(values, "<f4")
    return Tensor.model_construct(shape=list(exact.shape), data=base64.b64encode(exact.data).decode())


def to_array(tensor: Tensor, *sizes: int | None) -> Array:
    """Read an array; ``sizes`` are those it must have, None where any will do.

    Raises ShapeError where the shape is another, or the data do not fill it.
    """
    if len(tensor.shape) != len(sizes) or any(
        want not in (None, size) for want, size in zip(sizes, tensor.shape, strict=True)
    ):
        wanted = "×".join("any" if size is None else str(size) for size in sizes)
        raise ShapeError(f"The numbers must be {wanted}; got {'×'.join(map(str, tensor.shape)) or 'a single number'}.")
    try:
        data = base64.b64decode(tensor.data, validate=True)
    except ValueError:  # no base64, or not even ASCII
        raise ShapeError("The numbers must be float32 as base64; got other text.") from None
    if len(data) != 4 * math.prod(tensor.shape):
        raise ShapeError(f"The shape {tensor.shape} needs {4 * math.prod(tensor.shape)} bytes; got {len(data)}.")
    values = np.frombuffer(data, "<f4").reshape(tensor.shape)
    if not np.isfinite(values).all():
        raise ShapeError("The numbers must be finite; got infinity or NaN.")
    return values


def to_kernel(tensor: Tensor) -> Array:
    """Read a kernel (KH, KW). Raises ShapeError or ParameterError where it is none."""
    kernel = to_array(tensor, None, None)
    if not all(1 <= side <= KERNEL_SIZE for side in kernel.shape):
        rows, columns = kernel.shape
        raise ShapeError(f"The kernel must have 1 to {KERNEL_SIZE} rows and columns; got {rows}×{columns}.")
    largest = float(abs(kernel).max())
    if largest > LARGEST_WEIGHT:
        raise ParameterError(f"The kernel's numbers must be at most {LARGEST_WEIGHT:,.0f}; got {largest:g}.")
    return kernel
