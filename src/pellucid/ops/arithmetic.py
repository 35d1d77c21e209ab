"""Sums, products and means, with NumPy's broadcasting."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import pointwise
from pellucid.ops.activation import channel_numbers
from pellucid.ops.arrange import Reshape
from pellucid.ops.base import (
    Candidate,
    Emit,
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    present,
)
from pellucid.ops.lowering import Work, not_float32
from pellucid.ops.pool import lower_mean_of_images, lower_mean_of_images_backward, rejects_mean
from pellucid.types import Array, Shape, TensorType


@dataclass(frozen=True)
class Add(Op):
    """a + b."""

    arguments: ClassVar = ("a", "b")

    def infer(self, a: TensorType, b: TensorType) -> tuple[TensorType, ...]:
        return _broadcast(a, b)

    def reference(self, a: Array, b: Array) -> Results:
        return (reference.add(a, b),)

    def candidates(self) -> tuple[Candidate, ...]:
        return _pointwise("add", pointwise.add)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {name: _sum_to(emit, dy, x) for name, x in zip("ab", inputs, strict=True) if name in wanted}


@dataclass(frozen=True)
class Multiply(Op):
    """a · b, element by element."""

    arguments: ClassVar = ("a", "b")

    def infer(self, a: TensorType, b: TensorType) -> tuple[TensorType, ...]:
        return _broadcast(a, b)

    def reference(self, a: Array, b: Array) -> Results:
        return (reference.multiply(a, b),)

    def candidates(self) -> tuple[Candidate, ...]:
        return _pointwise("multiply", pointwise.multiply)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        operands = dict(zip("ab", inputs, strict=True))
        other = {"a": "b", "b": "a"}
        return {name: _sum_to(emit, emit(Multiply(), dy, operands[other[name]]), operands[name]) for name in wanted}


@dataclass(frozen=True)
class Sum(Op):
    """The sum over some axes, which are kept with extent 1 or dropped."""

    axes: Shape
    keepdims: bool = False

    def __post_init__(self) -> None:
        _check_axes(self, self.axes, self.keepdims)

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_floating(x)
        return (TensorType(_reduced(x.shape, self.axes, self.keepdims), x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.total(x, axes=self.axes, keepdims=self.keepdims),)

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {"x": _spread(emit, dy, inputs[0].type.shape, self.axes)}


@dataclass(frozen=True)
class Mean(Op):
    """The mean over some axes, which are kept with extent 1 or dropped."""

    axes: Shape
    keepdims: bool = False

    def __post_init__(self) -> None:
        _check_axes(self, self.axes, self.keepdims)

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_floating(x)
        return (TensorType(_reduced(x.shape, self.axes, self.keepdims), x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.mean(x, axes=self.axes, keepdims=self.keepdims),)

    def reference_backward(self, wrt: Any, types: Any, dy: Array, **_: Any) -> Results:
        return (reference.mean_backward(dy, types[0].shape, axes=self.axes, keepdims=self.keepdims),)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("mean_of_images", lower=lower_mean_of_images, rejects=rejects_mean),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("mean_of_images_backward", lower=lower_mean_of_images_backward, rejects=rejects_mean),)


@dataclass(frozen=True)
class Expand(Op):
    """Repeat extents of 1 until the array has ``shape``; missing leading axes are added."""

    shape: Shape

    def __post_init__(self) -> None:
        check_integers(self, "shape", self.shape, minimum=0, shape=(-1,))

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        (y,) = _broadcast(x, TensorType(self.shape, x.dtype))
        if y.shape != self.shape:
            raise ShapeError(f"cannot repeat shape {x.shape} to {self.shape}.")
        return (y,)

    def reference(self, x: Array) -> Results:
        return (np.broadcast_to(x, self.shape).copy(),)  # a view would be read-only

    def gradient(self, emit: Emit, inputs: Sequence[Any], dy: Any, wanted: Collection[str]) -> dict[str, Any]:
        return {"x": _sum_to(emit, dy, inputs[0])}


def _pointwise(name: str, compute: Callable[..., Any]) -> tuple[Candidate, ...]:
    """List the kernels of a function of two numbers, in which their order does not matter."""
    return (
        Candidate(name, lower=partial(_lower_alike, name, compute), rejects=_alike_rejects),
        Candidate(f"{name}_number", lower=partial(_lower_number, name, compute), rejects=_number_rejects),
        Candidate(f"{name}_channels", lower=partial(_lower_channels, name, compute), rejects=_channels_rejects),
    )


def _alike_rejects(op: Op, types: Types) -> str | None:
    if present(types).shape != present(types, 1).shape:
        return "two shapes: takes one number of each for one result"
    return not_float32(op, types)


def _lower_alike(name: str, compute: Callable[..., Any], work: Work, op: Op, types: Types) -> None:
    a, b = work.together(0, 1)
    work.call(pointwise.of_two(name, compute), *pointwise.parts(a), a, b, work.result_like(a), 0.0)


def _large_and_small(types: Types) -> tuple[int, int]:
    """Which operand the result is shaped like, and which is repeated."""
    return (0, 1) if present(types).size >= present(types, 1).size else (1, 0)


def _number_rejects(op: Op, types: Types) -> str | None:
    large, small = _large_and_small(types)
    if present(types, small).size != 1 or op.infer(*types)[0] != types[large]:
        return f"shape {present(types, small).shape}: takes a single number"
    return not_float32(op, types)


def _lower_number(name: str, compute: Callable[..., Any], work: Work, op: Op, types: Types) -> None:
    large, small = _large_and_small(types)
    x, y = work.alike(large)
    work.call(pointwise.of_one_and_number(name, compute), *pointwise.parts(x), x, work.plain(small), y)


def _channels_rejects(op: Op, types: Types) -> str | None:
    large, small = (present(types, index) for index in _large_and_small(types))
    rank, missing = len(large.shape), len(large.shape) - len(small.shape)
    shape = (1,) * missing + small.shape
    if rank not in (2, 4) or missing < 0 or not large.size:
        return f"shape {large.shape}: takes images or rows that are not empty"
    if shape[0] not in (1, large.shape[0]) or shape[1:] != (large.shape[1], *(1 for _ in large.shape[2:])):
        return f"shape {small.shape}: takes a number for each channel"
    return not_float32(op, types)


def _lower_channels(name: str, compute: Callable[..., Any], work: Work, op: Op, types: Types) -> None:
    large, small = _large_and_small(types)
    x, type_ = work.image(large), present(types, small)
    is_common = type_.size == x.shape[1]
    numbers = channel_numbers(work, small, x.shape[1]) if is_common else work.image(small)
    kernel = pointwise.of_channels(name, compute)
    work.call(kernel, *pointwise.channel_call(x, numbers, work.image_result(), 0 if is_common else x.pixel))


def _broadcast(a: TensorType, b: TensorType) -> tuple[TensorType, ...]:
    if a.dtype != b.dtype:
        raise ShapeError(f"needs inputs of one dtype, got {a} and {b}.")
    try:
        return (TensorType(np.broadcast_shapes(a.shape, b.shape), a.dtype),)
    except ValueError:
        raise ShapeError(f"cannot broadcast the shapes {a.shape} and {b.shape}.") from None


def _sum_to(emit: Emit, dy: Any, target: Any) -> Any:
    """Sum a gradient over the axes along which broadcasting repeated ``target``."""
    shape, wide = target.type.shape, dy.type.shape
    if shape == wide:
        return dy
    padded = (1,) * (len(wide) - len(shape)) + shape
    axes = tuple(i for i, (small, large) in enumerate(zip(padded, wide, strict=True)) if small != large)
    summed = emit(Sum(axes, keepdims=True), dy) if axes else dy
    return summed if padded == shape else emit(Reshape(shape), summed)


def _spread(emit: Emit, dy: Any, shape: Shape, axes: Shape) -> Any:
    kept = tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return emit(Expand(shape), dy if dy.type.shape == kept else emit(Reshape(kept), dy))


def _check_axes(op: Op, axes: Any, keepdims: Any) -> None:
    check_integers(op, "axes", axes, minimum=0, shape=(-1,))
    check_choice(op, "keepdims", keepdims, (False, True))


def _reduced(shape: Shape, axes: Shape, keepdims: bool) -> Shape:
    if not axes or len(set(axes)) != len(axes) or max(axes) >= len(shape):
        raise ShapeError(f"reduces the axes {axes}, which shape {shape} does not have (or which repeat).")
    if keepdims:
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)
