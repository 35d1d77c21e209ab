"""Normalisation: over the batch, over a sample's trailing axes, over groups of channels, over neighbouring channels."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import batch_norm
from pellucid.kernels.host import host
from pellucid.kernels.program import Buffer
from pellucid.ops.base import (
    Candidate,
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    check_number,
    check_parameter,
    present,
)
from pellucid.ops.lowering import Work, not_float32
from pellucid.types import Array, TensorType


@dataclass(frozen=True)
class _Affine(Op):
    """Shared by the norms that scale and shift their result: one pass gives the gradients of x, weight and bias."""

    optional: ClassVar[tuple[str, ...]] = ("weight", "bias")

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("x", "weight", "bias"),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return "x", "weight"

    def _pick(self, wrt: tuple[str, ...], gradients: tuple[Array, Array, Array]) -> Results:
        named = dict(zip(("x", "weight", "bias"), gradients, strict=True))
        return tuple(named[name] for name in wrt)


@dataclass(frozen=True)
class BatchNorm(_Affine):
    """Normalise every channel (axis 1), then scale and shift it.

    In training by the mean and the biased variance of the batch, which are results too; else by the running
    statistics, which are then needed. ``momentum`` is not used here but kept for whoever updates those, see
    :class:`RunningAverage`.
    """

    eps: float = 1e-5
    momentum: float | None = 0.1
    training: bool = False

    arguments: ClassVar[tuple[str, ...]] = ("x", "weight", "bias", "mean", "variance")
    optional: ClassVar[tuple[str, ...]] = ("weight", "bias", "mean", "variance")

    def __post_init__(self) -> None:
        check_number(self, "eps", self.eps, minimum=0)
        _check_momentum(self, self.momentum)
        check_choice(self, "training", self.training, (False, True))

    @property
    def results(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("y", "batch_mean", "batch_variance") if self.training else ("y",)

    def infer(self, x: TensorType, *parameters: TensorType | None) -> tuple[TensorType, ...]:
        check_floating(x)
        if not 2 <= len(x.shape) <= 5:
            raise ShapeError(f"needs an input (N, C, …) of 2 to 5 axes, got shape {x.shape}.")
        per_channel = TensorType((x.shape[1],), x.dtype)
        for parameter in parameters:
            if parameter is not None and parameter.shape != per_channel.shape and len(parameter.shape) == 1:
                raise ShapeError(f"normalises {parameter.shape[0]} channels, got {x.shape[1]} in shape {x.shape}.")
        for name, parameter in zip(self.arguments[1:], parameters, strict=True):
            check_parameter(name, parameter, per_channel.shape, x.dtype)
        if not self.training:
            if parameters[2] is None or parameters[3] is None:
                raise ShapeError("needs a running mean and variance outside of training.")
            return (x,)
        if x.size <= x.shape[1]:
            raise ShapeError(
                f"needs more than one value per channel in training, got shape {x.shape}; "
                "use a larger batch, or net.eval() for inference."
            )
        return x, per_channel, per_channel

    def reference(self, x: Array, weight: Any, bias: Any, mean: Any, variance: Any) -> Results:
        if self.training:
            return reference.batch_norm(x, weight, bias, eps=self.eps)
        return (reference.batch_norm_inference(x, weight, bias, mean, variance, eps=self.eps),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        statistics = ("batch_mean", "batch_variance") if self.training else ("mean", "variance")
        return "x", "weight", *statistics

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **saved: Any) -> Results:
        backward = reference.batch_norm_backward if self.training else reference.batch_norm_inference_backward
        return self._pick(wrt, backward(dy, *saved.values(), eps=self.eps))

    def candidates(self) -> tuple[Candidate, ...]:
        lower = _lower_training if self.training else _lower_inference
        return (Candidate("batch_norm", lower=lower, rejects=_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        lower = partial(_lower_backward if self.training else _lower_inference_backward, wrt)
        return (Candidate("batch_norm_backward", lower=lower, rejects=_rejects),)


def _rejects(op: BatchNorm, types: Types) -> str | None:
    x = present(types)
    if len(x.shape) not in (2, 4) or x.size == 0:
        return f"shape {x.shape}: takes images or rows that are not empty"
    return not_float32(op, types)


def _lower_training(work: Work, op: BatchNorm, types: Types) -> None:
    x, y, rows = work.image(0), work.image_result(), _rows(work, batch_norm.BIAS + 1)
    parts, pixels, per_part = batch_norm.sum_parts(x)
    found = work.temporary((parts * 2 * x.pixel,))
    chunk = batch_norm.chunk(x.pixel)
    work.call(batch_norm.statistics(), parts, x, found, x.pixel, pixels, per_part, chunk, scratch=2 * x.pixel)
    channels, vectors = x.shape[1], x.pixel // host().width
    work.call(
        batch_norm.conclusion(), vectors, found, _given(work, 1, channels, 1), _given(work, 2, channels, 0),
        work.plain_result(1), work.plain_result(2), rows, x.pixel, channels, pixels, per_part, op.eps,
        scratch=host().width,
    )  # fmt: skip
    _normalise(work, x, y, rows)


def _lower_inference(work: Work, op: BatchNorm, types: Types) -> None:
    x, y = work.image(0), work.image_result()
    channels = x.shape[1]
    weight, bias = _given(work, 1, channels, 1), _given(work, 2, channels, 0)
    statistics = work.plain(3), work.plain(4)

    def write(target: Buffer, call: Any) -> None:
        call(batch_norm.prepare, 1, weight, bias, *statistics, target, x.pixel, channels, op.eps)

    _normalise(work, x, y, work.packed((1, 2, 3, 4), ((batch_norm.BIAS + 1) * x.pixel,), write))


def _lower_backward(wrt: tuple[str, ...], work: Work, op: BatchNorm, types: Types) -> None:
    rows = _lower_sums(wrt, work, op)
    if "x" in wrt:
        dy, x, dx = work.image(0), work.image(1), work.image_result(wrt.index("x"))
        parts, *pixels = batch_norm.parts(x)
        work.call(batch_norm.backward_data(), parts, dy, x, dx, rows, x.pixel, *pixels)


def _lower_inference_backward(wrt: tuple[str, ...], work: Work, op: BatchNorm, types: Types) -> None:
    """Scale the slopes, which is all that fixed statistics do: normalise them by a mean and bias of 0."""
    if wrt != ("x",):
        _lower_sums(wrt, work, op)
    if "x" in wrt:
        dy, dx = work.image(0), work.image_result(wrt.index("x"))
        channels = dy.shape[1]
        zeros, weight, variance = _constant(work, channels, 0), _given(work, 2, channels, 1), work.plain(4)

        def write(target: Buffer, call: Any) -> None:
            call(batch_norm.prepare, 1, weight, zeros, zeros, variance, target, dy.pixel, channels, op.eps)

        _normalise(work, dy, dx, work.packed((2, 4), ((batch_norm.BIAS + 1) * dy.pixel,), write))


def _lower_sums(wrt: tuple[str, ...], work: Work, op: BatchNorm) -> Buffer:
    """Add the calls that write dweight and dbias, if asked for, and the rows that the gradient of x needs."""
    dy, x, mean, variance = work.image(0), work.image(1), work.plain(3), work.plain(4)
    channels, rows = x.shape[1], _rows(work, batch_norm.SLOPE_ROWS, 1)
    parts, pixels, per_part = batch_norm.sum_parts(x)
    found = work.temporary((parts * 2 * x.pixel,))
    work.call(
        batch_norm.slopes(), parts, dy, x, mean, found, x.pixel, channels, pixels, per_part, scratch=x.pixel
    )  # fmt: skip
    dweight, dbias = (work.plain_result(wrt.index(name)) if name in wrt else found for name in ("weight", "bias"))
    work.call(
        batch_norm.slope_rows, 1, found, parts, _given(work, 2, channels, 1), mean, variance, dweight, dbias,
        int("weight" in wrt), int("bias" in wrt), rows, x.pixel, channels, pixels, op.eps,
    )  # fmt: skip
    return rows


def _normalise(work: Work, x: Buffer, y: Buffer, rows: Buffer) -> None:
    parts, *pixels = batch_norm.parts(x)
    work.call(batch_norm.application(), parts, x, y, rows, x.pixel, *pixels)


def _rows(work: Work, count: int, index: int = 0) -> Buffer:
    return work.temporary((count * work.image(index).pixel,))


def _given(work: Work, index: int, channels: int, otherwise: float) -> Buffer:
    """Return an input with a number for each channel, or the same number for all where it is absent."""
    return _constant(work, channels, otherwise) if work.given(index) is None else work.plain(index)


def _constant(work: Work, channels: int, number: float) -> Buffer:
    return work.constant(np.full(channels, number, np.float32))


@dataclass(frozen=True)
class RunningAverage(Op):
    """(1 − m)·running + m·scale·batch: how batch normalisation remembers its statistics.

    m is ``momentum``, or 1/count for the plain average over all batches where that is None. ``scale`` turns the
    biased variance of a batch into the unbiased one that is remembered.
    """

    momentum: float | None = 0.1
    scale: float = 1.0

    arguments: ClassVar = ("running", "batch", "count")

    def __post_init__(self) -> None:
        _check_momentum(self, self.momentum)
        check_number(self, "scale", self.scale, minimum=1)

    def infer(self, running: TensorType, batch: TensorType, count: TensorType) -> tuple[TensorType, ...]:
        if running != batch or count != TensorType((), "int64"):
            raise ShapeError(f"needs two arrays alike and an int64() count, got {running}, {batch} and {count}.")
        return (running,)

    def reference(self, running: Array, batch: Array, count: Array) -> Results:
        momentum = 1 / int(count) if self.momentum is None else self.momentum
        return (reference.running_average(running, batch, momentum=momentum, scale=self.scale),)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("running_average", lower=_lower_average, rejects=_average_rejects),)


def _average_rejects(op: RunningAverage, types: Types) -> str | None:
    if op.momentum is None:
        return "momentum None: the count of batches is not looked at"
    return not_float32(op, types[:1])


def _lower_average(work: Work, op: RunningAverage, types: Types) -> None:
    running, batch, y = work.plain(0), work.plain(1), work.plain_result()
    momentum = float(op.momentum or 0)
    kept, added = np.float32(1 - momentum), np.float32(momentum * op.scale)
    work.call(batch_norm.running_average, 1, running, batch, y, running.shape[0], float(kept), float(added))


@dataclass(frozen=True)
class LayerNorm(_Affine):
    """Normalise every sample over its last ``axes`` axes, then scale and shift each element."""

    axes: int
    eps: float = 1e-5

    arguments: ClassVar = ("x", "weight", "bias")

    def __post_init__(self) -> None:
        check_integers(self, "axes", self.axes, minimum=1, shape=())
        check_number(self, "eps", self.eps, minimum=0)

    def infer(self, x: TensorType, weight: TensorType | None, bias: TensorType | None) -> tuple[TensorType, ...]:
        check_floating(x)
        if self.axes > len(x.shape):
            raise ShapeError(f"normalises {self.axes} axes, more than shape {x.shape} has.")
        trailing = x.shape[len(x.shape) - self.axes :]
        check_parameter("weight", weight, trailing, x.dtype)
        check_parameter("bias", bias, trailing, x.dtype)
        return (x,)

    def reference(self, x: Array, weight: Any, bias: Any) -> Results:
        return (reference.layer_norm(x, weight, bias, **vars(self)),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any, weight: Any) -> Results:
        return self._pick(wrt, reference.layer_norm_backward(dy, x, weight, **vars(self)))


@dataclass(frozen=True)
class GroupNorm(_Affine):
    """Normalise every sample over groups of channels, then scale and shift each channel.

    As many groups as channels make instance normalisation; one group, layer normalisation over (C, H, W).
    """

    groups: int
    eps: float = 1e-5

    arguments: ClassVar = ("x", "weight", "bias")

    def __post_init__(self) -> None:
        check_integers(self, "groups", self.groups, minimum=1, shape=())
        check_number(self, "eps", self.eps, minimum=0)

    def infer(self, x: TensorType, weight: TensorType | None, bias: TensorType | None) -> tuple[TensorType, ...]:
        check_floating(x)
        if len(x.shape) < 2 or x.shape[1] % self.groups:
            raise ShapeError(f"needs channels on axis 1 that {self.groups} groups divide, got shape {x.shape}.")
        check_parameter("weight", weight, (x.shape[1],), x.dtype)
        check_parameter("bias", bias, (x.shape[1],), x.dtype)
        return (x,)

    def reference(self, x: Array, weight: Any, bias: Any) -> Results:
        return (reference.group_norm(x, weight, bias, **vars(self)),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any, weight: Any) -> Results:
        return self._pick(wrt, reference.group_norm_backward(dy, x, weight, **vars(self)))


@dataclass(frozen=True)
class LocalResponseNorm(Op):
    """x / (k + alpha/size · Σ x²)^beta, the sum over ``size`` neighbouring channels (AlexNet)."""

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def __post_init__(self) -> None:
        check_integers(self, "size", self.size, minimum=1, shape=())
        for name in ("alpha", "beta", "k"):
            check_number(self, name, getattr(self, name))

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_floating(x)
        if len(x.shape) < 3:
            raise ShapeError(f"needs an input (N, C, …) of at least 3 axes, got shape {x.shape}.")
        return (x,)

    def reference(self, x: Array) -> Results:
        return (reference.local_response_norm(x, **vars(self)),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return ("x",)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any) -> Results:
        return (reference.local_response_norm_backward(dy, x, **vars(self)),)


def _check_momentum(op: Op, momentum: Any) -> None:
    if momentum is not None:
        check_number(op, "momentum", momentum, minimum=0, maximum=1)
