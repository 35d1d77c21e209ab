"""``pellucid attribute``: which pixels the score of a class comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Image, Json, Model, Out, check_out, print_json
from pellucid.errors import ParameterError
from pellucid.interop.target import open_model, open_pixels, preprocessing_of

if TYPE_CHECKING:
    from pellucid.explain.attribution.record import Attribution
    from pellucid.explain.attribution.sanity import Sanity
    from pellucid.nn import Module
    from pellucid.types import Array
    from pellucid.views.progress import OnCount

EXAMPLE = "Example: pellucid attribute fashion fashion-mnist-mini:0 --method grad-cam --out boot.png"


def attribute(
    model: Model,
    image: Image,
    out: Out = None,
    target: Annotated[
        str | None, typer.Option(metavar="CLASS|N", help="Class, by name or number.", show_default="the likeliest")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="gradient, gradient-times-input, smooth-grad, integrated-gradients, guided-backprop, occlusion, "
            "grad-cam, grad-cam++, layer-cam, score-cam, or 'all'.",
        ),
    ] = "integrated-gradients",
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Layer of class activation maps.", show_default="the last with a plane"),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|X",
            help="What stands for a missing pixel: black, mean, blurred or a number.",
            show_default="black",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--sanity", help="Make the weights random, layer by layer: does the map change?")
    ] = False,
    npz: Annotated[Path | None, typer.Option(metavar="FILE", help="File for the maps as arrays, .npz.")] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of SmoothGrad's noise and of random weights.")] = 0,
    json: Json = False,
) -> None:
    """Show which pixels the score of a class comes from, by one method or all of them."""
    from pellucid.views import attribution as views
    from pellucid.views import text
    from pellucid.views.progress import counting
    from pellucid.views.sheet import save

    check_out(out, json)
    if npz is not None and npz.suffix.lower() != ".npz":
        raise typer.BadParameter(f"--npz must end in .npz; got '{npz}'.")
    net, weights = open_model(model)
    pixels = open_pixels(net, image)
    values = preprocessing_of(net).normalise(pixels)
    options = {"layer": layer, "baseline": _baseline(baseline), "seed": seed}
    with counting(text.console(error=True), "") as show:
        found, checks, left_out = _compute(net, values, target, method, options, check, show)
    if out is not None and len(found) == 1:
        save(views.attribution(pixels, found[0], checks[0] if checks else None), out)
    elif out is not None:
        save(views.attributions(pixels, found, checks), out)
    if npz is not None:
        _write(npz, values, found)
    if json:
        said: dict[str, Any] = {} if out is None else {"file": str(out)}
        said |= {"weights": weights, "image": image, "attributions": [each.as_dict() for each in found]}
        print_json(said | {"sanity": [each.as_dict() for each in checks], "left_out": left_out})
        return
    _print(found, checks, left_out, weights)
    typer.echo(f"Drawn: {out}")


def _baseline(said: str | None) -> str | float | None:
    """Read a number, in ASCII; what is none is a name."""
    try:
        return said if said is None or "_" in said or not said.isascii() else float(said)
    except ValueError:
        return said


def _compute(
    net: Module,
    image: Array,
    target: str | None,
    method: str,
    options: dict[str, Any],
    check: bool,
    show: OnCount,
) -> tuple[list[Attribution], list[Sanity], list[str]]:
    """Return the attributions, their checks where asked for, and why methods of "all" were left out."""
    from pellucid.explain.attribution.attribute import METHODS
    from pellucid.explain.attribution.attribute import attribute as compute
    from pellucid.explain.attribution.record import TITLES
    from pellucid.explain.attribution.sanity import sanity

    found: list[Attribution] = []
    checks: list[Sanity] = []
    left_out: list[str] = []
    for name in METHODS if method == "all" else [method]:

        def images(done: int, total: int, title: str = TITLES.get(name, name)) -> None:
            show(done, total, title)

        def stages(done: int, total: int, title: str = TITLES.get(name, name)) -> None:
            show(done, total, f"{title}, random weights")

        own = options
        if method == "all":
            own = {option: value for option, value in options.items() if option in ("seed", *METHODS[name].takes)}
        try:
            if check:
                checks.append(sanity(net, image, name, target, progress=stages, **own))
                found.append(checks[-1].attribution)
            else:
                found.append(compute(net, image, target, name, progress=images, **own))
        except ParameterError as error:
            if method != "all" or METHODS[name].has_all_it_needs or options["layer"] is not None:
                raise
            left_out.append(str(error))
    return found, checks, left_out


def _print(found: Sequence[Attribution], checks: Sequence[Sanity], left_out: Sequence[str], weights: str) -> None:
    typer.echo(f"With {weights}:")
    typer.echo(found[0].words[0])
    for index, each in enumerate(found):
        head = f"{each.title}: " if len(found) > 1 else ""
        typer.echo(head + " ".join(each.words[1:]))
        if checks:
            typer.echo(" ".join(checks[index].words))
    for reason in left_out:
        typer.echo(f"Left out: {reason}")


def _write(path: Path, image: Array, found: Sequence[Attribution]) -> None:
    """Write the input, and each method's map and its summary on the image."""
    import numpy as np

    from pellucid.files import replacing

    arrays: dict[str, Any] = {"image": image}
    for each in found:
        arrays |= {each.method: each.map, f"{each.method}.summary": each.summary}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
