"""A trace read as convolve → ReLU → pool: its three operations, where their windows lie, and its maps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pellucid import ops
from pellucid.analysis.receptive_field import border_source
from pellucid.errors import ParameterError
from pellucid.explain.steps.records import Grid, Rows
from pellucid.explain.steps.words import size_formula
from pellucid.explain.trace import Trace
from pellucid.geometry import Axis
from pellucid.graph import Node
from pellucid.types import Array, Pair


@dataclass(frozen=True, slots=True)
class Sliding:
    """The windows of one layer over a map of ``size``, from ``rows`` and ``columns``."""

    rows: Axis
    columns: Axis
    size: Pair

    @property
    def count(self) -> Pair:
        """Rows and columns of the result."""
        return self.rows.output_size(self.size[0]), self.columns.output_size(self.size[1])

    def cells(self, target: Pair) -> tuple[Pair, ...]:
        """Cells that a window covers, row by row, those of the border included."""
        return tuple((y, x) for y in self.rows.inputs(target[0]) for x in self.columns.inputs(target[1]))

    def unseen(self) -> frozenset[Pair]:
        """Cells of map and border that no window covers."""
        seen = [
            {cell for place in range(count) for cell in axis.inputs(place)}
            for axis, count in zip((self.rows, self.columns), self.count, strict=True)
        ]
        (height, width), rows, columns = self.size, self.rows, self.columns
        return frozenset(
            (y, x)
            for y in range(-rows.before, height + rows.after)
            for x in range(-columns.before, width + columns.after)
            if y not in seen[0] or x not in seen[1]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """What the steps read off a trace.

    Maps are (H, W); ``kernel`` lies as it is slid over the image, ``bias`` is added to every sum.
    """

    trace: Trace
    conv: Node
    relu: Node
    pool: Node | None
    kernel: Array
    bias: float
    sliding: Sliding
    pooling: Sliding | None

    @classmethod
    def of(cls, trace: Trace) -> "Chain":
        """Find the layers. Raises ParameterError where the network is no such chain of one channel."""
        nodes = trace.graph.nodes
        if not _is_chain(trace):
            raise ParameterError(
                "The steps must be those of Conv2d → ReLU, with MaxPool2d or AvgPool2d or without, on one channel; "
                f"got {' → '.join(node.op.kind for node in nodes)} on {trace.image.shape[0]}; see steps.pipeline."
            )
        conv, relu, *pools = nodes
        pool = pools[0] if pools else None
        cell = trace.cell(conv.name, 0, 0, 0)
        pooling = None if pool is None else sliding_of(pool)
        return cls(trace, conv, relu, pool, cell.weights[0], cell.bias, sliding_of(conv), pooling)

    @property
    def image(self) -> Array:
        """The network's input."""
        image: Array = self.trace.image[0]
        return image

    def map(self, name: str) -> Array:
        """Return the result of "conv", "relu" or "pool"."""
        node = {"conv": self.conv, "relu": self.relu, "pool": self.pool}[name]
        assert node is not None
        result: Array = self.trace[node.name].output[0]
        return result

    @property
    def flip(self) -> bool:
        """Whether the kernel is turned by 180° before it is slid."""
        flip: bool = self.conv.op.flip  # type: ignore[attr-defined]
        return flip

    def source(self, place: int, axis: int) -> int | None:
        """Return the row (axis 0) or column of the image whose numbers stand at one of image or border, if any do."""
        border: str = self.conv.op.border  # type: ignore[attr-defined]
        return border_source(place, self.sliding.size[axis], border)

    def pixel(self, cell: Pair) -> float:
        """Return what stands at a cell of image or border."""
        y, x = self.source(cell[0], 0), self.source(cell[1], 1)
        return 0.0 if y is None or x is None else float(self.image[y, x])

    def grids(self) -> Iterator[Grid]:
        """Describe the maps of the way forward."""
        rows, columns = self.sliding.rows, self.sliding.columns
        yield Grid(
            "image",
            "image",
            rows_of(bordered(self.trace.image, self.conv)[0]),
            ((rows.before, rows.after), (columns.before, columns.after)),
            self.sliding.unseen(),
            border_note(self.conv),
        )
        yield Grid("kernel", "kernel, turned by 180°" if self.flip else "kernel", rows_of(self.kernel))
        yield Grid(
            "conv", "convolution", rows_of(self.map("conv")), notes=size_formula(self.sliding.size, rows, columns)
        )
        relu = Grid("relu", "ReLU", rows_of(self.map("relu")))
        left_out = frozenset() if self.pooling is None else frozenset(filter(relu.holds, self.pooling.unseen()))
        yield replace(relu, unseen=left_out)
        if self.pooling is not None:
            windows = f"windows of {self.pooling.rows.kernel}×{self.pooling.columns.kernel}"
            formula = size_formula(self.pooling.size, self.pooling.rows, self.pooling.columns, padded=False)
            notes = (windows, *formula)
            yield Grid("pool", self._pool_title(), rows_of(self.map("pool")), notes=notes)

    def _pool_title(self) -> str:
        assert self.pool is not None
        assert self.pooling is not None
        kind = "max" if isinstance(self.pool.op, ops.MaxPool2d) else "average"
        if (self.pooling.rows.kernel, self.pooling.columns.kernel) == self.pooling.size:
            return f"global {kind} pool"
        return f"{kind} pool"


