"""One number of a layer's result, taken apart: what was read, the arithmetic, and the pixels behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from pellucid.analysis.receptive_field import ACTIVATIONS, Box, input_box, plane_axes
from pellucid.analysis.summary import size
from pellucid.errors import ParameterError
from pellucid.explain.cells import arithmetic, moves
from pellucid.explain.cells.html import in_html
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, counted
from pellucid.explain.cells.text import in_text
from pellucid.graph import Graph, Node, Value
from pellucid.ops import BatchNorm, Dropout
from pellucid.types import Array

NAMES = ("channel", "y", "x")
"""What the first three numbers of a place are called."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What an activation makes of a cell: the layer's name, its op, the value after it."""

    layer: str
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Source:
    """A number that a cell was computed from: where it stands, and what it was multiplied by.

    ``layer`` is a layer of the trace, the network's input or a parameter. ``weight`` is None where the op is no
    weighted sum; the others are 1 for what was added or moved, and for the winner of a maximum.
    """

    layer: str
    index: tuple[int, ...]
    value: float
    weight: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One cell of a layer's result.

    ``value`` is the number that the engine computed, by the kernel named; ``explained`` follows in float64 from the
    numbers shown. They differ by ``error``, which is at most ``bound``. Sums of whole numbers are exact, and their
    bound is 0, unless the kernel is Winograd's. Where something may be beyond the range of the dtype, the bound is
    infinite; of NaN it is 0 where that follows from a NaN that was read. ``index`` is the cell's place in the layer's
    ``output``. ``box`` is (y0, x0, y1, x1), ends excluded, of the pixels of the network's input that it may depend on.
    ``activation`` is what the activation right after the layer makes of it, or None.

    ``operands`` are the numbers read, and ``steps`` the arithmetic. Of a window, ``patch``, ``weights`` and
    ``products`` are (channels, rows, columns), with 0 on a border; of a row they are (inputs,).
    """

    layer: str
    op: str
    kernel: str
    index: tuple[int, ...]
    value: float
    arithmetic: Arithmetic
    activation: Activation | None
    box: Box

    @property
    def channel(self) -> int:
        """The first number of the place: the channel of a map, or the unit of a vector."""
        return self.index[0]

    @property
    def y(self) -> int:
        """The row. Raises AttributeError where the layer has no plane."""
        return self._place(1)

    @property
    def x(self) -> int:
        """The column. Raises AttributeError where the layer has no plane."""
        return self._place(2)

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The numbers that were read, by the layer that they come from."""
        return self.arithmetic.operands

    @property
    def steps(self) -> tuple[Step, ...]:
        """The arithmetic, step by step."""
        return self.arithmetic.steps

    @property
    def explained(self) -> float:
        """What the numbers shown come to, in float64."""
        return self.arithmetic.result

    preactivation = explained
    """What the activation after a layer is given: another name of ``explained``."""

    @property
    def bound(self) -> float:
        """How far rounding may take the engine's number from ``explained``."""
        return self.arithmetic.bound

    @property
    def error(self) -> float:
        """How far it did: |explained − value|; infinite where one of them is NaN, 0 where both are."""
        if self.explained == self.value or (math.isnan(self.explained) and math.isnan(self.value)):
            return 0.0
        away = abs(self.explained - self.value)
        return math.inf if math.isnan(away) else away

    @property
    def bias(self) -> float:
        """What is added in the end."""
        return self.arithmetic.bias

    @property
    def patch(self) -> Array:
        """The numbers read from the first operand."""
        return self._first().values

    @property
    def weights(self) -> Array:
        """What each of them is multiplied by. Raises AttributeError where the op is no weighted sum."""
        weights = self._first().weights
        if weights is None:
            raise AttributeError(f"A cell of '{self.layer}' has no weights: {self.op} is no weighted sum.")
        return weights

    @property
    def products(self) -> Array:
        """Patch times weights, in float64."""
        return self._first().products

    @property
    def channels(self) -> range:
        """The channels of the patch. Raises AttributeError where what was read has no planes."""
        where = self._first().where
        if len(where) != len(NAMES):
            raise AttributeError(
                f"A cell of '{self.layer}' was read from no channels: '{self._first().layer}' is flat."
            )
        first = where[0].reshape(-1)
        return range(int(first[0]), int(first[-1]) + 1)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every number that the cell was computed from, borders left out; one that is used twice comes twice."""
        found: list[Source] = []
        for operand in self.operands:
            weights = None if operand.weights is None else operand.weights.reshape(-1).tolist()
            inside = ~operand.outside.reshape(-1)
            values, places = operand.values.reshape(-1).tolist(), operand.places().tolist()
            for number in np.flatnonzero(inside).tolist():
                weight = None if weights is None else weights[number]
                found.append(Source(operand.layer, tuple(places[number]), values[number], weight))
        return tuple(found)

    @property
    def winner(self) -> Source | None:
        """The number that a maximum took; None elsewhere."""
        place = self.arithmetic.winner
        if place is None:
            return None
        operand = self._first()
        index = tuple(operand.places()[place].tolist())
        return Source(operand.layer, index, float(operand.values.reshape(-1)[place]), 1.0)

    def text(self) -> str:
        """Write the formula out in numbers of four digits.

        Of many numbers, those that contribute most are written out, the others as their sum.
        """
        return "\n".join(in_text(self))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values; arrays flat, with their shape, NaN and infinities as None."""
        return {
            "layer": self.layer,
            "op": self.op,
            "kernel": self.kernel,
            "index": list(self.index),
            "value": _plain(self.value),
            "explained": _plain(self.explained),
            "error": _plain(self.error),
            "bound": _plain(self.bound),
            "formula": self.arithmetic.formula,
            "bias": _plain(self.bias),
            "steps": [{"name": s.name, "numbers": s.numbers, "value": _plain(s.value)} for s in self.steps],
            "operands": [_operand_record(operand) for operand in self.operands],
            "winner": None if self.winner is None else list(self.winner.index),
            "activation": None
            if self.activation is None
            else {"layer": self.activation.layer, "op": self.activation.op, "value": _plain(self.activation.value)},
            "box": list(self.box),
        }

    def _repr_html_(self) -> str:
        return in_html(self)

    def _first(self) -> Operand:
        if not self.operands:
            raise AttributeError(f"A cell of the border that '{self.layer}' adds was read from nowhere.")
        return self.operands[0]

    def _place(self, axis: int) -> int:
        if axis >= len(self.index):
            raise AttributeError(f"A cell of '{self.layer}' has no {NAMES[axis]}: its place is {self.index}.")
        return self.index[axis]


