"""``pellucid quiz``: exercises made from a seed, graded by the engine."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Json, print_json
from pellucid.errors import ParameterError, PellucidError

if TYPE_CHECKING:
    from rich.console import Console

    from pellucid.lessons.exercises.records import Exercise

EXAMPLE = "Example: pellucid quiz --kind size --kind cell --seed 7"

_STOP, _SKIP = ("q", "quit"), ("", "?")


def quiz(
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="size, parameters, macs, field, cell, which-kernel, match, choice, design or rotation; repeatable.",
            show_default="all, in turn",
        ),
    ] = None,
    count: Annotated[int | None, typer.Option(metavar="N", help="How many.", show_default="one of each")] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Makes the same exercises again.", show_default="drawn, and told")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them as a page to print, .html, the answers on a page of their own."),
    ] = None,
    json: Json = False,
) -> None:
    """Ask exercises on convolutional networks, grade the answers and say why.

    Through a pipe, each line on stdin is an answer; an empty line passes on, q ends.
    """
    from pellucid.lessons.exercises.kinds import LARGEST_SEED, exercises

    if sheet is not None and sheet.suffix.lower() != ".html":
        raise typer.BadParameter(f"--sheet must end in .html; got {str(sheet)!r:.80}.")
    seed = secrets.randbelow(min(LARGEST_SEED, 10_000)) if seed is None else seed
    try:
        made = exercises(seed, kind or (), count)
    except ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    if sheet is not None:
        _write(sheet, seed, kind or (), len(made))
    if json:
        print_json(
            {"seed": seed, "exercises": [_record(one) for one in made]} | ({"file": str(sheet)} if sheet else {})
        )
    elif sheet is not None:
        typer.echo(f"Sheet {seed}, {len(made)} exercises and their answers: {sheet}")
    else:
        _ask(made, seed)


def _write(path: Path, seed: int, kinds: Sequence[str], count: int) -> None:
    from pellucid.files import write_text
    from pellucid.lessons.sheet import sheet

    write_text(path, sheet(seed, kinds, count))


def _record(exercise: Exercise) -> dict[str, Any]:
    from pellucid.lessons.exercises.kinds import grade

    return exercise.as_dict() | {
        "answer": exercise.form.solved,
        "solution": grade(exercise, exercise.form.solved).solution,
        "working": exercise.form.working,
    }


def _ask(made: Sequence[Exercise], seed: int) -> None:
    """Ask one exercise after the other, until they or the answers end, and tell the score."""
    from rich.text import Text

    from pellucid.lessons.exercises.kinds import KINDS
    from pellucid.lessons.text import HOW, written
    from pellucid.views.text import console

    screen = console()
    screen.print(Text(f"{len(made)} exercises, seed {seed}. Enter passes on, q ends.", style="dim"))
    right = asked = 0
    for place, exercise in enumerate(made, 1):
        heading = f"\n{place} of {len(made)}  {KINDS[exercise.kind].title}"
        screen.print(Text(heading, style="bold"))
        screen.print(Text(f"\n{written(exercise, screen.width)}\n"), soft_wrap=True)
        screen.print(Text(f"{HOW[exercise.form.name]}:", style="dim"))
        is_right = _answered(exercise, screen)
        if is_right is None:
            break
        asked, right = asked + 1, right + is_right
    screen.print(Text(f"\n{right} of {asked} right.", style="bold"))
    if asked:
        screen.print(Text(f"The same again: pellucid quiz --seed {seed}", style="dim"))


def _answered(exercise: Exercise, screen: Console) -> bool | None:
    """Read answers until one can be graded, and say what it is worth; None where there are no more."""
    from rich.text import Text

    from pellucid.lessons.exercises.kinds import grade
    from pellucid.lessons.text import graded

    for line in _lines():
        if line.lower() in _STOP:
            return None
        is_passed = line in _SKIP
        try:
            found = grade(exercise, exercise.form.solved if is_passed else line)
        except PellucidError as error:
            screen.print(Text(str(error), style="yellow"), soft_wrap=False)
            continue
        is_right = found.right and not is_passed
        verdict = "Passed on." if is_passed else "Right." if is_right else "Not right."
        screen.print(Text(verdict, style="green" if is_right else "yellow"))
        if is_passed:
            screen.print(Text(f"Right is: {found.solution}\n{exercise.form.working}"))
        else:
            screen.print(Text(graded(found, screen.width)), soft_wrap=True)
        return is_right
    return None


def _lines() -> Iterator[str]:
    """Yield what is typed, or what comes through the pipe, line by line."""
    while True:
        if sys.stdin.isatty():
            typer.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.strip()
