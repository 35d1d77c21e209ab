"""Padding: zeros or a constant, replicated edges, reflection, or wrapping round."""

from dataclasses import dataclass
from typing import Any

from pellucid import reference
from pellucid.errors import ParameterError, ShapeError
from pellucid.ops.base import (
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    check_number,
    present,
)
from pellucid.types import Array, Pair, Shape, TensorType

BORDERS = ("zeros", "replicate", "reflect", "circular")


@dataclass(frozen=True)
class Pad(Op):
    """Put a border round an array: (before, after) cells for each axis.

    ``value`` fills the border in mode "zeros".
    """

    padding: tuple[Pair, ...]
    mode: str = "zeros"
    value: float = 0.0

    def __post_init__(self) -> None:
        check_integers(self, "padding", self.padding, minimum=0, shape=(-1, 2))
        check_choice(self, "mode", self.mode, BORDERS)
        check_number(self, "value", self.value)
        if self.value and self.mode != "zeros":
            raise ParameterError(f"The 'value' parameter of Pad must be 0 in mode {self.mode!r}; got {self.value}.")

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_floating(x)
        if len(self.padding) != len(x.shape):
            raise ShapeError(f"needs one (before, after) per axis of {x}, got {len(self.padding)} pairs.")
        check_border(self.mode, self.padding, x.shape)
        shape = tuple(size + sum(pair) for size, pair in zip(x.shape, self.padding, strict=True))
        return (TensorType(shape, x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.pad(x, self.padding, mode=self.mode, value=self.value),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **_: Any) -> Results:
        return (reference.pad_backward(dy, present(types).shape, self.padding, mode=self.mode),)


def check_border(mode: str, padding: tuple[Pair, ...], shape: Shape) -> None:
    """Refuse a border wider than the input can fill: reflection repeats no edge, wrapping goes round once."""
    for size, (before, after) in zip(shape, padding, strict=True):
        widest = max(before, after)
        limit = {"reflect": size - 1, "circular": size}.get(mode, widest)
        if widest > limit:
            raise ShapeError(
                f"pads {widest} cells in mode {mode!r}, but an input of {size} allows at most {max(limit, 0)}; "
                "use less padding or mode 'replicate'."
            )
        if widest and not size and mode != "zeros":
            raise ShapeError(f"cannot pad an empty axis; got shape {shape}.")
