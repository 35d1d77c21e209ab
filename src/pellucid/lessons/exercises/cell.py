"""Exercises on one cell: the sum behind it, worked out by hand as the engine does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pellucid import nn
from pellucid.explain.kernels.gallery import kernel
from pellucid.explain.numbers import factor, number
from pellucid.explain.trace import Trace, trace
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.forms import Number
from pellucid.lessons.exercises.records import KERNEL, MAP, PICTURE, Exercise, grid
from pellucid.lessons.figures.convolve import products
from pellucid.types import Array, Pair

_KERNELS = (
    "vertical-edge", "horizontal-edge", "diagonal-edge", "sobel-x", "sobel-y", "laplacian", "sharpen", "emboss",
)  # fmt: skip
_SIDE = 5
"""Rows and columns of a picture."""
_MOST = 4
"""The largest number in it: small enough for mental arithmetic."""


@dataclass(frozen=True, eq=False)
class _Task:
    """A kernel on a picture, and which cell is asked for; ``shown`` names the layer whose map is given."""

    picture: Array
    weights: Array
    stride: int
    padding: int
    bias: int
    shown: str
    seen: Trace

    def value(self, place: Pair) -> float:
        """Return the engine's number in a cell."""
        return float(self.seen[self.shown].output[0][place])


def cell(seed: int) -> Exercise:
    """Ask for one cell of a map, the picture and the kernel given."""
    chance = Chance("cell", seed)
    kind = chance.one(["plain", "plain", "bias", "padding", "stride", "relu", "max", "average"])
    return _pooled(seed, chance, kind) if kind in ("max", "average") else _convolved(seed, chance, kind)


def _convolved(seed: int, chance: Chance, kind: str) -> Exercise:
    task = _draw(chance, kind)
    place = _place(chance, task, kind)
    at = [(y, x) for y, x in _window(place, task.stride, 3)]
    title = "picture, zeros around it" if task.padding else "picture"
    figure = (
        grid(title, PICTURE, np.pad(task.picture, task.padding), marked=at, border=task.padding),
        grid("kernel", KERNEL, task.weights),
        grid("map", MAP, task.seen[task.shown].output[0], hidden=place),
    )
    settings = [f"stride {task.stride}"] * (task.stride > 1) + ["padding 1 with zeros"] * task.padding
    settings += [f"bias {number(task.bias)}"] * bool(task.bias) + ["ReLU afterwards"] * (task.shown == "relu")
    how = f" ({', '.join(settings)})" if settings else ""
    question = (
        f"The kernel slides over the picture{how}. Which number belongs in row {place[0] + 1}, column {place[1] + 1} "
        "of the map?"
    )
    hint = "Lay the kernel on the marked cells, multiply cell by cell, and add it all up."
    form = Number.of(task.value(place), _worked(task, place), hint, _mistakes(task, place))
    return Exercise("cell", seed, question, form, figure)


def _draw(chance: Chance, kind: str) -> _Task:
    stride, padding = 2 if kind == "stride" else 1, int(kind == "padding")
    bias = chance.one([-3, -2, -1, 1, 2, 3]) if kind in ("bias", "relu") else 0
    picture, weights = chance.picture(_SIDE, _SIDE, 0, _MOST), kernel(chance.one(_KERNELS)).astype(np.float32)
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 3, stride, padding), "relu": nn.ReLU()})
    net.load_state_dict({"conv.weight": weights[None, None], "conv.bias": np.array([bias], np.float32)})
    shown = "relu" if kind == "relu" else "conv"
    return _Task(picture, weights, stride, padding, bias, shown, trace(net, picture[None]))


def _place(chance: Chance, task: _Task, kind: str) -> Pair:
    """Draw a cell: with padding one whose window hangs over the border, with ReLU one that it changes, if there is."""
    rows, columns = task.seen["conv"].shape[1:]
    places = [(y, x) for y in range(rows) for x in range(columns)]
    if kind == "padding":
        places = [(y, x) for y, x in places if y in (0, rows - 1) or x in (0, columns - 1)]
    elif kind == "relu":
        places = [place for place in places if task.seen["conv"].output[0][place] < 0] or places
    elif kind == "stride":
        places = places[1:]  # of the first, no stride can be told
    return chance.one(places)


