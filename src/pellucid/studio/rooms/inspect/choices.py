"""Which networks there are, and what they are made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pellucid import zoo
from pellucid.analysis.receptive_field import plane_axes
from pellucid.analysis.summary import LayerSummary, summary
from pellucid.interop.pretrained import PRETRAINED
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.inspect import (
    InspectChoices,
    InspectLayer,
    InspectNetwork,
    InspectNetworkAsked,
    InspectZoo,
)
from pellucid.studio.studio import Studio

if TYPE_CHECKING:
    from pellucid.graph import Graph, Node
    from pellucid.types import Pair, Shape


def choices(asked: Nothing, studio: Studio) -> InspectChoices:
    """Tell what can be looked into."""
    from pellucid.data import registry

    return InspectChoices(
        shipped=list(PRETRAINED),
        runs=studio.networks.runs(),
        zoo=[InspectZoo(name=name, shape=list(zoo.usual_input(name))) for name in zoo.names()],
        data=registry.at_hand(),
    )


def network(asked: InspectNetworkAsked, studio: Studio) -> InspectNetwork:
    """Tell of what layers a network is made, before anything is computed."""
    opened = studio.networks.open(asked.target)
    with opened.net.evaluating():
        graph = opened.net.graph((1, *opened.shape))
    about = {layer.name: layer for layer in summary(opened.net, opened.shape).layers}
    data = opened.net.metadata.get("data")
    return InspectNetwork(
        target=asked.target,
        kind=opened.kind,
        name=str(opened.net.metadata.get("name", asked.target))[:100],
        shape=list(opened.shape),
        classes=list(opened.classes),
        data=data if isinstance(data, str) else None,
        image=next(iter(graph.inputs)),
        parameters=sum(parameter.reading.size for parameter in opened.net.parameters()),
        layers=[_layer(graph, node, about.get(node.name)) for node in graph.nodes if _follows_image(graph, node)],
    )


def _follows_image(graph: Graph, node: Node) -> bool:
    """Whether a node is computed from the image, and not from weights alone."""
    known = set(graph.inputs) | {value.name for each in graph.nodes for value in each.outputs}
    return any(value is not None and value.name in known for value in node.inputs)


def _maps(shape: Shape, axes: Pair | None) -> list[int]:
    """Return what a result is as maps (C, H, W), or as numbers (C,)."""
    if axes is not None:
        rows, columns = shape[axes[0] - 1], shape[axes[1] - 1]
        count = math.prod(shape) // (rows * columns)
        return [count] if rows == columns == 1 else [count, rows, columns]
    return [math.prod(shape)] if len(shape) < 2 else [math.prod(shape[:-2]), *shape[-2:]]


def _layer(graph: Graph, node: Node, about: LayerSummary | None) -> InspectLayer:
    value = node.outputs[0]
    axes = plane_axes(graph).get(value.name)
    window = node.op.window(*node.types)
    made = {output.name: each.name for each in graph.nodes for output in each.outputs}
    sources = [made.get(source.name, source.name) for source in node.inputs if source is not None]
    reads = [name for name in sources if name in graph.inputs or name in made.values()]
    field = None if about is None or about.field is None else about.field.size
    return InspectLayer(
        name=node.name,
        op=node.op.kind,
        shape=_maps(value.shape[1:], axes),
        plane=axes is not None,
        reads=reads,
        parameters=about.parameters if about is not None else 0,
        kernel=None if window is None else [window.rows.kernel, window.columns.kernel],
        stride=None if window is None else [window.rows.stride, window.columns.stride],
        groups=getattr(node.op, "groups", None),
        field=None if field is None else [float(size) for size in field],
    )
