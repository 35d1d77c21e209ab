"""The shape of a network: maps that shrink while channels grow, as a funnel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

from pellucid.analysis.receptive_field import plane_axes
from pellucid.analysis.summary import size as written
from pellucid.graph import Graph
from pellucid.types import Pair, Shape
from pellucid.views.outline import heading, outline
from pellucid.views.sheet import BLUE, MUTED, ORANGE, RULE, WIDTH, Sheet, measure, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 16
_MOST_STAGES = 16


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks whose results are alike: ``channels`` maps of ``plane`` cells, or numbers where there is no plane.

    ``parameters`` and ``macs`` are those of all blocks since the stage before. The first stage is the image.
    """

    name: str
    channels: int
    plane: Pair | None
    parameters: int = 0
    macs: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "channels": self.channels,
            "plane": self.plane and list(self.plane),
            "parameters": self.parameters,
            "macs": self.macs,
        }


def stages(graph: Graph) -> tuple[Stage, ...]:
    """Follow the maps' size and channels along the way that all paths share.

    Of more than 16 stages, those of one size become one, with the channels that leave it.

    >>> from pellucid import zoo
    >>> [(stage.channels, stage.plane) for stage in stages(zoo.build("tiny").graph((1, 1, 28, 28)))]
    [(1, (28, 28)), (4, (28, 28)), (4, (14, 14)), (8, (14, 14)), (8, (7, 7)), (10, None)]
    """
    found = _stages(graph)
    if len(found) > _MOST_STAGES:
        found = _merged(found, lambda a, b: a.plane == b.plane is not None)
    return tuple(found)


def funnel(graph: Graph, name: str = "") -> Figure:
    """Draw how maps shrink while channels grow: a solid for every size, and what is spent on it below.

    ``name`` is that of the network, for the heading.

    >>> from pellucid import zoo
    >>> funnel(zoo.build("tiny").graph((1, 1, 28, 28))).get_label()
    'Funnel: 1×28×28, 4×28×28, 4×14×14, 8×14×14, 8×7×7, 10'
    """
    found = stages(graph)
    sizes = [written((stage.channels, *(stage.plane or ()))) for stage in found]
    sheet = Sheet(WIDTH, 330, f"Funnel: {', '.join(sizes)}")
    slot = (WIDTH - 2 * _MARGIN) / len(found)
    middles = [_MARGIN + slot * (index + 0.5) for index in range(len(found))]
    parameters, macs = [stage.parameters for stage in found], [stage.macs for stage in found]
    sheet.text((_MARGIN, 16), heading(name, sum(parameters), sum(macs)), bold=True)
    note = "Drawn by square roots: a solid's height shows √side, its width √channels."
    sheet.text((_MARGIN, 320), note, size=7, colour=MUTED)
    _solids(sheet, found, middles, slot)
    for x, stage in zip(middles, found, strict=True):
        small = 7 if measure("224×224", 7) < slot else 6
        sheet.text((x, 198), f"{stage.channels:,}", bold=True, align="center", size=8 if slot > 30 else 7)
        below = _below(stage)
        sheet.text((x, 209), below, size=small, colour=MUTED, align="center", width=slot + 2)
    _shares(sheet, 222, "parameters", parameters, middles, slot)
    _shares(sheet, 268, "multiply-adds", macs, middles, slot)
    return sheet.figure


def _stages(graph: Graph) -> list[Stage]:
    axes = plane_axes(graph)
    image = next(iter(graph.inputs.values()))
    found = [_stage("image", image.shape, axes.get(image.name))]
    parameters = macs = 0
    for block in outline(graph):
        parameters, macs = parameters + block.parameters, macs + block.macs
        if block.is_trunk:
            result = block.nodes[-1].outputs[0]
            found.append(_stage(block.name, result.shape, axes.get(result.name), parameters, macs))
            parameters = macs = 0
    last = found[-1]  # behind it, the ways to several results may part for good
    found[-1] = replace(last, parameters=last.parameters + parameters, macs=last.macs + macs)
    return _merged(found, lambda a, b: (a.channels, a.plane) == (b.channels, b.plane))