def _worked(task: _Task, place: Pair) -> str:
    found = task.seen.cell("conv", 0, *place)
    bias = f" + {factor(task.bias)}" if task.bias else ""
    total = f"{products(found)}{bias} = {number(found.explained)}"
    if task.shown == "relu":
        kept = "keeps it" if found.explained > 0 else "makes it 0"
        return f"{total}, and ReLU {kept}."
    return f"{total}."


def _mistakes(task: _Task, place: Pair) -> Iterator[tuple[float, str]]:
    found = task.seen.cell("conv", 0, *place)
    patch, weights = found.patch[0], task.weights
    total = float(found.explained)
    if task.shown == "relu":
        yield total, "That is the sum before ReLU, which makes 0 of what is negative."
    if task.bias:
        yield total - task.bias, f"You left out the bias of {number(task.bias)}."
    flipped = float((patch * weights[::-1, ::-1]).sum()) + task.bias
    yield flipped, "You turned the kernel by 180° first, as mathematics does; layers lay it down as it stands."
    yield float((patch * weights.T).sum()) + task.bias, "You took the kernel's rows for its columns."
    yield float((patch * abs(weights)).sum()) + task.bias, "You left out the minus signs of the kernel."
    yield float(patch.sum()), "You added up the picture's numbers without multiplying them by the kernel's."
    yield -total, "The sign is the other way round."
    values = task.seen[task.shown].output[0]
    for y, x in np.ndindex(values.shape):
        if (y, x) != place:
            yield float(values[y, x]), f"That is the number in row {y + 1}, column {x + 1}: lay the window elsewhere."


def _pooled(seed: int, chance: Chance, kind: str) -> Exercise:
    """Ask for a cell of a pooled map."""
    values = chance.picture(4, 4, 0, 9)
    layer: nn.Module = nn.MaxPool2d(2) if kind == "max" else nn.AvgPool2d(2)
    pooled = trace(nn.Sequential({"pool": layer}), values[None])["pool"].output[0]
    place = chance.one([(0, 0), (0, 1), (1, 0), (1, 1)])
    window = _window(place, 2, 2)
    inside = [float(values[at]) for at in window]
    figure = grid("map", MAP, values, marked=window), grid("pooled", MAP, pooled, hidden=place)
    name = {"max": "Max", "average": "Average"}[kind]
    question = (
        f"{name} pooling with a 2×2 window and stride 2 goes over the map. Which number belongs in row {place[0] + 1}, "
        f"column {place[1] + 1} of the pooled map?"
    )
    written = ", ".join(map(number, inside))
    result = float(pooled[place])
    worked = f"The window holds {written}; the {'largest' if kind == 'max' else 'mean'} is {number(result)}."
    hint = "Only the four marked cells count."
    return Exercise("cell", seed, question, Number.of(result, worked, hint, _of_pooling(kind, inside, pooled)), figure)


def _of_pooling(kind: str, inside: list[float], pooled: Array) -> Iterator[tuple[float, str]]:
    if kind == "max":
        yield sum(inside) / len(inside), "That is the mean; max pooling keeps the largest."
    else:
        yield max(inside), "That is the largest; average pooling takes the mean."
        yield sum(inside) / 2, "Divide by the number of cells, 4, not by the window's side."
    yield sum(inside), "That is the sum of the four cells."
    yield min(inside), "That is the smallest of the four."
    for y, x in np.ndindex(pooled.shape):
        yield float(pooled[y, x]), f"That is the number in row {y + 1}, column {x + 1}: look at another window."


def _window(place: Pair, stride: int, side: int) -> list[Pair]:
    top, left = place[0] * stride, place[1] * stride
    return [(y, x) for y in range(top, top + side) for x in range(left, left + side)]
