"""A small language of vectors, from which the engine's inner tiles are written.

A function decorated with :func:`pellucid.kernels.compiler.tile` is called with an emitter and symbols for its
arguments. What it does with them (``+ - *``, ``fma``, loads and stores) becomes straight-line machine code on whole
vectors. Python's own loops and lists unroll; only :meth:`Emitter.loop` leaves a loop in the machine code. So a
register tile of a matrix product is a list of vectors, and a Winograd transform is a matrix of coefficients applied
to one.

This emitter writes LLVM's language; :mod:`pellucid.kernels.interpret` has one that computes with NumPy instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llvmlite import ir

from pellucid.kernels.host import Host

_I64, _I32, _F32 = ir.IntType(64), ir.IntType(32), ir.FloatType()
_FLOAT_ALIGNMENT = 4
"""Vectors lie anywhere; without a word LLVM would take them to be aligned to their size, and crash."""

_ROUNDING = 1.5 * 2**23
"""Added to a float32 below 2²² and taken off again, it rounds to a whole number."""

Offset: TypeAlias = "Int | int"
"""In elements from a pointer."""


class Int:
    """A 64-bit integer: an offset or a count."""

    def __init__(self, emitter: Emitter, value: Any) -> None:
        self.emitter, self.value = emitter, value

    def __add__(self, other: Offset) -> Int:
        return Int(self.emitter, self.emitter.builder.add(self.value, _integer(other)))

    def __sub__(self, other: Offset) -> Int:
        return Int(self.emitter, self.emitter.builder.sub(self.value, _integer(other)))

    def __mul__(self, other: Offset) -> Int:
        return Int(self.emitter, self.emitter.builder.mul(self.value, _integer(other)))

    __radd__ = __add__
    __rmul__ = __mul__


class Pointer:
    """A place in memory, in elements of one kind."""

    def __init__(self, emitter: Emitter, value: Any) -> None:
        self.emitter, self.value = emitter, value

    def __add__(self, offset: Offset) -> Pointer:
        return Pointer(self.emitter, self.emitter.builder.gep(self.value, [_integer(offset)], source_etype=_F32))


class Vec:
    """A vector of float32 in a register."""

    def __init__(self, emitter: Emitter, value: Any) -> None:
        self.emitter, self.value = emitter, value

    def __add__(self, other: Vec | float) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fadd(self.value, self.emitter.lift(other).value))

    def __sub__(self, other: Vec | float) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fsub(self.value, self.emitter.lift(other).value))

    def __mul__(self, other: Vec | float) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fmul(self.value, self.emitter.lift(other).value))

    def __truediv__(self, other: Vec | float) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fdiv(self.value, self.emitter.lift(other).value))

    def __rsub__(self, other: float) -> Vec:
        return self.emitter.lift(other) - self

    def __rtruediv__(self, other: float) -> Vec:
        return self.emitter.lift(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def fma(self, factor: Vec | float, addend: Vec | float) -> Vec:
        """Return self · factor + addend, rounded once where the machine can."""
        emitter = self.emitter
        if not emitter.host.fused:
            return self * factor + addend
        return emitter.intrinsic("llvm.fma", self, emitter.lift(factor), emitter.lift(addend))

    def sqrt(self) -> Vec:
        """Return the square roots."""
        return self.emitter.intrinsic("llvm.sqrt", self)

    def at_least(self, low: Vec | float) -> Vec:
        """Return low where self is below it, else self; NaN stays NaN, as it would not in the other order."""
        return self._replaced("<", self.emitter.lift(low))

    def at_most(self, high: Vec | float) -> Vec:
        """Return high where self is above it, else self; NaN stays NaN."""
        return self._replaced(">", self.emitter.lift(high))

    def total(self) -> Any:
        """Return the sum over the vector, halves added to halves."""
        emitter, width, values = self.emitter, self.emitter.width, self.value
        while width > 1:
            width //= 2
            parts = [
                emitter.builder.shuffle_vector(values, values, ir.Constant(ir.VectorType(_I32, width), list(lanes)))
                for lanes in (range(width), range(width, 2 * width))
            ]
            values = emitter.builder.fadd(*parts)
        return emitter.builder.extract_element(values, _I32(0))

    def _replaced(self, comparison: str, bound: Vec) -> Vec:
        beyond = self.emitter.builder.fcmp_ordered(comparison, self.value, bound.value)
        return Vec(self.emitter, self.emitter.builder.select(beyond, bound.value, self.value))

    def where_above(self, other: Vec | float, then: Vec | float, otherwise: Vec | float) -> Vec:
        """Return ``then`` where self > other, or either is NaN, and ``otherwise`` elsewhere."""
        above = self.emitter.builder.fcmp_unordered(">", self.value, self.emitter.lift(other).value)
        return self._chosen(above, then, otherwise)

    def where_over(self, other: Vec | float, then: Vec | float, otherwise: Vec | float) -> Vec:
        """Return ``then`` where self > other, and ``otherwise`` elsewhere, also where either is NaN."""
        above = self.emitter.builder.fcmp_ordered(">", self.value, self.emitter.lift(other).value)
        return self._chosen(above, then, otherwise)

    def where_within(self, low: float, high: float, then: Vec | float, otherwise: Vec | float) -> Vec:
        """Return ``then`` where low < self < high, and ``otherwise`` elsewhere and for NaN."""
        return self.where_over(low, self.emitter.lift(high).where_over(self, then, otherwise), otherwise)

    def _chosen(self, condition: Any, then: Vec | float, otherwise: Vec | float) -> Vec:
        yes, no = self.emitter.lift(then), self.emitter.lift(otherwise)
        return Vec(self.emitter, self.emitter.builder.select(condition, yes.value, no.value))

    def where_wins(self, other: Vec, then: Vec, otherwise: Vec) -> Vec:
        """Return ``then`` where self > other, or self is NaN, and ``otherwise`` elsewhere."""
        builder = self.emitter.builder
        above = builder.fcmp_ordered(">", self.value, other.value)
        wins = builder.or_(above, builder.fcmp_unordered("uno", self.value, self.value))
        return Vec(self.emitter, builder.select(wins, then.value, otherwise.value))

    def where_same_bits(self, other: Vec, then: Vec, otherwise: Vec) -> Vec:
        """Return ``then`` where the bits of self and other are the same, and ``otherwise`` elsewhere."""
        builder, kind = self.emitter.builder, ir.VectorType(_I32, self.emitter.width)
        mine, others = (builder.bitcast(vector.value, kind) for vector in (self, other))
        same = builder.icmp_signed("==", mine, others)
        return Vec(self.emitter, builder.select(same, then.value, otherwise.value))

    def rounded(self) -> Vec:
        """Return the nearest whole numbers, for magnitudes below 2²²."""
        return (self + _ROUNDING) - _ROUNDING

    def power_of_two(self) -> Vec:
        """Return 2 to the power of self, which holds whole numbers from −127 to 127; −127 gives 0."""
        builder, kind = self.emitter.builder, ir.VectorType(_I32, self.emitter.width)
        # The sum has no room for fractions, so its lowest bits are the whole number: the exponent of the result.
        bits = builder.bitcast((self + (_ROUNDING + 127)).value, kind)
        shifted = builder.shl(bits, ir.Constant(kind, [23] * self.emitter.width))
        return Vec(self.emitter, builder.bitcast(shifted, self.emitter.vector))

    def mantissa_and_exponent(self) -> tuple[Vec, Vec]:
        """Return (m, e) with self = m · 2^e and 1 ≤ m < 2, for positive numbers that are no denormals."""
        emitter, builder, kind = self.emitter, self.emitter.builder, ir.VectorType(_I32, self.emitter.width)

        def every(number: int) -> Any:
            return ir.Constant(kind, [number] * emitter.width)

        bits = builder.bitcast(self.value, kind)
        mantissa = builder.or_(builder.and_(bits, every(0x7FFFFF)), every(0x3F800000))
        exponent = builder.sub(builder.lshr(bits, every(23)), every(127))
        return (
            Vec(emitter, builder.bitcast(mantissa, emitter.vector)),
            Vec(emitter, builder.sitofp(exponent, emitter.vector)),
        )

    def summed(self) -> Vec:
        """Return the sum over the vector, in each place."""
        return self.emitter._everywhere(self.total())

    def highest(self) -> Vec:
        """Return the largest number of the vector, in each place, if none is NaN."""
        best, distance = self, 1
        while distance < self.emitter.width:
            best = best.at_least(best._shuffled(best, [lane ^ distance for lane in range(self.emitter.width)]))
            distance *= 2
        return best

    def _shuffled(self, other: Vec, lanes: list[int]) -> Vec:
        """Pick places of self, numbered from 0, and of other, numbered on."""
        picked = ir.Constant(ir.VectorType(_I32, len(lanes)), lanes)
        return Vec(self.emitter, self.emitter.builder.shuffle_vector(self.value, other.value, picked))


class Emitter:
    """Writes the code of one tile for a kind of vector."""

    def __init__(self, builder: Any, kind: Host) -> None:
        self.builder, self.host, self.width = builder, kind, kind.width
        self.vector = ir.VectorType(_F32, kind.width)

    def intrinsic(self, name: str, *operands: Vec) -> Vec:
        """Call one of LLVM's own functions on vectors."""
        signature = ir.FunctionType(self.vector, [self.vector] * len(operands))
        function = self._declared(f"{name}.v{self.width}f32", signature)
        return Vec(self, self.builder.call(function, [operand.value for operand in operands]))

    def number(self, value: int) -> Int:
        """Return an integer that is known now."""
        return Int(self, _integer(value))

    def lift(self, number: Any) -> Vec:
        """Take a vector as it is, and a number, or the symbol of one, as a vector of it."""
        if isinstance(number, Vec):
            return number
        if isinstance(number, int | float):
            return Vec(self, ir.Constant(self.vector, [float(number)] * self.width))
        return self._everywhere(self.builder.fptrunc(number, _F32))

    def zero(self) -> Vec:
        """Return a vector of zeros."""
        return self.lift(0.0)

    def load(self, pointer: Pointer, offset: Offset, valid: Int | None = None, rest: float = 0.0) -> Vec:
        """Read a vector; where ``valid`` says so, only that many floats, and ``rest`` for the others."""
        place = (pointer + offset).value
        if valid is None:
            return Vec(self, self.builder.load(place, align=_FLOAT_ALIGNMENT, typ=self.vector))
        mask = self._mask(valid)
        signature = ir.FunctionType(self.vector, [place.type, _I32, mask.type, self.vector])
        function = self._declared(f"llvm.masked.load.v{self.width}f32.p0", signature)
        return Vec(self, self.builder.call(function, [place, _I32(_FLOAT_ALIGNMENT), mask, self.lift(rest).value]))

    def store(self, vector: Vec, pointer: Pointer, offset: Offset, valid: Int | None = None) -> None:
        """Write a vector; where ``valid`` says so, only so many of its floats."""
        place = (pointer + offset).value
        if valid is None:
            target = self.builder.bitcast(place, self.vector.as_pointer())
            self.builder.store(vector.value, target, align=_FLOAT_ALIGNMENT)
            return
        mask = self._mask(valid)
        signature = ir.FunctionType(ir.VoidType(), [self.vector, place.type, _I32, mask.type])
        function = self._declared(f"llvm.masked.store.v{self.width}f32.p0", signature)
        self.builder.call(function, [vector.value, place, _I32(_FLOAT_ALIGNMENT), mask])

    def store_number(self, number: Any, pointer: Pointer, offset: Offset) -> None:
        """Write one float."""
        self.builder.store(number, (pointer + offset).value)

    def splat(self, pointer: Pointer, offset: Offset) -> Vec:
        """Read one float into every place of a vector."""
        return self._everywhere(self.builder.load((pointer + offset).value, typ=_F32))

    def bits(self, number: Int) -> Vec:
        """Put the low 32 bits of an integer, as they are, into every place of a vector."""
        return self._everywhere(self.builder.bitcast(self.builder.trunc(number.value, _I32), _F32))

    def index(self, table: Pointer, offset: Offset) -> Int:
        """Read a 64-bit integer from a table of them."""
        place = self.builder.gep(table.value, [_integer(offset)], source_etype=_I64)
        return Int(self, self.builder.load(place, typ=_I64))

    def distance(self, start: Pointer, end: Pointer) -> Int:
        """Return how many floats lie between two places in memory."""
        builder = self.builder
        between = builder.sub(builder.ptrtoint(end.value, _I64), builder.ptrtoint(start.value, _I64))
        return Int(self, builder.sdiv(between, _I64(4)))

    def either(self, condition: Int, one: Pointer, other: Pointer) -> Pointer:
        """Return one place, if the condition is not 0, else the other: no jump, no masked lane."""
        chosen = self.builder.icmp_signed("!=", condition.value, _I64(0))
        return Pointer(self, self.builder.select(chosen, one.value, other.value))

    def as_longs(self, floats: Pointer) -> Pointer:
        """Use memory for integers of 64 bits."""
        return Pointer(self, self.builder.bitcast(floats.value, _I64.as_pointer()))

    def transposed(self, rows: Sequence[Vec]) -> list[Vec]:
        """Turn as many vectors as each has places into the columns of the square that they are the rows of."""
        square, distance, lanes = list(rows), 1, range(self.width)
        while distance < self.width:  # swap the halves of ever larger squares that lie off the diagonal
            low = [lane if not lane & distance else lane - distance + self.width for lane in lanes]
            high = [lane + distance if not lane & distance else lane + self.width for lane in lanes]
            for row in lanes:
                if not row & distance:
                    above, below = square[row], square[row + distance]
                    square[row], square[row + distance] = above._shuffled(below, low), above._shuffled(below, high)
            distance *= 2
        return square

    def loop(self, count: Int, state: Sequence[Any], body: Callable[[Int, list[Any]], list[Any]]) -> list[Any]:
        """Leave a loop in the machine code: state ← body(i, state) for i = 0 … count − 1, held in registers."""
        builder = self.builder
        entry = builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(_I64)
        index.add_incoming(_I64(0), entry)
        held = [builder.phi(item.value.type) for item in state]
        for phi, item in zip(held, state, strict=True):
            phi.add_incoming(item.value, entry)
        symbols = [type(item)(self, phi) for item, phi in zip(state, held, strict=True)]
        builder.cbranch(builder.icmp_signed("<", index, count.value), inside, after)
        builder.position_at_end(inside)
        results = body(Int(self, index), symbols)
        for phi, item in zip(held, results, strict=True):
            phi.add_incoming(item.value, builder.block)
        index.add_incoming(builder.add(index, _I64(1)), builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return symbols

    def when(self, condition: Int, state: Sequence[Vec], body: Callable[[], list[Vec]]) -> list[Vec]:
        """Replace the state by what ``body`` returns, if the condition is not 0."""
        builder = self.builder
        before = builder.block
        inside, after = (builder.append_basic_block(name) for name in ("inside", "after"))
        builder.cbranch(builder.icmp_signed("!=", condition.value, _I64(0)), inside, after)
        builder.position_at_end(inside)
        results = body()
        last = builder.block
        builder.branch(after)
        builder.position_at_end(after)
        merged = [builder.phi(self.vector) for _ in state]
        for phi, old, new in zip(merged, state, results, strict=True):
            phi.add_incoming(old.value, before)
            phi.add_incoming(new.value, last)
        return [Vec(self, phi) for phi in merged]

    def _everywhere(self, scalar: Any) -> Vec:
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, scalar, _I32(0))
        zeros = ir.Constant(ir.VectorType(_I32, self.width), [0] * self.width)
        return Vec(self, self.builder.shuffle_vector(first, nothing, zeros))

    def _mask(self, valid: Int) -> Any:
        """Bits that say of each place in a vector whether its number is below ``valid``."""
        kind, most = ir.VectorType(_I32, self.width), _I64(self.width)
        fewer = self.builder.icmp_signed("<", valid.value, most)
        count = self.builder.trunc(self.builder.select(fewer, valid.value, most), _I32)
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), count, _I32(0))
        zeros = ir.Constant(kind, [0] * self.width)
        limit = self.builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)
        return self.builder.icmp_signed("<", ir.Constant(kind, list(range(self.width))), limit)

    def _declared(self, name: str, signature: Any) -> Any:
        known = self.builder.module.globals.get(name)
        return known or ir.Function(self.builder.module, signature, name)


def _integer(value: Offset) -> Any:
    return value.value if isinstance(value, Int) else _I64(value)
