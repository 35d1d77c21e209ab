"""The formulas behind a layer's numbers, the numbers put in."""

from __future__ import annotations

from typing import NamedTuple

from pellucid import ops
from pellucid.analysis.fields import Field, Reach
from pellucid.geometry import Axis, TransposedAxis
from pellucid.graph import Node
from pellucid.ops.base import present
from pellucid.types import TensorType


class Formula(NamedTuple):
    """What is computed, and how: "parameters", "32·(1·3·3 + 1) = 320"."""

    of: str
    text: str


def formulas(node: Node, before: Field | None, after: Field | None, parameters: int) -> tuple[Formula, ...]:
    """Return the formulas of a layer: its size, parameters, multiply-adds and field, as far as it has them.

    ``before`` and ``after`` are the fields of its first input and of its result, ``parameters`` those that count as
    its own: of shared ones nothing is said.
    """
    weights = (line for line in _weights(node) if line.of != "parameters" or line.text.endswith(f" = {parameters:,}"))
    return (*_size(node), *weights, *_field(node, before, after))


def _size(node: Node) -> list[Formula]:
    window = node.op.window(*node.types)
    if window is None or node.inputs[0] is None:
        return []
    axes = zip(("height", "width"), (window.rows, window.columns), node.inputs[0].shape[2:], strict=True)
    lines = [(name, size_formula(axis, size)) for name, axis, size in axes]
    return [Formula("size", lines[0][1])] if lines[0][1] == lines[1][1] else [Formula(*line) for line in lines]


def size_formula(axis: Axis | TransposedAxis, size: int) -> str:
    """Write the formula of a window's output size along one side, the numbers put in.

    >>> size_formula(Axis(kernel=3, stride=2), 7)
    '⌊(7 + 2·0 − 3) / 2⌋ + 1 = 3'
    """
    result = axis.output_size(size)
    extent = f"({axis.dilation}·({axis.kernel} − 1) + 1)" if axis.dilation > 1 else str(axis.kernel)
    if isinstance(axis, TransposedAxis):
        more = f" + {axis.output_padding}" if axis.output_padding else ""
        return f"({size} − 1)·{axis.stride} − {axis.before} − {axis.after} + {extent}{more} = {result}"
    padding = f"2·{axis.before}" if axis.before == axis.after else f"{axis.before} + {axis.after}"
    left, right = "⌈⌉" if axis.ceil_mode else "⌊⌋"
    natural = -(-(size + axis.before + axis.after - axis.extent) // axis.stride) + 1 if axis.ceil_mode else result
    dropped = "" if natural == result else " − 1"  # a last window that would begin beyond the image is left out
    return f"{left}({size} + {padding} − {extent}) / {axis.stride}{right} + 1{dropped} = {result}"


def _weights(node: Node) -> list[Formula]:
    if isinstance(node.op, ops.BatchNorm):
        channels = sum(value.type.size for value in node.inputs[1:3] if value)
        return [Formula("parameters", f"2·{channels // 2} = {channels:,}")] if channels else []
    if not isinstance(node.op, ops.Conv2d | ops.ConvTranspose2d | ops.Linear):
        return []
    x, weight, bias = present(node.types), present(node.types, 1), node.types[2]
    macs = node.op.macs(x, weight, bias)
    parameters = weight.size + (bias.size if bias else 0)
    one = " + 1" if bias else ""
    filters, inside = weight.shape[0], "·".join(map(str, weight.shape[1:]))
    if isinstance(node.op, ops.ConvTranspose2d):
        more = f" + {bias.size}" if bias else ""
        return [
            Formula("parameters", f"{filters}·{inside}{more} = {parameters:,}"),
            Formula("multiply-adds", f"{_cells(x)}·{inside} = {macs:,}"),
        ]
    count = f"{filters}·({inside}{one})" if bias else f"{filters}·{inside}"
    return [
        Formula("parameters", f"{count} = {parameters:,}"),
        Formula("multiply-adds", f"{_cells(node.outputs[0].type)}·{inside} = {macs:,}"),
    ]


def _cells(type_: TensorType) -> str:
    """Write out how many numbers an array has; a batch of one is not mentioned."""
    return "·".join(map(str, type_.shape[1:] if type_.shape[0] == 1 else type_.shape))


def _field(node: Node, before: Field | None, after: Field | None) -> list[Formula]:
    window = node.op.window(*node.types)
    if before is None or after is None or before.reaches is None or window is None:
        return []
    if after.reaches is None:
        return [Formula("field", "the whole image")]
    axes = zip((window.rows, window.columns), before.reaches, after.reaches, strict=True)
    lines = []
    for axis, (old, new) in ((axis, (old, new)) for axis, old, new in axes if isinstance(axis, Axis)):
        lines.append(field_formula(axis, old, new))
    if len(lines) == 2 and lines[0] != lines[1]:
        return [Formula("field, rows", lines[0]), Formula("field, columns", lines[1])]
    return [Formula("field", line) for line in lines[:1]]


def field_formula(axis: Axis, before: Reach, after: Reach) -> str:
    """Write where the size of a field along one side comes from, and the way to the next one where it grows.

    >>> field_formula(Axis(kernel=3, stride=2), Reach(), Reach().through(Axis(kernel=3, stride=2)))
    '1 + (3 − 1)·1 = 3, jump 1·2 = 2'
    """
    stride = f", jump {before.jump}·{axis.stride} = {after.jump}" if axis.stride > 1 else ""
    return f"{before.size} + ({axis.extent} − 1)·{before.jump} = {after.size}{stride}"
