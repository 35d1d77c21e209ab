"""``pellucid dream``: the picture that excites a part of a network most."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.options import Json, Model, Out, check_out, parse_numbers, print_json
from pellucid.errors import DataError, FileError
from pellucid.interop.target import open_model, open_pixels, preprocessing_of

if TYPE_CHECKING:
    from pellucid.explain.dreams.dream import Dream
    from pellucid.explain.dreams.goals import Goal
    from pellucid.nn import Module
    from pellucid.types import Array

EXAMPLE = "Example: pellucid dream digits --class all --out digits.png"


def dream(
    model: Model,
    out: Out = None,
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="Layer; alone, all of it is excited.")] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="N,…", help="Channels of the layer, such as 3,5 or 0-15.")
    ] = None,
    cell: Annotated[str | None, typer.Option(metavar="Y,X", help="One cell of each channel.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="Class, by name or number, or 'all'; may be given several times."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="Start: an image file, or DATA:INDEX, a data set's test picture.",
            show_default="noise",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Test pictures to compare with.", show_default="the model's, if here"),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Steps uphill.")] = 400,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the noise and of the moves.")] = 0,
    json: Json = False,
) -> None:
    """Make the picture that excites a class, a channel, a cell or a layer most, by climbing its gradient."""
    from pellucid.explain.dreams.dream import Settings, dreams
    from pellucid.views import text
    from pellucid.views.dream import dream_sheet
    from pellucid.views.progress import counting
    from pellucid.views.sheet import save

    check_out(out, json)
    if (layer is None) == (not target):
        raise typer.BadParameter("give --layer, or --class.")
    if channel is None and cell is not None:
        raise typer.BadParameter("--cell goes with --channel.")
    if layer is None and channel is not None:
        raise typer.BadParameter("--channel goes with --layer.")
    channels, place = parse_numbers("--channel", channel) or [], _cell(cell)
    net, weights = open_model(model)
    goals = _goals(net, layer, channels, place, target or [])
    start = None if image is None else open_pixels(net, image)
    others, compare = _others(net, data)
    with counting(text.console(error=True), "climbing") as progress:
        made = dreams(
            net,
            goals,
            Settings(steps=steps, seed=seed),
            start=start,
            compare=compare,
            preprocessing=preprocessing_of(net),
            progress=progress,
        )
    if out is not None:
        save(dream_sheet(made, weights, others), out)
    if json:
        said = {} if out is None else {"file": str(out)}
        print_json(said | {"weights": weights, "image": image, "dreams": [one.as_dict() for one in made]})
        return
    _tell(made, weights, others)
    typer.echo(f"Drawn: {out}")


def _tell(made: list[Dream], weights: str, others: str) -> None:
    from pellucid.explain.numbers import number

    typer.echo(f"{made[0].goal.kind.capitalize()}, with {weights}:")
    for one in made:
        line = f"  {one.goal}: from {number(one.start, 3)} to {number(one.score, 3)}"
        line += "" if one.best is None else f"; the best of {others} gives {number(one.best, 3)}"
        typer.echo(line + ("; no pixel moves it from there: name the layer before its ReLU" if one.is_stuck else ""))


def _goals(
    net: Module, layer: str | None, channels: list[int], cell: tuple[int, int] | None, targets: list[str]
) -> list[Goal]:
    from pellucid.explain.dreams.goals import class_goal, class_goals, goal

    if layer is not None:
        return [goal(net, layer, channel, cell) for channel in channels] or [goal(net, layer)]
    return class_goals(net) if targets == ["all"] else [class_goal(net, target) for target in targets]


def _cell(said: str | None) -> tuple[int, int] | None:
    if said is None:
        return None
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*", said)
    if found is None:
        raise typer.BadParameter(f"--cell must be row and column, such as 3,4; got {said!r}.")
    return int(found[1]), int(found[2])


def _others(net: Module, data: str | None) -> tuple[str, Array | None]:
    """Name and return the test pictures to compare with: those asked for, else the model's if they are here."""
    from pellucid.data import registry

    source = data or net.metadata.get("data")
    if source is None:
        return "", None
    try:
        _, test = registry.load(source)
    except (DataError, FileError):
        if data is not None:
            raise
        return "", None
    preprocessing = preprocessing_of(net)
    if test.images.dtype != "uint8" or test.images.shape[1:] != (preprocessing.channels, *preprocessing.size):
        if data is not None:
            raise DataError(
                f"The pictures of '{data}' must be bytes of {(preprocessing.channels, *preprocessing.size)}, as the "
                f"network takes them; got {test.images.dtype} {test.images.shape[1:]}."
            )
        return "", None
    return f"{len(test):,} pictures of {test.name}", test.images
