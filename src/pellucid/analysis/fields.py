"""How far every layer sees: the size of its receptive field, from field to field, and where the first one lies.

Along an axis, cell i of a map sees the pixels around ``centre + i · jump``, ``size`` of them, the padding included. A
window of extent k and stride s on such a map makes ``size + (k − 1) · jump`` and ``jump · s``; where paths meet, the
field is the hull of theirs. What :func:`pellucid.analysis.receptive_field.input_box` says of one cell is exact at
the borders, too; this is what holds for every cell in between, and costs nothing, however large the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from pellucid import ops
from pellucid.analysis.receptive_field import keeps_places, plane_axes
from pellucid.geometry import Axis, TransposedAxis
from pellucid.graph import Graph, Node, Value
from pellucid.types import Pair

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Reach:
    """What the cells of one axis see: ``size`` pixels around ``centre + i · jump``, counted from the first's middle.

    >>> Reach().through(Axis(kernel=7, stride=2, before=3, after=3))
    Reach(size=7, jump=2, centre=Fraction(0, 1))
    """

    size: Number = 1
    jump: Number = 1
    centre: Number = 0

    def through(self, axis: Axis | TransposedAxis) -> Reach:
        """Look through a window."""
        if isinstance(axis, Axis):
            middle = Fraction(axis.extent - 1, 2) - axis.before
            size = self.size + (axis.extent - 1) * self.jump
            return Reach(_whole(size), _whole(self.jump * axis.stride), self.centre + middle * self.jump)
        middle = (axis.before - Fraction(axis.extent - 1, 2)) / axis.stride
        size = self.size + (_stamped(axis) - 1) * self.jump
        return Reach(_whole(size), _whole(Fraction(self.jump) / axis.stride), self.centre + middle * self.jump)

    def moved(self, cells: int) -> Reach:
        """Begin so many cells later."""
        return Reach(self.size, self.jump, self.centre + cells * self.jump)

    def resized(self, old: int, new: int, taps: int) -> Reach:
        """Scale from ``old`` cells to ``new``, each a mixture of so many neighbours."""
        scale = Fraction(old, new)
        size = self.size + (taps - 1) * self.jump
        return Reach(_whole(size), _whole(self.jump * scale), self.centre + (scale - 1) / 2 * self.jump)

    def joined(self, other: Reach) -> Reach | None:
        """Return the hull of two fields; None where they drift apart from cell to cell."""
        if self.jump != other.jump:
            return None
        first = min(self.centre - Fraction(self.size) / 2, other.centre - Fraction(other.size) / 2)
        last = max(self.centre + Fraction(self.size) / 2, other.centre + Fraction(other.size) / 2)
        return Reach(_whole(last - first), self.jump, (first + last) / 2)


@dataclass(frozen=True, slots=True)
class Field:
    """What every cell of a layer sees: (rows, columns), or None where each sees the whole image."""

    reaches: tuple[Reach, Reach] | None

    @property
    def size(self) -> tuple[Number, Number] | None:
        """Pixels, the padding included."""
        return self.reaches and (self.reaches[0].size, self.reaches[1].size)

    @property
    def jump(self) -> tuple[Number, Number] | None:
        """Pixels from one cell's field to the next one's."""
        return self.reaches and (self.reaches[0].jump, self.reaches[1].jump)

    @property
    def centre(self) -> tuple[Number, Number] | None:
        """Where the middle of the first cell's field lies, from the middle of the first pixel."""
        return self.reaches and (self.reaches[0].centre, self.reaches[1].centre)


WHOLE = Field(None)
_PIXEL = Field((Reach(), Reach()))


def fields(graph: Graph) -> dict[str, Field]:
    """Return the field of every value that depends on the graph's first input, by name.

    >>> import pellucid.nn as nn
    >>> net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3))
    >>> [field.size for field in fields(net.graph((1, 1, 28, 28))).values()]
    [(1, 1), (3, 3), (5, 5), (9, 9)]
    """
    found, axes = dict[str, Field](), plane_axes(graph)
    first = next(iter(graph.inputs.values()), None)
    if first is not None:
        found[first.name] = _PIXEL if first.ndim == 4 else WHOLE
    for node in graph.nodes:
        seen = [
            _behind(node, index, source, found[source.name], axes)
            for index, source in enumerate(node.inputs)
            if source is not None and source.name in found
        ]
        if seen:
            field = seen[0]
            for other in seen[1:]:
                field = _hull(field, other)
            found |= {value.name: field for value in node.outputs}
    return found


def _behind(node: Node, index: int, source: Value, field: Field, axes: Mapping[str, Pair]) -> Field:
    """Return what a node's cells see through one of its inputs."""
    ours, theirs = axes.get(node.outputs[0].name), axes.get(source.name)
    if field.reaches is None or ours is None or theirs is None:
        return WHOLE
    rows, columns = (_along(node, index, source, ours[i], theirs[i], field.reaches[i]) for i in (0, 1))
    return Field((rows, columns)) if rows and columns else WHOLE


def _along(node: Node, index: int, source: Value, axis: int, old: int, reach: Reach) -> Reach | None:
    """Follow one axis through a node; None where every cell sees all."""
    op, size, result = node.op, source.shape[old], node.outputs[0].shape[axis]
    window = None if isinstance(op, ops.AdaptiveAvgPool2d) and result == 1 else op.window(*node.types)
    if window is not None and index == 0:
        return reach.through(window.rows if axis == 2 else window.columns)
    if isinstance(op, ops.Pad):
        return reach.moved(-op.padding[axis][0])
    if isinstance(op, ops.Slice) and op.axis == axis:
        return reach.moved(op.start)
    if isinstance(op, ops.PixelUnshuffle):
        return reach.through(Axis(size // result, size // result))
    if isinstance(op, ops.Resize | ops.PixelShuffle):
        is_mixed = isinstance(op, ops.Resize) and op.mode == "bilinear" and size != result
        return reach.resized(size, result, 2 if is_mixed else 1)
    return reach if size == result and keeps_places(node, axis) else None


def _hull(one: Field, other: Field) -> Field:
    if one.reaches is None or other.reaches is None:
        return WHOLE
    rows, columns = (a.joined(b) for a, b in zip(one.reaches, other.reaches, strict=True))
    return Field((rows, columns)) if rows and columns else WHOLE


def _stamped(axis: TransposedAxis) -> int:
    """How many cells lie between the first and the last that stamp one output cell, at most, both included."""
    spans = [axis.inputs(cell) for cell in range(axis.extent, axis.extent + axis.stride)]
    return max((cells[-1] - cells[0] + 1 for cells in spans if cells), default=1)


def _whole(number: Number) -> Number:
    """Write a fraction that is a whole number as one."""
    return int(number) if Fraction(number).denominator == 1 else number


def covers(field: Field, image: Pair) -> bool:
    """Whether a field is at least as large as the image."""
    return field.size is None or all(size >= extent for size, extent in zip(field.size, image, strict=True))
