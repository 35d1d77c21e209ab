"""The dense layer's matrix product."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.ops.base import Op, Results, Types, check_floating, check_parameter
from pellucid.types import Array, TensorType


@dataclass(frozen=True)
class Linear(Op):
    """y = x·Wᵀ + b on the last axis: x (…, I), weight (O, I), bias (O,)."""

    arguments: ClassVar = ("x", "weight", "bias")
    optional: ClassVar = ("bias",)

    def infer(self, x: TensorType, weight: TensorType, bias: TensorType | None) -> tuple[TensorType, ...]:
        check_floating(x)
        if len(weight.shape) != 2 or weight.dtype != x.dtype:
            raise ShapeError(f"needs a weight of 2 axes (O, I) in {x.dtype}, got {weight}.")
        outputs, inputs = weight.shape
        if not x.shape or x.shape[-1] != inputs:
            hint = " Flatten the maps first?" if len(x.shape) == 4 else ""
            raise ShapeError(f"needs {inputs} features on the last axis, got shape {x.shape}.{hint}")
        check_parameter("bias", bias, (outputs,), x.dtype)
        return (TensorType((*x.shape[:-1], outputs), x.dtype),)

    def macs(self, x: TensorType, weight: TensorType, bias: TensorType | None) -> int:
        return x.size * weight.shape[0]

    def reference(self, x: Array, weight: Array, bias: Array | None) -> Results:
        return (reference.linear(x, weight, bias),)

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        return ("x",), ("weight", "bias")

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        names = {"x": "weight", "weight": "x"}
        return tuple(names[name] for name in wrt if name in names)

    def reference_backward(
        self, wrt: tuple[str, ...], types: Types, dy: Array, x: Any = None, weight: Any = None
    ) -> Results:
        compute = {
            "x": lambda: reference.linear_backward_data(dy, weight),
            "weight": lambda: reference.linear_backward_weight(dy, x),
            "bias": lambda: reference.linear_backward_bias(dy),
        }
        return tuple(compute[name]() for name in wrt)
