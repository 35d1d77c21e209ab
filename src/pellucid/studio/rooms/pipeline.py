"""The pipeline's answers: all maps, a cell taken apart, pictures, and two kernels put into one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pellucid.analysis.formulas import formulas
from pellucid.explain.kernels.composition import collapse as put_together
from pellucid.explain.steps import channels
from pellucid.explain.steps.chain import Sliding, border_note, bordered, rows_of, sliding_of
from pellucid.explain.steps.images import COLOURED, IMAGES
from pellucid.explain.steps.words import size_formula
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.pipeline import (
    PipelineAsked,
    PipelineCell,
    PipelineChoices,
    PipelineCollapse,
    PipelineMaps,
    PipelinePart,
    PipelinePattern,
    PipelinePicture,
    PipelinePointed,
    PipelineSetting,
    PipelineShown,
    PipelineTwo,
    PipelineWindows,
)
from pellucid.studio.rooms import stepper
from pellucid.studio.tensors import to_array, to_tensor
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.explain.cell import Cell
    from pellucid.explain.trace import Trace
    from pellucid.studio.messages.base import Tensor
    from pellucid.studio.studio import Studio

_TOLD = ("parameters", "multiply-adds")


def maps(asked: PipelineAsked, studio: Studio) -> PipelineMaps:
    """Return all maps, where their windows lie, and what each channel adds to the map of one filter."""
    image, trace = _run(asked.setting)
    shares = channels.shares(image, asked.setting.filters, asked.filter, **stepper.settings(asked.setting))
    nodes = {node.name: node for node in trace.graph.nodes}
    conv, pool = nodes["conv"], nodes.get("pool")
    sliding, pooling = sliding_of(conv), None if pool is None else sliding_of(pool)
    parameters = sum(value.type.size for value in conv.inputs[1:] if value is not None)
    return PipelineMaps.model_construct(
        bordered=to_tensor(bordered(image, conv)),
        border=tuple((axis.before, axis.after) for axis in (sliding.rows, sliding.columns)),
        border_note="; ".join(border_note(conv)),
        conv=_map(trace, "conv"),
        relu=_map(trace, "relu"),
        pool=None if pool is None else _map(trace, "pool"),
        shares=to_tensor(shares + 0.0),
        conv_windows=_windows(sliding, padded=True),
        pool_windows=None if pooling is None else _windows(pooling, padded=False),
        formulas=[(line.of, line.text) for line in formulas(conv, None, None, parameters) if line.of in _TOLD],
    )


def cell(asked: PipelinePointed, studio: Studio) -> PipelineCell:
    """Take one cell apart, by channels of what it was read from."""
    _, trace = _run(asked.setting)
    found = trace.cell(asked.layer, asked.channel, asked.y, asked.x)
    return PipelineCell.model_construct(
        parts=list(_parts(found)), bias=found.bias, total=found.explained, value=found.value + 0.0, box=found.box
    )


def picture(asked: PipelineShown, studio: Studio) -> PipelinePicture:
    """Return a picture of at most 32×32 pixels."""
    from PIL import Image

    from pellucid.data.images import from_array, to_array
    from pellucid.studio.pictures import pixels

    given = pixels(asked.picture, studio)
    height, width = given.shape[1:]
    if given.dtype == np.uint8 and max(height, width) > channels.LARGEST_IMAGE:
        small = from_array(given)
        small.thumbnail((channels.LARGEST_IMAGE, channels.LARGEST_IMAGE), Image.Resampling.BOX)
        given = to_array(small)
    scaled = given / 255 if given.dtype == np.uint8 else given
    return PipelinePicture.model_construct(image=to_tensor(scaled), size=(height, width))


def choices(asked: Nothing, studio: Studio) -> PipelineChoices:
    """Return patterns, kernels and data sets to begin with."""
    from pellucid.data import registry

    kernels = [(kernel.name, kernel.values) for kernel in stepper.choices(asked, studio).kernels]
    samples = [(name, registry.info(name).test) for name in registry.at_hand()]
    return PipelineChoices(patterns=_patterns(), kernels=kernels, samples=samples)


def collapse(asked: PipelineTwo, studio: Studio) -> PipelineCollapse:
    """Apply two kernels in turn, as one, and with a ReLU between."""
    found = put_together(to_array(asked.image, None, None), asked.first, asked.second)
    return PipelineCollapse.model_construct(
        composed=rows_of(found.composed),
        in_turn=to_tensor(found.in_turn),
        at_once=to_tensor(found.at_once),
        with_relu=to_tensor(found.with_relu),
        change=to_tensor(found.with_relu - found.in_turn),
        largest=found.largest,
        error=found.error,
        relu_difference=found.relu_difference,
        relu_cells=found.relu_cells,
    )


@cache
def _patterns() -> list[PipelinePattern]:
    coloured = [PipelinePattern(name=name, image=to_tensor(image)) for name, image in COLOURED.items()]
    return [*coloured, *(PipelinePattern(name=name, image=to_tensor(image[None])) for name, image in IMAGES.items())]


def _run(setting: PipelineSetting) -> tuple[Array, Trace]:
    image = to_array(setting.image, None, None, None)
    trace = channels.stack(image, setting.filters, setting.biases, **stepper.settings(setting))
    return trace.image, trace


def _map(trace: Trace, layer: str) -> Tensor:
    return to_tensor(trace[layer].output + 0.0)  # + 0.0: no −0


def _windows(sliding: Sliding, *, padded: bool) -> PipelineWindows:
    rows, columns = (
        [tuple(axis.inputs(place)) for place in range(count)]
        for axis, count in zip((sliding.rows, sliding.columns), sliding.count, strict=True)
    )
    notes = size_formula(sliding.size, sliding.rows, sliding.columns, padded=padded)
    return PipelineWindows.model_construct(rows=rows, columns=columns, unseen=sorted(sliding.unseen()), notes=notes)


def _parts(found: Cell) -> Iterator[PipelinePart]:
    """Yield what a cell read, channel by channel."""
    patch = found.patch.reshape(len(found.channels), *found.patch.shape[-2:] or (1, 1))
    weights = (patch > 0) * 1.0 if found.op == "ReLU" else found.weights
    products = patch * weights + 0.0  # no −0
    for channel, read, factors, made in zip(found.channels, patch, weights, products, strict=True):
        yield PipelinePart.model_construct(
            channel=channel,
            patch=rows_of(read),
            weights=rows_of(factors),
            products=rows_of(made),
            total=float(made.sum()),
        )
