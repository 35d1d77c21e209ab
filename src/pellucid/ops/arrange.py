"""Moving values without changing them: reshape, flatten, transpose, slice, concatenate, shuffles."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import arrange
from pellucid.kernels.program import Buffer
from pellucid.ops.base import Candidate, Emit, Op, Results, Types, check_integers, check_rank, present
from pellucid.ops.lowering import Work, not_float32
from pellucid.ops.pad import Pad
from pellucid.types import Array, Shape, TensorType


@dataclass(frozen=True)
class Reshape(Op):
    """Give the values, in row-major order, another shape.

    As in ONNX, one extent may be −1 (whatever is left) and a 0 keeps the input's extent at that place, which is how
    a reshape stays valid for any batch size.
    """

    shape: Shape

    def __post_init__(self) -> None:
        check_integers(self, "shape", self.shape, minimum=-1, shape=(-1,))

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        shape = list(self.shape)
        for axis, extent in enumerate(shape):
            if extent == 0 and axis < len(x.shape):
                shape[axis] = x.shape[axis]
        known = 1
        for extent in shape:
            known *= extent if extent != -1 else 1
        if shape.count(-1) == 1 and known and x.size % known == 0:
            shape[shape.index(-1)] = x.size // known
            known = x.size
        if known != x.size or -1 in shape:
            raise ShapeError(f"cannot give {x.size} values of shape {x.shape} the shape {self.shape}.")
        return (TensorType(tuple(shape), x.dtype),)

    def reference(self, x: Array) -> Results:
        (y,) = self.infer(TensorType.of(x))
        return (reference.reshape(x, y.shape),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {"x": emit(Reshape(inputs[0].type.shape), dy)}

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("reshape", lower=_lower_reshape, rejects=not_float32),)


@dataclass(frozen=True)
class Flatten(Op):
    """Merge the axes ``start`` to ``end`` (included, counted from 0, −1 being the last) into one."""

    start: int = 1
    end: int = -1

    def __post_init__(self) -> None:
        check_integers(self, "start", self.start, minimum=0, shape=())
        check_integers(self, "end", self.end, minimum=-1, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        start, end = self._span(x.shape)
        merged = TensorType(x.shape[start : end + 1]).size
        return (TensorType((*x.shape[:start], merged, *x.shape[end + 1 :]), x.dtype),)

    def _span(self, shape: Shape) -> tuple[int, int]:
        end = self.end % len(shape) if self.end == -1 and shape else self.end
        if not self.start <= end < len(shape):
            raise ShapeError(f"merges the axes {self.start} to {self.end}, which shape {shape} does not have.")
        return self.start, end

    def reference(self, x: Array) -> Results:
        start, end = self._span(x.shape)
        return (reference.flatten(x, start=start, end=end),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {"x": emit(Reshape(inputs[0].type.shape), dy)}

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("flatten", lower=_lower_reshape, rejects=not_float32),)


@dataclass(frozen=True)
class Transpose(Op):
    """Reorder the axes: axis i of the result is axis ``permutation[i]`` of x."""

    permutation: Shape

    def __post_init__(self) -> None:
        check_integers(self, "permutation", self.permutation, minimum=0, shape=(-1,))

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        if sorted(self.permutation) != list(range(len(x.shape))):
            raise ShapeError(f"has the permutation {self.permutation}, which does not name each axis of {x} once.")
        return (TensorType(tuple(x.shape[axis] for axis in self.permutation), x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.transpose(x, self.permutation),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        inverse = tuple(self.permutation.index(axis) for axis in range(len(self.permutation)))
        return {"x": emit(Transpose(inverse), dy)}


@dataclass(frozen=True)
class Slice(Op):
    """The part start ≤ index < stop of one axis."""

    axis: int
    start: int
    stop: int

    def __post_init__(self) -> None:
        for name in ("axis", "start", "stop"):
            check_integers(self, name, getattr(self, name), minimum=0, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        if self.axis >= len(x.shape) or not self.start <= self.stop <= x.shape[self.axis]:
            raise ShapeError(f"takes {self.start}:{self.stop} of axis {self.axis}, which {x} does not hold.")
        shape = (*x.shape[: self.axis], self.stop - self.start, *x.shape[self.axis + 1 :])
        return (TensorType(shape, x.dtype),)

    def reference(self, x: Array) -> Results:
        return (x[(slice(None),) * self.axis + (slice(self.start, self.stop),)],)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        shape = inputs[0].type.shape
        border = [(0, 0)] * len(shape)
        border[self.axis] = (self.start, shape[self.axis] - self.stop)
        return {"x": emit(Pad(tuple(border)), dy)}

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("slice", lower=_lower_slice, rejects=_empty_or_not_float32),)


@dataclass(frozen=True)
class Concatenate(Op):
    """Lay arrays end to end along one axis."""

    axis: int

    arguments: ClassVar = ("parts*",)

    def __post_init__(self) -> None:
        check_integers(self, "axis", self.axis, minimum=0, shape=())

    def infer(self, *parts: TensorType) -> tuple[TensorType, ...]:
        if not parts:
            raise ShapeError("needs at least one input.")
        first, axis = parts[0], self.axis
        for part in parts:
            others = len(part.shape) == len(first.shape) and all(
                a == b for i, (a, b) in enumerate(zip(part.shape, first.shape, strict=True)) if i != axis
            )
            if axis >= len(first.shape) or not others or part.dtype != first.dtype:
                raise ShapeError(f"needs inputs alike but for axis {axis}, got {first} and {part}.")
        total = sum(part.shape[axis] for part in parts)
        return (TensorType((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype),)

    def reference(self, *parts: Array) -> Results:
        return (reference.concatenate(parts, axis=self.axis),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        gradients, start = {}, 0
        for index, part in enumerate(inputs):
            stop = start + part.type.shape[self.axis]
            if (name := f"parts{index}") in wanted:
                gradients[name] = emit(Slice(self.axis, start, stop), dy)
            start = stop
        return gradients

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("concatenate", lower=_lower_concatenate, rejects=_empty_or_not_float32),)


@dataclass(frozen=True)
class PixelShuffle(Op):
    """Turn groups of factor² channels into blocks of factor × factor pixels (sub-pixel convolution)."""

    factor: int

    def __post_init__(self) -> None:
        check_integers(self, "factor", self.factor, minimum=1, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_rank(x, 4)
        n, channels, height, width = x.shape
        if channels % self.factor**2:
            raise ShapeError(f"needs channels that factor² = {self.factor**2} divides, got shape {x.shape}.")
        shape = (n, channels // self.factor**2, height * self.factor, width * self.factor)
        return (TensorType(shape, x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.pixel_shuffle(x, factor=self.factor),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {"x": emit(PixelUnshuffle(self.factor), dy)}


@dataclass(frozen=True)
class PixelUnshuffle(Op):
    """Turn blocks of factor × factor pixels into factor² channels."""

    factor: int

    def __post_init__(self) -> None:
        check_integers(self, "factor", self.factor, minimum=1, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_rank(x, 4)
        n, channels, height, width = x.shape
        if height % self.factor or width % self.factor:
            raise ShapeError(f"needs rows and columns that {self.factor} divides, got shape {x.shape}.")
        shape = (n, channels * self.factor**2, height // self.factor, width // self.factor)
        return (TensorType(shape, x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.pixel_unshuffle(x, factor=self.factor),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {"x": emit(PixelShuffle(self.factor), dy)}


@dataclass(frozen=True)
class ChannelShuffle(Op):
    """Deal the channels of ``groups`` groups out in turn, so that grouped convolutions mix (ShuffleNet)."""

    groups: int

    def __post_init__(self) -> None:
        check_integers(self, "groups", self.groups, minimum=1, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        if len(x.shape) < 3 or x.shape[1] % self.groups:
            raise ShapeError(f"needs channels on axis 1 that {self.groups} groups divide, got shape {x.shape}.")
        return (x,)

    def reference(self, x: Array) -> Results:
        return (reference.channel_shuffle(x, groups=self.groups),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        # Dealing G groups of C/G channels is a transpose; dealing C/G groups undoes it.
        return {"x": emit(ChannelShuffle(inputs[0].type.shape[1] // self.groups), dy)}


def _lower_reshape(work: Work, op: Reshape | Flatten, types: Types) -> None:
    """Keep the values in row-major order, which in memory is that of rows but not that of images."""
    x = work.given(0)
    assert x is not None
    (y,) = op.infer(present(types))
    if y.shape == x.shape:
        work.same(0)
    elif len(y.shape) == 2 and len(x.shape) == 4 and y.shape[0] == x.shape[0] and x.pixel:
        rows = work.image_result()
        work.call(*arrange.to_rows(x, rows, rows.pixel))
    elif len(y.shape) == 4 and len(x.shape) == 2 and y.shape[0] == x.shape[0]:
        work.call(*arrange.from_rows(x, work.image_result(), x.pixel or x.shape[1]))
    elif len(y.shape) == 2 and not x.pixel:
        rows = work.image_result()
        work.call(*arrange.run_call(x, rows, *y.shape, y.shape[1], rows.pixel))
    else:
        size = present(types).size
        work.call(*arrange.run_call(work.plain(0), work.plain_result(), 1, size, size, size))


def _lower_slice(work: Work, op: Slice, types: Types) -> None:
    x, y = work.alike(0)
    runs, step, unit = _along(x, op.axis)
    _, y_step, _ = _along(y, op.axis)
    work.call(*arrange.run_call(x, y, runs, y.shape[op.axis] * unit, step, y_step, op.start * unit))


def _lower_concatenate(work: Work, op: Concatenate, types: Types) -> None:
    parts = work.together(*range(len(types)))
    y, start = work.result_like(parts[0]), 0
    runs, y_step, unit = _along(y, op.axis)
    for part in parts:
        _, step, _ = _along(part, op.axis)
        length = part.shape[op.axis] * unit
        work.call(*arrange.run_call(part, y, runs, length, step, y_step, 0, start))
        start += length


def _along(buffer: Buffer, axis: int) -> tuple[int, int, int]:
    """Return how often an axis is run through, and how many floats it and one index of it take in memory."""
    place = (0, 3, 1, 2)[axis] if buffer.pixel else axis
    runs, unit = math.prod(buffer.stored[:place]), math.prod(buffer.stored[place + 1 :])
    return runs, buffer.stored[place] * unit, unit


def _empty_or_not_float32(op: Slice | Concatenate, types: Types) -> str | None:
    given = [present(types, index) for index in range(len(types))]
    if not all(type_.size for type_ in (*given, *op.infer(*given))):
        return "an empty array: copies what there is"
    return not_float32(op, types)
