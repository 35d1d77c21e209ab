"""Operations that only move numbers, and bilinear resizing, which mixes four.

Where a number came from is asked of the definition itself: it is given an array that holds each cell's own place.
"""

import math
from dataclasses import replace

import numpy as np

from pellucid import ops
from pellucid.explain.cells import rounding
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, counted, mesh, places
from pellucid.ops import Op, Pad, Resize
from pellucid.types import Array

MOVES = (
    *(ops.ChannelShuffle, ops.Concatenate, ops.Dropout, ops.Expand, ops.Flatten, ops.Orientations, ops.Pad),
    *(ops.PixelShuffle, ops.PixelUnshuffle, ops.Reshape, ops.Resize, ops.Slice, ops.Transpose),
)
"""Operations that move numbers; a dropout outside of training, and a resizing by the nearest cell."""

_OUTSIDE = -1


def is_move(op: Op) -> bool:
    """Whether an operation leaves all numbers as they are."""
    if isinstance(op, Resize):
        return op.mode == "nearest"
    return isinstance(op, MOVES) and not getattr(op, "training", False)


def moved(site: Site) -> Arithmetic:
    """Find where a number came from."""
    source = origin(site.op, site.inputs, site.index)
    if source is None:
        assert isinstance(site.op, Pad)
        value = float(site.x.dtype.type(site.op.value))
        return Arithmetic("the border's value", (), (Step("value of the border", "", value),), value, 0.0)
    which, index = source
    found = site.read(places(index), which=which)
    own = Operand(found.layer, found.values, found.where, weights=np.array(1.0))
    value = float(own.values)
    return Arithmetic("moved, not changed", (own,), (Step("the same number", "", value),), value, 0.0)


def origin(op: Op, inputs: tuple[Array | None, ...], index: tuple[int, ...]) -> tuple[int, tuple[int, ...]] | None:
    """Return which input a cell came from, and from where in it; None where it stands on a border of a constant."""
    numbered: list[Array | None] = []
    first = 0
    for array in inputs:
        size = 0 if array is None else array.size
        numbered.append(None if array is None else np.arange(first, first + size).reshape(array.shape))
        first += size
    if isinstance(op, Pad) and op.mode == "zeros":
        op = replace(op, value=_OUTSIDE)
    place = int(op.reference(*numbered)[0][index])
    if place == _OUTSIDE:
        return None
    for which, array in enumerate(inputs):
        if array is not None:
            if place < array.size:
                return which, tuple(int(i) for i in np.unravel_index(place, array.shape))
            place -= array.size
    raise AssertionError("a place of no input")


def resized(site: Site) -> Arithmetic:
    """Weigh the two nearest rows and columns by their distance."""
    op, (n, channel, *place) = site.op, site.index
    assert isinstance(op, Resize)
    cells, shares = [], []
    for axis, cell in enumerate(place):
        seen = sorted(set(op.sources(site.types[0], axis, cell)))  # type: ignore[arg-type]
        cells.append(seen)
        shares.append(_shares(op, site.x, axis, cell, seen))
    weights = np.outer(shares[0].astype(np.float64), shares[1])[None]  # (1, rows, columns)
    found = site.read(mesh(n, [channel], *cells), weights=weights)
    total = float(found.products.sum())
    count = weights.size
    step = Step(f"sum of {counted(count, 'product')}", "", total)
    size = float(abs(found.products).sum())
    bound = rounding.of_sum(found.values, weights) + 4 * rounding.epsilon(site.x.dtype) * size * (count > 1)
    rows, columns = (slice(max(min(seen) - 1, 0), max(seen) + 2) for seen in cells)
    if not np.isfinite(site.x[n, channel, rows, columns]).all():
        bound = math.inf  # a neighbour of weight 0 may be read, too, and 0 · ∞ is NaN
    return Arithmetic("sum of cells × weights", (found,), (step,), total, bound)


def _shares(op: Resize, x: Array, axis: int, cell: int, seen: list[int]) -> Array:
    """Return the weights of some rows or columns in a new one: what it shows when one after the other is 1."""
    size = x.shape[2 + axis]
    ones = np.zeros((1, len(seen), size, 1), x.dtype)
    ones[0, range(len(seen)), seen] = 1
    line = replace(op, size=(op.size[axis], 1))
    return np.asarray(line.reference(ones)[0][0, :, cell, 0])
