"""The table of a network's layers: shapes, parameters, multiply-adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.errors import ParameterError
from pellucid.graph import Graph, Node
from pellucid.nn import Module
from pellucid.types import Shape

_WIDTH = 80
_HEADERS = ("layer", "op", "output", "parameters", "MACs")


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One operation: ``output`` is its shape without the batch; ``parameters`` those that no earlier layer uses."""

    name: str
    op: str
    output: Shape
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A network's layers in running order, for one image of shape ``input``. ``str()`` gives the table."""

    input: Shape
    layers: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """Trained numbers; one that several layers share counts once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds for one image; bias additions, activations and comparisons are not counted."""
        return sum(layer.macs for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        layers = [
            {
                "name": layer.name,
                "op": layer.op,
                "output": list(layer.output),
                "parameters": layer.parameters,
                "macs": layer.macs,
            }
            for layer in self.layers
        ]
        return {
            "input": list(self.input),
            "layers": layers,
            "totals": {"parameters": self.parameters, "macs": self.macs},
        }

    def __str__(self) -> str:
        rows = [
            (layer.name, layer.op, size(layer.output), f"{layer.parameters:,}", f"{layer.macs:,}")
            for layer in self.layers
        ]
        total = ("total", "", "", f"{self.parameters:,}", f"{self.macs:,}")
        widths = [max(len(row[i]) for row in (_HEADERS, *rows, total)) for i in range(5)]
        spare = _WIDTH - sum(widths[1:]) - 2 * 4
        widths[0] = max(min(widths[0], spare), len(_HEADERS[0]))
        rule = "─" * (sum(widths) + 2 * 4)
        body = (_line(row, widths) for row in rows)
        return "\n".join([_line(_HEADERS, widths), rule, *body, rule, _line(total, widths)])


def summary(net: Module, shape: Sequence[int]) -> Summary:
    """Summarise a network for images of the given shape (C, H, W), as it is used after training.

    Raises ShapeError naming the first layer that does not fit, ParameterError where the shape is not one.

    >>> import pellucid.nn as nn
    >>> print(summary(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)), (1, 8, 8)))
    layer  op       output  parameters   MACs
    ─────────────────────────────────────────
    0      Conv2d   4×6×6           40  1,296
    1      ReLU     4×6×6            0      0
    2      Flatten  144              0      0
    3      Linear   2              290    288
    ─────────────────────────────────────────
    total                          330  1,584
    """
    shape = tuple(shape)
    if not 1 <= len(shape) <= 3 or any(type(extent) is not int or extent < 1 for extent in shape):
        raise ParameterError(
            f"The 'shape' parameter of summary must be (C, H, W) without the batch, each at least 1; got {shape}."
        )
    with net.evaluating():
        return summarise(net.graph((1, *shape)))


def summarise(graph: Graph) -> Summary:
    """Summarise a graph that was built for a batch of one; only shapes are read."""
    counted: set[str] = set()
    layers = []
    for node in graph.nodes:
        new = {value.name: value.type.size for value in node.inputs if value and value.name in graph.parameters}
        parameters = sum(count for name, count in new.items() if name not in counted)
        counted |= set(new)
        layers.append(_layer(node, parameters))
    first = next(iter(graph.inputs.values()))
    return Summary(first.shape[1:], tuple(layers))


def size(shape: Shape) -> str:
    """Write a shape as people do.

    >>> size((32, 28, 28))
    '32×28×28'
    """
    return "×".join(str(extent) for extent in shape)


def _layer(node: Node, parameters: int) -> LayerSummary:
    macs = node.op.macs(*node.types)
    return LayerSummary(node.name, node.op.kind, node.outputs[0].shape[1:], parameters, macs)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name = row[0] if len(row[0]) <= widths[0] else "…" + row[0][1 - widths[0] :]
    words = [name.ljust(widths[0]), row[1].ljust(widths[1]), row[2].ljust(widths[2])]
    return "  ".join([*words, row[3].rjust(widths[3]), row[4].rjust(widths[4])])
