"""``pellucid compare``: layers that could stand in each other's place, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.options import Json, print_json
from pellucid.errors import ParameterError

if TYPE_CHECKING:
    from pellucid.analysis.alternatives import Comparison

EXAMPLE = "Example: pellucid compare --channels 64,128 --kernel 5 --size 28"

_SECONDS = 0.05
"""For which each alternative is timed, beside some that do not count."""


def compare(
    channels: Annotated[str, typer.Option(metavar="IN,OUT", help="Channels before and after.")] = "64,64",
    kernel: Annotated[int, typer.Option(metavar="K", help="Rows and columns of a kernel.")] = 3,
    size: Annotated[int, typer.Option(metavar="N", help="Rows and columns of the maps.")] = 56,
    bias: Annotated[bool, typer.Option("--bias", help="Give each layer biases.")] = False,
    no_time: Annotated[bool, typer.Option("--no-time", help="Only count; measure no time.")] = False,
    json: Json = False,
) -> None:
    """Set a convolution beside a dense layer, other kinds of convolution, pooling and global average pooling."""
    from rich.text import Text

    from pellucid.analysis import compare as analysis
    from pellucid.bench.measure import interleaved
    from pellucid.views import text

    before, after = _parse(channels)
    timer = None if no_time else partial(interleaved, seconds=_SECONDS)
    waiting = text.console(error=True)
    shows = waiting.is_terminal and not no_time
    try:
        with waiting.status("Measuring…", refresh_per_second=2) if shows else nullcontext():
            found = analysis.compare(before, after, kernel, size, size, bias=bias, timer=timer)
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    if json:
        print_json(
            {"channels": [before, after], "kernel": kernel, "size": [size, size], "bias": bias}
            | {"comparisons": {name: comparison.as_dict() for name, comparison in found.items()}}
        )
        return
    biases = "with biases" if bias else "without biases"
    screen = text.console()
    screen.print(f"{before} → {after} channels, kernels of {kernel}×{kernel}, maps of {size}×{size}, {biases}")
    for comparison in found.values():
        headings, _, rest = str(comparison).partition("\n")
        words = Text.assemble("\n", (comparison.title, "bold"), "\n\n", (headings, "dim"), "\n", rest)
        screen.print(words, soft_wrap=True)
    screen.print(Text("\n" + "\n".join(_notes(found.values())), style="dim"))


def _notes(comparisons: Iterable[Comparison]) -> Iterator[str]:
    """Explain the signs in the tables."""
    from pellucid.kernels import threads

    times = [row.milliseconds for comparison in comparisons for row in comparison.alternatives]
    yield "÷, ×: beside the first row."
    if any(times):
        count = threads.count()
        yield f"ms: median for one image, on {count} thread{'s' * (count != 1)}."
        if not all(times):
            yield "–: too large to be run for this."


def _parse(channels: str) -> tuple[int, int]:
    parts = channels.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() and len(part) < 10 for part in parts):
        raise typer.BadParameter(f"--channels must be IN,OUT, two whole numbers such as 64,128; got {channels!r:.80}.")
    return int(parts[0]), int(parts[1])
