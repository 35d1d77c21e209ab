"""How far the engine's number may be from the exact one: a bound for each kind of arithmetic.

ε is the machine epsilon of the dtype, 2⁻²³ for float32; one rounding errs by at most ε/2. The exact number is computed
in float64: of a float32 network its own error does not count, of a float64 network it takes the other half of the ε.
Where a number on the way may be beyond the range of the dtype, nothing is promised: the bound is infinite.

The constants of Winograd's algorithm are those that ``tests/ops/test_numerics.py`` holds the engine to.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from pellucid.explain.cells.parts import Operand
from pellucid.types import Array

DType: TypeAlias = np.dtype[Any]

WINOGRAD, REACH = 128, 5
"""Its error is at most 128·ε·Σ|pixel·weight|, every pixel replaced by the largest within 5 rows and columns."""
_WINOGRAD_GROWTH = 2.0**16
"""How much larger than a pixel times a weight its products may be."""


def epsilon(dtype: DType) -> float:
    """ε of a dtype."""
    return float(np.finfo(dtype).eps)


def tiny(dtype: DType) -> float:
    """Magnitude below which a number may count as 0."""
    return float(np.finfo(dtype).tiny)


def of_sum(values: Array, weights: Array | float = 1.0, bias: float = 0.0) -> float:
    """Return n·ε·Σ|value·weight| for a sum of n products, a bias being one, in any order.

    A sum of whole numbers is exact, and its bound 0, as long as none on the way is larger than 2/ε. Where one may be
    beyond the range, the bound is infinite.

    >>> of_sum(np.float32([3, -4]), np.float32([2, 1])), of_sum(np.float32([0.5, 1]))
    (0.0, 3.5762786865234375e-07)
    """
    dtype = values.dtype
    sizes, factors = abs(values.astype(np.float64)), abs(np.asarray(weights))
    total = float((sizes * factors).sum()) + abs(bias)
    is_whole = _are_whole(values) and _are_whole(factors) and float(bias).is_integer()
    if is_whole and total <= 2 / epsilon(dtype):
        return 0.0
    flushed = float(((sizes + 1) * (factors + 1)).sum())
    bound = (values.size + bool(bias)) * epsilon(dtype) * total + tiny(dtype) * flushed
    return bound if is_within(dtype, total) else math.inf


def of_mean(values: Array, count: int) -> float:
    """Return the bound for a sum that is divided by a whole number."""
    mean = float(values.sum(dtype=np.float64)) / count
    whole = of_sum(values) == 0 and float(values.dtype.type(mean)) == mean
    return 0.0 if whole else of_sum(values) / count + epsilon(values.dtype) * abs(mean) + tiny(values.dtype)


def of_winograd(nearby: Array, weights: Array, bias: float) -> float:
    """Return the bound of Winograd's algorithm; ``nearby`` holds, for each pixel, the largest magnitude near it."""
    dtype = nearby.dtype
    size = nearby.astype(np.float64)
    total = float((size * abs(weights)).sum()) + abs(bias)
    flushed = float(((size + 1) * (abs(weights) + 1)).sum())
    bound = WINOGRAD * epsilon(dtype) * total + _WINOGRAD_GROWTH * tiny(dtype) * flushed
    return bound if is_within(dtype, _WINOGRAD_GROWTH * total) else math.inf


def of_value(value: float, dtype: DType, roundings: float, flushed: float = 1.0) -> float:
    """Return roundings·ε·|value| for a number of known relative error; numbers that count as 0 may take a little."""
    return roundings * epsilon(dtype) * abs(value) + 2 * flushed * tiny(dtype)


def of_choice(value: float, dtype: DType) -> float:
    """Return 0 for a number that is only passed on, unless it is so small that it may count as 0."""
    return tiny(dtype) if 0 < abs(value) < tiny(dtype) else 0.0


def is_within(dtype: DType, *numbers: float) -> bool:
    """Whether all numbers are in the range of a dtype; NaN is not."""
    return all(abs(number) <= float(np.finfo(dtype).max) for number in numbers)


def settled(result: float, bound: float, read: Sequence[Operand], dtype: DType) -> float:
    """Return the bound for any result: 0 where NaN follows from NaN, infinite where it cannot be told.

    A bound of 0 stands: it is that of a number which is not rounded.
    """
    if bound == 0 or (math.isnan(result) and any(np.isnan(operand.values).any() for operand in read)):
        return 0.0
    return bound if is_within(dtype, abs(result) + bound) else math.inf


def _are_whole(values: Array) -> bool:
    return bool((np.isfinite(values) & (values == np.rint(values))).all())
