"""Exercises on receptive fields; the analysis of a real network answers them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pellucid import nn
from pellucid.analysis.summary import summary
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.forms import Number
from pellucid.lessons.exercises.records import Exercise

_SIDE = 96
"""Rows and columns of an image that is larger than every field asked for."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with a window: a convolution, or max pooling."""

    kernel: int
    stride: int = 1
    dilation: int = 1
    pools: bool = False

    @property
    def extent(self) -> int:
        """Cells from the first that the window reads to the last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def words(self) -> str:
        """Name the layer."""
        if self.pools:
            return f"a {self.kernel}×{self.kernel} max pooling of stride {self.stride}"
        more = f" of stride {self.stride}" if self.stride > 1 else ""
        more += f" of dilation {self.dilation}" if self.dilation > 1 else ""
        return f"a {self.kernel}×{self.kernel} convolution{more}"

    def made(self) -> nn.Module:
        """Make the layer."""
        if self.pools:
            return nn.MaxPool2d(self.kernel, self.stride)
        return nn.Conv2d(1, 1, self.kernel, self.stride, dilation=self.dilation)


_KINDS = (Layer(3), Layer(5), Layer(3), Layer(3, 2), Layer(5, 2), Layer(2, 2, pools=True), Layer(3, dilation=2))


def field(seed: int) -> Exercise:
    """Ask for the receptive field of a stack of layers."""
    chance = Chance("field", seed)
    layers = [chance.one(_KINDS) for _ in range(chance.number(2, 4))]
    found = summary(nn.Sequential(*[layer.made() for layer in layers]), (1, _SIDE, _SIDE)).layers
    question = (
        f"An image goes through {', then '.join(layer.words for layer in layers)}. How many pixels wide is the "
        "receptive field of one cell of the last map?"
    )
    steps = "; then ".join(next(one.text for one in layer.formulas if one.of == "field") for layer in found)
    if any(layer.stride > 1 for layer in layers[:-1]):
        steps += " (the jump is the pixels from one cell to the next)"
    hint = "Each layer adds (kernel − 1) times the strides of all layers before it."
    last = found[-1].field
    assert last is not None
    assert last.size is not None
    return Exercise("field", seed, question, Number.of(int(last.size[0]), f"{steps}.", hint, _mistakes(layers)))


def _mistakes(layers: Sequence[Layer]) -> Iterator[tuple[float, str]]:
    extents, strides = [layer.extent for layer in layers], [layer.stride for layer in layers]
    if max(layer.dilation for layer in layers) > 1:
        kernels = [layer.kernel for layer in layers]
        yield _grown(kernels, strides), "A dilated kernel spans more than its cells: dilation · (kernel − 1) + 1."
    yield _grown(extents, [1] * len(layers)), "A stride spreads everything after it: later layers count in its steps."
    yield _grown(extents, strides, own=True), "A stride counts for the layers after it, not for its own."
    yield sum(extents), "Neighbouring windows overlap: each layer after the first adds its kernel less 1."
    yield math.prod(extents), "Windows overlap, so fields do not multiply: each layer adds to the field."
    yield extents[-1], "That is the last kernel in cells of the map before it; follow it back to the pixels."
    yield (extents[-1] - 1) * math.prod(strides[:-1]) + 1, "The kernels of the earlier layers add to it, too."
    yield math.prod(strides), "Those are the pixels from one cell's field to the next one's; the field itself is wider."


def _grown(extents: Sequence[int], strides: Sequence[int], own: bool = False) -> int:
    size, jump = 1, 1
    for extent, stride in zip(extents, strides, strict=True):
        size += (extent - 1) * jump * (stride if own else 1)
        jump *= stride
    return size
