"""``pellucid kernels``: the gallery of kernels, what one is and does, two made one, and which answers most."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Json, print_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure


EXAMPLE = "Example: pellucid kernels sobel-x --out sobel.png"
SETTINGS = {"ignore_unknown_options": True}
"""So that rows may begin with a negative number."""

_LONGEST = 192
"""Pixels of the longer side of a picture that is to be looked at."""


def kernels(
    kernel: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|FILE|ROWS",
            help="A kernel: its name, perhaps with settings (gabor:size=11,angle=30), a text file, or its rows "
            "('1,0,-1; 2,0,-2; 1,0,-1').",
            show_default="the whole gallery",
        ),
    ] = None,
    compose: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="FIRST SECOND", help="Show the one kernel that two in turn are, and what a ReLU changes."),
    ] = None,
    rank: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="Rank the gallery's detectors by how strongly they answer to a picture, given as for --picture.",
        ),
    ] = None,
    picture: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="What kernels are applied to: an image file, or DATA:INDEX, a data set's test picture; rows of "
            "numbers, or card, horizontal-line, vertical-line or diagonal-line.",
            show_default="card",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Picture to write, .svg or .png.")] = None,
    json: Json = False,
) -> None:
    """List the kernels that have a name, or describe one; compose two; rank them by their answers."""
    from pellucid.views.sheet import check_picture, save
    from pellucid.views.text import console

    _check_usage(kernel, compose, rank, picture, out)
    picture = picture or "card"
    if out is not None:
        check_picture(out)
    if compose is not None:
        figure, record, shown = _compose(compose, picture, out)
    elif rank is not None:
        figure, record, shown = _rank(rank)
    elif kernel is not None:
        figure, record, shown = _describe(kernel, picture, out)
    else:
        figure, record, shown = _list(picture, out)
    if figure is not None and out is not None:
        save(figure, out)
        record["file"] = str(out)
    if json:
        print_json(record)
        return
    console().print(shown)
    if out is not None:
        typer.echo(f"Drawn: {out}")


_Shown = tuple["Figure | None", dict[str, Any], Any]
"""A drawing if one is wanted, what was found as JSON values, and the same for a terminal."""


def _check_usage(kernel: str | None, compose: Any, rank: str | None, picture: str | None, out: Path | None) -> None:
    if kernel is not None and re.match(r"--?[A-Za-z]", kernel):
        raise typer.BadParameter(f"No such option: {kernel}")
    if sum(choice is not None for choice in (kernel, compose, rank)) > 1:
        raise typer.BadParameter("A kernel, --compose and --rank exclude each other; give one of them.")
    if rank is not None and out is not None:
        raise typer.BadParameter("--out goes with the gallery, a kernel or --compose; leave it out.")
    if picture is not None and (rank is not None or (compose is None and out is None)):
        raise typer.BadParameter("--picture goes with --compose or --out; --rank names its own.")


def _list(picture: str, out: Path | None) -> _Shown:
    from pellucid.explain.kernels.drawings import open_picture
    from pellucid.explain.kernels.exhibits import exhibit
    from pellucid.explain.kernels.gallery import GALLERY, kernel
    from pellucid.views import kernel_tables as tables
    from pellucid.views import kernels as views

    entries = list(GALLERY.values())
    record = {"kernels": [{**entry.as_dict(), "kernel": kernel(entry.name).tolist()} for entry in entries]}
    figure = None
    if out is not None:
        image = open_picture(picture, _LONGEST)
        figure = views.gallery([exhibit(entry.name, kernel(entry.name), image) for entry in entries])
    return figure, record, tables.entries(entries)


def _describe(text: str, picture: str, out: Path | None) -> _Shown:
    from pellucid.explain.kernels.describe import describe
    from pellucid.explain.kernels.drawings import open_picture
    from pellucid.explain.kernels.exhibits import exhibit
    from pellucid.explain.kernels.gallery import read_kernel
    from pellucid.views import kernel_tables as tables
    from pellucid.views import kernels as views

    values = read_kernel(text)
    figure = None
    if out is not None:
        figure = views.page(exhibit(" ".join(text.split()), values, open_picture(picture, _LONGEST)))
    found = describe(values)
    return figure, {"kernel": values.tolist(), **found.as_dict()}, tables.description(values, found)


def _compose(texts: tuple[str, str], picture: str, out: Path | None) -> _Shown:
    from pellucid.explain.kernels.composition import collapse
    from pellucid.explain.kernels.describe import describe
    from pellucid.explain.kernels.drawings import open_picture
    from pellucid.explain.kernels.gallery import read_kernel
    from pellucid.views import kernel_tables as tables
    from pellucid.views import kernels as views

    first, second = (read_kernel(text) for text in texts)
    found = collapse(open_picture(picture, _LONGEST), first, second)
    what = describe(found.composed)
    figure = views.composition(found) if out is not None else None
    record = {**found.as_dict(), "description": what.as_dict()}
    return figure, record, tables.composition(found, what)


def _rank(picture: str) -> _Shown:
    from pellucid.explain.kernels.drawings import open_picture
    from pellucid.explain.kernels.ranking import detectors, rank
    from pellucid.views import kernel_tables as tables

    found = rank(open_picture(picture), detectors())
    record = {"picture": picture, "responses": [response.as_dict() for response in found]}
    return None, record, tables.ranking(found)
