"""Resizing of maps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

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
    check_rank,
    present,
)
from pellucid.ops.lowering import Work, not_images
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

    def sources(self, x: TensorType, axis: int, cell: int) -> list[int]:
        """Return the old cells that a new one is mixed from, along the rows (axis 0) or columns (axis 1)."""
        windows = _windows(self, x)[axis]
        first, last = windows.table[cell : cell + 2]
        return [int(windows.table[place]) for place in range(first, last) if windows.weights[place] > 0]

    def reference(self, x: Array) -> Results:
        if self.mode == "nearest":
            return (reference.resize_nearest(x, size=self.size),)
        return (reference.resize_bilinear(x, size=self.size, align_corners=self.align_corners),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **_: Any) -> Results:
        shape = present(types).shape
        if self.mode == "nearest":
            return (reference.resize_nearest_backward(dy, shape, size=self.size),)
        return (reference.resize_bilinear_backward(dy, shape, size=self.size, align_corners=self.align_corners),)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("resize", lower=_lower, rejects=not_images),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("resize_backward", lower=_lower_backward, rejects=not_images),)


def _lower(work: Work, op: Resize, types: Types) -> None:
    rows, columns = _windows(op, present(types))
    work.call(*resample.arguments(work.image(0), work.image_result(), rows, columns, work.constant))


def _lower_backward(work: Work, op: Resize, types: Types) -> None:
    height, wide = present(types).shape[2:]
    rows, columns = _windows(op, present(types))
    tables = rows.transposed(height), columns.transposed(wide)
    work.call(*resample.arguments(work.image(0), work.image_result(), *tables, work.constant))


def _windows(op: Resize, x: TensorType) -> tuple[Windows, Windows]:
    """Tables of the old cells that a new one is mixed from, by rows and by columns."""
    if op.mode == "nearest":
        rows, columns = (_nearest(old, new) for old, new in zip(x.shape[2:], op.size, strict=True))
    else:
        rows, columns = (_bilinear(old, new, op.align_corners) for old, new in zip(x.shape[2:], op.size, strict=True))
    return rows, columns


def _nearest(old: int, new: int) -> Windows:
    """Floor(i · old / new), the product rounded to float32, as PyTorch does."""
    cells = np.floor(np.arange(new, dtype=np.float32) * (np.float32(old) / np.float32(new))).astype(int)
    return Windows.of([cell] for cell in np.minimum(cells, old - 1).tolist())


def _bilinear(old: int, new: int, align_corners: bool) -> Windows:
    """Both neighbours, by distance: corners map to corners, or the images' edges to each other."""
    if align_corners:
        places = np.arange(new) * ((old - 1) / max(1, new - 1))
    else:
        places = np.maximum((np.arange(new) + 0.5) * (old / new) - 0.5, 0)
    first = np.minimum(places.astype(int), old - 1)
    second = np.minimum(first + 1, old - 1)
    share = (places - first).astype(np.float32)
    return Windows.of(np.stack([first, second], 1).tolist(), np.stack([1 - share, share], 1).tolist())
