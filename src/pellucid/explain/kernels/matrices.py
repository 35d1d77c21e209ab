"""Small matrices, such as kernels: read from text, checked, and their numbers written."""

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.explain.numbers import number
from pellucid.types import Array

_ROUNDING = 1e-9
"""How far a number may be from a fraction that it stands for, as a share of it."""
_DENOMINATOR = 256
"""Of the fractions that are called simple."""
_BETWEEN = r"\s*[,;]\s*|\s+"
RANGE = 1e100
"""A kernel's largest magnitude lies between this and one by this: squares of it can be summed in float64."""
FLOAT32_RANGE = 1e15
"""The same for kernels and pictures that the engine computes with: the products are numbers of float32."""


def parse_rows(text: str, what: str) -> Array:
    """Read a matrix, float64 (H, W), from rows between ";" or line ends, their numbers between commas or spaces.

    Fractions are numbers, too. Raises ParameterError where the rows are unequal or something is no finite number;
    ``what`` names the matrix in the message.

    >>> parse_rows("1,0,-1; 1/2 0 -1/2", "kernel")
    array([[ 1. ,  0. , -1. ],
           [ 0.5,  0. , -0.5]])
    """
    return _matrix(re.split(r"[;\n]", text), what)


def parse_lines(text: str, what: str) -> Array:
    r"""Read a matrix, float64 (H, W), from a file's lines, their numbers between ";", commas or spaces.

    Raises ParameterError as `parse_rows` does, and where these are mixed: a comma may be a decimal sign, a semicolon
    the end of a row.

    >>> parse_lines("1;0;-1\n2;0;-2", "kernel")
    array([[ 1.,  0., -1.],
           [ 2.,  0., -2.]])
    """
    rows = text.splitlines()
    if len({found.strip() for row in rows for found in re.findall(_BETWEEN, row.strip())}) > 1:
        raise ParameterError(
            f"The {what} must have commas, semicolons or spaces between its numbers, not several of them; write a row "
            "on each line, and 0.5 for 0,5."
        )
    return _matrix(rows, what)


def _matrix(rows: Sequence[str], what: str) -> Array:
    numbers = [[_number(word, what) for word in re.split(_BETWEEN, row.strip())] for row in rows if row.strip()]
    if not numbers:
        raise ParameterError(f"The {what} must be rows of numbers, such as '1,0,-1; 2,0,-2'; got nothing.")
    lengths = {len(row): index for index, row in reversed(list(enumerate(numbers, 1)))}
    if len(lengths) > 1:
        (first, _), (other, index) = sorted(lengths.items(), key=lambda item: item[1])[:2]
        raise ParameterError(
            f"The {what} must have rows of equal length; got {first} in row 1 and {other} in row {index}."
        )
    return np.array(numbers)


def _number(word: str, what: str) -> float:
    """Read a number or a fraction; the sign may be a typographer's."""
    above, slash, below = word.replace("−", "-").partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"The {what} must hold finite numbers or fractions only; got '{word[:40]}'.")
    return value


def as_numbers(values: Any, what: str) -> Array:
    """Return an array as float64. Raises ShapeError where it is text or ragged."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        got = repr(values)
        raise ShapeError(
            f"The {what} must be an array of numbers; got {got[:40]}{'…' * (len(got) > 40)}; gallery.read_kernel reads "
            "text."
        ) from None


def checked_kernel(kernel: Any, what: str = "kernel", most: float = RANGE) -> Array:
    """Return a kernel as float64 (KH, KW).

    Raises ShapeError where it is no matrix of numbers, ParameterError where they are not finite, or so large or small
    that they cannot be computed with.

    >>> checked_kernel([[1, 0], [0, -1]])
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    values = as_numbers(kernel, what)
    if values.ndim != 2 or not values.size:
        raise ShapeError(f"The {what} must be (KH, KW), not empty; got shape {values.shape}; choose one channel.")
    if not np.isfinite(values).all():
        raise ParameterError(f"The numbers of the {what} must be finite; got NaN or infinity.")
    largest = float(abs(values).max())
    if largest and not 1 / most <= largest <= most:
        limits = f"from {1 / most:g} to {most:g}, or 0"
        raise ParameterError(f"The largest magnitude of the {what} must be {limits}; got {largest:g}; scale it.")
    return values


def checked_picture(picture: Any) -> Array:
    """Return a picture as float32; 8 and 16 bits are read as 0 to 1, other numbers stay.

    Raises DataError where they are no numbers, not finite, or too large to be computed with.

    >>> checked_picture(np.array([[0, 255]], np.uint8))
    array([[0., 1.]], dtype=float32)
    """
    try:
        values = np.asarray(picture)
        scale = np.iinfo(values.dtype).max if values.dtype in (np.uint8, np.uint16) else 1
        values = values.astype(np.float64) / scale
    except (TypeError, ValueError):
        raise DataError("The picture must be an array of numbers, (H, W) or (C, H, W); got something else.") from None
    if not (abs(values) <= FLOAT32_RANGE).all():  # NaN is not, either
        raise DataError(
            f"The picture's numbers must be finite and at most {FLOAT32_RANGE:g}; got NaN, infinity or larger ones."
        )
    return values.astype(np.float32)


def whole_numbers(values: Array, most: int = 9999) -> tuple[Array, int] | None:
    """Write a matrix as whole numbers (int64) over one divisor, or return None where either would pass ``most``.

    >>> whole_numbers(np.array([[1 / 16, 1 / 8, 1 / 16]]))
    (array([[1, 2, 1]]), 16)
    """
    fractions = [Fraction(float(value)).limit_denominator(most) for value in np.unique(values)]
    divisor = math.lcm(*(fraction.denominator for fraction in fractions))
    largest = float(abs(values).max(initial=0.0))
    if max(divisor, largest * divisor) > most:
        return None
    whole = np.rint(values * divisor)
    if abs(whole / divisor - values).max(initial=0.0) > _ROUNDING * largest:
        return None
    return whole.astype(np.int64), divisor


def write_number(value: float) -> str:
    """Write a number as people read it: whole, a simple fraction where decimals would go on, else in three digits.

    >>> [write_number(value) for value in (-2.0, 1 / 9, 3 / 16, 0.2, 0.3333, -0.0)]
    ['−2', '1/9', '3/16', '0.2', '0.333', '0']
    """
    fraction = Fraction(float(value)).limit_denominator(_DENOMINATOR)
    below = fraction.denominator
    is_simple = abs(float(fraction) - value) <= _ROUNDING * abs(value) and abs(fraction.numerator) < 10_000
    is_short = below & (below - 1) and 10**_DENOMINATOR % below == 0  # 1/5 or 1/100, which are written 0.2 and 0.01
    return str(fraction).replace("-", "−") if is_simple and not is_short else number(value, 3)
