"""Exercises on sizes, parameters and multiply-adds; the analysis of a real layer answers them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from pellucid import nn
from pellucid.analysis.summary import LayerSummary, summary
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.forms import Number
from pellucid.lessons.exercises.records import Exercise
from pellucid.nn.random import skip_init

_Mistakes = Iterator[tuple[float | Fraction, str]]


@dataclass(frozen=True, slots=True)
class _Windows:
    """A window of ``kernel`` cells, ``dilation`` apart, in steps of ``stride`` over ``size`` cells and padding."""

    size: int
    kernel: int
    padding: int
    stride: int
    dilation: int

    def layer(self, kind: str) -> nn.Module:
        """Make the layer."""
        if kind == "convolution":
            return nn.Conv2d(1, 1, self.kernel, self.stride, self.padding, self.dilation)
        return nn.MaxPool2d(self.kernel, self.stride, self.padding, self.dilation)


def size(seed: int) -> Exercise:
    """Ask for the rows of a layer's output."""
    chance = Chance("size", seed)
    kind = chance.one(["convolution", "convolution", "max pooling"])
    kernel = chance.one([2, 3]) if kind == "max pooling" else chance.one([3, 3, 5, 7])
    dilation = chance.one([1, 1, 2]) if kind == "convolution" and kernel == 3 else 1
    padding = chance.number(0, kernel // 2)
    stride = chance.one([2, 2, 3]) if kind == "max pooling" else chance.one([1, 2, 2, 3])
    sliding = _Windows(chance.number(11, 64), kernel, padding, stride, dilation)
    found = summary(sliding.layer(kind), (1, sliding.size, sliding.size)).layers[-1]
    dilated = f", dilation {dilation}" if dilation > 1 else ""
    question = (
        f"A {kind} with a {kernel}×{kernel} kernel, padding {padding} on every side and stride {stride}{dilated} "
        f"slides over {sliding.size}×{sliding.size} cells. How many rows does its output have?"
    )
    hint = "Take the size, add the padding of both sides, take the kernel off, divide by the stride, round down, add 1."
    return Exercise(
        "size", seed, question, Number.of(found.output[1], _formula(found, "size"), hint, _of_size(sliding))
    )


def _of_size(given: _Windows) -> _Mistakes:
    n, k, p, s, d = given.size, given.kernel, given.padding, given.stride, given.dilation
    extent = d * (k - 1) + 1
    slack = n + 2 * p - extent
    right = slack // s + 1
    yield Fraction(slack, s) + 1, "A window that does not fit as a whole is left out: round down before you add 1."
    yield -(-slack // s) + 1, "You rounded up: the last window would hang over the edge and is left out. Round down."
    yield (n + p - extent) // s + 1, "Padding lies on both sides, so it counts twice."
    if p:
        yield (n - extent) // s + 1, "You left out the padding; it lies on both sides."
    if d > 1:
        yield (n + 2 * p - k) // s + 1, f"Dilation spreads the kernel: its {k} cells span {extent}."
    yield slack // s, "The first window counts, too: add 1."
    if s > 1:
        yield slack + 1, f"With a stride of {s} only every {_nth(s)} window is computed."
    yield n // s, "The stride alone does not settle it: kernel and padding count, too."
    yield n, "It keeps its size only where padding makes up for the kernel and the stride is 1."
    yield right * right, "That is the number of cells in all; the rows alone were asked for."


def parameters(seed: int) -> Exercise:
    """Ask for the parameters of a layer."""
    chance = Chance("parameters", seed)
    if chance.number(1, 6) == 1:
        return _dense(seed, chance)
    before, after = chance.one([1, 3, 3, 6, 8, 16, 32]), chance.one([4, 6, 8, 10, 16, 32, 64])
    kernel, side, has_bias = chance.one([1, 3, 3, 5, 5, 7]), chance.one([14, 28, 32]), chance.number(1, 4) > 1
    groups = 2 if before % 2 == 0 and after % 2 == 0 and chance.number(1, 4) == 1 else 1
    with skip_init():
        layer = nn.Conv2d(before, after, kernel, padding=kernel // 2, groups=groups, bias=has_bias)
    found = summary(layer, (before, side, side)).layers[-1]
    grouped = f" in {groups} groups" if groups > 1 else ""
    question = (
        f"A convolution makes {after} maps from {before} channel{'s' * (before > 1)} of {side}×{side} cells with "
        f"{kernel}×{kernel} kernels{grouped} {'and biases' if has_bias else 'and no biases'}. How many parameters has "
        "it?"
    )
    hint = "Each filter has a weight for every input channel that it reads and every cell of its kernel."
    mistakes = _of_parameters(before, after, kernel, groups, side, has_bias)
    form = Number.of(found.parameters, _formula(found, "parameters"), hint, mistakes)
    return Exercise("parameters", seed, question, form)


def _of_parameters(before: int, after: int, kernel: int, groups: int, side: int, has_bias: bool) -> _Mistakes:
    inside, bias = before // groups * kernel * kernel, int(has_bias)
    if has_bias:
        yield after * inside, "You left out the biases: one for each filter."
        yield after * inside + 1, "Each filter has a bias of its own, not one for all."
        yield after * inside + before, "Biases belong to the maps that come out, one each."
    else:
        yield after * (inside + 1), "You counted biases; this layer has none."
    if groups > 1:
        yield (
            after * (before * kernel * kernel + bias),
            f"In {groups} groups a filter reads only {before // groups} channels.",
        )
    yield after * (kernel * kernel + bias), "A filter has a kernel for every input channel it reads, not one for all."
    yield inside + bias, f"That is one filter; there are {after}."
    yield before // groups * kernel * kernel + after, f"That is one filter with all biases; there are {after} filters."
    yield after * (before // groups * kernel + bias), "A kernel has rows and columns: square its side."
    yield (
        after * side * side * inside,
        "Those are the multiply-adds: the same weights serve every cell, so count them once.",
    )
    yield (
        after * side * side * (inside + bias),
        "The same weights serve every cell: the size of the maps does not matter.",
    )
    yield before * after * side**4, "That is a dense layer; a convolution shares its weights among all cells."


def _dense(seed: int, chance: Chance) -> Exercise:
    channels, side, units = chance.one([1, 3, 8]), chance.one([7, 14, 28]), chance.one([10, 64, 100, 128])
    with skip_init():
        net = nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, units))
    found = summary(net, (channels, side, side)).layers[-1]
    inputs = channels * side * side
    maps = f"{channels} map{'s' * (channels > 1)}"
    question = (
        f"A dense layer with biases reads {maps} of {side}×{side} cells, flattened, and gives {units} numbers. How "
        "many parameters has it?"
    )
    mistakes = [
        (inputs * units, "You left out the biases: one for each unit."),
        (inputs * units + 1, "Each unit has a bias of its own, not one for all."),
        (side * side * (units + 1), "Every unit reads every cell of every map, and has one bias."),
        (side * side * units + units, "Every unit reads all maps, not one."),
        ((side + 1) * units, "Flattening keeps all cells: rows times columns."),
        (inputs + units, "Each unit has its own weight for every input: multiply."),
    ]
    hint = "Every unit has a weight for each number that comes in, and a bias."
    return Exercise(
        "parameters", seed, question, Number.of(found.parameters, _formula(found, "parameters"), hint, mistakes)
    )


def macs(seed: int) -> Exercise:
    """Ask for the multiply-adds of a convolution."""
    chance = Chance("macs", seed)
    before, after = chance.one([1, 3, 4, 8, 16]), chance.one([4, 8, 10, 16, 32])
    kernel, side, stride = chance.one([1, 3, 3, 5]), chance.one([8, 10, 16, 20, 28, 32]), chance.one([1, 1, 2])
    with skip_init():
        layer = nn.Conv2d(before, after, kernel, stride, kernel // 2)
    found = summary(layer, (before, side, side)).layers[-1]
    question = (
        f"A {kernel}×{kernel} convolution with padding {kernel // 2} and stride {stride} makes {after} maps from "
        f"{before} channel{'s' * (before > 1)} of {side}×{side} cells. How many multiply-adds does one image take? "
        "Biases do not count."
    )
    hint = "Every cell of every map that comes out takes one multiply-add for each weight of its filter."
    rows = found.output[1]
    form = Number.of(found.macs, _macs_worked(found), hint, _of_macs(before, after, kernel, side, rows))
    return Exercise("macs", seed, question, form)


def _macs_worked(found: LayerSummary) -> str:
    channels, rows, columns = found.output
    return f"{_formula(found, 'multiply-adds')}: {channels} maps of {rows}×{columns} cells, each a sum over one filter."


def _of_macs(before: int, after: int, kernel: int, side: int, rows: int) -> _Mistakes:
    weights = before * kernel * kernel
    count = after * rows * rows * weights
    yield 2 * count, "That counts each multiplication and each addition by itself: FLOPs, twice the multiply-adds."
    yield (
        after * side * side * weights,
        "Count the cells that come out, not those that go in: the stride leaves some out.",
    )
    yield after * rows * rows * (weights + 1), "You counted the biases, which were to be left out."
    yield after * rows * rows * kernel * kernel, "Every filter reads all input channels."
    yield rows * rows * weights, f"That is one map; there are {after}."
    yield after * rows * weights, "A map has rows and columns."
    yield after * rows * rows * before * kernel, "A kernel has rows and columns: square its side."
    yield after * weights, "Those are the weights; each is used once for every cell of its map."
    yield after * (weights + 1), "Those are the parameters; each weight is used once for every cell of its map."


def _formula(layer: LayerSummary, of: str) -> str:
    return next(formula.text for formula in layer.formulas if formula.of == of)


def _nth(count: int) -> str:
    return {2: "second", 3: "third"}[count]