def _merged(found: Sequence[Stage], are_alike: Callable[[Stage, Stage], bool]) -> list[Stage]:
    """Let one stage stand for those in a row that are alike; the image stays by itself."""
    merged = list(found[:1])
    for stage in found[1:]:
        last = merged[-1]
        if len(merged) > 1 and are_alike(last, stage):
            both = last.parameters + stage.parameters, last.macs + stage.macs
            merged[-1] = Stage(last.name, stage.channels, stage.plane, *both)
        else:
            merged.append(stage)
    return merged


def _stage(name: str, shape: Shape, axes: Pair | None, parameters: int = 0, macs: int = 0) -> Stage:
    """Read rows, columns and channels off a shape with the batch; those of a sequence are its length's."""
    if axes is not None:
        plane = shape[axes[0]], shape[axes[1]]
        (channel,) = {1, 2, 3} - set(axes)
        return Stage(name, shape[channel], plane, parameters, macs)
    if len(shape) == 3:
        return Stage(name, shape[2], (shape[1], 1), parameters, macs)
    count = 1
    for extent in shape[1:]:
        count *= extent
    return Stage(name, count, None, parameters, macs)


def _below(stage: Stage) -> str:
    if stage.plane is None:
        return "numbers"
    rows, columns = stage.plane
    return f"{rows} places" if columns == 1 < rows else f"{rows}×{columns}"


def _solids(sheet: Sheet, found: Sequence[Stage], middles: Sequence[float], slot: float) -> None:
    """Draw every stage as a solid that stands on the same axis."""
    areas = [stage.plane[0] * stage.plane[1] if stage.plane else 1 for stage in found]
    most = max(stage.channels for stage in found)
    for x, area, stage in zip(middles, areas, found, strict=True):
        height = max(130 * (area / max(areas)) ** 0.25, 4)
        width = max(min(0.55 * slot, 48) * sqrt(stage.channels / most), 1.5)
        colour = MUTED if stage is found[0] else BLUE if stage.plane else ORANGE
        right, up = 0.14 * height, 0.10 * height
        left, top = x - (width + right) / 2, 108 - (height - up) / 2
        bottom, end = top + height, left + width
        edge = tint(colour, 0.9)
        front = [(left, top), (end, top), (end, bottom), (left, bottom)]
        side = [(end, top), (end + right, top - up), (end + right, bottom - up), (end, bottom)]
        roof = [(left, top), (left + right, top - up), (end + right, top - up), (end, top)]
        for face, shade in ((side, 0.22), (roof, 0.12), (front, 0.55)):
            sheet.polygon(face, tint(colour, shade), edge, 0.6)


def _shares(sheet: Sheet, top: float, title: str, counts: Sequence[int], middles: Sequence[float], slot: float) -> None:
    """Draw one bar for each stage: its share of a sum."""
    total, height = sum(counts), 22
    base = top + 12 + height
    sheet.text((_MARGIN, top + 4), title, size=7, colour=MUTED)
    sheet.line([(_MARGIN, base), (WIDTH - _MARGIN, base)], RULE)
    for x, count in zip(middles, counts, strict=True):
        if count:
            tall, wide = max(height * count / max(counts), 0.8), min(0.5 * slot, 22)
            corners = [(x - wide / 2, base - tall), (x + wide / 2, base - tall), (x + wide / 2, base)]
            sheet.polygon([*corners, (x - wide / 2, base)], tint(BLUE, 0.75))
            share = 100 * count / total
            words = f"{share:.0f} %" if share >= 0.95 else "<1 %"
            sheet.text((x, base - tall - 5), words, size=6.5 if slot > 30 else 5.5, align="center")
