"""Kernels as ordinary Python: pointers that know their bounds, and vectors that NumPy computes.

Slow, but every load and store is checked, and a debugger can step through. Tests run the engine's kernels so on
small images, and students may.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from pellucid.kernels.host import host
from pellucid.types import Array

_ELSEWHERE = 1 << 40
"""An offset that leads out of an array; see :meth:`Emitter.distance`."""


class Pointer:
    """A place in a flat array. Reading or writing outside the array raises IndexError."""

    dtype: ClassVar[str]

    def __init__(self, array: Array, place: int = 0) -> None:
        self.array, self.place = array, place
        self.elsewhere: Self | None = None

    def __add__(self, offset: int) -> Self:
        if self.elsewhere is not None and offset >= _ELSEWHERE:
            return self.elsewhere + (offset - _ELSEWHERE)
        moved = type(self)(self.array, self.place + int(offset))
        moved.elsewhere = self.elsewhere
        return moved

    def __getitem__(self, index: int) -> Any:
        return self.array[self._checked(index, 1)]

    def __setitem__(self, index: int, value: float) -> None:
        self.array[self._checked(index, 1)] = value

    def run(self, offset: int, count: int) -> Array:
        """View ``count`` elements from an offset."""
        start = self._checked(offset, count)
        return self.array[start : start + count]

    def _checked(self, offset: int, count: int) -> int:
        start = self.place + int(offset)
        if start < 0 or start + count > len(self.array):
            raise IndexError(f"Elements {start} … {start + count - 1} lie outside an array of {len(self.array)}.")
        return start


class Floats(Pointer):
    """A pointer to float32."""

    dtype = "float32"


class Longs(Pointer):
    """A pointer to int64."""

    dtype = "int64"


class Bytes(Pointer):
    """A pointer to uint8."""

    dtype = "uint8"


class Vec:
    """A vector that NumPy computes; see :class:`pellucid.kernels.vector.Vec`."""

    def __init__(self, values: Array) -> None:
        self.values = np.asarray(values, np.float32)

    def __add__(self, other: "Vec | float") -> "Vec":
        return Vec(self.values + _values(other))

    def __sub__(self, other: "Vec | float") -> "Vec":
        return Vec(self.values - _values(other))

    def __mul__(self, other: "Vec | float") -> "Vec":
        return Vec(self.values * _values(other))

    def __truediv__(self, other: "Vec | float") -> "Vec":
        return Vec(self.values / _values(other))

    def __rsub__(self, other: float) -> "Vec":
        return Vec(np.float32(other) - self.values)

    def __rtruediv__(self, other: float) -> "Vec":
        return Vec(np.float32(other) / self.values)

    __radd__ = __add__
    __rmul__ = __mul__

    def fma(self, factor: "Vec | float", addend: "Vec | float") -> "Vec":
        """Round once: float64 holds the product of two float32 exactly."""
        exact = self.values.astype(np.float64) * _values(factor) + _values(addend)
        return Vec(exact.astype(np.float32))

    def sqrt(self) -> "Vec":
        """Return the square roots."""
        return Vec(np.sqrt(self.values))

    def at_least(self, low: "Vec | float") -> "Vec":
        """Return low where self is below it."""
        return Vec(np.where(self.values < _values(low), _values(low), self.values))

    def at_most(self, high: "Vec | float") -> "Vec":
        """Return high where self is above it."""
        return Vec(np.where(self.values > _values(high), _values(high), self.values))

    def total(self) -> float:
        """Return the sum over the vector, halves added to halves."""
        values = self.values
        while len(values) > 1:
            values = values[: len(values) // 2] + values[len(values) // 2 :]
        return float(values[0])

    def where_above(self, other: "Vec | float", then: "Vec | float", otherwise: "Vec | float") -> "Vec":
        """Choose ``then`` where self > other or either is NaN."""
        return Vec(np.where(self.values <= _values(other), _values(otherwise), _values(then)))

    def where_over(self, other: "Vec | float", then: "Vec | float", otherwise: "Vec | float") -> "Vec":
        """Choose ``then`` where self > other."""
        return Vec(np.where(self.values > _values(other), _values(then), _values(otherwise)))

    def where_within(self, low: float, high: float, then: "Vec | float", otherwise: "Vec | float") -> "Vec":
        """Choose ``then`` where low < self < high."""
        within = (self.values > np.float32(low)) & (self.values < np.float32(high))
        return Vec(np.where(within, _values(then), _values(otherwise)))

    def where_wins(self, other: "Vec", then: "Vec", otherwise: "Vec") -> "Vec":
        """Choose ``then`` where self > other or self is NaN."""
        wins = (self.values > other.values) | np.isnan(self.values)
        return Vec(np.where(wins, then.values, otherwise.values))

    def where_same_bits(self, other: "Vec", then: "Vec", otherwise: "Vec") -> "Vec":
        """Choose ``then`` where the bits of self and other are the same."""
        same = self.values.view(np.int32) == other.values.view(np.int32)
        return Vec(np.where(same, then.values, otherwise.values))

    def rounded(self) -> "Vec":
        """Return the nearest whole numbers."""
        return Vec(np.rint(self.values))

    def power_of_two(self) -> "Vec":
        """Return 2 to the power of whole numbers from −127 (which gives 0) to 127."""
        bits = (self.values.astype(np.int32) + 127) << 23
        return Vec(bits.view(np.float32))

    def mantissa_and_exponent(self) -> "tuple[Vec, Vec]":
        """Return (m, e) with self = m · 2^e and 1 ≤ m < 2."""
        mantissa, exponent = np.frexp(self.values)
        return Vec(2 * mantissa), Vec(exponent - 1)

    def summed(self) -> "Vec":
        """Return the sum in each place."""
        return Vec(np.full_like(self.values, self.total()))

    def highest(self) -> "Vec":
        """Return the largest number in each place."""
        return Vec(np.full_like(self.values, self.values.max()))


class Emitter:
    """Computes at once what :class:`pellucid.kernels.vector.Emitter` writes down."""

    def __init__(self) -> None:
        self.width = host().width

    def number(self, value: int) -> int:
        """Return an integer that is known now."""
        return value

    def lift(self, number: Any) -> Vec:
        """Take a vector as it is, and a number as a vector of it."""
        return number if isinstance(number, Vec) else Vec(np.full(self.width, number, np.float32))

    def zero(self) -> Vec:
        """Return a vector of zeros."""
        return self.lift(0.0)

    def load(self, pointer: Floats, offset: int, valid: int | None = None, rest: float = 0.0) -> Vec:
        """Read a vector, or its first ``valid`` floats and ``rest`` for the others."""
        count = self._count(valid)
        values = np.full(self.width, rest, np.float32)
        if count:
            values[:count] = pointer.run(offset, count)
        return Vec(values)

    def store(self, vector: Vec, pointer: Floats, offset: int, valid: int | None = None) -> None:
        """Write a vector, or its first ``valid`` floats."""
        count = self._count(valid)
        if count:
            pointer.run(offset, count)[:] = vector.values[:count]

    def store_number(self, number: float, pointer: Floats, offset: int) -> None:
        """Write one float."""
        pointer[offset] = number

    def splat(self, pointer: Floats, offset: int) -> Vec:
        """Read one float into every place."""
        return self.lift(float(pointer[offset]))

    def bits(self, number: int) -> Vec:
        """Put an integer's 32 bits, as they are, into every place."""
        return Vec(np.full(self.width, number, np.int32).view(np.float32))

    def index(self, table: Longs, offset: int) -> int:
        """Read an integer."""
        return int(table[offset])

    def distance(self, start: Floats, end: Floats) -> int:
        """Return an offset by which ``start``, and what is derived from it, leads to ``end``, in another array."""
        start.elsewhere = end
        return _ELSEWHERE

    def either(self, condition: int, one: Floats, other: Floats) -> Floats:
        """Return one place, if the condition is not 0, else the other."""
        return one if condition else other

    def as_longs(self, floats: Floats) -> Longs:
        """Use memory for integers of 64 bits."""
        whole = (len(floats.array) - floats.place) // 2 * 2
        return Longs(floats.run(0, whole).view(np.int64))

    def transposed(self, rows: Sequence[Vec]) -> list[Vec]:
        """Return the columns of the square that vectors are the rows of."""
        return [Vec(column) for column in np.array([row.values for row in rows]).T]

    def loop(self, count: int, state: Sequence[Any], body: Callable[[int, list[Any]], list[Any]]) -> list[Any]:
        """Run state ← body(i, state) for i = 0 … count − 1."""
        held = list(state)
        for index in range(count):
            held = body(index, held)
        return held

    def when(self, condition: int, state: Sequence[Vec], body: Callable[[], list[Vec]]) -> list[Vec]:
        """Replace the state by what ``body`` returns, if the condition is not 0."""
        return body() if condition else list(state)

    def _count(self, valid: int | None) -> int:
        return self.width if valid is None else max(0, min(self.width, int(valid)))


def _values(number: Vec | float) -> Any:
    return number.values if isinstance(number, Vec) else np.float32(number)
