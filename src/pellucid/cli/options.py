"""Options that several commands have."""

import json
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text.")]


def print_json(value: Any) -> None:
    """Print a value as JSON in one line; NaN, which JSON lacks, must not be in it."""
    typer.echo(json.dumps(value, allow_nan=False))
