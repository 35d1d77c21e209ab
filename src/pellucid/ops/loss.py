"""Losses: how far an answer is from the right one, as one number."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import softmax
from pellucid.ops.base import (
    Candidate,
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_number,
    check_parameter,
    present,
)
from pellucid.ops.lowering import Work, not_float32
from pellucid.ops.softmax import row_buffers, rows
from pellucid.types import Array, Shape, TensorType

REDUCTIONS = ("mean", "sum", "none")


@dataclass(frozen=True)
class CrossEntropy(Op):
    """−log softmax(logits)[label]; logits (N, K, …), integer labels (N, …).

    ``weight`` (K,) weighs the classes; ``label_smoothing`` moves that share of the target to all classes alike.
    Labels out of range are refused where they enter, by data sets and training.
    """

    label_smoothing: float = 0.0
    reduction: str = "mean"

    arguments: ClassVar = ("logits", "labels", "weight")
    optional: ClassVar = ("weight",)
    results: ClassVar = ("loss",)

    def __post_init__(self) -> None:
        check_number(self, "label_smoothing", self.label_smoothing, minimum=0, maximum=1)
        check_choice(self, "reduction", self.reduction, REDUCTIONS)

    def infer(self, logits: TensorType, labels: TensorType, weight: TensorType | None) -> tuple[TensorType, ...]:
        check_floating(logits)
        if len(logits.shape) < 2:
            raise ShapeError(f"needs logits (N, K, …), got shape {logits.shape}.")
        expected = (logits.shape[0], *logits.shape[2:])
        if labels.shape != expected or np.dtype(labels.dtype).kind not in "iu":
            raise ShapeError(f"needs integer labels of shape {expected} for logits {logits}, got {labels}.")
        check_parameter("weight", weight, (logits.shape[1],), logits.dtype)
        return (TensorType(_reduced(self.reduction, expected), logits.dtype),)

    def reference(self, logits: Array, labels: Array, weight: Any) -> Results:
        return (reference.cross_entropy(logits, labels, weight, **vars(self)),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return "logits", "labels", "weight"

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **saved: Any) -> Results:
        return (reference.cross_entropy_backward(dy, *saved.values(), **vars(self)),)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("cross_entropy", lower=_lower_cross_entropy, rejects=_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("cross_entropy_backward", lower=_lower_cross_entropy_backward, rejects=_rejects),)


def _rejects(op: CrossEntropy, types: Types) -> str | None:
    logits, labels, weight = present(types), present(types, 1), types[2]
    if op.reduction == "none" or weight is not None:
        return "weights" if weight is not None else "reduction 'none': adds up the losses"
    if len(logits.shape) not in (2, 4) or not logits.size:
        return f"shape {logits.shape}: takes rows or images that are not empty"
    return not_float32(op, (logits,)) or (None if labels.dtype == "int64" else f"labels {labels.dtype}: reads int64")


def _lower_cross_entropy(work: Work, op: CrossEntropy, types: Types) -> None:
    (x,) = row_buffers(work, 1, present(types), 0)
    count, length, step = rows(x)
    parts, size = softmax.rows(count, step)
    sums, scratch = work.temporary((parts,)), softmax.cross_entropy_scratch()
    smoothing = op.label_smoothing
    work.call(
        softmax.cross_entropy, parts, x, work.plain(1), sums, count, length, step, size, smoothing, scratch=scratch
    )
    work.call(softmax.sum_of_parts, 1, sums, parts, _divisor(op, count), work.plain_result())


def _lower_cross_entropy_backward(work: Work, op: CrossEntropy, types: Types) -> None:
    (x,) = row_buffers(work, 1, present(types), 1)
    dx = work.result_like(x)
    (count, length, step), (_, _, dx_step) = rows(x), rows(dx)
    parts, size = softmax.rows(count, step)
    sizes = count, length, step, dx_step, size, op.label_smoothing, _divisor(op, count)
    work.call(
        softmax.cross_entropy_backward, parts, work.plain(0), x, work.plain(2), dx, *sizes,
        scratch=softmax.cross_entropy_scratch(),
    )  # fmt: skip


def _divisor(op: CrossEntropy, count: int) -> float:
    return float(count) if op.reduction == "mean" else 1.0


@dataclass(frozen=True)
class _Comparison(Op):
    """Base of the losses that compare two arrays of one shape; ``function`` names the reference."""

    reduction: str = "mean"

    function: ClassVar[str]
    arguments: ClassVar = ("x", "target")
    results: ClassVar = ("loss",)

    def __post_init__(self) -> None:
        check_choice(self, "reduction", self.reduction, REDUCTIONS)

    def infer(self, x: TensorType, target: TensorType) -> tuple[TensorType, ...]:
        check_floating(x)
        if x != target:
            raise ShapeError(f"needs a target like its input, got {x} and {target}.")
        return (TensorType(_reduced(self.reduction, x.shape), x.dtype),)

    def reference(self, x: Array, target: Array) -> Results:
        return (getattr(reference, self.function)(x, target, reduction=self.reduction),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return "x", "target"

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any, target: Any) -> Results:
        return (getattr(reference, f"{self.function}_backward")(dy, x, target, reduction=self.reduction),)


@dataclass(frozen=True)
class MSE(_Comparison):
    """(x − target)², the mean squared error."""

    function: ClassVar = "mse"

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("x", "target"),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any, target: Any) -> Results:
        gradients = reference.mse_backward(dy, x, target, reduction=self.reduction)
        named = dict(zip(("x", "target"), gradients, strict=True))
        return tuple(named[name] for name in wrt)


@dataclass(frozen=True)
class BinaryCrossEntropy(_Comparison):
    """−(t·log p + (1 − t)·log(1 − p)) for probabilities p."""

    function: ClassVar = "binary_cross_entropy"


@dataclass(frozen=True)
class BinaryCrossEntropyWithLogits(_Comparison):
    """Binary cross-entropy of sigmoid(x), computed without overflow."""

    function: ClassVar = "binary_cross_entropy_with_logits"


def _reduced(reduction: str, shape: Shape) -> Shape:
    return shape if reduction == "none" else ()
