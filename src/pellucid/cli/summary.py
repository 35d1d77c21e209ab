"""``pellucid summary``: a network's layers, shapes, parameters and multiply-adds."""

from typing import Annotated

import typer

from pellucid.cli.options import Json, print_json
from pellucid.cli.target import find_network

EXAMPLE = "Example: pellucid summary pooled28 --input 3,32,32"


def summary(
    network: Annotated[
        str, typer.Argument(metavar="NET|RUN|MODEL", help="A network's name, a run's folder or a model file.")
    ],
    shape: Annotated[
        str | None, typer.Option("--input", metavar="C,H,W", help="Image.", show_default="the network's own")
    ] = None,
    json: Json = False,
) -> None:
    """Print the layers of a network with their shapes, parameters and multiply-adds."""
    from pellucid.analysis.summary import summary as summarise
    from pellucid.views import text

    found = summarise(*find_network(network, _parse(shape)))
    if json:
        print_json(found.as_dict())
    else:
        text.console().print(text.summary_table(found))


def _parse(shape: str | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    parts = shape.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and len(part) < 10 and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"--input must be C,H,W, three whole numbers of at least 1; got {shape!r}.")
    return tuple(int(part) for part in parts)
