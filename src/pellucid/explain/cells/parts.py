"""What the account of a cell is made of: numbers that were read, and steps of arithmetic."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pellucid.geometry import Window
from pellucid.ops import Op, Types
from pellucid.ops.base import present
from pellucid.types import Array, Shape, TensorType

Where: TypeAlias = tuple[Array, ...]
"""Whole numbers for each axis of an array, which broadcast to one shape; −1 is a place outside, on a border."""


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """Numbers of one layer that a cell was computed from, in any shape.

    ``where`` says where in the layer's result each stands. ``weights`` is what each is multiplied by, or None where
    the op is no weighted sum. ``terms`` is what each adds to the sum or makes of itself, as ``term`` says: "" for the
    number itself, "product", "e^(x − largest)"; None where there is nothing to add up.
    """

    layer: str
    values: Array
    where: Where
    weights: Array | None = None
    terms: Array | None = None
    term: str = ""

    @property
    def products(self) -> Array:
        """Values times weights, in float64; the values themselves where there are no weights."""
        values = self.values.astype(np.float64)
        with np.errstate(all="ignore"):
            return values if self.weights is None else values * self.weights

    @property
    def outside(self) -> Array:
        """Which numbers stand on the border, outside of the layer's result."""
        return np.broadcast_to(_is_outside(self.where), self.values.shape)

    def added(self) -> Array:
        """Return (count,): what is added up, or compared, the numbers themselves where nothing is made of them."""
        return (self.values if self.terms is None else self.terms).reshape(-1)

    def places(self) -> Array:
        """Return (count, axes): where each number stands, in the order of ``values.flat``."""
        if not self.where:
            return np.zeros((self.values.size, 0), np.intp)
        return np.stack([np.broadcast_to(axis, self.values.shape).reshape(-1) for axis in self.where], axis=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of arithmetic: "x − mean", with its numbers "2.5 − 1.2", and what comes out."""

    name: str
    numbers: str
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """How a cell follows from what was read.

    ``result`` is computed in float64 from the numbers shown; the engine's is at most ``bound`` away. ``winner`` is the
    place, among the first operand's numbers, of the one that a maximum took.
    """

    formula: str
    operands: tuple[Operand, ...]
    steps: tuple[Step, ...]
    result: float
    bound: float
    bias: float = 0.0
    winner: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A cell that is to be explained: the op, its inputs with their names, the place in its result, batch included."""

    op: Op
    inputs: tuple[Array | None, ...]
    names: tuple[str, ...]
    index: tuple[int, ...]
    kernel: str = "reference"

    @property
    def types(self) -> Types:
        """Types of the inputs."""
        return tuple(None if array is None else TensorType.of(array) for array in self.inputs)

    @property
    def x(self) -> Array:
        """The first input."""
        return self.given(0)

    def given(self, which: int) -> Array:
        """Return an input that is never absent."""
        array = self.inputs[which]
        assert array is not None
        return array

    def window(self) -> Window:
        """Return the window of an op that has one."""
        window = self.op.window(*self.types)
        assert window is not None
        return window

    def result_shape(self) -> Shape:
        """Shape of the result."""
        return present(self.op.infer(*self.types)).shape

    def read(
        self,
        where: Where,
        *,
        which: int = 0,
        weights: Array | None = None,
        terms: Array | None = None,
        term: str = "",
    ) -> Operand:
        """Read numbers of an input; those outside are 0. With weights, and no terms, these are the products."""
        array = self.given(which)
        inside = array[tuple(np.maximum(axis, 0) for axis in where)]
        values = np.where(_is_outside(where), array.dtype.type(0), inside)
        if weights is not None and terms is None:
            terms, term = values.astype(np.float64) * weights, "product"
        return Operand(self.names[which], values, where, weights, terms, term)

    def at(self, *index: int) -> Operand:
        """Read one number of the first input."""
        return self.read(places(index))


def _is_outside(where: Where) -> Array:
    """Return, in a shape that broadcasts, which places are outside."""
    found: Array = np.zeros((), np.bool_)
    for axis in where:
        found = found | (axis < 0)
    return found


def places(index: tuple[int, ...]) -> Where:
    """Return one place."""
    return tuple(np.array(one, np.intp) for one in index)


def mesh(*axes: "Array | range | list[int] | int") -> Where:
    """Return the places of a grid: a number for an axis along which nothing moves, a list of places for the others.

    >>> [axis.shape for axis in mesh(0, [3, 4], range(5))]
    [(), (2, 1), (1, 5)]
    """
    arrays = [np.asarray(axis, np.intp) for axis in axes]
    moving = [number for number, array in enumerate(arrays) if array.ndim]
    shapes = {number: [1] * len(moving) for number in moving}
    for place, number in enumerate(moving):
        shapes[number][place] = -1
    return tuple(array.reshape(shapes[number]) if number in shapes else array for number, array in enumerate(arrays))


def counted(count: int, noun: str, plural: str = "s") -> str:
    """Write how many there are.

    >>> counted(1, "product"), counted(4608, "product")
    ('1 product', '4,608 products')
    """
    return f"{count:,} {noun}{plural if count != 1 else ''}"
