"""One cell on a terminal, and as a page with its pixels marked in the picture."""

import math

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from pellucid.analysis.summary import size
from pellucid.explain.cell import Cell
from pellucid.explain.cells.words import Grid, Line, Listing, Piece, activated, computed, pieces, seen, title
from pellucid.explain.numbers import number
from pellucid.explain.trace import Trace
from pellucid.types import Array
from pellucid.views.pictures import photo

_WIDEST = 5
"""Columns of a patch that fit side by side into a terminal."""
_LARGEST_PICTURE = 448
_WON = "bold yellow"


def table(cell: Cell) -> Group:
    """Lay a cell out for a terminal: what was read, the arithmetic, and what the engine computed."""
    parts: list[RenderableType] = [Text(title(cell), style="bold"), _dim(f"{cell.op}: {cell.arithmetic.formula}")]
    for index, piece in enumerate(pieces(cell, _WIDEST)):
        parts += [*([""] if not index or not isinstance(piece, Line) else []), *_piece(piece)]
    parts += ["", _steps(cell), "", _sentence(cell)]
    if (after := activated(cell)) is not None:
        parts.append(Text(f"{after}."))
    return Group(*parts, Text(f"Pixels behind it: {seen(cell)}."))


def layers(trace: Trace) -> Table:
    """List the layers of a trace with what they give."""
    rows = _table("layer", "op", ">output", ">cells")
    for layer in trace:
        rows.add_row(Text(layer.name), layer.op, size(layer.shape), f"{math.prod(layer.shape):,}")
    return rows


def page(cell: Cell, pixels: Array, about: str) -> str:
    """Return a page of HTML that shows a cell, and its box in the picture, uint8 (C, H, W).

    It loads nothing and runs no script. ``about`` says whose network and which picture it is.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(loader=PackageLoader("pellucid.views"), autoescape=True, undefined=StrictUndefined)
    shown = pixels if len(pixels) in (1, 3) else pixels[:1]
    return environment.get_template("cell.html.j2").render(
        title=title(cell),
        layer=cell.layer,
        about=about,
        seen=seen(cell),
        box=cell.box,
        picture=photo(shown, largest=max(_LARGEST_PICTURE, *pixels.shape[1:])),
        height=pixels.shape[1],
        width=pixels.shape[2],
        cell=Markup(cell._repr_html_()),
    )


def _piece(piece: Piece) -> list[RenderableType]:
    if isinstance(piece, Line):
        return [Text(f"{piece.name} = {number(piece.value)}")]
    return _grid(piece) if isinstance(piece, Grid) else _listing(piece)


def _grid(grid: Grid) -> list[RenderableType]:
    """Lay a patch out with the rows and columns that it stands in."""
    name = grid.name
    if grid.multiplied is not None:
        name += f": value × weight, together {number(grid.multiplied.total)}"
    rows = _table("", *(f">{column}" for column in grid.columns))
    for y, row in enumerate(grid.rows):
        rows.add_row(_dim(row), *(_number(grid, (y, x)) for x in range(len(grid.columns))))
    return [Text(name, style="italic"), rows]


def _number(grid: Grid, place: tuple[int, int]) -> Text:
    value = float(grid.values[place])
    if grid.multiplied is not None:
        weight = float(grid.multiplied.weights[place])
        return Text(f"{number(value)}\n× {number(weight)}", style=_colour(value * weight))
    if place == grid.winner:
        return Text(f"[{number(value)}]", style=_WON)
    return Text(number(value), style=_colour(value))


def _listing(listing: Listing) -> list[RenderableType]:
    rows = _table("place", *(f">{name}" for name in listing.columns))
    for row in listing.rows:
        value, *others = row.numbers
        first = Text(number(value), style=_WON if row.won else "")
        rows.add_row(Text(row.place), first, *(Text(number(other), style=_colour(other)) for other in others))
    if (rest := listing.rest) is not None:
        rows.add_row(_dim(rest.name), *[""] * (len(listing.columns) - 1), number(rest.value))
    return [Text(listing.caption, style="italic"), rows]


def _steps(cell: Cell) -> Table:
    rows = _table("step", "with its numbers", ">result")
    for step in cell.steps:
        rows.add_row(step.name, step.numbers, Text(number(step.value), style=_colour(step.value)))
    return rows


def _table(*headers: str) -> Table:
    """Make a table; a header that starts with ">" is that of a column of numbers."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for header in headers:
        justify: JustifyMethod = "right" if header.startswith(">") else "left"
        made.add_column(header.removeprefix(">"), justify=justify, overflow="fold")  # no digit is ever cut off
    return made


def _sentence(cell: Cell) -> Text:
    words = computed(cell)
    return Text(f"{words[0].upper()}{words[1:]}.")


def _colour(value: float) -> str:
    return "" if value == 0 else "red" if value > 0 else "blue"


def _dim(words: str) -> Text:
    return Text(words, style="dim")
