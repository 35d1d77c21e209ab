"""Geometry: one window, kinds of convolution, dense equivalents, and stacks of layers with what their cells see."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pellucid.analysis.alternatives import Alternative, Bound, Count, Most, bounds
from pellucid.analysis.compare import convolutions, dense_equivalents
from pellucid.analysis.compare import kinds as kinds_of
from pellucid.analysis.counting import Counting
from pellucid.analysis.effective import effective_field
from pellucid.analysis.fields import Field, fields
from pellucid.analysis.formulas import field_formula
from pellucid.analysis.warnings import remarks
from pellucid.analysis.windows import slide
from pellucid.errors import ShapeError
from pellucid.geometry import Axis
from pellucid.kernels import threads
from pellucid.nn import manual_seed
from pellucid.nn.random import skip_init
from pellucid.studio.messages.geometry import (
    LARGEST_PICTURE,
    GeometryConvolution,
    GeometryDense,
    GeometryDenseAsked,
    GeometryEffective,
    GeometryEquivalent,
    GeometryKind,
    GeometryKinds,
    GeometryLayer,
    GeometryPart,
    GeometryStack,
    GeometryStackAsked,
    GeometryStage,
    GeometryTime,
    GeometryTimes,
    GeometryWindow,
    GeometryWindowAsked,
)
from pellucid.studio.tensors import to_tensor
from pellucid.zoo.listing import Block, Listing, Placed, assembled

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio
    from pellucid.types import Array

_SECONDS, _LEAST_RUNS, _MOST_RUNS = 0.3, 3, 15
"""For which kinds of convolution are timed together, and how often each runs; a median of fewer would say little."""
_MOST = Most(macs=400_000_000, weights=16_000_000, memory=64_000_000)
"""Of a kind that is timed: a page does not wait for longer ones."""
_CHANNELS, _IMAGES = 8, 4
"""Of the network with random weights, and the random images, by which an effective field is measured."""


def window(asked: GeometryWindowAsked, studio: Studio) -> GeometryWindow:
    """Slide a window along a side, and over a small image with its border."""
    found = slide(asked.size, asked.kernel, asked.stride, asked.padding, asked.dilation, asked.ceil)
    padded, sums, borderless = None, None, ""
    if asked.size <= LARGEST_PICTURE and found.axis.before + found.axis.after <= 2 * LARGEST_PICTURE:
        try:
            padded = found.padded(picture(asked.size), asked.border)
            sums = found.sums(padded)
        except ShapeError as error:
            padded, borderless = None, str(error)
    return GeometryWindow(
        output=found.output,
        formula=found.formula,
        before=found.axis.before,
        after=found.axis.after,
        overhang=found.overhang,
        extent=found.axis.extent,
        starts=list(found.starts),
        taps=list(found.taps),
        unread=list(found.unread),
        padded=None if padded is None else to_tensor(padded),
        sums=None if sums is None else to_tensor(sums),
        borderless=borderless,
    )


def picture(size: int) -> Array:
    """Return an image of digits, the same ones each time."""
    return np.random.default_rng(3).integers(1, 10, (size, size)).astype(np.float32)


def kinds(asked: GeometryConvolution, studio: Studio) -> GeometryKinds:
    """Count the kinds of convolution."""
    found = convolutions(*_five(asked), bias=asked.bias)
    consist = {name: parts for name, _, parts in kinds_of(asked.channels_in, asked.channels_out, asked.kernel)}
    return GeometryKinds(
        kinds=[
            GeometryKind(
                name=row.name,
                what=row.what,
                parts=[
                    GeometryPart(channels_in=before, channels_out=after, kernel=side, groups=groups)
                    for before, after, side, groups in consist[row.name]
                ],
                parameters=row.parameters,
                macs=row.macs,
                parameter_ratio=row.parameter_ratio,
                mac_ratio=row.mac_ratio,
            )
            for row in found.alternatives
        ],
        finding=found.finding,
    )


def times(asked: GeometryConvolution, studio: Studio) -> GeometryTimes:
    """Time the kinds of convolution, in about a third of a second, or three runs of each.

    What the time goes into is judged by the fastest runs, which other programs have disturbed least.
    """
    runs: dict[str, list[float]] = {}

    def timer(contenders: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
        runs.update(in_turns(contenders, _SECONDS))
        return {name: median(seconds) for name, seconds in runs.items()}

    rows = convolutions(*_five(asked), bias=asked.bias, timer=timer, most=_MOST).alternatives
    bound = bounds([replace(row, milliseconds=1000 * min(runs[row.name])) for row in rows if row.name in runs])
    return GeometryTimes(
        times=[_time(row, bound.get(row.name)) for row in rows],
        runs=min(map(len, runs.values()), default=0),
        threads=threads.count(),
    )


def _time(row: Alternative, bound: Bound | None) -> GeometryTime:
    return GeometryTime(
        name=row.name,
        milliseconds=row.milliseconds,
        giga_macs=row.macs / row.milliseconds / 1e6 if row.milliseconds else None,
        reuse=row.macs / row.moved,
        bound=bound,
    )


def in_turns(contenders: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, list[float]]:
    """Time runs in turns until the time is up; a first run of each does not count."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()
    end = time.perf_counter() + seconds
    for turn in range(1, _MOST_RUNS + 1):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
        if turn >= _LEAST_RUNS and time.perf_counter() > end:
            break
    return times


