"""Ops that compute several at once. Networks are not built from them; a plan puts them in where kernels allow."""

from dataclasses import dataclass, replace
from math import inf
from typing import Any, ClassVar, TypeAlias

import numpy as np

from pellucid import reference
from pellucid.kernels.program import Buffer, padded
from pellucid.ops.activation import (
    ELU,
    GELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Tanh,
    channel_numbers,
)
from pellucid.ops.backward import Backward
from pellucid.ops.base import Candidate, Op, Results, Types, present
from pellucid.ops.conv import Conv2d
from pellucid.ops.convolve import lower_winograd, rejects_winograd
from pellucid.ops.linear import Linear
from pellucid.ops.lowering import Epilogue, Pooling, Work
from pellucid.ops.pool import MaxPool2d
from pellucid.types import TensorType

BOUNDS: dict[type[Op], tuple[float, float]] = {ReLU: (0.0, inf), ReLU6: (0.0, 6.0)}
"""Activations that only cut values off: below what, and above what."""

Curve: TypeAlias = LeakyReLU | ELU | Sigmoid | Tanh | SiLU | GELU | Hardswish | Hardsigmoid | PReLU
"""Activations that a convolution can do at its end besides."""


@dataclass(frozen=True)
class Fused(Op, only_in_plans=True):
    """A convolution or dense layer, the sum with a residual if there is one, an activation, a cut at both bounds."""

    of: Conv2d | Linear
    low: float = -inf
    high: float = inf
    curve: Curve | None = None

    arguments: ClassVar = ("x", "weight", "bias", "residual", "slope")
    optional: ClassVar = ("bias", "residual", "slope")

    def infer(self, *types: TensorType | None) -> tuple[TensorType, ...]:
        return self.of.infer(*types[:3])  # type: ignore[arg-type]

    def macs(self, *types: Any) -> int:
        return self.of.macs(*types[:3])

    def reference(self, x: Any, weight: Any, bias: Any, residual: Any, slope: Any = None) -> Results:
        (y,) = self.of.reference(x, weight, bias)
        y = y if residual is None else y + residual
        if self.curve is not None:
            (y,) = self.curve.reference(*(y,) if slope is None else (y, slope))
        return (np.clip(y, y.dtype.type(self.low), y.dtype.type(self.high)),)

    def only_cuts(self, types: Types) -> bool:
        """Whether neither a residual nor an activation's curve stands between the sum and the cut."""
        return types[3] is None and self.curve is None

    def ending(self, work: Work, channels: int, other: Buffer | None = None) -> Epilogue:
        """Return what the kernel does at its end, for so many channels."""
        if self.curve is None:
            return Epilogue(self.low, self.high, other)
        if isinstance(self.curve, PReLU):
            return Epilogue(self.low, self.high, other, False, "leaky_relu", channel_numbers(work, 4, channels))
        setting = work.constant(np.full(padded(channels), self.curve.setting, np.float32))
        return Epilogue(self.low, self.high, other, False, self.curve.kernel, setting)

    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(self._fusing(candidate) for candidate in self.of.candidates() if candidate.fuses)

    def _fusing(self, candidate: Candidate) -> Candidate:
        lower = candidate.lower
        assert lower is not None

        def with_epilogue(work: Work, op: Fused, types: Types) -> None:
            other = work.image(3) if work.given(3) else None
            lower(work, op.of, types[:3], op.ending(work, present(types, 1).shape[0], other))

        inside = candidate.within(lambda op, types: (op.of, types[:3]), with_epilogue)

        def rejects(op: Fused, types: Types) -> str | None:
            if types[3] is not None and isinstance(op.of, Linear):
                return "a residual: a dense layer adds none"
            if op.curve is not None and isinstance(op.of, Linear):
                return f"{op.curve.kind}: a dense layer only cuts off"
            return inside.rejects(op, types)

        return replace(inside, rejects=rejects)


