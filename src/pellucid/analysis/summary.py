"""The account of a network's layers: shapes, parameters, operations, memory, and how far each sees."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from textwrap import wrap
from typing import Any

from pellucid.analysis.counting import Counting
from pellucid.analysis.fields import Field, fields
from pellucid.analysis.formulas import Formula, formulas
from pellucid.analysis.memory import Memory, memory
from pellucid.analysis.tables import Table
from pellucid.analysis.warnings import warnings
from pellucid.analysis.weights import made_of_weights
from pellucid.errors import ParameterError
from pellucid.graph import Graph, Node, Value
from pellucid.nn import Module
from pellucid.types import Shape

_WIDTH = 80
_EXACT = 10_000_000
"""Counts below this are written out in a table; above, four digits and a letter."""


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """One operation.

    ``output`` is its shape without the batch; ``parameters`` those that no earlier layer uses, ``trainable`` of them
    the ones that training changes; ``buffers`` numbers such as running means. ``macs`` are multiply-adds,
    ``operations`` what the counting says; ``activation_bytes`` what the result takes. ``field`` is None where nothing
    depends on the image.
    """

    name: str
    op: str
    output: Shape
    parameters: int
    trainable: int
    buffers: int
    macs: int
    operations: int
    activation_bytes: int
    field: Field | None
    formulas: tuple[Formula, ...]

    def as_dict(self, image: Shape, total: int) -> dict[str, Any]:
        """Return JSON values; a layer that sees the whole image has its size as field, and no jump."""
        whole = list(image[1:]) if len(image) == 3 else None
        size, jump, centre = (
            (self.field.size, self.field.jump, self.field.centre) if self.field is not None else (None, None, None)
        )
        return {
            "name": self.name,
            "op": self.op,
            "output": list(self.output),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "buffers": self.buffers,
            "macs": self.macs,
            "operations": self.operations,
            "share": self.operations / total if total else 0.0,
            "activation_bytes": self.activation_bytes,
            "receptive_field": _plain(size) if size else whole,
            "jump": _plain(jump),
            "centre": _plain(centre),
            "sees_whole_image": self.field is not None and size is None,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """A network's layers in running order, for ``batch`` images of shape ``input``. ``str()`` gives the table."""

    input: Shape
    batch: int
    counting: Counting
    layers: tuple[LayerSummary, ...]
    memory: Memory
    warnings: tuple[str, ...]
    unused: int = 0
    """Parameters that the network has and no layer reads; they are part of no other number."""

    @property
    def parameters(self) -> int:
        """Numbers that the network learns; one that several layers share counts once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable(self) -> int:
        """Those of them that training changes: the others are frozen."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def buffers(self) -> int:
        """Numbers that are kept but not learned by gradients, such as running means."""
        return sum(layer.buffers for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds; bias additions, activations and comparisons are not counted."""
        return sum(layer.macs for layer in self.layers)

    @property
    def operations(self) -> int:
        """What :attr:`counting` counts."""
        return sum(layer.operations for layer in self.layers)

    def kinds(self) -> dict[str, tuple[int, int]]:
        """Return parameters and operations by kind of layer, of those that have any; most parameters first.

        >>> from pellucid import zoo
        >>> summary(zoo.build("lenet5-rgb"), (3, 32, 32)).kinds()
        {'Linear': (59134, 58920), 'Conv2d': (2872, 592800)}
        """
        found: dict[str, tuple[int, int]] = {}
        for layer in self.layers:
            if layer.parameters or layer.operations:
                parameters, operations = found.get(layer.op, (0, 0))
                found[layer.op] = parameters + layer.parameters, operations + layer.operations
        return dict(sorted(found.items(), key=lambda item: item[1], reverse=True))

    def as_dict(self, formulas: bool = False) -> dict[str, Any]:
        """Return the summary as JSON values, if asked with every layer's formulas."""
        total = self.operations
        layers = [layer.as_dict(self.input, total) for layer in self.layers]
        if formulas:
            for record, layer in zip(layers, self.layers, strict=True):
                record["formulas"] = {formula.of: formula.text for formula in layer.formulas}
        return {
            "input": list(self.input),
            "batch": self.batch,
            "counting": {
                "unit": self.counting.unit,
                "bias": self.counting.bias,
                "norm": self.counting.norm,
                "activation": self.counting.activation,
            },
            "layers": layers,
            "totals": {
                "parameters": self.parameters,
                "trainable": self.trainable,
                "buffers": self.buffers,
                "unused": self.unused,
                "macs": self.macs,
                "operations": total,
                "parameter_bytes": self.memory.parameters,
                "activation_bytes": self.memory.activations,
                "peak_inference_bytes": self.memory.inference,
                "peak_training_bytes": self.memory.training,
            },
            "kinds": {
                kind: {"parameters": parameters, "operations": operations}
                for kind, (parameters, operations) in self.kinds().items()
            },
            "warnings": list(self.warnings),
        }

    def table(self) -> Table:
        """Lay the summary out."""
        total = self.operations
        return Table(
            ("layer", "op", "output", "parameters", self.counting.title, "share", "field"),
            [
                (
                    _visible(layer.name),
                    layer.op,
                    size(layer.output),
                    f"{layer.parameters:,}",
                    amount(layer.operations),
                    percent(layer.operations, total) if layer.operations else "",
                    self._field(layer.field),
                )
                for layer in self.layers
            ],
            ("total", "", "", f"{self.parameters:,}", amount(total), "", ""),
            frozenset({3, 4, 5, 6}),
            self.notes(),
        )

    def notes(self) -> tuple[str, ...]:
        """Say what the table cannot."""
        frozen = self.parameters - self.trainable
        held = f"{frozen:,} of them frozen; " if frozen else ""
        kept = f"; {self.buffers:,} running statistics besides" if self.buffers else ""
        never = f"; {self.unused:,} more that no layer uses" if self.unused else ""
        images = "1 image" if self.batch == 1 else f"{self.batch:,} images"
        shares = "; ".join(
            f"{kind} {percent(parameters, self.parameters)} and {percent(operations, self.operations)}"
            for kind, (parameters, operations) in self.kinds().items()
        )
        return (
            *([f"Shares of parameters and {self.counting.title}: {shares}."] if shares else []),
            f"Parameters: {held}{octets(self.memory.parameters)} as float32{kept}{never}.",
            f"Memory for {images}: all maps {octets(self.memory.activations)}; with the weights at most "
            f"{octets(self.memory.inference)} at once to infer, {octets(self.memory.training)} to train by plain SGD.",
            *(_visible(sentence) for sentence in self.warnings),
        )

    def formulas(self) -> str:
        """Write every layer's formulas with its numbers.

        >>> import pellucid.nn as nn
        >>> print(summary(nn.Conv2d(1, 32, 3, padding=1), (1, 28, 28)).formulas())
        conv2d
          size           ⌊(28 + 2·1 − 3) / 1⌋ + 1 = 28
          parameters     32·(1·3·3 + 1) = 320
          multiply-adds  32·28·28·1·3·3 = 225,792
          field          1 + (3 − 1)·1 = 3
        """
        return "\n".join(
            "\n".join([_visible(layer.name), *(f"  {formula.of:<14} {formula.text}" for formula in layer.formulas)])
            for layer in self.layers
            if layer.formulas
        )

    def markdown(self) -> str:
        """Write the table in Markdown."""
        return self.table().markdown()

    def html(self) -> str:
        """Write the table in HTML."""
        return self.table().html()

    def text(self, width: int = _WIDTH) -> str:
        """Write the table for a terminal of so many columns; names that are too long are cut."""
        table = self.table()
        unbroken = (note.replace(" %", "\u00a0%").replace(" × ", "\u00a0×\u00a0") for note in table.notes)
        lines = [line.replace("\u00a0", " ") for note in unbroken for line in wrap(note, width)]
        return Table(table.headings, table.rows, table.total, table.numbers, lines).text(width)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _field(self, field: Field | None) -> str:
        if field is None:
            return ""
        if field.size is None:
            return "all"
        rows, columns = field.size
        return str(rows) if rows == columns else f"{rows}×{columns}"


def summary(net: Module, shape: Sequence[int], *, batch: int = 1, counting: Counting | None = None) -> Summary:
    """Summarise a network for images of the given shape (C, H, W), as it is used after training.

    Only shapes are followed: no array of the network's size is made. Raises ShapeError naming the first layer that
    does not fit, ParameterError where the shape or the batch is none.

    >>> import pellucid.nn as nn
    >>> print(summary(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)), (1, 8, 8)))
    layer  op       output  parameters   MACs   share  field
    ────────────────────────────────────────────────────────
    0      Conv2d   4×6×6           40  1,296  81.8 %      3
    1      ReLU     4×6×6            0      0              3
    2      Flatten  144              0      0            all
    3      Linear   2              290    288  18.2 %    all
    ────────────────────────────────────────────────────────
    total                          330  1,584
    <BLANKLINE>
    Shares of parameters and MACs: Linear 87.9 % and 18.2 %; Conv2d 12.1 % and
    81.8 %.
    Parameters: 1.3 kB as float32.
    Memory for 1 image: all maps 1.7 kB; with the weights at most 2.5 kB at once to
    infer, 5.2 kB to train by plain SGD.
    The last maps, of '1', see 3 × 3 of 8 × 8 pixels.
    """
    shape = tuple(shape)
    if not 1 <= len(shape) <= 3 or any(type(extent) is not int or extent < 1 for extent in shape):
        raise ParameterError(
            f"The 'shape' parameter of summary must be (C, H, W) without the batch, each at least 1; got {shape}."
        )
    if type(batch) is not int or batch < 1:
        raise ParameterError(f"The 'batch' parameter of summary must be a whole number of at least 1; got {batch!r}.")
    with net.evaluating():
        graph = net.graph((batch, *shape))
    frozen = {name for name, parameter in net.named_parameters() if not parameter.requires_grad}
    found = summarise(graph, counting, frozen)
    unused = (p.type.size for name, p in net.named_parameters() if name not in graph.parameters)
    return replace(found, unused=sum(unused))


def summarise(graph: Graph, counting: Counting | None = None, frozen: Collection[str] = ()) -> Summary:
    """Summarise a graph; only shapes are read. ``frozen`` names the parameters that training leaves as they are."""
    found, counting = fields(graph), counting or Counting()
    counted: set[str] = set()
    made = made_of_weights(graph)
    nodes = [node for node in graph.nodes if node.outputs[0].name not in made]
    layers = tuple(_layer(graph, node, counting, found, frozen, made, counted) for node in nodes)
    first = next(iter(graph.inputs.values()))
    account = memory(graph, frozen)
    return Summary(first.shape[1:], first.shape[0], counting, layers, account, warnings(graph, found))


def size(shape: Shape) -> str:
    """Write a shape as people do.

    >>> size((32, 28, 28))
    '32×28×28'
    """
    return "×".join(str(extent) for extent in shape)


def amount(count: int) -> str:
    """Write a count so that it fits a column.

    >>> amount(4_233_600), amount(15_470_264_320)
    ('4,233,600', '15.47 G')
    """
    if count < _EXACT:
        return f"{count:,}"
    for letter, unit in (("M", 10**6), ("G", 10**9), ("T", 10**12)):
        if count < 999.95 * unit:
            return f"{count / unit:#.4g} {letter}"
    return f"{count / 10**15:#.4g} P"


def percent(part: int, whole: int) -> str:
    """Write a share.

    >>> percent(59_134, 62_006), percent(0, 0)
    ('95.4 %', '0.0 %')
    """
    return f"{100 * part / whole if whole else 0:.1f} %"


def octets(count: int) -> str:
    """Write a number of bytes.

    >>> octets(512), octets(1_320), octets(553_430_176)
    ('512 B', '1.3 kB', '553.4 MB')
    """
    if count < 1000:
        return f"{count} B"
    for name, unit in (("kB", 10**3), ("MB", 10**6), ("GB", 10**9)):
        if count < 999.95 * unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 10**12:.1f} TB"