def rows_of(values: Array) -> Rows:
    """Return an array (H, W) as tuples; -0 as 0."""
    return tuple(map(tuple, (np.asarray(values) + 0.0).tolist()))


def _is_chain(trace: Trace) -> bool:
    nodes = trace.graph.nodes
    if not 2 <= len(nodes) <= 3 or not isinstance(nodes[0].op, ops.Conv2d) or not isinstance(nodes[1].op, ops.ReLU):
        return False
    follows = all(after.inputs[0] is before.outputs[0] for before, after in pairwise(nodes))
    pools = all(isinstance(node.op, ops.MaxPool2d | ops.AvgPool2d) for node in nodes[2:])
    return follows and pools and trace.image.shape[0] == 1 and nodes[0].outputs[0].shape[1] == 1


def sliding_of(node: Node) -> Sliding:
    """Return the windows of a convolution or pooling layer."""
    window = node.op.window(*node.types)
    assert window is not None
    assert isinstance(window.rows, Axis)
    assert isinstance(window.columns, Axis)
    x = node.inputs[0]
    assert x is not None
    return Sliding(window.rows, window.columns, (x.shape[2], x.shape[3]))


def bordered(image: Array, conv: Node) -> Array:
    """Return an image (C, H, W) with the border that a convolution adds to it."""
    sliding, border = sliding_of(conv), conv.op.border  # type: ignore[attr-defined]
    for which, axis in enumerate((sliding.rows, sliding.columns)):
        size = sliding.size[which]
        sources = [border_source(place, size, border) for place in range(-axis.before, size + axis.after)]
        shown = np.take(image, [source or 0 for source in sources], axis=which + 1)
        is_empty = np.array([source is None for source in sources])
        image = np.where(is_empty[:, None] if which == 0 else is_empty, 0.0, shown)
    return image


def border_note(conv: Node) -> tuple[str, ...]:
    """Tell the border that a convolution adds; nothing where it adds none."""
    sliding, border = sliding_of(conv), conv.op.border  # type: ignore[attr-defined]
    sides = [side for axis in (sliding.rows, sliding.columns) for side in (axis.before, axis.after)]
    if not any(sides):
        return ()
    if len(set(sides)) == 1:
        return (f"padding {sides[0]}, {border}",)
    return (f"padding {border}: top {sides[0]}, bottom {sides[1]}, left {sides[2]}, right {sides[3]}",)
