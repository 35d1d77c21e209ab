"""How an op becomes calls of kernels.

A candidate that is compiled has a function ``lower(work, op, types)``. It asks ``work`` for its inputs in the layout
that its kernel reads, for its results in the layout that the kernel writes, and for memory in between, and adds
calls. What layout a value has is nobody else's business: who needs another gets a copy, made once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from pellucid.kernels import convert
from pellucid.kernels.compiler import Kernel
from pellucid.kernels.program import AnyCall, Buffer, Call, PythonCall, image
from pellucid.ops.base import Op, Types
from pellucid.types import Array, Shape, TensorType


@dataclass
class Lowered:
    """What all ops of a graph become: calls to make at every run, and before, whenever a weight has changed."""

    calls: list[AnyCall] = field(default_factory=list)
    preparation: list[AnyCall] = field(default_factory=list)
    buffers: dict[str, Buffer] = field(default_factory=dict)
    """Where each value lies."""
    wanted: frozenset[str] = frozenset()
    """Values that somebody outside will read."""
    read: frozenset[str] = frozenset()
    """Values that some op reads."""
    fixed: set[str] = field(default_factory=set)
    """Values that follow from weights alone, and weights, so far as these stay the same from run to run."""
    converted: dict[tuple[int, bool], Buffer] = field(default_factory=dict)

    results: dict[str, Buffer] = field(default_factory=dict)
    """Arrays that every run makes, by name."""
    kept: dict[str, Buffer] = field(default_factory=dict)
    """Arrays that the preparation makes, by name."""

    constants: dict[str, Array] = field(default_factory=dict)
    """Arrays that never change, by name."""

    def keep(self, buffer: Buffer) -> Buffer:
        """Let a buffer outlive the preparation."""
        buffer.external = buffer.external or f"prepared:{len(self.kept)}"
        self.kept[buffer.external] = buffer
        return buffer


@dataclass(frozen=True)
class Epilogue:
    """What is done to a sum before it is written; see :func:`pellucid.kernels.tiles.finish`.

    ``other`` has the layout of the result; it is added, or, for a ``mask``, says by its sign what is kept. ``setting``
    holds a number of the activation ``curve`` for each channel.
    """

    low: float = -inf
    high: float = inf
    other: Buffer | None = None
    mask: bool = False
    curve: str = ""
    setting: Buffer | None = None

    def arguments(self, y: Buffer) -> tuple[Buffer | float, ...]:
        """Return other, add, mask, low, high, setting for a kernel; y stands in for what is absent."""
        add = self.other is not None and not self.mask
        return self.other or y, int(add), int(self.mask), *self.after(y)

    def after(self, y: Buffer) -> tuple[Buffer | float, ...]:
        """Return low, high, setting: what is done where nothing is added or masked."""
        return self.low, self.high, self.setting or y


NOTHING = Epilogue()


@dataclass(frozen=True)
class Pooling:
    """What may follow a convolution instead: a cut at both bounds, then maxima of 2×2 cells, and where they stood."""

    low: float
    high: float
    indices: Buffer | None

    def arguments(self, y: Buffer) -> tuple[Buffer | float, ...]:
        """Return indices, low, high for a kernel; y stands in for absent indices."""
        return self.indices or y, self.low, self.high


class Work:
    """One op's inputs, results and calls."""

    def __init__(self, lowered: Lowered, inputs: list[str | None], outputs: list[tuple[str, TensorType]]) -> None:
        self.lowered, self.inputs, self.outputs = lowered, inputs, outputs
        self.is_preparation = lowered.fixed.issuperset(name for name in inputs if name is not None)
        if self.is_preparation:
            lowered.fixed.update(name for name, _ in outputs)
        self.calls = lowered.preparation if self.is_preparation else lowered.calls

    def given(self, index: int) -> Buffer | None:
        """Where an input lies, in whatever layout; None if it is absent."""
        name = self.inputs[index]
        return None if name is None else self.lowered.buffers[name]

    def image(self, index: int) -> Buffer:
        """Return an input of (N, C, H, W) or (N, C) as an image: channels last, padded to whole vectors."""
        return self._as(index, as_image=True)

    def plain(self, index: int) -> Buffer:
        """Return an input as a contiguous array."""
        return self._as(index, as_image=False)

    def image_result(self, index: int = 0) -> Buffer:
        """Declare that a result is an image, and return where to write it. Channels beyond the last may be anything."""
        name, type_ = self.outputs[index]
        return self._result(name, image(type_.shape, name if name in self.lowered.wanted else None, type_.dtype))

    def is_read(self, index: int) -> bool:
        """Whether anybody reads a result; else it need not be declared."""
        return self.outputs[index][0] in self.lowered.wanted | self.lowered.read

    def plain_result(self, index: int = 0) -> Buffer:
        """Declare that a result is a contiguous array, and return where to write it."""
        name, type_ = self.outputs[index]
        external = name if name in self.lowered.wanted else None
        return self._result(name, Buffer(type_.shape, type_.dtype, external=external))

    def alike(self, index: int, result: int = 0) -> tuple[Buffer, Buffer]:
        """Return an input as it lies, and a result to be written in the same layout."""
        buffer = self.given(index)
        assert buffer is not None
        return buffer, self.result_like(buffer, result)

    def result_like(self, buffer: Buffer, result: int = 0) -> Buffer:
        """Declare that a result lies as a buffer of its shape does, and return where to write it."""
        return self.image_result(result) if buffer.pixel else self.plain_result(result)

    def together(self, *indices: int) -> list[Buffer]:
        """Return inputs in one layout: as they lie, or all as images if they lie differently."""
        given = [buffer for index in indices if (buffer := self.given(index)) is not None]
        differ = len({bool(buffer.pixel) for buffer in given}) > 1
        return [self.image(index) for index in indices] if differ else given

    def same(self, index: int = 0, result: int = 0) -> None:
        """Declare that a result is an input, unchanged."""
        buffer, (name, _) = self.given(index), self.outputs[result]
        assert buffer is not None
        if name in self.lowered.wanted:
            target = self._result(name, Buffer(buffer.shape, buffer.dtype, buffer.pixel, name))
            self.python(lambda array: (array,), (buffer,), (target,))
        else:
            self.lowered.buffers[name] = buffer

    def temporary(self, shape: Shape, dtype: str = "float32") -> Buffer:
        """Return contiguous memory for this op alone."""
        return Buffer(shape, dtype)

    def constant(self, array: Array) -> Buffer:
        """Return memory that holds an array already."""
        name = f"constant:{len(self.lowered.constants)}"
        self.lowered.constants[name] = array
        return Buffer(array.shape, array.dtype.name, external=name)

    def packed(
        self, index: int | tuple[int, ...], shape: Shape, write: Callable[[Buffer, Callable[..., None]], None]
    ) -> Buffer:
        """Return an input, or several, in a form of the op's own, which ``write(target, call)`` makes by calls.

        Made once for as long as the inputs, if they are weights, stay the same.
        """
        names = {self.inputs[i] for i in (index if isinstance(index, tuple) else (index,))} - {None}
        calls = self.lowered.preparation if self.lowered.fixed.issuperset(names) else self.calls
        target = Buffer(shape)
        write(target, lambda *arguments, scratch=0: calls.append(_call(*arguments, scratch=scratch)))
        return self.lowered.keep(target) if calls is self.lowered.preparation else target

    def call(self, kernel: Kernel, parts: int, *arguments: Buffer | float, scratch: int = 0) -> None:
        """Add a call: so many parts of a kernel, each thread with so many floats of scratch memory."""
        self.calls.append(_call(kernel, parts, *arguments, scratch=scratch))

    def python(
        self,
        function: Callable[..., tuple[Array, ...]],
        inputs: tuple[Buffer | None, ...],
        outputs: tuple[Buffer, ...],
    ) -> None:
        """Add a call of a Python function of arrays."""
        self.calls.append(PythonCall(function, inputs, outputs))

    def _result(self, name: str, buffer: Buffer) -> Buffer:
        self.lowered.buffers[name] = buffer
        if self.is_preparation:
            return self.lowered.keep(buffer)
        if buffer.external:
            self.lowered.results[buffer.external] = buffer
        return buffer

    def _as(self, index: int, as_image: bool) -> Buffer:
        buffer = self.given(index)
        assert buffer is not None
        if bool(buffer.pixel) == as_image:
            return buffer
        found = self.lowered.converted.get((id(buffer), as_image))
        if found is None:
            found = image(buffer.shape, None, buffer.dtype) if as_image else Buffer(buffer.shape, buffer.dtype)
            is_fixed = self.inputs[index] in self.lowered.fixed
            calls = self.lowered.preparation if is_fixed else self.lowered.calls
            calls.append(_call(*(convert.to_image if as_image else convert.to_plain)(buffer, found)))
            if is_fixed:
                self.lowered.keep(found)
            self.lowered.converted[id(buffer), as_image] = found
        return found


def _call(kernel: Kernel, parts: int, *arguments: Buffer | float, scratch: int = 0) -> Call:
    return Call(kernel, parts, arguments, scratch)


def not_float32(op: Op, types: Types) -> str | None:
    """Reject what the engine's vectors cannot hold."""
    other = next((type_.dtype for type_ in types if type_ is not None and type_.dtype != "float32"), None)
    return other and f"{other}: computes in float32"


def not_images(op: Op, types: Types) -> str | None:
    """Reject what does not fill images (N, C, H, W) of float32."""
    x = types[0]
    if x is not None and (len(x.shape) != 4 or x.size == 0):
        return f"shape {x.shape}: takes images that are not empty"
    return not_float32(op, types)
