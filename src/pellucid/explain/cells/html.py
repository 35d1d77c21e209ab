"""A cell as a piece of HTML: for a notebook, or to be put into a page.

It needs nothing beside itself and follows the page it stands in: colours are laid over its background, light or dark.
Red is above zero and blue below, of weights orange above and purple below; the signs are printed, too.
"""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.cells.words import (
    Grid,
    Line,
    Listing,
    Piece,
    activated,
    computed,
    largest,
    pieces,
    seen,
    title,
)
from pellucid.explain.numbers import number
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.explain.cell import Cell

_STRONGEST = 62
"""Per cent of the colour behind the largest number: text is still read on it."""

_STYLE = """
.pel-cell{--above:178 24 43;--below:33 102 172;font-variant-numeric:tabular-nums;line-height:1.4}
.pel-cell .weight{--above:230 97 1;--below:106 61 154}
.pel-cell table{border-collapse:collapse;margin:.4em 0;font-size:.92em}
.pel-cell caption{text-align:left;opacity:.75;font-size:.85em;white-space:nowrap}
.pel-cell th,.pel-cell td{padding:.2em .45em;text-align:right;color:inherit;border:1px solid rgb(128 128 128/25%)}
.pel-cell th{font-weight:400;opacity:.7;background:none}
.pel-cell .above{background:rgb(var(--above)/var(--share))}
.pel-cell .below{background:rgb(var(--below)/var(--share))}
.pel-cell .words th,.pel-cell .words td:nth-child(2){text-align:left}
.pel-cell .won{outline:.2em solid #e08a00;outline-offset:-.1em;font-weight:700}
.pel-cell .sign{font-size:1.2em;margin-top:1.2em;opacity:.75}
.pel-cell .scroll{overflow-x:auto;display:flex;align-items:center;gap:.7em}
"""


def in_html(cell: "Cell") -> str:
    """Return a section that shows a cell."""
    steps = [_row(step.name, f"<td>{escape(step.numbers)}</td><td>{number(step.value)}</td>") for step in cell.steps]
    arithmetic = _table("The arithmetic", ("step", "with its numbers", "result"), steps, "words")
    name, found = escape(title(cell)), computed(cell)
    after = activated(cell)
    return (
        f'<section class="pel-cell" aria-label="{name}"><style>{_STYLE}</style>'
        f"<p><b>{name}</b>: {escape(cell.op)}, {escape(cell.arithmetic.formula)}</p>"
        f"{''.join(_piece(piece) for piece in pieces(cell))}{_scrolling(arithmetic)}"
        f"<p>{escape(found[0].upper() + found[1:])}.</p>{f'<p>{escape(after)}</p>' if after else ''}"
        f"<p>Pixels behind it: {escape(seen(cell))}.</p></section>"
    )


def _piece(piece: Piece) -> str:
    if isinstance(piece, Grid):
        return _grid(piece)
    if isinstance(piece, Line):
        return f"<p>{escape(piece.name)} = {number(piece.value)}</p>"
    return _listing(piece)


def _grid(grid: Grid) -> str:
    tables = [_numbers(grid, grid.name, grid.values, winner=grid.winner)]
    if (found := grid.multiplied) is not None:
        together = f"products, together {number(found.total)}"
        tables += ['<span class="sign">×</span>', _numbers(grid, "weights", found.weights, "weight")]
        tables += ['<span class="sign">=</span>', _numbers(grid, together, found.products)]
    return _scrolling("".join(tables))


def _numbers(grid: Grid, caption: str, values: Array, kind: str = "", winner: tuple[int, int] | None = None) -> str:
    limit = largest(values)
    rows = [
        _row(name, "".join(_cell(float(value), limit, won=winner == (y, x)) for x, value in enumerate(row)))
        for y, (name, row) in enumerate(zip(grid.rows, values, strict=True))
    ]
    return _table(caption, ("", *grid.columns), rows, kind)


def _listing(listing: Listing) -> str:
    limits = [largest(np.array(column)) for column in zip(*(row.numbers for row in listing.rows), strict=True)]
    rows = []
    for row in listing.rows:
        named = zip(listing.columns, row.numbers, limits, strict=True)
        cells = (_cell(value, limit, name, won=row.won and name == "value") for name, value, limit in named)
        rows.append(_row(row.place, "".join(cells)))
    if listing.rest is not None:
        blank = "<td></td>" * (len(listing.columns) - 1)
        rows.append(_row(listing.rest.name, f"{blank}<td>{number(listing.rest.value)}</td>"))
    return _scrolling(_table(listing.caption, ("place", *listing.columns), rows))


def _cell(value: float, limit: float, column: str = "", *, won: bool = False) -> str:
    share = round(_STRONGEST * abs(value) / limit) if limit and np.isfinite(value) else 0
    kinds = ["weight"] * (column == "weight") + ["won"] * won + ["below" if value < 0 else "above"] * (share > 0)
    named = f' class="{" ".join(kinds)}"' if kinds else ""
    titled = ' title="the largest"' if won else ""
    shaded = f' style="--share:{share}%"' if share else ""
    return f"<td{named}{shaded}{titled}>{number(value)}</td>"


def _row(name: str, cells: str) -> str:
    return f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'


def _table(caption: str, heads: Sequence[str], rows: Sequence[str], kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in heads)
    return (
        f"<table{named}><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _scrolling(tables: str) -> str:
    return f'<div class="scroll">{tables}</div>'
