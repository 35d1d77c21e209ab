"""A small language of vectors, from which the engine's inner tiles are written.

A function decorated with :func:`tile` is called once, when Numba compiles its caller, with an :class:`Emitter` and
symbols for its arguments. What it does with them (``+ - *``, ``fma``, loads and stores) becomes straight-line
machine code on whole vectors. Python's own loops and lists unroll; only :meth:`Emitter.loop` leaves a loop in the
machine code. So a register tile of a matrix product is a list of vectors, and a Winograd transform is a matrix of
coefficients applied to one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from pellucid.kernels.host import Host, host

_I64, _I32, _F32 = ir.IntType(64), ir.IntType(32), ir.FloatType()
_FLOAT_ALIGNMENT = 4
"""Vectors lie anywhere; without a word LLVM would take them to be aligned to their size, and crash."""

Offset: TypeAlias = "Int | int"
"""In floats from a pointer."""


class Int:
    """A 64-bit integer: an offset or a count."""

    def __init__(self, emitter: Emitter, value: Any) -> None:
        self.emitter, self.value = emitter, value

    def __add__(self, other: Offset) -> Int:
        return Int(self.emitter, self.emitter.builder.add(self.value, _integer(other)))

    def __mul__(self, other: Offset) -> Int:
        return Int(self.emitter, self.emitter.builder.mul(self.value, _integer(other)))

    __radd__ = __add__
    __rmul__ = __mul__


class Vec:
    """A vector of float32 in a register."""

    def __init__(self, emitter: Emitter, value: Any) -> None:
        self.emitter, self.value = emitter, value

    def __add__(self, other: Vec) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fadd(self.value, other.value))

    def __sub__(self, other: Vec) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fsub(self.value, other.value))

    def __mul__(self, other: Vec | float) -> Vec:
        return Vec(self.emitter, self.emitter.builder.fmul(self.value, self.emitter.lift(other).value))

    def fma(self, factor: Vec | float, addend: Vec) -> Vec:
        """Return self · factor + addend, rounded once where the machine can."""
        emitter = self.emitter
        if not emitter.host.fused:
            return self * factor + addend
        operands = [self.value, emitter.lift(factor).value, addend.value]
        return Vec(emitter, emitter.builder.call(emitter.fused_multiply_add, operands))

    def relu(self) -> Vec:
        """Return max(0, self); NaN stays NaN, as it would not if the comparison asked for what is kept."""
        emitter = self.emitter
        zero = emitter.zero().value
        negative = emitter.builder.fcmp_ordered("<", self.value, zero)
        return Vec(emitter, emitter.builder.select(negative, zero, self.value))


class Emitter:
    """Writes the code of one tile for a kind of vector."""

    def __init__(self, builder: Any, kind: Host) -> None:
        self.builder, self.host = builder, kind
        self.vector = ir.VectorType(_F32, kind.width)
        signature = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.v{kind.width}f32"
        self.fused_multiply_add = cgutils.get_or_insert_function(builder.module, signature, name)

    def lift(self, number: Vec | float) -> Vec:
        """Take a vector as it is, and a number as a vector of it."""
        if isinstance(number, Vec):
            return number
        return Vec(self, ir.Constant(self.vector, [float(number)] * self.host.width))

    def zero(self) -> Vec:
        """Return a vector of zeros."""
        return self.lift(0.0)

    def load(self, pointer: Any, offset: Offset) -> Vec:
        """Read a vector."""
        place = self._place(pointer, offset, self.vector)
        return Vec(self, self.builder.load(place, align=_FLOAT_ALIGNMENT))

    def store(self, vector: Vec, pointer: Any, offset: Offset) -> None:
        """Write a vector."""
        place = self._place(pointer, offset, self.vector)
        self.builder.store(vector.value, place, align=_FLOAT_ALIGNMENT)

    def splat(self, pointer: Any, offset: Offset) -> Vec:
        """Read one float into every place of a vector."""
        scalar = self.builder.load(self._place(pointer, offset, _F32))
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, scalar, _I32(0))
        everywhere = ir.Constant(ir.VectorType(_I32, self.host.width), [0] * self.host.width)
        return Vec(self, self.builder.shuffle_vector(first, nothing, everywhere))

    def loop(self, count: Int, state: Sequence[Vec], body: Callable[[Int, list[Vec]], list[Vec]]) -> list[Vec]:
        """Leave a loop in the machine code: state ← body(i, state) for i = 0 … count − 1, held in registers."""
        builder = self.builder
        entry = builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(_I64)
        index.add_incoming(_I64(0), entry)
        held = [builder.phi(self.vector) for _ in state]
        for phi, vector in zip(held, state, strict=True):
            phi.add_incoming(vector.value, entry)
        builder.cbranch(builder.icmp_signed("<", index, count.value), inside, after)
        builder.position_at_end(inside)
        results = body(Int(self, index), [Vec(self, phi) for phi in held])
        for phi, vector in zip(held, results, strict=True):
            phi.add_incoming(vector.value, builder.block)
        index.add_incoming(builder.add(index, _I64(1)), builder.block)
        builder.branch(head)
        builder.position_at_end(after)
        return [Vec(self, phi) for phi in held]

    def _place(self, pointer: Any, offset: Offset, kind: Any) -> Any:
        place = self.builder.gep(pointer, [_integer(offset)])
        return place if kind is _F32 else self.builder.bitcast(place, kind.as_pointer())


def tile(write: Callable[..., None], kind: Host | None = None) -> Any:
    """Turn ``write(emitter, *arguments)`` into a function for Numba code, whose arguments are pointers and int64s.

    Pointers are those of :func:`address`. The vectors are the host's unless ``kind`` says otherwise.
    """

    def define(context: Any, *arguments: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            emitter = Emitter(builder, kind or host())
            pairs = zip(values, signature.args, strict=True)
            write(emitter, *(v if isinstance(t, types.CPointer) else Int(emitter, v) for v, t in pairs))
            return context.get_dummy_value()

        return types.void(*arguments), generate

    names = ["context", *list(inspect.signature(write).parameters)[1:]]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    define.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Numba reads the arity here
    define.__name__ = write.__name__
    return intrinsic(define)


@intrinsic
def address(context: Any, array: Any, offset: Any) -> Any:
    """Point at the element of a contiguous float32 array that lies ``offset`` floats from its start."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, values[0])
        return builder.gep(view.data, [values[1]])

    return types.CPointer(types.float32)(array, offset), generate


def _integer(value: Offset) -> Any:
    return value.value if isinstance(value, Int) else _I64(value)


if not host().fused:  # the plainest vectors stand for the plainest machine: Numba, too, must use no others
    vars(config).update(CPU_NAME="generic", CPU_FEATURES="")
