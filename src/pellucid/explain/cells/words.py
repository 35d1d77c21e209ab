"""What of a cell is shown, and in which words: printed as text, on a terminal, and as HTML by what imports this."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pellucid.explain.cells.parts import Operand, counted
from pellucid.explain.numbers import number
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.explain.cell import Cell

CHANNELS = 4
"""Channels of a patch that are written out; of the others it is said what they come to."""
WIDEST = 11
"""Columns of a patch that are still written as a grid."""
TERMS = 8
"""Numbers of a list that are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """What one channel of a patch is multiplied by, (rows, columns), and what that makes."""

    weights: Array
    products: Array
    total: float


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """One channel of a patch, (rows, columns), with the rows and columns that it stands in.

    ``multiplied`` is None where nothing is; ``winner`` is the place in the grid of the number that a maximum took.
    """

    layer: str
    channel: int
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Array
    multiplied: Products | None
    winner: tuple[int, int] | None

    @property
    def name(self) -> str:
        """Layer and channel."""
        return f"{self.layer}, channel {self.channel}"


@dataclass(frozen=True, slots=True)
class Line:
    """One number with its name: "relu1[3, 5, 7]", "the other 3 channels together"."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Row:
    """One of the numbers of a list: where it stands, the number, its weight, what it adds."""

    place: str
    numbers: tuple[float, ...]
    won: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Numbers one below the other; ``columns`` says what the numbers of a row are, ``rest`` what is not shown."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    rest: Line | None


Piece: TypeAlias = Grid | Listing | Line


def pieces(cell: "Cell", widest: int = WIDEST) -> list[Piece]:
    """Choose what is shown of the numbers read; of patches with more than so many columns it is a list."""
    found: list[Piece] = []
    for operand in cell.operands:
        if operand.values.ndim == 0:
            found.append(Line(_spot(operand, 0), float(operand.values)))
        elif operand.values.ndim == 3 and operand.values.shape[2] <= widest and operand.term in ("", "product"):
            found += grids(operand, cell.arithmetic.winner)
        else:
            found.append(_listing(operand, cell.arithmetic.winner))
    return found


def grids(operand: Operand, winner: int | None = None, most: int = CHANNELS) -> list[Grid | Line]:
    """Return the channels of a patch that contribute most, and what the others come to."""
    with np.errstate(invalid="ignore"):
        sums = operand.added().reshape(operand.values.shape).sum(axis=(1, 2), dtype=np.float64)
        shown = _strongest(abs(sums), most)
        rest = np.delete(sums, shown)
        found: list[Grid | Line] = [_grid(operand, channel, float(sums[channel]), winner) for channel in shown]
        if rest.size:
            name = "the other channel" if rest.size == 1 else f"the other {rest.size:,} channels together"
            found.append(Line(name, float(rest.sum())))
    return found


def largest(values: Array) -> float:
    """Return the largest finite magnitude, which gets the full colour; 0 where there is none."""
    return float(abs(values[np.isfinite(values)]).max(initial=0.0))


def _grid(operand: Operand, channel: int, total: float, winner: int | None) -> Grid:
    values, multiplied = operand.values[channel], None
    if operand.term == "product":
        assert operand.weights is not None
        weights = np.broadcast_to(operand.weights, operand.values.shape)[channel]
        multiplied = Products(weights, operand.products[channel], total)
    rows, columns = (_along(operand, axis) for axis in (-2, -1))
    place = None if winner is None else np.unravel_index(winner, operand.values.shape)
    won = None if place is None or place[0] != channel else (int(place[1]), int(place[2]))
    return Grid(operand.layer, _channels(operand)[channel], rows, columns, values, multiplied, won)


def _channels(operand: Operand) -> list[int]:
    """Return the numbers of a patch's channels in their layer."""
    channels: list[int] = np.broadcast_to(operand.where[-3], operand.values.shape)[:, 0, 0].tolist()
    return channels


def _along(operand: Operand, axis: int) -> tuple[str, ...]:
    """Name the rows (axis −2) or columns (axis −1) that a patch covers."""
    places = np.moveaxis(np.broadcast_to(operand.where[axis], operand.values.shape), axis, 0)
    return tuple("border" if place < 0 else str(place) for place in places.reshape(len(places), -1)[:, 0].tolist())


def _listing(operand: Operand, winner: int | None) -> Listing:
    """List the numbers that count most, in their order, and what the others come to."""
    added = operand.added()
    shown = _strongest(added if winner is not None else abs(added), TERMS)
    columns = [("value", operand.values.reshape(-1))]
    if operand.term == "product":
        assert operand.weights is not None
        columns.append(("weight", np.broadcast_to(operand.weights, operand.values.shape).reshape(-1)))
    if operand.term:
        columns.append((operand.term, added))
    names, numbers = zip(*columns, strict=True)
    rows = [Row(_spot(operand, at), tuple(float(each[at]) for each in numbers), at == winner) for at in shown]
    caption = f"{operand.layer}: {counted(added.size, 'number')}"
    if len(shown) == added.size:
        return Listing(caption, names, tuple(rows), None)
    caption = f"{operand.layer}: {len(shown)} of {added.size:,} numbers with the largest {operand.term or 'magnitude'}"
    if winner is not None:
        caption = f"{operand.layer}: the {len(shown)} largest of {added.size:,} numbers"
    return Listing(caption, names, tuple(rows), _rest(np.delete(added, shown), is_sum=winner is None))


def _rest(others: Array, *, is_sum: bool) -> Line:
    """Say what the numbers that are not shown come to; where a maximum was taken, what the largest of them is."""
    if others.size == 1:
        return Line("the other one", float(others[0]))
    if not is_sum:
        return Line(f"the largest of the other {others.size:,}", float(others.max()))
    with np.errstate(invalid="ignore"):
        return Line(f"the other {others.size:,} together", float(others.sum(dtype=np.float64)))


def _strongest(values: Array, most: int) -> list[int]:
    """Return the places of the largest numbers, NaN among them, in their order."""
    counting = np.where(np.isnan(values), np.inf, values)
    return sorted(np.argsort(-counting, kind="stable")[:most].tolist())


def _spot(operand: Operand, at: int) -> str:
    """Name the place of a number in its layer."""
    place = operand.places()[at].tolist()
    if not place:
        return operand.layer
    return "border" if min(place) < 0 else f"{operand.layer}{place}"


def title(cell: "Cell") -> str:
    """Name the layer and the place."""
    if len(cell.index) == 3:
        return f"{cell.layer}, channel {cell.channel}, row {cell.y}, column {cell.x}"
    if len(cell.index) == 1:
        return f"{cell.layer}, number {cell.index[0]}"
    return f"{cell.layer}, place {cell.index}"


def computed(cell: "Cell") -> str:
    """Say what the engine computed, and how far that is from what the numbers come to."""
    by = " by Winograd's algorithm" if "winograd" in cell.kernel else ""
    if cell.error == 0:
        return f"the engine computed {number(cell.value, 9)}{by}, exactly that"
    away, allowed = number(cell.error, 2), number(cell.bound, 2)
    return f"the engine computed {number(cell.value, 9)}{by}, {away} away; rounding allows {allowed}"


def activated(cell: "Cell") -> str | None:
    """Say what the activation after a cell makes of it."""
    after = cell.activation
    return None if after is None else f"{after.layer}: {after.op}({number(cell.value)}) = {number(after.value)}"


def seen(cell: "Cell") -> str:
    """Say which pixels are behind a cell."""
    y0, x0, y1, x1 = cell.box
    return f"rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}" if y1 > y0 and x1 > x0 else "none"
