"""``pellucid draw``: a network's shape, layers and receptive fields as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import Json, print_json
from pellucid.cli.summary import parse_shape
from pellucid.interop.target import find_network, is_design

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pellucid.graph import Graph
    from pellucid.types import Shape

EXAMPLE = "Example: pellucid draw resnet18 cone --out cone.svg"

_IMAGES = 16


class Drawing(StrEnum):
    """What can be drawn."""

    funnel = "funnel"
    cone = "cone"
    layers = "layers"
    effective = "effective"


def draw(
    network: Annotated[
        str, typer.Argument(metavar="NET|RUN|MODEL", help="A network's name, a run's folder or a model file.")
    ],
    drawing: Annotated[
        Drawing,
        typer.Argument(
            metavar="DRAWING",
            help="funnel: size against channels; cone: how far each layer sees; layers: the boxes and their ways; "
            "effective: what a cell does see, by gradients.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Picture to write, .svg or .png.")],
    shape: Annotated[
        str | None, typer.Option("--input", metavar="C,H,W", help="Image.", show_default="the network's own")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Layer of 'effective'.", show_default="the last that does not see all"),
    ] = None,
    json: Json = False,
) -> None:
    """Draw a network as SVG or PNG."""
    from pellucid.views.sheet import check_picture, save

    if layer is not None and drawing is not Drawing.effective:
        raise typer.BadParameter("--layer goes with the drawing 'effective' only; leave it out.")
    check_picture(out)
    if drawing is Drawing.effective:
        figure, record, notes = _effective(network, parse_shape(shape), layer)
    else:
        net, image = find_network(network, parse_shape(shape))
        with net.evaluating():
            figure, record = _draw(drawing, net.graph((1, *image)), net.metadata.get("name", Path(network).stem))
        notes = []
    save(figure, out)
    if json:
        print_json({"file": str(out), "drawing": drawing.value, **record})
        return
    for note in notes:
        typer.echo(note)
    typer.echo(f"Drawn: {out}")


def _draw(drawing: Drawing, graph: Graph, name: str) -> tuple[Figure, dict[str, Any]]:
    """Return the drawing, and what it shows as JSON values."""
    from pellucid.views import anatomy, cone, diagram, outline

    if drawing is Drawing.funnel:
        return anatomy.funnel(graph, name), {"stages": [stage.as_dict() for stage in anatomy.stages(graph)]}
    if drawing is Drawing.cone:
        return cone.cone(graph, name), {"fields": [sight.as_dict() for sight in cone.sights(graph)]}
    return diagram.diagram(graph, name), {"blocks": [block.as_dict() for block in outline.outline(graph)]}


def _effective(network: str, shape: Shape | None, layer: str | None) -> tuple[Figure, dict[str, Any], list[str]]:
    """Measure on random images; a network found by its name gets first weights."""
    import numpy as np

    from pellucid import manual_seed, zoo
    from pellucid.analysis.effective import effective_field
    from pellucid.views.effective import effective

    is_fresh = is_design(network)
    if is_fresh:
        manual_seed(0)
        net = zoo.build(network, input=shape)
        image = tuple(net.metadata["input"])
    else:
        net, image = find_network(network, shape)
    images = np.random.default_rng(0).standard_normal((_IMAGES, *image), dtype=np.float32)
    found = effective_field(net, images, layer)
    weights = "fresh random weights" if is_fresh else "the model's weights"
    notes = [
        f"Of '{found.layer}', with {weights}, on {_IMAGES} random images: 95 % of the gradient lies in "
        f"{found.side} × {found.side} pixels."
    ]
    return effective(found), {**found.as_dict(), "weights": weights, "images": _IMAGES}, notes