@dataclass(frozen=True)
class FusedPool(Op, only_in_plans=True):
    """A convolution, then a cut at ``low`` and ``high``, then maximum pooling of 2×2 cells."""

    of: Conv2d
    pool: MaxPool2d
    low: float = -inf
    high: float = inf

    arguments: ClassVar = ("x", "weight", "bias")
    optional: ClassVar = ("bias",)
    results: ClassVar = ("y", "indices")

    def infer(self, *types: TensorType | None) -> tuple[TensorType, ...]:
        return self.pool.infer(*self.of.infer(*types))  # type: ignore[arg-type]

    def macs(self, *types: Any) -> int:
        return self.of.macs(*types)

    def reference(self, x: Any, weight: Any, bias: Any) -> Results:
        (y,) = Fused(self.of, self.low, self.high).reference(x, weight, bias, None)
        return self.pool.reference(y)

    def candidates(self) -> tuple[Candidate, ...]:
        def rejects(op: FusedPool, types: Types) -> str | None:
            (y,) = op.of.infer(*types)  # type: ignore[arg-type]
            if any(size % 2 for size in y.shape[2:]):
                return "an odd size: cells that no window sees"
            return rejects_winograd(op.of, types)

        def lower(work: Work, op: FusedPool, types: Types) -> None:
            indices = work.image_result(1) if work.is_read(1) else None
            lower_winograd(4, work, op.of, types, Pooling(op.low, op.high, indices))

        return (Candidate("conv2d_k3s1_winograd4_max_pool2d", rejects=rejects, lower=lower),)


@dataclass(frozen=True)
class MaskedBackward(Op, only_in_plans=True):
    """The gradient of the data of a convolution, then that of the ReLU whose result ``y`` it is asked for."""

    of: Backward

    arguments: ClassVar = ("dy", "weight", "y")
    results: ClassVar = ("dx",)

    def infer(self, dy: TensorType, weight: TensorType, y: TensorType) -> tuple[TensorType, ...]:
        return self.of.infer(dy, weight)

    def macs(self, *types: Any) -> int:
        return self.of.macs(*types[:2])

    def reference(self, dy: Any, weight: Any, y: Any) -> Results:
        (dx,) = self.of.reference(dy, weight)
        return (reference.relu_backward(dx, y),)

    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(self._fusing(candidate) for candidate in self.of.candidates() if candidate.fuses)

    def _fusing(self, candidate: Candidate) -> Candidate:
        lower = candidate.lower
        assert lower is not None

        def with_mask(work: Work, op: MaskedBackward, types: Types) -> None:
            lower(work, op.of, types[:2], Epilogue(other=work.image(2), mask=True))

        return candidate.within(lambda op, types: (op.of, types[:2]), with_mask)


@dataclass(frozen=True)
class FoldBatchNorm(Op, only_in_plans=True):
    """Weight and bias of a convolution that does what it and a batch normalisation by fixed statistics do."""

    eps: float = 1e-5

    arguments: ClassVar = ("weight", "bias", "scale", "shift", "mean", "variance")
    optional: ClassVar = ("bias", "scale", "shift")
    results: ClassVar = ("weight", "bias")

    def infer(self, weight: TensorType, *types: TensorType | None) -> tuple[TensorType, ...]:
        return weight, present(types, 3)

    def reference(self, weight: Any, bias: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> Results:
        factor = 1 / np.sqrt(variance.astype(np.float64) + self.eps)
        factor = factor if scale is None else factor * scale
        moved = (0 if bias is None else bias) - mean.astype(np.float64)
        moved = moved * factor + (0 if shift is None else shift)
        folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
        return folded.astype(weight.dtype), moved.astype(weight.dtype)


def accepted(op: Op, types: Types) -> bool:
    """Whether a kernel computes a fused op; if none does, its parts are better left alone."""
    return any(candidate.rejects(op, types) is None for candidate in op.candidates())
