"""Normalisation: over the batch, over a sample's trailing axes, over groups of channels, over neighbouring channels."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.ops.base import (
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    check_number,
    check_parameter,
)
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
