"""The dense layer's matrix product."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.kernels import linear
from pellucid.kernels.program import Buffer
from pellucid.ops.base import Candidate, Op, Results, Types, check_floating, check_parameter, present
from pellucid.ops.lowering import NOTHING, Epilogue, Work, not_float32
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

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("linear", rejects=_rejects, lower=lower_linear, fuses=True),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        if wrt == ("x",):
            return (Candidate("linear_backward_data", rejects=_rejects, lower=_lower_backward_data),)
        return (Candidate("linear_backward_weight", rejects=_rejects, lower=partial(_lower_backward_weight, wrt)),)

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


_PART = 500_000
"""Multiply-adds of a part."""


def _rejects(op: Linear, types: Types) -> str | None:
    if len(present(types).shape) != 2:
        return f"{len(present(types).shape)} axes: multiplies rows of a batch"
    return not_float32(op, types)


def lower_linear(work: Work, op: Linear, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower the product; an epilogue may cut values off."""
    x, y = work.image(0), work.image_result()
    (rows, depth), outputs = x.shape, y.shape[1]
    bias = work.given(2) and work.plain(2)
    run = max(4, min(-(-outputs // 4), _PART // max(1, rows * depth)) // 4 * 4)
    work.call(
        linear.forward(), -(-outputs // run), x, work.plain(1), bias or y, int(bias is not None), y, epilogue.low,
        epilogue.high, rows,
        x.pixel, depth, outputs, y.pixel, run, scratch=16,
    )  # fmt: skip


def _lower_backward_data(work: Work, op: Linear, types: Types) -> None:
    dy, dx = work.image(0), work.image_result()
    (rows, outputs), inputs = dy.shape, dx.shape[1]
    _product(work, dy, dy.pixel, 1, work.plain(1), inputs, dx, dx.pixel, outputs, rows, inputs)


def _lower_backward_weight(wrt: tuple[str, ...], work: Work, op: Linear, types: Types) -> None:
    dy = work.image(0)
    rows, outputs = dy.shape
    if "weight" in wrt:
        x, dweight = work.image(1), work.plain_result(wrt.index("weight"))
        _product(work, dy, 1, dy.pixel, x, x.pixel, dweight, x.shape[1], rows, outputs, x.shape[1])
    if "bias" in wrt:
        dbias = work.plain_result(wrt.index("bias"))
        work.call(linear.sum_rows, -(-outputs // 64), dy, dbias, rows, dy.pixel, outputs)


def _product(
    work: Work, a: Buffer, a_row: int, a_step: int, b: Buffer, b_step: int, c: Buffer, c_row: int, depth: int,
    height: int, columns: int,
) -> None:  # fmt: skip
    across = max(64, min(columns, 512) // 64 * 64)
    down = max(8, _PART // (max(1, depth) * across) // 8 * 8)
    parts = -(-height // down) * -(-columns // across)
    work.call(
        linear.product(), parts, a, a_row, a_step, b, b_step, c, c_row, depth, height, columns, down, across
    )  # fmt: skip
