"""Activations: one number in, one number out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import activations, pointwise
from pellucid.kernels.program import Buffer, padded
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
from pellucid.types import Array, TensorType


@dataclass(frozen=True)
class _Activation(Op):
    """Base of the activations: ``function`` names the reference, ``reads`` what its gradient needs besides dy."""

    function: ClassVar[str]
    reads: ClassVar[str] = "x"

    def infer(self, x: TensorType, *_: Any) -> tuple[TensorType, ...]:
        check_floating(x)
        return (x,)

    def reference(self, *arrays: Any) -> Results:
        return (getattr(reference, self.function)(*arrays, **vars(self)),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return (self.reads,)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **saved: Any) -> Results:
        (value,) = saved.values()
        return (getattr(reference, f"{self.function}_backward")(dy, value, **vars(self)),)

    @property
    def kernel(self) -> str:
        """Name among the kernels' activations."""
        return self.function

    @property
    def setting(self) -> float:
        """The one number that the kernel is told."""
        return 0.0

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate(self.kernel, lower=_lower, rejects=not_float32),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate(f"{self.kernel}_backward", lower=_lower_backward, rejects=not_float32),)


def _lower(work: Work, op: _Activation, types: Types) -> None:
    x, y = work.alike(0)
    kernel = pointwise.of_one(op.kernel, activations.ACTIVATIONS[op.kernel].forward)
    work.call(kernel, *pointwise.parts(x), x, y, op.setting)


def _lower_backward(work: Work, op: _Activation, types: Types) -> None:
    dy, saved = work.together(0, 1)
    kernel = pointwise.of_two(f"{op.kernel}_backward", activations.ACTIVATIONS[op.kernel].backward)
    work.call(kernel, *pointwise.parts(dy), dy, saved, work.result_like(dy), op.setting)


@dataclass(frozen=True)
class ReLU(_Activation):
    """max(0, x)."""

    function: ClassVar = "relu"
    reads: ClassVar = "y"


@dataclass(frozen=True)
class LeakyReLU(_Activation):
    """x where positive, negative_slope·x elsewhere."""

    negative_slope: float = 0.01
    function: ClassVar = "leaky_relu"

    def __post_init__(self) -> None:
        check_number(self, "negative_slope", self.negative_slope)

    @property
    def setting(self) -> float:
        return self.negative_slope


@dataclass(frozen=True)
class ReLU6(_Activation):
    """min(max(0, x), 6)."""

    function: ClassVar = "relu6"


@dataclass(frozen=True)
class ELU(_Activation):
    """x where positive, alpha·(eˣ − 1) elsewhere."""

    alpha: float = 1.0
    function: ClassVar = "elu"

    def __post_init__(self) -> None:
        check_number(self, "alpha", self.alpha)

    @property
    def setting(self) -> float:
        return self.alpha


@dataclass(frozen=True)
class Sigmoid(_Activation):
    """1 / (1 + e⁻ˣ)."""

    function: ClassVar = "sigmoid"
    reads: ClassVar = "y"


@dataclass(frozen=True)
class Tanh(_Activation):
    """The hyperbolic tangent."""

    function: ClassVar = "tanh"
    reads: ClassVar = "y"


@dataclass(frozen=True)
class SiLU(_Activation):
    """x·sigmoid(x), also called swish."""

    function: ClassVar = "silu"


@dataclass(frozen=True)
class GELU(_Activation):
    """x·Φ(x) with the normal distribution's Φ, exact ("none") or by PyTorch's "tanh" formula."""

    approximate: str = "none"
    function: ClassVar = "gelu"

    def __post_init__(self) -> None:
        check_choice(self, "approximate", self.approximate, ("none", "tanh"))

    @property
    def kernel(self) -> str:
        return "gelu_tanh" if self.approximate == "tanh" else "gelu"


@dataclass(frozen=True)
class Hardswish(_Activation):
    """x·ReLU6(x + 3) / 6."""

    function: ClassVar = "hardswish"


@dataclass(frozen=True)
class Hardsigmoid(_Activation):
    """ReLU6(x + 3) / 6."""

    function: ClassVar = "hardsigmoid"


@dataclass(frozen=True)
class PReLU(Op):
    """x where positive, weight·x elsewhere; one weight for all channels (axis 1) or one for each."""

    arguments: ClassVar = ("x", "weight")

    def infer(self, x: TensorType, weight: TensorType) -> tuple[TensorType, ...]:
        check_floating(x)
        channels = x.shape[1] if len(x.shape) > 1 else 1
        if weight.shape not in ((1,), (channels,)):
            raise ShapeError(f"needs 1 slope or one for each of {channels} channels, got {weight}.")
        check_parameter("weight", weight, weight.shape, x.dtype)
        return (x,)

    def reference(self, x: Array, weight: Array) -> Results:
        return (reference.prelu(x, weight),)

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        return (("x", "weight"),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return "x", "weight"

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any, weight: Any) -> Results:
        gradients = dict(zip(("x", "weight"), reference.prelu_backward(dy, x, weight), strict=True))
        return tuple(gradients[name] for name in wrt)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("prelu", lower=_lower_prelu, rejects=_prelu_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("prelu_backward", lower=partial(_lower_prelu_backward, wrt), rejects=_prelu_rejects),)


def _prelu_rejects(op: PReLU, types: Types) -> str | None:
    x = present(types)
    if len(x.shape) not in (2, 4) or not x.size:
        return f"shape {x.shape}: takes images or rows that are not empty"
    return not_float32(op, types)


def _lower_prelu(work: Work, op: PReLU, types: Types) -> None:
    x, weight = work.image(0), channel_numbers(work, 1, present(types).shape[1])
    kernel = pointwise.of_channels("prelu", activations.leaky_relu)
    work.call(kernel, *pointwise.channel_call(x, weight, work.image_result(), 0))


def _lower_prelu_backward(wrt: tuple[str, ...], work: Work, op: PReLU, types: Types) -> None:
    channels, slopes = present(types).shape[1], present(types, 1).size
    dy, x, weight = work.image(0), work.image(1), channel_numbers(work, 2, channels)
    dx = work.image_result(wrt.index("x")) if "x" in wrt else work.temporary(x.stored)
    parts, _, _, _, cells, pixel, _, rows, per_image = pointwise.channel_call(x, weight, dx, 0)
    sums = work.temporary((parts, pixel))
    work.call(pointwise.prelu_backward, parts, dy, x, weight, dx, sums, cells, pixel, rows, per_image)
    if "weight" in wrt:
        dweight = work.plain_result(wrt.index("weight"))
        work.call(pointwise.prelu_slopes, 1, sums, parts, pixel, channels, dweight, slopes)


def channel_numbers(work: Work, index: int, channels: int) -> Buffer:
    """Return an input of one number for each channel, or one for all, padded like a pixel."""
    numbers, pixel = work.plain(index), padded(channels)
    count = int(np.prod(numbers.shape, dtype=np.int64))

    def write(target: Buffer, call: Callable[..., None]) -> None:
        call(pointwise.spread_channels, 1, numbers, target, count, pixel)

    return work.packed(index, (pixel,), write)
