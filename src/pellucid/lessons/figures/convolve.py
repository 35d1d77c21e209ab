"""A kernel slides over a picture; ReLU and pooling may follow: all maps, and any cell's sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import nn
from pellucid.errors import ShapeError
from pellucid.explain.cell import Cell
from pellucid.explain.numbers import factor, number
from pellucid.explain.steps.chain import Sliding, sliding_of
from pellucid.explain.steps.images import IMAGES
from pellucid.explain.trace import Trace, trace
from pellucid.geometry import Axis
from pellucid.graph import Node
from pellucid.types import Array, Pair

_WORKED = [[2, 1, 3, 0, 1], [0, 2, 1, 3, 2], [1, 0, 2, 1, 0], [3, 1, 0, 2, 1], [2, 3, 1, 0, 2]]
_SQUARE = np.pad(np.full((3, 3), 9), 2)
_LINES = np.zeros((8, 8), int)
_LINES[1:7, 2] = _LINES[5, 2:7] = 9

PICTURES: dict[str, Array] = {
    "bar": IMAGES["bar"].astype(np.float32),
    "lying-bar": IMAGES["horizontal-bar"].astype(np.float32),
    "worked": np.array(_WORKED, np.float32),
    "step": np.array([[255, 255, 0, 0, 0]] * 5, np.float32),
    "square": _SQUARE.astype(np.float32),
    "lines": _LINES.astype(np.float32),
    "thin-bar": np.pad(np.full((6, 1), 9, np.float32), ((1, 1), (2, 5))),
}
"""Pictures by name; "bar" and "worked" are those of the worked examples in the prose."""

SIDE, KERNEL = 12, 5
"""The most rows and columns of a picture and of a kernel."""
_ITSELF = Axis(kernel=1)
"""What ReLU reads: the cell itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A map of the figure, (H, W), and the rows and columns of the map before it that each of its own reads."""

    name: str
    values: Array
    rows: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Convolved:
    """The maps of a picture, in order; ``sum`` is the arithmetic behind the cell that was asked for, or ""."""

    stages: tuple[Stage, ...]
    sum: str


def convolved(
    picture: Array,
    kernel: Array,
    *,
    stride: int = 1,
    padding: int = 0,
    relu: bool = False,
    pool: int = 0,
    cell: Pair | None = None,
) -> Convolved:
    """Slide a kernel (KH, KW) over a picture (H, W); ``pool`` is the side of max pooling's windows, 0 for none.

    ``cell`` is one of the convolution's. Raises ShapeError where picture or kernel are too large, or nothing comes out.

    >>> found = convolved(PICTURES["worked"], np.float32([[1, 0, -1]] * 3), cell=(0, 0))
    >>> float(found.stages[0].values[0, 0]), found.sum
    (-3.0, '2·1 + 3·(−1) + 0·1 + 1·(−1) + 1·1 + 2·(−1) = −3')
    """
    _check(picture, SIDE, "picture")
    _check(kernel, KERNEL, "kernel")
    layers: dict[str, nn.Module] = {"conv": nn.Conv2d(1, 1, kernel.shape, stride, padding, bias=False)}
    if relu:
        layers["relu"] = nn.ReLU()
    if pool:
        layers["pool"] = nn.MaxPool2d(pool)
    net = nn.Sequential(layers)
    net.load_state_dict({"conv.weight": kernel[None, None].astype(np.float32)})
    seen = trace(net, picture[None].astype(np.float32))
    stages = tuple(_stage(seen, node) for node in seen.graph.nodes)
    return Convolved(stages, "" if cell is None else _sum(seen, stages[0].values.shape, cell))


def _check(values: Array, most: int, what: str) -> None:
    if values.ndim != 2 or not 1 <= min(values.shape) <= max(values.shape) <= most:
        raise ShapeError(
            f"The {what} must have 1 to {most} rows and columns; got shape {values.shape}; use a smaller one."
        )


def _stage(seen: Trace, node: Node) -> Stage:
    values = seen[node.name].output[0]
    slides = node.op.window(*node.types) is not None
    sliding = sliding_of(node) if slides else Sliding(_ITSELF, _ITSELF, values.shape)
    axes = zip((sliding.rows, sliding.columns), values.shape, strict=True)
    rows, columns = (tuple(tuple(axis.inputs(place)) for place in range(count)) for axis, count in axes)
    return Stage(node.name, values, rows, columns)


def _sum(seen: Trace, shape: tuple[int, ...], cell: Pair) -> str:
    y, x = (min(max(place, 0), extent - 1) for place, extent in zip(cell, shape, strict=True))
    found = seen.cell("conv", 0, y, x)
    return f"{products(found)} = {number(found.value)}"


def products(cell: Cell) -> str:
    """Write the products that a cell of a convolution adds up; those with a weight of 0 are left out."""
    pairs = zip(cell.patch.reshape(-1).tolist(), cell.weights.reshape(-1).tolist(), strict=True)
    return " + ".join(f"{number(value)}·{factor(weight)}" for value, weight in pairs if weight) or "0"
