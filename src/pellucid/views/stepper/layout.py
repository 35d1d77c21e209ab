"""Where the maps of the steps stand: in columns, each map above its gradient, in as many rows as they need."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pellucid.explain.steps.frame import Grid, Scene
from pellucid.types import Pair
from pellucid.views.stepper.marks import measure
from pellucid.views.stepper.numbers import numerals

LABEL, FORMULA = 13, 11
"""Sizes of text."""
PRODUCTS = "products"
"""Name of the place where patch × kernel is shown."""

_WIDTH, _GAP, _ROW_GAP, _ABOVE, _LINE = 1060, 44, 26, 24, 17
_LARGEST, _READABLE, _SMALLEST = 38, 25, 20
"""Pixels of a cell: at most, at least in one row, and at least."""
_COLUMNS = (("image", "d_image"), ("kernel", "d_kernel"), ("conv", "d_conv"), ("relu", "d_relu"), ("pool", "d_pool"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cells of a map begin, and how large one is."""

    x: int
    y: int
    cell: int
    size: Pair
    label: str
    text: int
    decimals: int
    sized: str = ""
    captions: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.size[1] * self.cell

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.size[0] * self.cell

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return the upper left corner (x, y) of a cell."""
        return self.x + column * self.cell, self.y + row * self.cell


@dataclass(frozen=True, slots=True)
class Layout:
    """Places by map's name, the marks between columns as (x, y, sign), and the size of all."""

    width: int
    height: int
    places: dict[str, Place]
    signs: tuple[tuple[int, int, str], ...]


@lru_cache(8)
def layout(scene: Scene) -> Layout:
    """Find places for all maps of a scene: with the largest cells, on one row if they are readable so."""
    columns = [names for names in _COLUMNS if names[0] in scene]
    cell, rows = _arranged(scene, columns)
    places: dict[str, Place] = {}
    signs: list[tuple[int, int, str]] = []
    top = width = 0
    for index, row in enumerate(rows):
        bottom, right = _place_row(scene, row, cell, top, places, signs)
        if index:
            first = places[row[0][0]]
            signs.append((first.x - _GAP // 2, first.y + first.height // 2, "→"))
        top, width = bottom + _ROW_GAP, max(width, right)
    return Layout(width, top - _ROW_GAP, places, tuple(signs))


def _arranged(scene: Scene, columns: list[tuple[str, str]]) -> tuple[int, list[list[tuple[str, str]]]]:
    """Choose the size of a cell, and which columns stand on which row."""
    in_one = _largest(scene, [columns])
    if in_one >= _READABLE:
        return in_one, [columns]
    splits = [[columns[:at], columns[at:]] for at in range(1, len(columns))]
    best = max(splits, key=lambda rows: (_largest(scene, rows), -max(_across(scene, row, _SMALLEST) for row in rows)))
    return max(_SMALLEST, _largest(scene, best)), best


def _largest(scene: Scene, rows: Sequence[Sequence[tuple[str, str]]]) -> int:
    for cell in range(_LARGEST, 0, -1):
        if all(_across(scene, row, cell) <= _WIDTH for row in rows):
            return cell
    return 0


def _across(scene: Scene, row: Sequence[tuple[str, str]], cell: int) -> int:
    return sum(_width(scene, names, cell) + _GAP for names in row) - _GAP


def _width(scene: Scene, names: tuple[str, str], cell: int) -> int:
    """Pixels that a column takes: of its maps and of what is written about them."""
    grids = [scene.grid(name) for name in names if name in scene]
    texts = [measure(label(grid), LABEL, True) + measure(sized(grid), LABEL) for grid in grids]
    texts += [measure(line, FORMULA) for grid in grids for line in grid.notes]
    if names[0] == "kernel":
        texts.append(measure("patch × kernel", LABEL, True))
    return max(*(grid.size[1] * cell for grid in grids), *(round(width) + 1 for width in texts))


def label(grid: Grid) -> str:
    """Name a map; a gradient stands below its map and need not repeat the name.

    >>> label(Grid("d_conv", "gradient of the convolution", ((1.0, 2.0),)))
    'gradient'
    """
    return "gradient" if grid.name.startswith("d_") and grid.name != "d_bias" else grid.title


def sized(grid: Grid) -> str:
    """Write a map's size behind its name; its border does not count."""
    return "" if grid.name == "d_bias" else f"  {grid.inner[0]}×{grid.inner[1]}"


def _place_row(
    scene: Scene,
    row: Sequence[tuple[str, str]],
    cell: int,
    top: int,
    places: dict[str, Place],
    signs: list[tuple[int, int, str]],
) -> Pair:
    """Place the columns of one row; return where they end, down and across."""
    x, lows = (0 if not places else _GAP), []
    for above, _ in row:
        lows.append(_put(scene, [above, *([PRODUCTS] if above == "kernel" else [])], x, top, cell, places))
        x += _width(scene, (above, f"d_{above}"), cell) + _GAP
    right, middle = x - _GAP, max(lows)
    steady = places["kernel" if any(above == "kernel" for above, _ in row) else row[0][0]]
    height = steady.y + steady.height // 2
    for above, _ in row[1:]:
        sign = {"kernel": "∗", "conv": "="}.get(above, "→")
        signs.append((places[above].x - _GAP // 2, height, sign))
    lows = [middle]
    for above, below in row:
        names = [name for name in (below, *(["d_bias"] if below == "d_kernel" else [])) if name in scene]
        if names:
            lows.append(_put(scene, names, places[above].x, middle + _ROW_GAP // 2, cell, places))
    return max(lows), right


def _values(grid: Grid) -> set[float]:
    return {value for row in grid.values for value in row}


def _put(scene: Scene, names: list[str], x: int, top: int, cell: int, places: dict[str, Place]) -> int:
    """Place maps one below the other; return where they end."""
    for name in names:
        grid = scene.grid("kernel" if name == PRODUCTS else name)
        place = Place(
            x, top + _ABOVE, cell, grid.size, label(grid), *numerals(_values(grid), cell), sized(grid), grid.notes
        )
        if name == PRODUCTS:
            numbers = numerals(_values(scene.grid("conv")), cell)
            place = Place(x, top + _ABOVE, cell, grid.size, "patch × kernel", *numbers)
        places[name] = place
        lines = 2 if name == PRODUCTS else len(place.captions)
        top = place.y + place.height + lines * _LINE + (10 if name != names[-1] else 0)
    return top
