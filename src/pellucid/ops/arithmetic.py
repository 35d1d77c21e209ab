"""Sums, products and means, with NumPy's broadcasting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.ops.arrange import Reshape
from pellucid.ops.base import Emit, Op, Results, check_choice, check_floating, check_integers
from pellucid.types import Array, Shape, TensorType


@dataclass(frozen=True)
class Add(Op):
    """a + b."""

    arguments: ClassVar = ("a", "b")

    def infer(self, a: TensorType, b: TensorType) -> tuple[TensorType, ...]:
        return _broadcast(a, b)

    def reference(self, a: Array, b: Array) -> Results:
        return (reference.add(a, b),)

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
