"""Tables and bars for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pellucid.analysis.summary import size
from pellucid.train.evaluate import Evaluation
from pellucid.train.run import Outcome
from pellucid.views.findings import duration, percent

_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉"


def console(*, error: bool = False) -> Console:
    """Return the console that commands print to: as wide as the terminal, 80 columns where there is none."""
    return Console(stderr=error, highlight=False, soft_wrap=False)


def bar(share: float, width: int = _BAR) -> str:
    """Draw a share of 0 to 1 as a bar, in steps of an eighth of a column.

    >>> bar(0.5, 4), bar(0.3, 4)
    ('██', '█▎')
    """
    whole, rest = divmod(round(share * width * 8), 8)
    return "█" * whole + _EIGHTHS[rest].strip()


def result_table(outcome: Outcome) -> Table:
    """Lay out what a run achieved."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, show_edge=False, pad_edge=False)
    evaluation, last = outcome.evaluation, outcome.history[-1]
    table.add_row("test accuracy", Text(percent(evaluation.accuracy), style="bold"))
    table.add_row("test loss", f"{evaluation.loss:.4f}")
    table.add_row("epochs", str(last["epoch"]))
    if outcome.seconds:
        table.add_row("training time", duration(outcome.seconds))
        table.add_row("images per second", f"{last['images_per_second']:,.0f}")
    return table


def evaluation_table(evaluation: Evaluation) -> Table:
    """Lay out an evaluation: a class in each row, with a bar."""
    table = _table("class", "", ">recognised", ">images")
    counts = evaluation.confusion.sum(axis=1)
    for (name, share), count in zip(evaluation.per_class.items(), counts, strict=True):
        table.add_row(Text(name), _bar(share if count else 0.0), percent(share), f"{count:,}")
    table.add_section()
    table.add_row("all", "", percent(evaluation.accuracy), f"{counts.sum():,}", style="bold")
    return table


def prediction(file: str, top: Sequence[Mapping[str, Any]]) -> Table:
    """Lay out the likeliest classes of one image, with bars."""
    table = Table(
        box=None, show_header=False, pad_edge=False, title=Text(file), title_justify="left", title_style="bold"
    )
    for guess in top:
        share = guess["probability"]
        table.add_row(f"{percent(share):>7}", _bar(share), Text(guess["class"]))
    return table


def data_list(rows: Sequence[Mapping[str, Any]]) -> str:
    """List data sets: name, sizes, whether they are here, and what they are."""
    lines = []
    for row in rows:
        here = "here" if row["path"] else f"to fetch: {row['bytes'] / 1e6:.0f} MB"
        lines.append(f"{row['name']:<19} {row['train']:>6,} + {row['test']:>6,} of {size(row['image'])}   {here}")
        lines.append(f"    {row['description']}")
    return "\n".join(lines)


def _bar(share: float) -> Text:
    return Text(bar(share).ljust(_BAR), style="blue")


def _table(*headers: str) -> Table:
    """Make a table; a header that starts with ">" is that of a column of numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for header in headers:
        numbers = header.startswith(">")
        table.add_column(header.removeprefix(">"), justify="right" if numbers else "left", no_wrap=numbers)
    return table
