"""Whether layers follow a shift of the image: convolutions do, and what is sampled in steps does in such steps only.

A layer is equivariant to shifts where f(shift x) = shift f(x). Its cells lie ``jump`` pixels apart; so an image moved
by s pixels should move the map by s / jump cells. Where that is no whole number, the map is read between its cells,
linearly, which is what a map without aliasing would come near to. Compared are only cells that see neither padding nor
what came in at the image's edge, before and after: for them a convolution of stride 1 makes no error at all.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from pellucid import ops
from pellucid.analysis.fields import Number, Reach, fields
from pellucid.analysis.receptive_field import plane_axes
from pellucid.explain.shifts.conditions import moved
from pellucid.graph import Graph, Node, Plan, Value
from pellucid.nn import Module
from pellucid.nn.functional import apply
from pellucid.types import Array

SHIFTS = tuple(range(1, 9))
"""Pixels, to the right."""

_BYTES = 2**26
"""Of the maps of one batch."""


@dataclass(frozen=True)
class LayerError:
    """How far a layer is from following a shift by each of :data:`SHIFTS`: ‖f(shift x) − shift f(x)‖ / ‖shift f(x)‖.

    ``jump`` is the pixels from one cell to the next along a row. None where no cell can be compared, because its field
    and the shift take the whole image.
    """

    layer: str
    op: str
    jump: Number
    errors: tuple[float | None, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"layer": self.layer, "op": self.op, "jump": _plain(self.jump), "errors": list(self.errors)}


@dataclass(frozen=True)
class Pooling:
    """What a max pooling leaves unchanged when the map that enters it moves by 1, 2, … cells, up to its window's side.

    ``unchanged`` is the share of pooled cells that keep their number exactly; ``live`` the share of those that are not
    0 both before and after; ``entering`` the same as ``live`` for the map that enters: what would be left without
    pooling. ``maps`` is the share of pooled planes, of those that are not 0 everywhere, of which no cell changes. None
    where there is nothing to count. ``jump`` says how many pixels of the image a cell of the entering map is wide.
    """

    layer: str
    side: int
    stride: int
    jump: Number
    unchanged: tuple[float | None, ...]
    live: tuple[float | None, ...]
    entering: tuple[float | None, ...]
    maps: tuple[float | None, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        shares = {name: list(getattr(self, name)) for name in ("unchanged", "live", "entering", "maps")}
        sizes = {"side": self.side, "stride": self.stride, "jump": _plain(self.jump)}
        return {"layer": self.layer, **sizes, "moved": list(range(1, self.side + 1)), **shares}


def _plain(number: Number) -> int | float:
    return number if isinstance(number, int) else float(number)


class _Share:
    """Counts what is so among what might be."""

    def __init__(self) -> None:
        self.found = self.of = 0

    def add(self, is_so: Array, counted: Array | None = None) -> None:
        self.found += int((is_so if counted is None else is_so & counted).sum())
        self.of += is_so.size if counted is None else int(counted.sum())

    @property
    def value(self) -> float | None:
        return self.found / self.of if self.of else None


@dataclass(frozen=True)
class _Plane:
    """A node whose result is a plane, and what its columns see."""

    node: Node
    name: str
    reach: Reach

    @property
    def value(self) -> Value:
        return self.node.outputs[0]

    def compared(self, shift: int, wide: int) -> tuple[range, int, float]:
        """Return the columns that can be compared, and where in the unmoved map: so many whole cells and a part."""
        cells = Fraction(shift) / Fraction(self.reach.jump)
        whole = math.floor(cells)
        furthest = math.ceil(cells)
        half = Fraction(self.reach.size - 1) / 2
        columns = [
            column
            for column in range(furthest, self.value.shape[3])
            if self.reach.centre + (column - furthest) * self.reach.jump >= half
            and self.reach.centre + column * self.reach.jump + half <= wide - 1
        ]
        return range(columns[0], columns[-1] + 1) if columns else range(0), whole, float(cells - whole)


def equivariance(net: Module, inputs: Array) -> tuple[tuple[LayerError, ...], tuple[Pooling, ...]]:
    """Measure every layer that has a plane, and every max pooling, on inputs (N, C, H, W) of a network.

    >>> import pellucid.nn as nn
    >>> net = nn.Sequential({"pool": nn.MaxPool2d(2)})
    >>> image = np.random.default_rng(0).random((1, 1, 2, 24), np.float32)
    >>> layers, poolings = equivariance(net, image)
    >>> [round(error, 2) for error in layers[0].errors]
    [0.3, 0.0, 0.31, 0.0, 0.33, 0.0, 0.34, 0.0]
    """
    with net.evaluating():
        graph = net.graph((1, *inputs.shape[1:]))
        planes = list(_planes(graph))
        pools = [plane for plane in planes if isinstance(plane.node.op, ops.MaxPool2d)]
        names = {plane.value.name: plane.value for plane in planes}
        names |= {_entering(pool).name: _entering(pool) for pool in pools}
        per_image = sum(value.type.nbytes for value in names.values())
        running = _Running(net, tuple(names), max(1, _BYTES // max(1, per_image)))
        squares = {(plane.name, shift): np.zeros(2) for plane in planes for shift in SHIFTS}
        counts = {pool.name: _PoolCounts(pool) for pool in pools}
        for batch, maps in running.batches(inputs):
            for pool in pools:
                counts[pool.name].add(maps[_entering(pool).name], maps[pool.value.name])
            for shift in SHIFTS:
                after = running(moved(batch, shift))
                for plane in planes:
                    pair = maps[plane.value.name], after[plane.value.name]
                    squares[plane.name, shift] += _squares(plane, shift, batch.shape[3], *pair)
    errors = (
        LayerError(
            plane.name, plane.node.op.kind, plane.reach.jump,
            tuple(_ratio(squares[plane.name, shift], plane.compared(shift, inputs.shape[3])[0]) for shift in SHIFTS),
        )
        for plane in planes
    )  # fmt: skip
    return tuple(errors), tuple(count.result() for count in counts.values())


def _squares(plane: _Plane, shift: int, wide: int, before: Array, after: Array) -> Array:
    """Return Σ (f(shift x) − shift f(x))² and Σ (shift f(x))² over the cells that can be compared."""
    columns, whole, part = plane.compared(shift, wide)
    if not columns:
        return np.zeros(2)
    expected = before[..., columns.start - whole : columns.stop - whole].astype(np.float64)
    if part:
        further = before[..., columns.start - whole - 1 : columns.stop - whole - 1]
        expected = (1 - part) * expected + part * further
    return np.array([((after[..., columns.start : columns.stop] - expected) ** 2).sum(), (expected**2).sum()])


def _ratio(squares: Array, columns: Sequence[int]) -> float | None:
    difference, norm = squares
    if not columns or (not norm and difference):
        return None
    return math.sqrt(difference / norm) if norm else 0.0


def _planes(graph: Graph) -> Iterator[_Plane]:
    """Yield the nodes whose results are planes of several columns, of which each sees a part of the image."""
    seen, axes = fields(graph), plane_axes(graph)
    names: dict[str, str] = {}
    for path, value in graph.layers.items():  # a layer of several operations goes by its own name
        names[value.name] = max(names.get(value.name, ""), path, key=len)
    for node in graph.nodes:
        value = node.outputs[0]
        field = seen.get(value.name)
        if field is not None and field.reaches is not None and axes.get(value.name) == (2, 3) and value.shape[3] > 1:
            yield _Plane(node, names.get(value.name, node.name), field.reaches[1])


def _entering(pool: _Plane) -> Value:
    value = pool.node.inputs[0]
    assert value is not None
    return value


class _Running:
    """Runs a network on batches of inputs and returns the values of some names."""

    def __init__(self, net: Module, names: tuple[str, ...], size: int) -> None:
        self.net, self.names, self.size = net, names, size
        self._plans: dict[int, Plan] = {}

    def batches(self, inputs: Array) -> Iterator[tuple[Array, Mapping[str, Array]]]:
        """Yield parts of the inputs with their values."""
        for first in range(0, len(inputs), self.size):
            batch = inputs[first : first + self.size]
            yield batch, self(batch)

    def __call__(self, batch: Array) -> Mapping[str, Array]:
        plan = self._plans.get(len(batch))
        if plan is None:
            plan = self._plans[len(batch)] = Plan(self.net.graph(batch.shape), keep=self.names)
        return plan.run({next(iter(plan.graph.inputs)): batch, **self.net.arrays()})


class _PoolCounts:
    """Moves the maps that enter a max pooling, and counts what does not change."""

    def __init__(self, pool: _Plane) -> None:
        self.pool = pool
        self.window = pool.node.op.window(*pool.node.types)
        assert self.window is not None
        self.axis = self.window.columns
        self.side = self.axis.extent
        self.shares = [[_Share() for _ in range(4)] for _ in range(self.side)]

    def add(self, entering: Array, pooled: Array) -> None:
        """Count a batch of maps and what was pooled from them."""
        for cells, (unchanged, live, without, maps) in enumerate(self.shares, 1):
            changed = moved(entering, cells)
            whole = [
                column
                for column in range(pooled.shape[3])
                if self.axis.inputs(column)[0] >= cells and self.axis.inputs(column)[-1] < entering.shape[3]
            ]
            if not whole:
                continue
            before, after = pooled[..., whole], apply(self.pool.node.op, changed)[..., whole]
            same, is_live = before == after, (before != 0) | (after != 0)
            unchanged.add(same)
            live.add(same, is_live)
            maps.add(same.all(axis=(2, 3)), is_live.any(axis=(2, 3)))
            old, new = entering[..., cells:], changed[..., cells:]
            without.add(old == new, (old != 0) | (new != 0))

    def result(self) -> Pooling:
        """Return the shares."""
        columns = tuple(zip(*[[share.value for share in shares] for shares in self.shares], strict=True))
        jump = Fraction(self.pool.reach.jump) / self.axis.stride
        whole = int(jump) if jump.denominator == 1 else jump
        return Pooling(self.pool.name, self.side, self.axis.stride, whole, *columns)
