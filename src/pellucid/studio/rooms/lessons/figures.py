"""The figures beside the prose."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pellucid import nn, zoo
from pellucid.analysis.compare import compare
from pellucid.analysis.summary import summarise, summary
from pellucid.errors import ShapeError
from pellucid.explain.kernels.gallery import GALLERY
from pellucid.lessons.figures import channels as of_channels
from pellucid.lessons.figures import convolve as of_convolution
from pellucid.lessons.figures import field as of_field
from pellucid.lessons.figures import learning, networks
from pellucid.nn.random import skip_init
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.lesson_figures import (
    CellAsked,
    ConvolveAsked,
    Convolved,
    ConvolveStage,
    CountsAsked,
    CountsRow,
    FieldAsked,
    FieldRow,
    FunnelAsked,
    LayerAsked,
    LayerCounted,
    LessonChannels,
    LessonCounts,
    LessonField,
    LessonFilters,
    LessonFunnel,
    LessonPixels,
    LessonScores,
    LessonStock,
    LessonTurned,
    NamedNumbers,
    PixelsAsked,
    ScoresAsked,
    TurnedAsked,
)
from pellucid.studio.rooms.architect import solids
from pellucid.studio.tensors import to_tensor
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio

_DRAWN = ("tiny", "funnel", "lenet5-rgb", "pooled28", "alexnet", "vgg16", "resnet18", "mobilenet-v2")
"""Networks whose funnel is shown."""


@cache
def _stock() -> LessonStock:
    small = [(entry.name, entry.make()) for entry in GALLERY.values()]
    return LessonStock(
        pictures=[NamedNumbers(name=name, rows=rows.tolist()) for name, rows in of_convolution.PICTURES.items()],
        kernels=[NamedNumbers(name=name, rows=(rows + 0.0).tolist()) for name, rows in small if rows.shape == (3, 3)],
    )


def stock(asked: Nothing, studio: Studio) -> LessonStock:
    """Return the pictures and kernels that figures offer."""
    return _stock()


def convolve(asked: ConvolveAsked, studio: Studio) -> Convolved:
    """Slide a kernel over a picture."""
    found = of_convolution.convolved(
        _array(asked.picture, "picture"),
        _array(asked.kernel, "kernel"),
        stride=asked.stride,
        padding=asked.padding,
        relu=asked.relu,
        pool=asked.pool,
        cell=asked.cell,
    )
    stages = [
        ConvolveStage.model_validate(
            {"name": stage.name, "map": to_tensor(stage.values), "rows": stage.rows, "columns": stage.columns}
        )
        for stage in found.stages
    ]
    return Convolved(stages=stages, sum=found.sum)


def pixels(asked: PixelsAsked, studio: Studio) -> LessonPixels:
    """Return a picture's numbers as they are stored."""
    found = networks.turned(asked.index, 0)
    return LessonPixels(picture=to_tensor(np.rint(255 * found.picture)), truth=found.truth)


def layer(asked: LayerAsked, studio: Studio) -> LayerCounted:
    """Count a convolution."""
    with skip_init():
        conv = nn.Conv2d(asked.before, asked.after, asked.kernel, asked.stride, asked.kernel // 2)
    found = summary(conv, (asked.before, asked.size, asked.size)).layers[0]
    texts = {formula.of: formula.text for formula in found.formulas}
    return LayerCounted(
        output=found.output[1],
        parameters=found.parameters,
        biases=asked.after,
        macs=found.macs,
        parameters_formula=texts["parameters"],
        macs_formula=texts["multiply-adds"],
    )


def counts(asked: CountsAsked, studio: Studio) -> LessonCounts:
    """Set other layers beside a convolution."""
    found = compare(asked.before, asked.after, asked.kernel, asked.size, asked.size)[asked.what]
    rows = [
        CountsRow(
            part=row.name.replace(", ", "-").replace(" ", "-"),
            name=row.name,
            what=row.what,
            parameters=row.parameters,
            macs=row.macs,
            parameter_ratio=row.parameter_ratio,
            mac_ratio=row.mac_ratio,
        )
        for row in found.alternatives
    ]
    return LessonCounts(rows=rows, finding=found.finding)


def channels(asked: CellAsked, studio: Studio) -> LessonChannels:
    """Run one filter on three channels."""
    found = of_channels.channels((asked.row, asked.column))
    return LessonChannels(
        picture=to_tensor(found.picture),
        kernels=to_tensor(found.kernels),
        map=to_tensor(found.map),
        bias=of_channels.BIAS,
        parts=list(found.parts),
        sum=found.sum,
    )


def field(asked: FieldAsked, studio: Studio) -> LessonField:
    """Follow a cell back to the pixels."""
    found = of_field.field([(one.kernel, one.stride, one.dilation) for one in asked.layers])
    return LessonField(rows=[FieldRow.model_validate(asdict(row) | {"behind": list(row.behind)}) for row in found])


def scores(asked: ScoresAsked, studio: Studio) -> LessonScores:
    """Turn scores into shares, a loss and its slope."""
    found = learning.scored(asked.scores, asked.label)
    return LessonScores(probabilities=list(found.probabilities), loss=found.loss, gradient=list(found.gradient))


def filters(asked: Nothing, studio: Studio) -> LessonFilters:
    """Return filters that were learned."""
    return LessonFilters(filters=to_tensor(networks.first_filters()))


def funnel(asked: FunnelAsked, studio: Studio) -> LessonFunnel:
    """Return the sizes that a network goes through."""
    return _funnel(asked.network)


@lru_cache(maxsize=32)
def _funnel(name: str) -> LessonFunnel:
    with skip_init():
        net = zoo.build(name)
    with net.evaluating():
        graph = net.graph((1, *zoo.usual_input(name)))
    found = summarise(graph)
    kinds = {kind: parameters for kind, (parameters, _) in found.kinds().items() if parameters}
    return LessonFunnel(networks=list(_DRAWN), stages=solids(graph), kinds=kinds, parameters=found.parameters)


def turned(asked: TurnedAsked, studio: Studio) -> LessonTurned:
    """Turn a picture, and ask a network what it shows."""
    found = networks.turned(asked.index, asked.degrees)
    return LessonTurned(
        picture=to_tensor(found.picture),
        truth=found.truth,
        classes=list(found.classes),
        probabilities=list(found.probabilities),
    )


def _array(rows: list[list[float]], what: str) -> Array:
    if len({len(row) for row in rows}) > 1:
        raise ShapeError(f"The {what} must have rows of equal length; got {', '.join(str(len(row)) for row in rows)}.")
    return np.array(rows, np.float32)