class Values(Protocol):
    """What a cell is read from: any value of a run by name, batch included, and the kernel that computed a node.

    ``batched`` names the values whose first axis is the batch of one image, which a person does not see.
    """

    graph: Graph
    batched: frozenset[str]

    def __getitem__(self, name: str) -> Array:
        """Return a value."""
        ...

    def kernel(self, node: Node) -> str:
        """Name a kernel."""
        ...


def write_out(values: Values, node: Node, given: Sequence[int | None]) -> Cell:
    """Take the cell at a place, batch left out, of a node apart, reading the values of a run.

    Raises ParameterError where there is no such cell, or no account of its kind.
    """
    result, batched = node.outputs[0], values.batched
    place = _checked(node, result.shape[1:] if result.name in batched else result.shape, given)
    index = (0, *place) if result.name in batched else place
    site = _site(values, node, index)
    return Cell(
        layer=node.name,
        op=node.op.kind,
        kernel=site.kernel,
        index=place,
        value=float(values[result.name][index]),
        arithmetic=_without_batch(arithmetic(site), batched),
        activation=_activation(values, node, index),
        box=_box(values, result, index),
    )


def _site(values: Values, node: Node, index: tuple[int, ...]) -> Site:
    inputs = tuple(None if value is None else values[value.name] for value in node.inputs)
    names = tuple("" if value is None else value.name for value in node.inputs)
    return Site(node.op, inputs, names, index, values.kernel(node))


def _without_batch(found: Arithmetic, batched: frozenset[str]) -> Arithmetic:
    operands = (
        replace(operand, where=operand.where[1:]) if operand.layer in batched else operand for operand in found.operands
    )
    return replace(found, operands=tuple(operands))


def _checked(node: Node, extents: tuple[int, ...], place: Sequence[int | None]) -> tuple[int, ...]:
    """Return a place in Python's own whole numbers."""
    axes = {1: "K", 3: "C×H×W"}.get(len(extents))
    shape = f"{size(extents)}{f' ({axes})' if axes else ''}"
    names = [*NAMES, *(f"axis {axis}" for axis in range(len(NAMES), len(place)))]
    if None in place:
        missing = names[place.index(None)]
        raise ParameterError(f"The '{missing}' parameter of cell must be given where a later one is; got {place}.")
    if len(place) != len(extents):
        raise ParameterError(
            f"A cell of '{node.name}' must be given by {counted(len(extents), 'number')}, because the layer is "
            f"{shape or 'a single number'}; got {place}."
        )
    for name, at, extent in zip(names, place, extents, strict=False):
        if isinstance(at, bool) or not isinstance(at, int | np.integer) or not 0 <= at < extent:
            raise ParameterError(
                f"The '{name}' parameter of cell must be 0 to {extent - 1}, because '{node.name}' is {shape}; "
                f"got {at!r}."
            )
    return tuple(int(at) for at in place if at is not None)


def _activation(values: Values, node: Node, index: tuple[int, ...]) -> Activation | None:
    readers = [reader for reader in values.graph.nodes if node.outputs[0] in reader.inputs]
    if len(readers) != 1 or not isinstance(readers[0].op, ACTIVATIONS):
        return None
    (reader,) = readers
    return Activation(reader.name, reader.op.kind, float(values[reader.outputs[0].name][index]))


def _box(values: Values, result: Value, index: tuple[int, ...]) -> Box:
    """Return the pixels behind a cell; what was only moved, or changed by itself, has those of where it came from."""
    graph = values.graph
    while (node := result.node) is not None:
        if moves.is_move(node.op):
            origin = moves.origin(node.op, _site(values, node, index).inputs, index)
            if origin is None:
                return 0, 0, 0, 0
            which, index = origin
        elif _is_by_itself(node):
            which = 0
        else:
            break
        source = node.inputs[which]
        assert source is not None
        result = source
    if node is None and result.name not in graph.inputs:
        return 0, 0, 0, 0
    axes = plane_axes(graph).get(result.name)
    y, x = (index[axes[0]], index[axes[1]]) if axes else (0, 0)
    return input_box(graph, result, y, x)


def _is_by_itself(node: Node) -> bool:
    """Whether each number of a result depends on the number in the same place only."""
    if isinstance(node.op, BatchNorm | Dropout):
        return not node.op.training
    return isinstance(node.op, ACTIVATIONS)


def _operand_record(operand: Operand) -> dict[str, Any]:
    def flat(array: Array | None) -> list[float | None] | None:
        return None if array is None else [_plain(float(value)) for value in array.reshape(-1)]

    return {
        "layer": operand.layer,
        "shape": list(operand.values.shape),
        "values": flat(operand.values),
        "weights": flat(operand.weights),
        "terms": flat(operand.terms),
        "term": operand.term,
        "places": [
            None if out else place
            for place, out in zip(operand.places().tolist(), operand.outside.reshape(-1), strict=True)
        ],
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
