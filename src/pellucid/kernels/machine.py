"""What the engine's thread team is written with: atomic numbers, calls by address, and the processor's own switches.

These tiles exist as machine code only: there is nothing to interpret.
"""

from functools import cache
from types import SimpleNamespace
from typing import Any

from pellucid.kernels.compiler import tile
from pellucid.kernels.interpret import Floats, Longs


@cache
def _types() -> SimpleNamespace:
    """LLVM's types: integers, addresses, and what Numba makes of a kernel's (part, scratch, arguments).

    LLVM is only loaded where something is compiled.
    """
    from llvmlite import ir

    long, short, place = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
    # Room for a result and for an exception come before the arguments.
    entry = ir.FunctionType(short, [place, place, long, place, place])
    return SimpleNamespace(long=long, short=short, place=place, entry=entry, plain=ir.FunctionType(short, []), ir=ir)


@tile(returns=int)
def atomic_add(e: Any, table: Any, index: Any, number: Any) -> Any:
    """Add to an entry at once and return what it held before."""
    return _integer(e, e.builder.atomic_rmw("add", _entry(e, table, index), number.value, "seq_cst"))


@tile(returns=int)
def atomic_load(e: Any, table: Any, index: Any) -> Any:
    """Read an entry that another thread may be writing."""
    return _integer(e, e.builder.load_atomic(_entry(e, table, index), "seq_cst", 8, typ=_types().long))


@tile
def atomic_store(e: Any, table: Any, index: Any, number: Any) -> None:
    """Write an entry that another thread may be reading."""
    e.builder.store_atomic(number.value, _entry(e, table, index), "seq_cst", 8)


@tile(returns=int)
def atomic_swap(e: Any, table: Any, index: Any, number: Any) -> Any:
    """Write an entry and return what it held before, at once."""
    return _integer(e, e.builder.atomic_rmw("xchg", _entry(e, table, index), number.value, "seq_cst"))


@tile
def call_entry(e: Any, function: Any, part: Any, scratch: Any, arguments: Any) -> None:
    """Call a compiled kernel by its address."""
    nothing = e.builder.bitcast(_room(e, _types().ir.ArrayType(_types().long, 2)), _types().place)
    target = e.builder.inttoptr(function.value, _types().entry.as_pointer())
    place = e.builder.inttoptr(arguments.value, _types().place)
    e.builder.call(target, [nothing, nothing, part.value, e.builder.bitcast(scratch.value, _types().place), place])


@tile
def call_plain(e: Any, function: Any) -> None:
    """Call a function of the system that takes nothing, by its address."""
    kind = _types().plain
    e.builder.call(e.builder.inttoptr(function.value, kind.as_pointer()), [])


@tile(returns=Floats)
def floats_at(e: Any, address: Any) -> Any:
    """Point at floats by their address."""
    return _pointer(e, address, _types().ir.FloatType())


@tile(returns=Longs)
def longs_at(e: Any, address: Any) -> Any:
    """Point at integers by their address."""
    return _pointer(e, address, _types().long)


@tile
def pause(e: Any) -> None:
    """Tell the processor that this loop only waits."""
    if e.host.name == "neon":
        _call(e, "llvm.aarch64.hint", None, _types().short(1))
    else:
        _call(e, "llvm.x86.sse2.pause", None)


@tile(returns=int)
def flush_denormals(e: Any) -> Any:
    """Let numbers too small for full precision count as 0, which is 40 to 100 times quicker; return the old setting."""
    before = read_control(e)
    write_control(e, e.builder.or_(before, _types().long(1 << 24 if e.host.name == "neon" else 0x8040)))
    return _integer(e, before)


@tile
def restore_denormals(e: Any, setting: Any) -> None:
    """Put the old setting back."""
    write_control(e, setting.value)


def read_control(e: Any) -> Any:
    """Emit the reading of the floating-point unit's settings."""
    if e.host.name == "neon":
        return _call(e, "llvm.aarch64.get.fpcr", _types().long)
    place = _room(e, _types().short)
    _call(e, "llvm.x86.sse.stmxcsr", None, e.builder.bitcast(place, _types().place))
    return e.builder.zext(e.builder.load(place), _types().long)


def write_control(e: Any, setting: Any) -> None:
    """Emit the writing of the floating-point unit's settings."""
    if e.host.name == "neon":
        _call(e, "llvm.aarch64.set.fpcr", None, setting)
        return
    place = _room(e, _types().short)
    e.builder.store(e.builder.trunc(setting, _types().short), place)
    _call(e, "llvm.x86.sse.ldmxcsr", None, e.builder.bitcast(place, _types().place))


def _room(e: Any, kind: Any) -> Any:
    """Reserve room on the stack once for the whole function: in a loop it would be reserved anew at every turn."""
    with e.builder.goto_entry_block():
        return e.builder.alloca(kind)


def _call(e: Any, name: str, result: Any, *operands: Any) -> Any:
    """Call one of LLVM's functions for this processor."""
    kind = _types().ir.FunctionType(result or _types().ir.VoidType(), [operand.type for operand in operands])
    function = e.builder.module.globals.get(name) or _types().ir.Function(e.builder.module, kind, name)
    return e.builder.call(function, operands)


def _entry(e: Any, table: Any, index: Any) -> Any:
    number = index.value if hasattr(index, "value") else _types().long(index)
    return e.builder.gep(table.value, [number], source_etype=_types().long)


def _integer(e: Any, value: Any) -> Any:
    from pellucid.kernels.vector import Int

    return Int(e, value)


def _pointer(e: Any, address: Any, kind: Any) -> Any:
    from pellucid.kernels.vector import Pointer

    return Pointer(e, e.builder.inttoptr(address.value, kind.as_pointer()))
