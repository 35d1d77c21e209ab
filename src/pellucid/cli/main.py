"""The command ``pellucid``: its commands, and what an error looks like to a person in a terminal."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from pellucid import __version__
from pellucid.cli import (
    attribute,
    bench,
    compare,
    data,
    design,
    draw,
    dream,
    engine,
    evaluate,
    explain,
    filters,
    kernels,
    maps,
    predict,
    quiz,
    shift,
    step,
    studio,
    summary,
    train,
)
from pellucid.cli import filter as filter_
from pellucid.errors import PellucidError


class _Commands(TyperGroup):
    """The commands; Ctrl-C ends each with one line and status 130."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(_stopped()) from None


app = typer.Typer(
    cls=_Commands,
    name="pellucid",
    help="Convolutional networks you can see through: train them, look inside, use them.",
    epilog="Example: pellucid train",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("train", epilog=train.EXAMPLE)(train.train)
app.command("evaluate", epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command("predict", epilog=predict.EXAMPLE)(predict.predict)
app.command("summary", epilog=summary.EXAMPLE)(summary.summary)
app.command("design", epilog=design.EXAMPLE)(design.design)
app.command("compare", epilog=compare.EXAMPLE)(compare.compare)
app.command("draw", epilog=draw.EXAMPLE)(draw.draw)
app.command("step", epilog=step.EXAMPLE)(step.step)
app.command("explain", epilog=explain.EXAMPLE)(explain.explain)
app.command("kernels", epilog=kernels.EXAMPLE, context_settings=kernels.SETTINGS)(kernels.kernels)
app.command("filter", epilog=filter_.EXAMPLE)(filter_.filter_photos)
app.command("maps", epilog=maps.EXAMPLE)(maps.maps)
app.command("filters", epilog=filters.EXAMPLE)(filters.filters)
app.command("attribute", epilog=attribute.EXAMPLE)(attribute.attribute)
app.command("dream", epilog=dream.EXAMPLE)(dream.dream)
app.command("shift", epilog=shift.EXAMPLE)(shift.shift)
app.command("studio", epilog=studio.EXAMPLE)(studio.studio)
app.command("quiz", epilog=quiz.EXAMPLE)(quiz.quiz)
app.command("bench", epilog=bench.EXAMPLE)(bench.bench)
app.command("engine", epilog=engine.EXAMPLE)(engine.engine)
app.add_typer(data.app, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pellucid {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
    ),
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 (it failed), 2 (wrong usage) or 130 (stopped by Ctrl-C).

    What goes wrong for a user ends as one line on stderr.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or pipe that lacks a sign gets "?" instead of a crash
            stream.reconfigure(errors="replace")
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(arguments, prog_name="pellucid")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except PellucidError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _stopped()
    except MemoryError:
        return _fail("There is not enough memory for this; use a smaller batch size, image or network.")
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        return _fail(_sentence(error))
    return 0


def _stopped() -> int:
    print("pellucid: Stopped by Ctrl-C.", file=sys.stderr)
    return 130


def _fail(message: str) -> int:
    print(f"pellucid: {' '.join(message.split())}", file=sys.stderr)
    return 1


def _sentence(error: OSError) -> str:
    where = f"'{error.filename}': " if error.filename else ""
    remedy = {
        errno.ENOSPC: "free some space and try again",
        errno.EROFS: "choose a folder that can be written",
        errno.EACCES: "choose a place that you may use",
    }.get(error.errno or 0)
    return f"{where}{error.strerror or error}{f'; {remedy}' if remedy else ''}."
