"""Softmax and its logarithm."""

from dataclasses import dataclass
from typing import Any

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.ops.base import Op, Results, Types, check_floating, check_integers
from pellucid.types import Array, TensorType


@dataclass(frozen=True)
class Softmax(Op):
    """eˣ / Σ eˣ along one axis, counted from 0."""

    axis: int

    def __post_init__(self) -> None:
        check_integers(self, "axis", self.axis, minimum=0, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        return _same(self.axis, x)

    def reference(self, x: Array) -> Results:
        return (reference.softmax(x, axis=self.axis),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return ("y",)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, y: Any) -> Results:
        return (reference.softmax_backward(dy, y, axis=self.axis),)


@dataclass(frozen=True)
class LogSoftmax(Op):
    """x − log Σ eˣ along one axis, counted from 0."""

    axis: int

    def __post_init__(self) -> None:
        check_integers(self, "axis", self.axis, minimum=0, shape=())

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        return _same(self.axis, x)

    def reference(self, x: Array) -> Results:
        return (reference.log_softmax(x, axis=self.axis),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return ("y",)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, y: Any) -> Results:
        return (reference.log_softmax_backward(dy, y, axis=self.axis),)


def _same(axis: int, x: TensorType) -> tuple[TensorType, ...]:
    check_floating(x)
    if axis >= len(x.shape):
        raise ShapeError(f"works on axis {axis}, which shape {x.shape} does not have.")
    return (x,)
