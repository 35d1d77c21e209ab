"""Resizing of maps."""

from dataclasses import dataclass
from typing import Any

from pellucid import reference
from pellucid.errors import ParameterError, ShapeError
from pellucid.ops.base import Op, Results, Types, check_choice, check_floating, check_integers, check_rank, present
from pellucid.types import Array, Pair, TensorType


@dataclass(frozen=True)
class Resize(Op):
    """Scale maps to ``size`` (rows, columns), by the nearest cell or bilinearly."""

    size: Pair
    mode: str = "nearest"
    align_corners: bool = False

    def __post_init__(self) -> None:
        check_integers(self, "size", self.size, minimum=1)
        check_choice(self, "mode", self.mode, ("nearest", "bilinear"))
        check_choice(self, "align_corners", self.align_corners, (False, True))
        if self.align_corners and self.mode == "nearest":
            raise ParameterError("The 'align_corners' parameter of Resize must be False in mode 'nearest'; got True.")

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_rank(x, 4)
        check_floating(x)
        if 0 in x.shape[2:]:
            raise ShapeError(f"cannot resize an empty plane; got shape {x.shape}.")
        return (TensorType((*x.shape[:2], *self.size), x.dtype),)

    def reference(self, x: Array) -> Results:
        if self.mode == "nearest":
            return (reference.resize_nearest(x, size=self.size),)
        return (reference.resize_bilinear(x, size=self.size, align_corners=self.align_corners),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **_: Any) -> Results:
        shape = present(types).shape
        if self.mode == "nearest":
            return (reference.resize_nearest_backward(dy, shape, size=self.size),)
        return (reference.resize_bilinear_backward(dy, shape, size=self.size, align_corners=self.align_corners),)