def dense(asked: GeometryDenseAsked, studio: Studio) -> GeometryDense:
    """Set a convolution beside dense layers, in both readings of "equivalent"."""
    count = Count(asked.batch, Counting("flops" if asked.flops else "macs", bias=asked.biases))
    found = dense_equivalents(*_five(asked.convolution), bias=asked.convolution.bias, count=count)
    first = found.alternatives[0]
    return GeometryDense(
        rows=[
            GeometryEquivalent(
                name=row.name,  # type: ignore[arg-type]  # its names are those of the message
                outputs=int(np.prod(row.output)),
                parameters=row.parameters,
                operations=row.operations,
                parameter_ratio=row.parameter_ratio,
                operation_ratio=row.operations / first.operations,
                formula=_formula(row, asked.convolution),
            )
            for row in found.alternatives
        ],
        finding=found.finding,
    )


def _formula(row: Alternative, conv: GeometryConvolution) -> str:
    """Write where a row's parameters come from."""
    one = " + 1" if conv.bias else ""
    if row.name == "convolution":
        inside = f"{conv.channels_in}·{conv.kernel}·{conv.kernel}{one}"
        units = f"{conv.channels_out:,}"
    else:
        inside = f"{conv.channels_in}·{conv.size}·{conv.size}{one}"
        units = f"{int(np.prod(row.output)):,}"
    return f"{units}·({inside}) = {row.parameters:,}" if conv.bias else f"{units}·{inside} = {row.parameters:,}"


def stack(asked: GeometryStackAsked, studio: Studio) -> GeometryStack:
    """Follow what cells see through a stack of layers."""
    listing = _listing(asked, 1)
    placed = listing.placed()
    fitting = [place for place in placed if not place.error]
    if not fitting:
        return GeometryStack(image=asked.size, stages=[_misfit(place) for place in placed])
    with skip_init():
        net = assembled(placed)
    with net.evaluating():
        graph = net.graph((1, *listing.input))
    found = fields(graph)
    said = remarks(graph, found)
    stages, before = [], found[next(iter(graph.inputs))]
    for place in placed:
        if place.error:
            stages.append(_misfit(place))
            continue
        value = graph.layer(place.name)
        assert value.node is not None
        sliding = value.node.op.window(*value.node.types)
        assert sliding is not None
        assert isinstance(sliding.rows, Axis)
        texts = [remark.text for remark in said if remark.layer == place.name]
        stages.append(_stage(place, sliding.rows, before, found[value.name], asked.size, texts))
        before = found[value.name]
    return GeometryStack(image=asked.size, stages=stages)


def _stage(place: Placed, axis: Axis, before: Field, field: Field, image: int, texts: list[str]) -> GeometryStage:
    assert field.reaches is not None
    assert before.reaches is not None
    reach, size = field.reaches[0], place.output[1]
    width = int(reach.size)
    covers: Literal["less", "all", "more"] = "less" if width < image else "all" if width == image else "more"
    return GeometryStage(
        name=place.name,
        size=size,
        field=width,
        jump=int(reach.jump),
        formula=field_formula(axis, before.reaches[0], reach),
        starts=[axis.inputs(cell)[0] for cell in range(size)],
        taps=list(range(0, axis.extent, axis.dilation)),
        covers=covers,
        remarks=texts,
        error="",
    )


def _misfit(place: Placed) -> GeometryStage:
    return GeometryStage(
        name=place.name, size=place.output[1], field=0, jump=0, formula="", starts=[], taps=[], covers="less",
        remarks=[], error=place.error,
    )  # fmt: skip


def effective(asked: GeometryStackAsked, studio: Studio) -> GeometryEffective:
    """Measure what moves the middle cell of a stack's last layer, with random weights and ReLU, on random images."""
    listing = _listing(asked, _CHANNELS, relu=True)
    manual_seed(0)
    net = listing.network()
    images = np.random.default_rng(0).standard_normal((_IMAGES, *listing.input), np.float32)
    found = effective_field(net, images)
    assert found.size is not None
    return GeometryEffective(
        map=to_tensor(found.map.astype(np.float32)),
        side=found.side,
        field=int(found.size[0]),
        first=found.box[0],
        last=found.box[2] - 1,
    )


def _listing(asked: GeometryStackAsked, channels: int, relu: bool = False) -> Listing:
    blocks = [block for layer in asked.layers for block in _blocks(layer, channels, relu)]
    return Listing((1, asked.size, asked.size), 1, tuple(blocks))


def _blocks(layer: GeometryLayer, channels: int, relu: bool) -> list[Block]:
    window = {"kernel_size": layer.kernel, "stride": layer.stride, "padding": layer.padding}
    if layer.kind == "pool":
        return [Block.of("pool", **window)]
    conv = Block.of("conv", out_channels=channels, dilation=layer.dilation, **window)
    return [conv, Block("relu")] if relu else [conv]


def _five(asked: GeometryConvolution) -> tuple[int, int, int, int, int]:
    return asked.channels_in, asked.channels_out, asked.kernel, asked.size, asked.size
