"""The graph: a static, typed, acyclic record of operations, in the order in which they run.

Layers, importers and the zoo build it; training, inference, accounting, explanation and export only read it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError, nearest
from pellucid.ops import Op
from pellucid.types import Array, Shape, TensorType


class Value:
    """One array that will exist when the graph runs: an input, a parameter, or a node's result.

    Values of a graph under construction can be used like arrays: ``x + y``, ``x * 2``, ``x.reshape(…)``,
    ``x.flatten(1)``, ``x.mean((2, 3))`` each add a node.
    """

    __slots__ = ("graph", "name", "node", "type")
    __array_ufunc__ = None  # array * value asks the value, instead of multiplying cell by cell

    def __init__(self, graph: Graph, name: str, type_: TensorType, node: Node | None = None) -> None:
        self.graph, self.name, self.type, self.node = graph, name, type_, node

    def __repr__(self) -> str:
        return f"{self.name}: {self.type}"

    @property
    def shape(self) -> Shape:
        """Shape, batch included."""
        return self.type.shape

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.type.shape)

    def size(self, axis: int | None = None) -> Shape | int:
        """Shape, or the extent of one axis, as in PyTorch."""
        return self.shape if axis is None else self.shape[axis]

    def __add__(self, other: Any) -> Any:
        operand = self._operand(other)
        return NotImplemented if operand is None else self.graph.add(ops.Add(), self, operand)

    def __mul__(self, other: Any) -> Any:
        operand = self._operand(other)
        return NotImplemented if operand is None else self.graph.add(ops.Multiply(), self, operand)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return self * -1.0

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def reshape(self, *shape: int | Shape) -> Value:
        """Give the values another shape; a first extent equal to the batch follows the batch from then on."""
        extents = _extents(shape)
        if extents and self.shape and extents[0] == self.shape[0]:
            extents = (0, *extents[1:])
        return self.graph.add(ops.Reshape(extents), self)

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Value:
        """Merge axes into one, as in PyTorch."""
        end = end_dim if end_dim == -1 else self._axis(end_dim, "flatten")
        return self.graph.add(ops.Flatten(self._axis(start_dim, "flatten"), end), self)

    def permute(self, *axes: int | Shape) -> Value:
        """Reorder the axes."""
        return self.graph.add(ops.Transpose(tuple(self._axis(axis, "permute") for axis in _extents(axes))), self)

    def transpose(self, first: int, second: int) -> Value:
        """Swap two axes, as in PyTorch."""
        order = list(range(self.ndim))
        first, second = self._axis(first, "transpose"), self._axis(second, "transpose")
        order[first], order[second] = order[second], order[first]
        return self.permute(*order)

    def mean(self, dim: int | Shape | None = None, keepdim: bool = False) -> Value:
        """Mean over axes; over all of them by default."""
        return self.graph.add(ops.Mean(self._axes(dim, "mean"), keepdim), self)

    def sum(self, dim: int | Shape | None = None, keepdim: bool = False) -> Value:
        """Sum over axes; over all of them by default."""
        return self.graph.add(ops.Sum(self._axes(dim, "sum"), keepdim), self)

    def _axes(self, dim: int | Shape | None, method: str) -> Shape:
        if dim is None:
            return tuple(range(self.ndim))
        return tuple(self._axis(axis, method) for axis in ((dim,) if isinstance(dim, int) else dim))

    def _axis(self, dim: int, method: str) -> int:
        return ops.nth_axis(dim, self.ndim, method)

    def _operand(self, other: Any) -> Value | None:
        """Take a value as it is and a number or array as a constant; None leaves it to ``other`` to know better."""
        if isinstance(other, Value):
            return other
        if not isinstance(other, int | float | np.ndarray | np.generic):
            return None
        array = np.asarray(other)
        if array.dtype.kind == "f" and np.dtype(self.dtype).kind != "f":
            raise ShapeError(f"'{self.name}' holds {self.dtype}, which cannot be combined with fractions; got {other}.")
        return self.graph.constant(array.astype(self.dtype))


def _extents(numbers: tuple[Any, ...]) -> Shape:
    """Accept both f(1, 2) and f((1, 2))."""
    if len(numbers) == 1 and isinstance(numbers[0], tuple | list):
        numbers = tuple(numbers[0])
    return tuple(operator.index(number) for number in numbers)


@dataclass(eq=False, slots=True)
class Node:
    """One operation on some values."""

    name: str
    op: Op
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...] = ()

    @property
    def types(self) -> ops.Types:
        """Types of the inputs."""
        return tuple(None if value is None else value.type for value in self.inputs)


@dataclass(eq=False)
class Graph:
    """Operations in running order, with what goes in and what comes out.

    ``parameters`` are trained, ``buffers`` are kept (running statistics), ``constants`` never change. ``outputs``
    are named, and ``returns`` says what a call makes of them: one "value" (named "output"), a "tuple", a "list" or a
    "dict". ``updates`` says which value replaces which buffer after a run. ``layers`` maps a layer's path, as in
    the state dict, to its first result.
    """

    inputs: dict[str, Value] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    buffers: dict[str, Value] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    returns: str = "dict"
    updates: dict[str, Value] = field(default_factory=dict)
    layers: dict[str, Value] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)
    _reserved: set[str] = field(default_factory=set)
    _scope: list[tuple[str, bool]] = field(default_factory=lambda: [("", False)])

    def input(self, name: str, type_: TensorType) -> Value:
        """Declare an array that every run is given."""
        return self._declare(self.inputs, name, type_)

    def parameter(self, name: str, type_: TensorType) -> Value:
        """Declare a trained array; declaring it again returns the same value."""
        return self.parameters.get(name) or self._declare(self.parameters, name, type_)

    def buffer(self, name: str, type_: TensorType) -> Value:
        """Declare a kept array; declaring it again returns the same value."""
        return self.buffers.get(name) or self._declare(self.buffers, name, type_)

    def constant(self, array: Array, name: str | None = None) -> Value:
        """Put an array into the graph itself."""
        name = name or self._unused("constant")
        value = Value(self, name, TensorType.of(array))
        self.constants[name] = array
        return self._register(value)

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names, of parameters that will be declared when first used, from being given to nodes."""
        self._reserved.update(names)

    def add(self, op: Op, *inputs: Value | None, name: str | None = None) -> Value:
        """Append an operation and return its first result.

        The node's name is that of the layer being called, or the layer's path and the op's kind. Raises ShapeError
        naming op, node and rule where the inputs do not fit.
        """
        name = self._unused(name or self._scoped_name(op))
        node = Node(name, op, inputs)
        try:
            types = op.checked_infer(node.types)
        except ShapeError as error:
            raise ShapeError(f"{op.kind} '{name}' {error}") from None
        results = zip(op.results, types, strict=True)
        node.outputs = tuple(
            self._register(Value(self, f"{name}:{result}" if index else name, type_, node))
            for index, (result, type_) in enumerate(results)
        )
        self.nodes.append(node)
        return node.outputs[0]

    @contextmanager
    def scope(self, path: str, one_op: bool = False) -> Iterator[None]:
        """Name the nodes added inside after the layer at ``path``; ``one_op``: the one node takes the path itself."""
        self._scope.append((path, one_op))
        try:
            yield
        finally:
            self._scope.pop()

    @property
    def prefix(self) -> str:
        """Path of the layer being called, "" at the top."""
        return self._scope[-1][0]

    def value(self, name: str) -> Value:
        """Look a value up by name."""
        return self._values[name]

    def layer(self, name: str) -> Value:
        """Look a layer's result up, by the name of a node or the path of a module that holds several.

        Raises ParameterError, with the nearest names, where there is none of that name.
        """
        results = self.layers | {node.name: node.outputs[0] for node in self.nodes}
        if name not in results:
            raise ParameterError(f"There is no layer {name!r}; {nearest(name, results)}.")
        return results[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __str__(self) -> str:
        from pellucid.graph.text import to_text

        return to_text(self)

    def _scoped_name(self, op: Op) -> str:
        path, one_op = self._scope[-1]
        if one_op and path:
            return path
        return f"{path}.{op.kind.lower()}" if path else op.kind.lower()

    def _unused(self, name: str) -> str:
        free, count = name, 0
        while free in self._values or free in self._reserved:
            count += 1
            free = f"{name}_{count}"
        return free

    def _declare(self, kind: dict[str, Value], name: str, type_: TensorType) -> Value:
        value = self._register(Value(self, name, type_))
        kind[name] = value
        return value

    def _register(self, value: Value) -> Value:
        if value.name in self._values:
            raise ShapeError(f"The graph already has a value named '{value.name}'; choose another name.")
        self._values[value.name] = value
        return value