def _visible(name: str) -> str:
    """Show signs that would do something to a terminal as what they are not."""
    return "".join(sign if sign.isprintable() else "�" for sign in name)


def _layer(
    graph: Graph,
    node: Node,
    counting: Counting,
    found: Mapping[str, Field],
    frozen: Collection[str],
    made: Mapping[str, list[Value]],
    counted: set[str],
) -> LayerSummary:
    """Account for one node; ``counted`` are the weights of those before it, to which its own are added."""
    read = [base for value in node.inputs if value for base in made.get(value.name, [value])]
    new = {value.name: value.type.size for value in read if value.name not in counted}
    learned = {name: count for name, count in new.items() if name in graph.parameters}
    kept = {name: count for name, count in new.items() if name in graph.buffers}
    counted |= learned.keys() | kept.keys()
    result, x = node.outputs[0], node.inputs[0] if node.inputs else None
    field = found.get(result.name)
    return LayerSummary(
        name=node.name,
        op=node.op.kind,
        output=result.shape[1:],
        parameters=sum(learned.values()),
        trainable=sum(count for name, count in learned.items() if name not in frozen),
        buffers=sum(kept.values()),
        macs=node.op.macs(*node.types),
        operations=counting.of(node),
        activation_bytes=result.type.nbytes,
        field=field,
        formulas=formulas(node, found.get(x.name) if x else None, field, sum(learned.values())),
    )


def _plain(pair: tuple[int | Fraction, int | Fraction] | None) -> list[int | float] | None:
    """Write two numbers as JSON: whole ones as such."""
    return pair and [int(number) if number == int(number) else float(number) for number in pair]
