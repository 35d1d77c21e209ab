"""``pellucid explain``: where one number of a layer comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.options import Image, Json, Model, print_json
from pellucid.interop.target import open_input, open_model, open_pixels

if TYPE_CHECKING:
    from pellucid.explain.cell import Cell
    from pellucid.explain.trace import Trace

EXAMPLE = "Example: pellucid explain fashion fashion-mnist-mini:0 --layer conv2 --cell 3,5,7"


def explain(
    model: Model,
    image: Image,
    layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Layer of the cell.", show_default="the layers are listed")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(metavar="C,Y,X", help="Place of the cell; K in a vector.", show_default="the largest number"),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with the cell and its pixels in the picture.")
    ] = None,
    json: Json = False,
) -> None:
    """Write one number of a layer out: what was read, the arithmetic, the pixels behind it."""
    if layer is None and (cell is not None or html is not None):
        raise typer.BadParameter("--cell and --html go with --layer NAME; without it, the layers are listed.")
    place = None if cell is None else _place(cell)
    from pellucid.explain.trace import trace
    from pellucid.views import cell as views
    from pellucid.views import text

    net, whose = open_model(model)
    seen = trace(net, open_input(net, image))
    if layer is None:
        _list(seen, json)
        return
    found = seen.cell(layer, *(seen[layer].largest if place is None else place))
    about = f"With {whose}, on {image}{'' if place else ': the largest number of the layer'}"
    if html is not None:
        from pellucid.files import write_text

        write_text(html, views.page(found, open_pixels(net, image), f"{about}."))
    if json:
        print_json(_record(found, whose, image, chosen=place is not None))
        return
    typer.echo(f"{about}.\n")
    text.console().print(views.table(found))
    if html is not None:
        typer.echo(f"\nWritten: {html}")


def _place(words: str) -> tuple[int, ...]:
    if not re.fullmatch(r"-?[0-9]{1,18}(,-?[0-9]{1,18})*", words):
        raise typer.BadParameter(f"--cell must be whole numbers such as 3,5,7; got {words!r:.40}.")
    return tuple(int(word) for word in words.split(","))


def _list(seen: Trace, json: bool) -> None:
    from pellucid.views import cell as views
    from pellucid.views import text

    if json:
        print_json([{"layer": layer.name, "op": layer.op, "shape": list(layer.shape)} for layer in seen])
        return
    text.console().print(views.layers(seen))
    typer.echo("\nChoose one with --layer NAME.")


def _record(cell: Cell, whose: str, image: str, *, chosen: bool) -> dict[str, object]:
    return {"weights": whose, "image": image, "is_largest_of_layer": not chosen, **cell.as_dict()}
