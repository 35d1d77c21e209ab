"""Exponential functions of vectors, written with what every processor has: products, sums and the bits of a float.

Each brings its argument near 0, where a polynomial is as accurate as the format, and brings the result back. The
coefficients minimise the largest relative error, which is below 2e-8 for each polynomial and 3e-8 for ``normal``'s.
NaN comes out as NaN.
"""

from typing import Any

_LOG2_E = 1.4426950408889634
_LN_2 = 0.693359375, -2.12194440e-4
"""The logarithm of 2 as a sum; n times the first is exact for every n that is asked for."""

_EXPM1 = 0.001394757186062634, 0.008367233909666538, 0.041666265577077866, 0.16666537523269653, 0.5
"""(eʳ − 1 − r) / r² for |r| ≤ ln(2) / 2, highest power first."""

_LOG = 0.2988561987876892, 0.3997706472873688, 0.6666678190231323
"""(2·artanh(s) − 2s) / s³ in powers of s², for numbers from √½ to √2."""

_MILLS = (
    -0.02911544032394886, 0.14382041990756989, -0.2553950250148773, 0.15880097448825836, -0.022846316918730736,
    0.10539329797029495, 0.11986281722784042, 0.13985759019851685, 0.13962166011333466,
)  # fmt: skip
_MILLS_SCALE = 0.35
"""exp(a²/2) · (1 − Φ(a)) / t for a ≥ 0, in powers of t = 1 / (1 + 0.35 a)."""

_SQRT_8_OVER_PI = 1.5957691216057308
_SQRT_2_PI = 2.5066282746310002


def exp(x: Any) -> Any:
    """Compute eˣ; below −87 it is 0."""
    near, power = _near_zero(x.at_least(-87.3).at_most(89.0))
    return (_expm1_near_zero(near) + 1.0) * (power - 1.0).power_of_two() * 2.0  # 2¹²⁸ itself would be infinite


def expm1(x: Any) -> Any:
    """Compute eˣ − 1, accurately near 0 too, for x up to 80."""
    near, power = _near_zero(x.at_least(-80.0).at_most(80.0))
    scale = power.power_of_two()
    return _expm1_near_zero(near).fma(scale, scale - 1.0)


def log(x: Any) -> Any:
    """Compute the natural logarithm of positive numbers."""
    mantissa, power = x.mantissa_and_exponent()
    root = 1.4142135
    power = mantissa.where_above(root, power + 1.0, power)
    mantissa = mantissa.where_above(root, mantissa * 0.5, mantissa)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    near = (s * square).fma(_polynomial(_LOG, square), s * 2.0)
    finite = power.fma(_LN_2[0], power.fma(_LN_2[1], near))
    return x.where_above(3.4028234e38, x, finite)


def sigmoid(x: Any) -> Any:
    """Compute 1 / (1 + e⁻ˣ)."""
    return 1.0 / (1.0 + exp(-1.0 * x))


def tanh(x: Any) -> Any:
    """Compute (e²ˣ − 1) / (e²ˣ + 1)."""
    up = expm1(x.at_least(-10.0).at_most(10.0) * 2.0)
    return up / (up + 2.0)


def normal(x: Any) -> tuple[Any, Any]:
    """Compute the normal distribution Φ(x), accurately where it is small too, and its density."""
    bell = exp(x * x * -0.5)
    positive = x.where_above(0.0, x, x * -1.0).at_most(14.0)  # beyond, the bell is 0
    t = 1.0 / positive.fma(_MILLS_SCALE, 1.0)
    tail = bell * t * _polynomial(_MILLS, t)
    return x.where_above(0.0, 1.0 - tail, tail), bell * (1.0 / _SQRT_2_PI)


def tanh_normal(x: Any) -> tuple[Any, Any]:
    """Compute (1 + tanh(√(2/π)·(x + 0.044715x³))) / 2, which is nearly Φ(x), and its derivative.

    It is written as sigmoid(2·…), which stays accurate where it is small.
    """
    square = x * x
    share = sigmoid(x * square.fma(0.044715, 1.0) * _SQRT_8_OVER_PI)
    return share, share * (1.0 - share) * (square.fma(3 * 0.044715, 1.0) * _SQRT_8_OVER_PI)


def _near_zero(x: Any) -> tuple[Any, Any]:
    """Return (r, n) with x = r + n · ln 2, n whole and |r| at most half of ln 2."""
    power = (x * _LOG2_E).rounded()
    return power.fma(-_LN_2[1], power.fma(-_LN_2[0], x)), power


def _expm1_near_zero(r: Any) -> Any:
    return (r * r).fma(_polynomial(_EXPM1, r), r)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    """Evaluate by Horner's rule, the highest power first."""
    result = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        result = result.fma(x, coefficient)
    return result
