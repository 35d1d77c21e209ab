"""Tiles in rows: how many columns, how large, and where each lies; the pictures in them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pellucid.types import Array, Pair
from pellucid.views.scales import LEVELS, POSITIVE, Scale
from pellucid.views.sheet import MUTED, Sheet

PIXEL = 72 / 192
"""Points of a PNG's pixel: cells that are whole pixels wide all look alike."""
CAPTION = 9.0
"""Points above a tile for a line of small text."""
MAT = "#e9ecf0"
"""Lies under tiles, so that a scale's white middle is told from the paper."""
SMALL = 6.0
"""Size of a caption's text."""

_COLUMNS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)
_FINE, _LEAST_SHARE = 48, 0.8
"""Tiles of so many cells in a row fill their room, cells differing by a pixel, where whole ones would leave much."""
_WIDEST_GAP, _EDGE, _WIDEST_EDGE = 9.0, 4.5, 16.0


@dataclass(frozen=True, slots=True)
class Grid:
    """``count`` tiles of ``tile`` = (width, height) pixels of a PNG, in rows of ``columns``, ``step`` pixels apart.

    ``caption`` points are left above each tile, and ``edge`` points of the mat on all sides.
    """

    count: int
    columns: int
    tile: Pair
    step: Pair
    caption: float = 0.0
    edge: float = 4.5

    @property
    def rows(self) -> int:
        """Number of rows."""
        return -(-self.count // self.columns)

    @property
    def width(self) -> float:
        """Points, with the mat around the tiles."""
        columns = min(self.count, self.columns)
        return ((columns - 1) * self.step[0] + self.tile[0]) * PIXEL + 2 * self.edge

    @property
    def height(self) -> float:
        """Points, with the mat around the tiles."""
        return ((self.rows - 1) * self.step[1] + self.tile[1]) * PIXEL + self.caption + 2 * self.edge

    def place(self, index: int) -> tuple[float, float, float, float]:
        """Return x, y, width and height of a tile in points, from the mat's corner."""
        row, column = divmod(index, self.columns)
        x, y = (column * self.step[0]) * PIXEL + self.edge, (row * self.step[1]) * PIXEL + self.edge + self.caption
        return x, y, self.tile[0] * PIXEL, self.tile[1] * PIXEL


def layout(
    count: int,
    plane: Sequence[int],
    width: float,
    *,
    least: float,
    most: float,
    tallest: float,
    caption: float = 0,
    gap: float = 2.25,
) -> Grid:
    """Lay out tiles of (rows, columns) of cells: as large as ``tallest`` points of height allow, better in full rows.

    Tiles are ``least`` to ``most`` points wide, of a given ``width`` in all, and at least ``gap`` points apart; a cell
    is whole pixels wide, or several cells share a pixel.

    >>> grid = layout(32, (28, 28), 568, least=18, most=72, tallest=330)
    >>> grid.columns, grid.rows, grid.tile
    (8, 4, (168, 168))
    """
    every = [_grid(count, plane, width, columns, most, caption, gap) for columns in _COLUMNS]
    fitting = [one for one, wider in pairwise(every) if wider.tile[0] < one.tile[0]] or every[:1]
    wide = [grid for grid in fitting if grid.tile[0] * PIXEL >= least] or fitting[:1]
    low = [grid for grid in wide if grid.height <= tallest] or wide[-1:]
    full = [
        grid
        for grid in low
        if grid.count % grid.columns == 0 and grid.rows > 1 and grid.tile[0] >= 0.6 * low[0].tile[0]
    ]
    one_row = [grid for grid in low[:1] if grid.rows == 1]
    return (one_row or full or low)[0]


def paint(
    sheet: Sheet, grid: Grid, tiles: Array, scales: Sequence[Scale], x: float, y: float, mat: float | None = None
) -> None:
    """Draw tiles (N, H, W), on one scale or each on its own; then a tile's numbers become shares of its limit.

    The mat under them is as wide as they are, or ``mat`` points.
    """
    sheet.box(x, y, grid.width if mat is None else mat, grid.height, MAT)
    if len(scales) == 1:
        scale = scales[0]
    else:
        limits = np.array([one.high or 1.0 for one in scales])
        tiles, scale = tiles / limits[:, None, None], Scale(-1.0 if scales[0].signed else 0.0, 1.0, scales[0].colours)
    left, top, width, height = _inner(grid)
    sheet.picture(mosaic(grid, tiles), x + left, y + top, width, height, scale)


def paint_photos(sheet: Sheet, grid: Grid, tiles: Array, x: float, y: float, mat: float | None = None) -> None:
    """Draw pictures (N, H, W, 3), uint8."""
    sheet.box(x, y, grid.width if mat is None else mat, grid.height, MAT)
    left, top, width, height = _inner(grid)
    sheet.photo(mosaic(grid, tiles), x + left, y + top, width, height)


def mosaic(grid: Grid, tiles: Array) -> Array:
    """Put tiles where they lie: numbers (N, H, W) with NaN between, or pictures (N, H, W, 3) on the mat.

    Cells are repeated to fill a tile, or averaged where pixels are fewer.

    >>> mosaic(Grid(2, 2, (2, 1), (3, 1)), np.array([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
    [[1.0, 2.0, nan, 3.0, 4.0]]
    """
    (width, height), (step_x, step_y), columns = grid.tile, grid.step, min(grid.count, grid.columns)
    size = (grid.rows - 1) * step_y + height, (columns - 1) * step_x + width
    mat = [int(MAT[index : index + 2], 16) for index in (1, 3, 5)]
    picture = np.full(size, np.nan, np.float32) if tiles.ndim == 3 else np.full((*size, 3), mat, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, grid.columns)
        y, x = row * step_y, column * step_x
        picture[y : y + height, x : x + width] = sized(tile, height, width)
    return picture


def sized(values: Array, height: int, width: int) -> Array:
    """Bring (H, W) or (H, W, 3) to a number of pixels: whole repeats, or means of what falls into a pixel."""
    rows, columns = values.shape[:2]
    if height % rows == 0 and width % columns == 0:
        return values.repeat(height // rows, 0).repeat(width // columns, 1)
    from PIL import Image

    picture = Image.fromarray(values if values.ndim == 3 else np.asarray(values, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX))


def ramp(sheet: Sheet, scale: Scale, marks: Sequence[str], x: float, y: float, width: float) -> None:
    """Draw a scale's colours with words in place of its numbers, for scales that differ from tile to tile."""
    shown = Scale(-1.0 if scale.signed else 0.0, 1.0, scale.colours)
    sheet.picture(np.linspace(shown.low, shown.high, LEVELS)[None], x, y, width, 9, shown)
    for mark, share in zip(marks, np.linspace(0, 1, len(marks)).tolist(), strict=True):
        align = {0.0: "left", 1.0: "right"}.get(share, "center")
        sheet.text((x + share * width, y + 17), mark, size=7, align=align)


def limit(scale: Scale) -> str:
    """Write a tile's own scale in two digits.

    >>> limit(Scale(-0.123, 0.123, "RdBu_r")), limit(Scale(0, 45.6, "cividis"))
    ('±0.12', '0–46')
    """
    digits = f"{scale.high:.2g}" if scale.high < 10 or scale.high >= 1e4 else f"{scale.high:.0f}"
    return f"0–{digits}" if scale.colours == POSITIVE else f"±{digits}"


def caption(sheet: Sheet, grid: Grid, index: int, x: float, y: float, left: str, right: str = "") -> None:
    """Write over a tile."""
    across, down, width, _ = grid.place(index)
    height = y + down - CAPTION / 2 + 0.5
    sheet.text((x + across, height), left, size=SMALL, colour=MUTED)
    if right:
        sheet.text((x + across + width, height), right, size=SMALL, align="right")


def _inner(grid: Grid) -> tuple[float, float, float, float]:
    """Return x, y, width and height of the tiles together, from the mat's corner."""
    left, top, _, _ = grid.place(0)
    return left, top, grid.width - 2 * grid.edge, grid.height - 2 * grid.edge - grid.caption


def _grid(
    count: int, plane: Sequence[int], width: float, columns: int, most: float, caption: float, gap: float
) -> Grid:
    room = min((width - 2 * _EDGE + gap) / columns - gap, most)
    pixels, (rows, cells) = max(1, int(room / PIXEL)), plane
    whole = pixels // cells * cells
    across = pixels if pixels < cells or (cells > _FINE and whole < _LEAST_SHARE * pixels) else whole
    down = max(1, round(across * rows / cells))
    spare = (width - 2 * _EDGE - columns * across * PIXEL) / max(1, columns - 1)
    between = int(min(max(spare, gap), max(gap, _WIDEST_GAP)) / PIXEL)
    spare = (width - ((columns - 1) * (across + between) + across) * PIXEL) / 2
    edge = spare if spare < _WIDEST_EDGE else _EDGE  # a full row ends where the column does
    step = across + between, down + max(between, int(caption / PIXEL) + 4)
    return Grid(count, columns, (across, down), step, caption, edge)
