"""``pellucid maps``: what the layers of a network make of an image."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.options import Image, Json, Model, Out, check_out, parse_numbers, print_json
from pellucid.interop.target import name_of, open_model, open_pixels, preprocessing_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pellucid.explain.maps import Maps
    from pellucid.types import Array

EXAMPLE = "Example: pellucid maps fashion fashion-mnist-mini:17 --layer relu1 --out maps.png"

_OVERVIEW = 32
"""Maps of each layer where nobody asks for a layer."""
_LISTED = 40
"""Dead channels that are named below the table."""


class Scale(StrEnum):
    """What one scale of colours is for."""

    local = "local"
    layer = "layer"
    all_layers = "global"


class Order(StrEnum):
    """Which maps come first."""

    by_index = "index"
    by_mean = "mean"
    by_max = "max"


def maps(
    model: Model,
    image: Image,
    out: Out = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Layer to show, may be given several times.", show_default="an overview"),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="LIST", help="Channels, such as 0-15,40.", show_default="all")
    ] = None,
    scale: Annotated[Scale, typer.Option(help="One scale for each map, for each layer, or for all.")] = Scale.local,
    by: Annotated[Order, typer.Option(help="By number, or the largest mean or maximum first.")] = Order.by_index,
    npz: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Write the maps and their statistics there, too.")
    ] = None,
    json: Json = False,
) -> None:
    """Draw the feature maps of an image."""
    from pellucid.explain.maps import feature_maps
    from pellucid.explain.trace import trace
    from pellucid.views.maps import MOST, maps_sheet
    from pellucid.views.sheet import save

    chosen = parse_numbers("--channels", channels)
    check_out(out, json)
    if chosen is not None and not layer:
        raise typer.BadParameter("--channels goes with --layer; name the layer.")
    if npz is not None and npz.suffix.lower() != ".npz":
        raise typer.BadParameter(f"The file of --npz must end in .npz; got '{npz}'.")
    net, whose = open_model(model)
    pixels = open_pixels(net, image)
    found = feature_maps(trace(net, preprocessing_of(net).normalise(pixels)), layer or None, chosen, by.value)
    if out is not None:
        figure = maps_sheet(
            found,
            pixels,
            scale=scale.value,
            title=f"Feature maps of {name_of(model)}",
            subtitle=f"{Path(image).name} · {whose}",
            by=by.value,
            classes=net.metadata.get("classes", ()),
            most=MOST if layer else _OVERVIEW,
        )
        save(figure, out)
    if npz is not None:
        _write(npz, found)
    if json:
        said = {} if out is None else {"file": str(out)}
        print_json(said | {"weights": whose, "image": image, "layers": [one.as_dict() for one in found]})
        return
    typer.echo(_table(found))
    typer.echo(f"\nDrawn, with {whose}: {out}")


def _table(found: Sequence[Maps]) -> str:
    from pellucid.analysis.summary import size
    from pellucid.analysis.tables import Table

    rows = []
    for one in found:
        numbers = (f"{value:.3g}" for value in (one.lows.min(), one.means.mean(), one.highs.max()))
        zeros = f"{100 * one.zeros.mean():.0f} %"
        rows.append((one.layer, size(one.values.shape), *numbers, zeros, str(len(one.dead) or "")))
    notes = [f"{one.layer} is 0 everywhere in {_listed(one.dead)}." for one in found if one.dead]
    headings = ("layer", "result", "min", "mean", "max", "zeros", "dead")
    return Table(headings, rows, numbers=frozenset({2, 3, 4, 5, 6}), notes=notes).text()


def _listed(channels: Sequence[int]) -> str:
    more = f" and {len(channels) - _LISTED:,} more" if len(channels) > _LISTED else ""
    return ", ".join(map(str, channels[:_LISTED])) + more


def _write(path: Path, found: Sequence[Maps]) -> None:
    """Write for each layer its chosen maps ("LAYER/maps"), their channels' numbers and statistics."""
    import io

    import numpy as np

    from pellucid.files import replacing

    arrays: dict[str, Array] = {}
    for one in found:
        order = list(one.order)
        statistics = {"min": one.lows, "mean": one.means, "max": one.highs, "zeros": one.zeros}
        arrays |= {f"{one.layer}/maps": one.values[order], f"{one.layer}/channels": np.array(order)}
        arrays |= {f"{one.layer}/{name}": values[order] for name, values in statistics.items()}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # no layer is named allow_pickle
    with replacing(path) as temporary:
        temporary.write_bytes(file.getvalue())
