"""Softmax and its logarithm."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import softmax
from pellucid.kernels.compiler import Kernel
from pellucid.kernels.program import Buffer
from pellucid.ops.base import Candidate, Op, Results, Types, check_floating, check_integers, present
from pellucid.ops.lowering import Work, not_float32
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

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("softmax", lower=partial(_lower, softmax.softmax), rejects=_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        lower = partial(_lower_backward, softmax.softmax_backward)
        return (Candidate("softmax_backward", lower=lower, rejects=_rejects),)


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

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("log_softmax", lower=partial(_lower, softmax.log_softmax), rejects=_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        lower = partial(_lower_backward, softmax.log_softmax_backward)
        return (Candidate("log_softmax_backward", lower=lower, rejects=_rejects),)


def _same(axis: int, x: TensorType) -> tuple[TensorType, ...]:
    check_floating(x)
    if axis >= len(x.shape):
        raise ShapeError(f"works on axis {axis}, which shape {x.shape} does not have.")
    return (x,)


def _rejects(op: Softmax | LogSoftmax, types: Types) -> str | None:
    """Reject rows whose numbers do not lie side by side in memory."""
    x = present(types)
    if not x.size or (op.axis != len(x.shape) - 1 and (op.axis, len(x.shape)) != (1, 4)):
        return f"axis {op.axis} of shape {x.shape}: takes the last axis, or the channels of images"
    return not_float32(op, types)


def _lower(kernel: Kernel, work: Work, op: Softmax | LogSoftmax, types: Types) -> None:
    x = row_buffers(work, op.axis, present(types), 0)[0]
    y = work.result_like(x)
    (count, length, step), (_, _, y_step) = rows(x), rows(y)
    parts, size = softmax.rows(count, step)
    work.call(kernel, parts, x, y, count, length, step, y_step, size)


def _lower_backward(kernel: Kernel, work: Work, op: Softmax | LogSoftmax, types: Types) -> None:
    dy, y = row_buffers(work, op.axis, present(types), 0, 1)
    dx = work.result_like(dy)
    (count, length, step), (_, _, dx_step) = rows(dy), rows(dx)
    parts, size = softmax.rows(count, step)
    work.call(kernel, parts, dy, y, dx, count, length, step, dx_step, size)


def row_buffers(work: Work, axis: int, x: TensorType, *indices: int) -> list[Buffer]:
    """Return inputs of x's shape so that the numbers along an axis lie side by side."""
    if axis == 1 and len(x.shape) == 4:
        return [work.image(index) for index in indices]
    return work.together(*indices) if len(x.shape) == 2 else [work.plain(index) for index in indices]


def rows(x: Buffer) -> tuple[int, int, int]:
    """Return how many rows a buffer holds, of how many numbers, and how many floats lie from one to the next."""
    if x.pixel:
        n, channels, height, width = x.images
        return n * height * width, channels, x.pixel
    return math.prod(x.shape[:-1]), x.shape[-1], x.shape[-1]
