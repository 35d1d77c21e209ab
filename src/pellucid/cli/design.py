"""``pellucid design``: a network that keeps given budgets, with the reasons for its numbers, as Python."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.options import Json, print_json
from pellucid.cli.summary import parse_shape
from pellucid.errors import FileError

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.analysis.design import Proposal

EXAMPLE = "Example: pellucid design --input 3,64,64 --classes 10 --budget-params 100_000"

_NUMBER = re.compile(r"(\d+(?:_\d+)*(?:\.\d+)?)([kMG]?)")
_LETTERS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_LONGEST = 20
_LONGEST_COUNT = 10**10


def design(
    shape: Annotated[str, typer.Option("--input", metavar="C,H,W", help="Shape of an image.")],
    classes: Annotated[int, typer.Option(metavar="N", min=1, help="How many classes.")],
    budget_params: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Most parameters: 100000, 100_000 or 0.1M.", show_default="1M, none with --budget-macs"
        ),
    ] = None,
    budget_macs: Annotated[
        str | None, typer.Option(metavar="N", help="Most multiply-adds for one image.", show_default="none")
    ] = None,
    receptive_field: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Pixels a side that a cell sees at least.", show_default="the image's"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the Python there; it must not exist yet.")
    ] = None,
    json: Json = False,
) -> None:
    """Propose a network that keeps budgets, explain its numbers, and write it as Python.

    Its pattern is [(conv-relu)×N-pool]×M-(fc-relu)×K.
    """
    image = parse_shape(shape)
    assert image is not None
    parameters = parse_count(budget_params, "--budget-params")
    macs = parse_count(budget_macs, "--budget-macs")
    if out is not None and out.exists():
        raise FileError(f"'{out}' exists and is not overwritten; give --out another name, or remove it.")
    from pellucid.analysis.design import design as propose

    proposal = propose(image, classes, parameters=parameters, macs=macs, receptive_field=receptive_field)
    if out is not None:
        from pellucid.files import write_text

        write_text(out, proposal.code())
    if json:
        print_json(proposal.as_dict())
    else:
        _show(proposal, out)


def parse_count(text: str | None, option: str) -> int | None:
    """Read 100000, 100_000, 0.1M, 100k or 2G. Raises BadParameter where it is no whole number of at least 1."""
    if text is None:
        return None
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    count = Fraction(match[1]) * _LETTERS[match[2]] if match else Fraction(0)
    if count < 1 or count.denominator != 1:
        raise typer.BadParameter(
            f"{option} must be a whole number of at least 1, such as 100000, 100_000, 100k or 0.1M; got {text[:40]!r}."
        )
    return int(count)


def _show(proposal: Proposal, out: Path | None) -> None:
    from rich.text import Text

    from pellucid.views import text

    console = text.console()
    for part in (
        Text.assemble((str(proposal.pattern), "bold"), " ", proposal.purpose),
        _budgets(proposal),
        _reasons(proposal),
    ):
        console.print(part)
        console.print()
    typer.echo(proposal.summary.text(max(80, console.width)) + "\n")
    typer.echo(f"Python: {out}" if out is not None else proposal.code(), nl=out is not None)


def _budgets(proposal: Proposal) -> Table:
    """Lay out what the network takes of its budgets."""
    from rich.table import Table
    from rich.text import Text

    from pellucid.views.text import bar

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    found, budgets = proposal.summary, proposal.budgets
    for name, taken, most in (
        ("parameters", found.parameters, budgets.parameters),
        ("multiply-adds", found.macs, budgets.macs),
    ):
        share = f"of {_written(most)}" if most else "no budget"
        shown = (Text(bar(taken / most), "blue"), f"{100 * taken / most:.1f} %") if most else ()
        table.add_row(name, _written(taken), share, *shown)
    least = budgets.receptive_field
    table.add_row("receptive field", f"{proposal.field} × {proposal.field}", f"at least {least:,}" if least else "")
    return table


def _written(number: int) -> str:
    """Write a count out, as long as it leaves room for a bar."""
    from pellucid.analysis.summary import amount

    return f"{number:,}" if number < _LONGEST_COUNT else amount(number)


def _reasons(proposal: Proposal) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for reason in proposal.reasons:
        table.add_row(reason.of, Text(reason.text))
    return table
