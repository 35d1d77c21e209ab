"""Activations: one number in, one number out."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels.elementwise import relu_backward
from pellucid.ops.base import Candidate, Op, Results, Types, check_choice, check_floating, check_number, check_parameter
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


@dataclass(frozen=True)
class ReLU(_Activation):
    """max(0, x)."""

    function: ClassVar = "relu"
    reads: ClassVar = "y"

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("relu_backward_masked", lambda op, types: lambda dy, y: (relu_backward(dy, y),)),)


@dataclass(frozen=True)
class LeakyReLU(_Activation):
    """x where positive, negative_slope·x elsewhere."""

    negative_slope: float = 0.01
    function: ClassVar = "leaky_relu"

    def __post_init__(self) -> None:
        check_number(self, "negative_slope", self.negative_slope)


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
