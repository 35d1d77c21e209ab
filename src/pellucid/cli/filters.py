"""``pellucid filters``: the weights of a convolution, as pictures."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Json, Model, Out, check_out, parse_numbers, print_json
from pellucid.interop.target import load_test_set, name_of, open_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.nn import Module

EXAMPLE = "Example: pellucid filters fashion --patches fashion-mnist-mini --layer relu3 --out patches.png"

_ROWS = 16
"""Channels whose patches are shown where nobody lists them."""
_RANDOM = 128
"""Random filters beside which Gabor fits stand."""
_TOP = 9
"""Patches of each channel where nobody says how many."""

_Shown = tuple[Callable[[], "Figure"], dict[str, Any], list[str]]
"""How the picture is made, what JSON says, what is printed."""


class Scale(StrEnum):
    """What one scale of colours is for."""

    local = "local"
    layer = "layer"


def filters(
    model: Model,
    out: Out = None,
    layer: Annotated[str | None, typer.Option(metavar="NAME", help="Layer.", show_default="first convolution")] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="LIST", help="Filters, such as 0-15,40.", show_default="all")
    ] = None,
    scale: Annotated[
        Scale | None, typer.Option(help="One scale for each filter, or for the layer.", show_default="layer")
    ] = None,
    gabor: Annotated[bool, typer.Option("--gabor", help="Fit Gabor functions; filters of 5×5 or more.")] = False,
    patches: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Show what excites the channels of any layer most, in a data set's test part."
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, max=16, metavar="K", help="Patches of each channel.", show_default=str(_TOP))
    ] = None,
    json: Json = False,
) -> None:
    """Draw the filters of a convolution, or the patches that excite a layer's channels most."""
    from pellucid.views.sheet import save

    if patches is not None and (gabor or scale is not None):
        raise typer.BadParameter("--gabor and --scale are for weights; leave them or --patches out.")
    if patches is None and top is not None:
        raise typer.BadParameter("--top goes with --patches DATA.")
    chosen = parse_numbers("--channels", channels)
    check_out(out, json)
    net, whose = open_model(model)
    name = name_of(model)
    if patches is None:
        draw, record, notes = _weights(net, whose, name, layer, chosen, (scale or Scale.layer).value, gabor)
    else:
        draw, record, notes = _patches(net, whose, name, layer, chosen, patches, top or _TOP)
    if out is not None:
        save(draw(), out)
    if json:
        print_json(({} if out is None else {"file": str(out)}) | {"weights": whose} | record)
        return
    for note in notes:
        typer.echo(note)
    typer.echo(f"Drawn, with {whose}: {out}")


def _weights(
    net: Module, whose: str, name: str, layer: str | None, chosen: list[int] | None, scale: str, gabor: bool
) -> _Shown:
    import numpy as np

    from pellucid.explain.filters import gabor_study, layer_filters
    from pellucid.explain.gabor import check_size, random_r2
    from pellucid.views.filters import extent, filters_sheet

    found = layer_filters(net, layer, chosen)
    kernel = found.weights.shape[2], found.weights.shape[3]
    norms, study, record = found.norms, None, found.as_dict()
    notes = [f"{found.layer}: {extent(found)}; norms from {norms.min():.3g} to {norms.max():.3g}."]
    if gabor:
        check_size(kernel)
        study = gabor_study(found, random_r2(kernel, _RANDOM))
        record["gabor"] = study.as_dict()
        median = "all filters are constant" if np.isnan(study.median) else f"median R² {study.median:.2f}"
        notes.append(
            f"Gabor functions: {median}; of {_RANDOM} random filters of {kernel[0]}×{kernel[1]} "
            f"{np.median(study.random):.2f}, 95 % of them below {np.percentile(study.random, 95):.2f}."
        )

    def draw() -> Figure:
        return filters_sheet(found, study, scale=scale, title=f"Filters of {name}", subtitle=whose)

    return draw, record, notes


def _patches(
    net: Module, whose: str, name: str, layer: str | None, chosen: list[int] | None, data: str, top: int
) -> _Shown:
    from pellucid.errors import ParameterError
    from pellucid.explain.exciting import exciting_patches
    from pellucid.explain.filters import layer_filters
    from pellucid.explain.maps import channel_count
    from pellucid.views import text
    from pellucid.views.exciting import patches_sheet
    from pellucid.views.progress import counting

    dataset = load_test_set(net, data)
    layer = layer or layer_filters(net).layer
    count = channel_count(net, layer, dataset.images.shape[1:])
    rows = list(range(min(count, _ROWS))) if chosen is None else chosen
    with counting(text.console(error=True), "pictures") as progress:
        found = exciting_patches(net, dataset, layer, rows, top, progress=progress)
    try:
        weights = layer_filters(net, layer, shape=dataset.images.shape[1:])
    except ParameterError:  # not a convolution, so there is nothing to set beside the patches
        weights = None
    beside = weights if weights is not None and weights.first else None
    subtitle = f"{len(dataset):,} test pictures of {dataset.name} · {whose}"

    def draw() -> Figure:
        return patches_sheet(
            found, dataset.images, layer, beside, title=f"Exciting patches of {name}", subtitle=subtitle
        )

    record = {
        "layer": layer,
        "data": dataset.name,
        "patches": {str(channel): [patch.as_dict() for patch in best] for channel, best in found.items()},
    }
    shown = f"the first {len(found)} of {count} channels" if len(found) < count and chosen is None else ""
    notes = [f"{layer}: {shown or f'{len(found)} channels'}, {len(dataset):,} pictures."]
    return draw, record, notes
