"""Reading plain data out of a pickle without unpickling it.

The Python version of CIFAR-10 comes as pickles, and to unpickle a file is to run it as a program. This reader
only understands the opcodes that build numbers, strings, lists, tuples, dicts and arrays of bytes. It imports
nothing, calls nothing and knows no global but the three names that NumPy arrays are made of, and these it
matches as text. Any other opcode or name is refused.
"""

import math
import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.types import Array

# What NumPy 1 and 2 call the function, and the two classes, in the pickle of an array.
_RECONSTRUCT = frozenset({"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"})
_NDARRAY = "numpy ndarray"
_DTYPE = "numpy dtype"


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass
class _Array:
    value: Array | None = None


@dataclass(frozen=True)
class _Dtype:
    name: str


def read(data: bytes) -> Any:
    """Return the data in a pickle; arrays must be of unsigned bytes.

    Raises
    ------
    DataError
        If the pickle is damaged or contains anything but plain data.

    Examples
    --------
    >>> import pickle
    >>> read(pickle.dumps({"labels": [1, 2]}, protocol=2))
    {'labels': [1, 2]}
    >>> read(pickle.dumps(print, protocol=2))
    Traceback (most recent call last):
    pellucid.errors.DataError: A pickle must hold plain data only; got the name '__builtin__ print'.
    """
    machine = _Machine(len(data))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes in names, which are refused anyway
            for opcode, argument, _ in pickletools.genops(data):
                if opcode.name == "STOP":
                    return _finished(machine.stack.pop())
                machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"A pickle must be whole; got a damaged one ({error!r:.200}).") from None
    raise DataError("A pickle must be whole; got one without an end.")


class _Machine:
    """The stack and the memo of a pickle, for the opcodes that build plain data."""

    def __init__(self, room: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.room = room  # bytes that arrays may still take: no more in all than the pickle has

    def step(self, opcode: str, argument: Any) -> None:
        """Carry out one opcode."""
        if opcode in _PUSH_ARGUMENT:
            self.stack.append(argument)
        elif opcode in _PUSH:
            self.stack.append(_PUSH[opcode]())
        elif opcode in _ACT:
            _ACT[opcode](self, argument)
        elif opcode not in ("PROTO", "FRAME"):
            raise DataError(f"A pickle must hold plain data only; got the instruction {opcode}.")

    def since_mark(self) -> list[Any]:
        """Take everything above the last mark off the stack."""
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def put(self, key: int | None) -> None:
        """Remember the top of the stack."""
        self.memo[len(self.memo) if key is None else key] = self.stack[-1]

    def tuple_of(self, count: int) -> None:
        """Join the top of the stack into a tuple."""
        items = self.stack[-count:]
        if len(items) < count:
            raise IndexError("the stack is empty")
        self.stack[-count:] = [tuple(items)]

    def extend(self, items: list[Any]) -> None:
        """Append to the list on the top of the stack."""
        if not isinstance(self.stack[-1], list):
            raise TypeError("only a list can be appended to")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Fill the dict on the top of the stack with keys and values."""
        if not isinstance(self.stack[-1], dict) or len(items) % 2:
            raise TypeError("only a dict can have items, in pairs")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | bytes | int):
                raise TypeError("only texts and numbers can be keys")
            self.stack[-1][key] = value

    def name(self, text: str) -> None:
        """Push one of NumPy's three names; refuse all others."""
        if text not in _RECONSTRUCT | {_NDARRAY, _DTYPE}:
            raise DataError(f"A pickle must hold plain data only; got the name '{text:.100}'.")
        self.stack.append(_Global(text))

    def reduce(self) -> None:
        """Stand in for the two calls that begin an array and a dtype."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if function.name in _RECONSTRUCT and arguments[0] == _Global(_NDARRAY):
            self.stack.append(_Array())
        elif function.name == _DTYPE and arguments[0] in ("u1", b"u1"):
            self.stack.append(_Dtype("u1"))
        else:
            raise DataError("A pickle must hold plain data only, arrays of bytes included; got another type of array.")

    def build(self) -> None:
        """Fill an array from (version, shape, dtype, Fortran order, bytes); a byte dtype has no state."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _Dtype):
            return
        if not isinstance(target, _Array):
            raise TypeError("only an array can be built")
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Dtype) or not all(type(extent) is int and extent >= 0 for extent in shape):
            raise TypeError("an array must have a shape and a dtype")
        self.room -= len(raw)
        if math.prod(shape) != len(raw) or self.room < 0:
            raise ValueError("an array must have as many bytes as its shape says")
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        target.value = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


_PUSH_ARGUMENT = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "FLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    }
)

_PUSH: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}

_ACT: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "PUT": lambda machine, key: machine.put(key),
    "BINPUT": lambda machine, key: machine.put(key),
    "LONG_BINPUT": lambda machine, key: machine.put(key),
    "MEMOIZE": lambda machine, _: machine.put(None),
    "GET": lambda machine, key: machine.stack.append(machine.memo[key]),
    "BINGET": lambda machine, key: machine.stack.append(machine.memo[key]),
    "LONG_BINGET": lambda machine, key: machine.stack.append(machine.memo[key]),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "LIST": lambda machine, _: machine.stack.append(machine.since_mark()),
    "APPEND": lambda machine, _: machine.extend([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "GLOBAL": lambda machine, text: machine.name(text),
    "STACK_GLOBAL": lambda machine, _: machine.name(" ".join([machine.stack.pop(-2), machine.stack.pop()])),
    "REDUCE": lambda machine, _: machine.reduce(),
    "BUILD": lambda machine, _: machine.build(),
}


def _finished(value: Any) -> Any:
    """Return the value, or the dict with its arrays in place of their makings."""
    if isinstance(value, dict):
        return {key: item.value if isinstance(item, _Array) else item for key, item in value.items()}
    return value.value if isinstance(value, _Array) else value
