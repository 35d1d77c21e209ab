"""One number of a feature map, taken apart: patch × weights, bias, sum, activation, and the pixels behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid.analysis.receptive_field import ACTIVATIONS, Box, border_source, input_box
from pellucid.errors import ParameterError
from pellucid.graph import Graph, Node
from pellucid.ops import Conv2d
from pellucid.types import Array

_IN_FULL = 4
"""Input channels whose products :meth:`Cell.text` writes out; of the others it gives the sums."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What an activation makes of a cell: the layer's name, its op, the value after it."""

    layer: str
    op: str
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One cell of a convolution's result.

    ``patch``, ``weights`` and ``products`` are (C_in/groups, KH, KW); patch cells outside the input are padding.
    ``channels`` are the input channels that they belong to. ``preactivation`` is the sum of the products, in
    float64, and the bias; ``value`` is the number that the engine computed, so the two differ by rounding only.
    ``activation`` is what the activation right after the layer makes of it, or None. ``box`` is (y0, x0, y1, x1),
    ends excluded, on the network's input.
    """

    layer: str
    channel: int
    y: int
    x: int
    channels: range
    patch: Array
    weights: Array
    products: Array
    bias: float
    preactivation: float
    value: float
    activation: Activation | None
    box: Box

    def text(self) -> str:
        """Write the sum out in numbers of four digits.

        Of more than four input channels, the four that contribute most are written out, the others as their sums.
        """
        sums = self.products.sum(axis=(1, 2))
        in_full = sorted(np.argsort(-abs(sums), kind="stable")[:_IN_FULL].tolist())
        lines = [f"{self.layer}, channel {self.channel}, row {self.y}, column {self.x}"]
        for index in in_full:
            lines += [f"  input channel {self.channels[index]}: patch × weights", *self._rows(index)]
            lines.append(f"    = {number(sums[index])}")
        others = [index for index in range(len(sums)) if index not in in_full]
        if others:
            total = number(sums[others].sum())
            lines.append(f"  the other {len(others)} input channels: {total}")
        lines.append(f"  sum {number(sums.sum())} + bias {number(self.bias)} = {number(self.preactivation)}")
        if self.activation:
            after = self.activation
            lines.append(f"  {after.layer}: {after.op}({number(self.value)}) = {number(after.value)}")
        y0, x0, y1, x1 = self.box
        seen = f"rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}" if y1 > y0 and x1 > x0 else "none, only padding"
        return "\n".join([*lines, f"  pixels behind it: {seen}"])

    def _rows(self, index: int) -> list[str]:
        pairs = [
            [f"{number(p)}×{number(w)}" for p, w in zip(*row, strict=True)]
            for row in zip(self.patch[index], self.weights[index], strict=True)
        ]
        width = max(len(pair) for row in pairs for pair in row)
        return ["    " + " + ".join(pair.rjust(width) for pair in row) for row in pairs]


def write_out(graph: Graph, node: Node, arrays: Mapping[str, Array], *, channel: int, y: int, x: int) -> Cell:
    """Take the cell (channel, y, x) of a node apart, reading the arrays (1, C, H, W) and weights of a run.

    Raises ParameterError where the node is no convolution or has no such cell.
    """
    op = node.op
    if not isinstance(op, Conv2d):
        raise ParameterError(
            f"Only convolutions are written out so far; '{node.name}' is {op.kind}. Choose a Conv2d layer."
        )
    _check_place(node, channel, y, x)
    values = [None if value is None else arrays[value.name] for value in node.inputs]
    image, weight, bias = values
    assert image is not None
    assert weight is not None
    per_group = weight.shape[1]
    first = channel // (len(weight) // op.groups) * per_group
    channels = range(first, first + per_group)
    patch = _patch(image[0, first : first + per_group], node, y, x)
    weights = weight[channel, :, ::-1, ::-1] if op.flip else weight[channel]
    products = patch.astype(np.float64) * weights
    offset = 0.0 if bias is None else float(bias[channel])
    return Cell(
        layer=node.name,
        channel=channel,
        y=y,
        x=x,
        channels=channels,
        patch=patch,
        weights=weights.copy(),
        products=products,
        bias=offset,
        preactivation=float(products.sum()) + offset,
        value=float(arrays[node.outputs[0].name][0, channel, y, x]),
        activation=_activation(graph, node, arrays, (0, channel, y, x)),
        box=input_box(graph, node.outputs[0], y, x),
    )


def number(value: float) -> str:
    """Write a number in at most four digits, whole ones in full.

    >>> number(-27.0), number(0.123456), number(1e-9)
    ('-27', '0.1235', '1e-09')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _check_place(node: Node, channel: int, y: int, x: int) -> None:
    extents = node.outputs[0].shape[1:]
    for name, index, extent in zip(("channel", "y", "x"), (channel, y, x), extents, strict=True):
        if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < extent:
            raise ParameterError(
                f"The '{name}' parameter of cell must be 0 to {extent - 1}, because '{node.name}' is "
                f"{'×'.join(map(str, extents))} (C×H×W); got {index!r}."
            )


def _patch(maps: Array, node: Node, y: int, x: int) -> Array:
    """Read what the window at (y, x) covers of maps (C, H, W); zeros where it hangs over a border of zeros."""
    window = node.op.window(*node.types)
    assert window is not None
    border = getattr(node.op, "border", "zeros")
    rows = [border_source(cell, maps.shape[1], border) for cell in window.rows.inputs(y)]
    columns = [border_source(cell, maps.shape[2], border) for cell in window.columns.inputs(x)]
    patch = maps[:, [[row or 0] for row in rows], [column or 0 for column in columns]]  # (C, KH, KW), a copy
    patch[:, [row is None for row in rows]] = 0
    patch[:, :, [column is None for column in columns]] = 0
    return patch


def _activation(graph: Graph, node: Node, arrays: Mapping[str, Array], place: tuple[int, ...]) -> Activation | None:
    readers = [reader for reader in graph.nodes if node.outputs[0] in reader.inputs]
    if len(readers) != 1 or not isinstance(readers[0].op, ACTIVATIONS):
        return None
    (reader,) = readers
    return Activation(reader.name, reader.op.kind, float(arrays[reader.outputs[0].name][place]))
