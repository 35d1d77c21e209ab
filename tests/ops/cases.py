"""Strategies for operations that move numbers: an op, its inputs, and the same in PyTorch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import strategies as st

from pellucid import ops
from tests.strategies import Case, seeds, shapes


@dataclass(frozen=True)
class Move:
    """An op, its inputs, the same function of PyTorch."""

    op: ops.Op
    case: Case
    torch_function: Callable[..., torch.Tensor]


def _of(shape, seed):
    return Case({"x": tuple(shape)}, {}, seed)


@st.composite
def reshapes(draw):
    """To another shape of as many cells, one extent perhaps left open, or kept by a 0 in its place."""
    shape = draw(shapes())
    new = list(draw(st.permutations(shape)))
    if draw(st.booleans()):
        new.insert(draw(st.integers(0, len(new))), 1)
    asked: list[Any] = list(new)
    for axis in range(len(new)):
        if axis < len(shape) and new[axis] == shape[axis] and draw(st.booleans()):
            asked[axis] = 0
    if draw(st.booleans()):
        asked[draw(st.integers(0, len(new) - 1))] = -1
    return Move(ops.Reshape(tuple(asked)), _of(shape, draw(seeds)), lambda x: x.reshape(new))


@st.composite
def flattens(draw):
    shape = draw(shapes())
    start = draw(st.integers(0, len(shape) - 1))
    end = draw(st.integers(start, len(shape) - 1))
    end = -1 if end == len(shape) - 1 and draw(st.booleans()) else end
    return Move(ops.Flatten(start, end), _of(shape, draw(seeds)), lambda x: x.flatten(start, end))


@st.composite
def transposes(draw):
    shape = draw(shapes())
    order = tuple(draw(st.permutations(range(len(shape)))))
    return Move(ops.Transpose(order), _of(shape, draw(seeds)), lambda x: x.permute(order))


@st.composite
def slices(draw):
    shape = draw(shapes())
    axis = draw(st.integers(0, len(shape) - 1))
    start = draw(st.integers(0, shape[axis]))
    stop = draw(st.integers(start, shape[axis]))
    return Move(
        ops.Slice(axis, start, stop), _of(shape, draw(seeds)), lambda x: x.narrow(axis, start, stop - start).clone()
    )


@st.composite
def concatenations(draw):
    """One to four parts, some perhaps empty."""
    shape = list(draw(shapes()))
    axis = draw(st.integers(0, len(shape) - 1))
    extents = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    parts = {f"parts{i}": (*shape[:axis], extent, *shape[axis + 1 :]) for i, extent in enumerate(extents)}
    return Move(ops.Concatenate(axis), Case(parts, {}, draw(seeds)), lambda *parts: torch.cat(parts, axis))


@st.composite
def shuffles(draw):
    factor, groups = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    n, c, h, w = (draw(st.integers(1, 3)) for _ in range(4))
    op, shape, function = draw(
        st.sampled_from(
            (
                (ops.PixelShuffle(factor), (n, c * factor**2, h, w), lambda x: F.pixel_shuffle(x, factor)),
                (ops.PixelUnshuffle(factor), (n, c, h * factor, w * factor), lambda x: F.pixel_unshuffle(x, factor)),
                (ops.ChannelShuffle(groups), (n, c * groups, h, w), lambda x: _channel_shuffle(x, groups)),
            )
        )
    )
    return Move(op, _of(shape, draw(seeds)), function)


def _channel_shuffle(x, groups):
    """PyTorch's own has no gradient on every machine."""
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


@st.composite
def expansions(draw):
    """Extents of 1 repeated, missing leading axes added."""
    wide = draw(shapes())
    shape = [extent if draw(st.booleans()) else 1 for extent in wide][draw(st.integers(0, len(wide) - 1)) :]
    return Move(ops.Expand(wide), _of(shape, draw(seeds)), lambda x: x.expand(wide))
