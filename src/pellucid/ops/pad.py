"""Padding: zeros or a constant, replicated edges, reflection, or wrapping round."""

from dataclasses import dataclass
from typing import Any

from pellucid import reference
from pellucid.errors import ParameterError, ShapeError
from pellucid.kernels import resample
from pellucid.kernels.windows import Windows
from pellucid.ops.base import (
    Candidate,
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    check_number,
    present,
)
from pellucid.ops.lowering import Work, not_images
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

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("pad_images", lower=_lower, rejects=_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("pad_images_backward", lower=_lower_backward, rejects=_rejects),)


def _lower(work: Work, op: Pad, types: Types) -> None:
    rows, columns = _windows(op, present(types))
    call = resample.arguments(work.image(0), work.image_result(), rows, columns, work.constant, empty=op.value)
    work.call(*call)


def _lower_backward(work: Work, op: Pad, types: Types) -> None:
    height, wide = present(types).shape[2:]
    rows, columns = _windows(op, present(types))
    tables = rows.transposed(height), columns.transposed(wide)
    work.call(*resample.arguments(work.image(0), work.image_result(), *tables, work.constant))


def _rejects(op: Pad, types: Types) -> str | None:
    reason = not_images(op, types)
    if reason is None and op.padding[:2] != ((0, 0), (0, 0)):
        return f"padding {op.padding}: pads rows and columns only"
    return reason


def _windows(op: Pad, x: TensorType) -> tuple[Windows, Windows]:
    """Tables of the cells that are copied, by rows and by columns."""
    rows, columns = (
        Windows.of(_source(place, size, op.mode) for place in range(-before, size + after))
        for size, (before, after) in zip(x.shape[2:], op.padding[2:], strict=True)
    )
    return rows, columns


def _source(place: int, size: int, mode: str) -> list[int]:
    """Return which cell is copied to a place, counted from the first cell; none in a border of zeros."""
    if 0 <= place < size:
        return [place]
    last = size - 1
    return {
        "zeros": [],
        "replicate": [min(max(place, 0), last)],
        "reflect": [last - abs(last - abs(place))],
        "circular": [place % size],
    }[mode]


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
