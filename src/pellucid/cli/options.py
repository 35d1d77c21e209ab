"""Arguments and options that several commands have, and how they are read."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

Model = Annotated[
    str, typer.Argument(metavar="RUN|MODEL|NET", help="A run's folder, a model file or a network's name.")
]
Image = Annotated[str, typer.Argument(metavar="IMAGE", help="An image file, or DATA:INDEX, a data set's test picture.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Picture to write, .svg or .png; needed unless --json.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text.")]


class Border(StrEnum):
    """What surrounds an image, as :data:`pellucid.ops.pad.BORDERS` names it."""

    zeros = "zeros"
    replicate = "replicate"
    reflect = "reflect"
    circular = "circular"


_MOST = 100_000
"""Numbers that a list may hold."""


def check_out(out: Path | None, json: bool) -> None:
    """Raise BadParameter where nothing would be shown, ParameterError where the file is no picture's."""
    from pellucid.views.sheet import check_picture

    if out is not None:
        check_picture(out)
    elif not json:
        raise typer.BadParameter("give --out FILE for the picture, or --json.")


def print_json(value: Any) -> None:
    """Print a value as JSON in one line; NaN, which JSON lacks, must not be in it."""
    typer.echo(json.dumps(value, allow_nan=False))


def parse_numbers(option: str, text: str | None) -> list[int] | None:
    """Read a list such as 0-15,40, each number once. Raises BadParameter, naming the option, where it is none.

    >>> parse_numbers("--channels", "3, 0-2,1")
    [3, 0, 1, 2]
    """
    if text is None:
        return None
    parts = [re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part.strip()) for part in text.split(",")]
    ranges = [(int(part[1]), int(part[2] or part[1])) for part in parts if part]
    if len(ranges) < len(parts) or any(first > last for first, last in ranges):
        raise typer.BadParameter(f"{option} must be numbers and ranges, such as 0-15,40; got {text!r:.80}.")
    count = sum(last - first + 1 for first, last in ranges)
    if count > _MOST:
        raise typer.BadParameter(f"{option} must list at most {_MOST:,} numbers; got {count:,}; list fewer.")
    return list(dict.fromkeys(number for first, last in ranges for number in range(first, last + 1)))
