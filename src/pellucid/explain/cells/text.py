"""A cell as plain text: the formula with its numbers, line by line."""

from typing import TYPE_CHECKING

from pellucid.explain.cells.words import Grid, Line, Listing, Piece, Row, activated, computed, pieces, seen, title
from pellucid.explain.numbers import number

if TYPE_CHECKING:
    from pellucid.explain.cell import Cell


def in_text(cell: "Cell") -> list[str]:
    """Return the lines of a cell."""
    lines = [f"{cell.op}: {cell.arithmetic.formula}"]
    for piece in pieces(cell):
        lines += _piece(piece)
    for step in cell.steps:
        lines.append(f"{step.name} = {f'{step.numbers} = ' if step.numbers else ''}{number(step.value)}")
    lines.append(computed(cell))
    lines += filter(None, [activated(cell)])
    return [title(cell), *(f"  {line}" for line in [*lines, f"pixels behind it: {seen(cell)}"])]


def _piece(piece: Piece) -> list[str]:
    if isinstance(piece, Grid):
        return _grid(piece)
    if isinstance(piece, Line):
        return [f"{piece.name} = {number(piece.value)}"]
    rows = [f"  {_row(row, piece)}" for row in piece.rows]
    rest = [] if piece.rest is None else [f"  {piece.rest.name}: {number(piece.rest.value)}"]
    return [piece.caption, *rows, *rest]


def _grid(grid: Grid) -> list[str]:
    words = [[number(value) for value in row] for row in grid.values]
    if grid.multiplied is not None:
        factors = [[number(weight) for weight in row] for row in grid.multiplied.weights]
        words = [[f"{v}×{w}" for v, w in zip(*rows, strict=True)] for rows in zip(words, factors, strict=True)]
    if grid.winner is not None:
        y, x = grid.winner
        words[y][x] = f"[{words[y][x]}]"
    longest = max((len(word) for row in words for word in row), default=0)
    between = "  " if grid.multiplied is None else " + "
    rows = ["  " + between.join(word.rjust(longest) for word in row) for row in words]
    if grid.multiplied is None:
        return [grid.name, *rows]
    return [f"{grid.name}: patch × weights", *rows, f"  = {number(grid.multiplied.total)}"]


def _row(row: Row, listing: Listing) -> str:
    value, *others = (number(each) for each in row.numbers)
    if len(others) == 2:
        return f"{row.place}: {value} × {others[0]} = {others[1]}"
    return f"{row.place}: {value}" + (f", {listing.columns[1]} = {others[0]}" if others else "")
