"""What a step of convolve → ReLU → pool is written down as: plain numbers, alike whenever they are asked for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias

from pellucid.types import Padding, Pair

Rows: TypeAlias = tuple[tuple[float, ...], ...]
"""Numbers of a map, row by row."""
Shown: TypeAlias = tuple[tuple[float | None, ...], ...]
"""The same, None where a cell is still empty."""

NO_BORDER: Padding = ((0, 0), (0, 0))


@dataclass(frozen=True, slots=True)
class Grid:
    """A map on the stage, as it is when all its cells are filled.

    ``values`` hold the border, too; ``border`` says how many cells of it lie on the four sides. ``unseen`` are the
    cells, counted from the first real one, that no window of the next layer ever covers. ``notes`` say where its size
    comes from, with the numbers put in, or what border it has.
    """

    name: str
    title: str
    values: Rows
    border: Padding = NO_BORDER
    unseen: frozenset[Pair] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> Pair:
        """Rows and columns, border included."""
        return len(self.values), len(self.values[0])

    @property
    def inner(self) -> Pair:
        """Rows and columns without the border."""
        (rows, columns), ((top, bottom), (left, right)) = self.size, self.border
        return rows - top - bottom, columns - left - right

    def holds(self, cell: Pair) -> bool:
        """Whether a cell, counted from the first real one, is a real one and no border."""
        rows, columns = self.inner
        return 0 <= cell[0] < rows and 0 <= cell[1] < columns


@dataclass(frozen=True, slots=True)
class Phase:
    """A run of steps that fill one map; the phases "start" and "back" fill none or give the way back its beginning."""

    name: str
    first: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All maps, and the phases that fill them; the same for every step."""

    grids: tuple[Grid, ...]
    phases: tuple[Phase, ...]

    def __len__(self) -> int:
        """Return the number of steps."""
        return self.phases[-1].first + self.phases[-1].count

    def grid(self, name: str) -> Grid:
        """Look a map up."""
        return next(grid for grid in self.grids if grid.name == name)

    def __contains__(self, name: str) -> bool:
        return any(grid.name == name for grid in self.grids)


@dataclass(frozen=True, slots=True)
class Lit:
    """Cells of a map that a step reads, in the order of ``Work.patch``; those of a border lie outside the map."""

    grid: str
    cells: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What one step does: patch × weights = products, whose sum and the bias give the value.

    Every step is such a sum: a ReLU has the weight 1 or 0, a maximum the weight 1 for the winner, an average 1/n.
    ``total`` is that sum in float64, ``value`` the engine's number for the cell ``target`` of the map ``grid``.
    """

    grid: str
    target: Pair
    lit: tuple[Lit, ...]
    patch: Rows
    weights: Rows
    products: Rows
    bias: float
    total: float
    value: float


class Move(NamedTuple):
    """What one step does (``work`` is None at the start and at the turn), its phase, and a sentence on it."""

    phase: str
    work: Work | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One step: what it does (None at the start and at the turn), what the maps hold after it, and a sentence on it."""

    step: int
    phase: str
    work: Work | None
    maps: Mapping[str, Shown]
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)
