"""How convolutions and their gradients become calls of the engine's kernels.

Two algorithms serve all of them: Winograd's for 3×3 kernels with stride 1, on tiles of 4×4 outputs or, where there are
few, of 2×2, whose weights are fewer to read; and gathered products for everything else. A
gradient of the data is a convolution too, with the kernels turned around and filters and channels swapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels import direct, weights, winograd, winograd_pooled, winograd_weights
from pellucid.kernels.host import host
from pellucid.kernels.program import Buffer, padded
from pellucid.ops.base import Types, present
from pellucid.ops.lowering import NOTHING, Epilogue, Pooling, Work, not_float32
from pellucid.ops.modes import precision
from pellucid.types import Pair, Shape, TensorType

_WEIGHT_TILES = 8
"""To read a transformed weight from memory takes as long as to multiply it with so many tiles."""
_LEAST_CHANNELS = 16
"""Fewer channels, or filters, leave Winograd's algorithm little to save and its transforms too much to do."""


@dataclass(frozen=True)
class Filters:
    """The weight (O, I, KH, KW) seen from one side: how many results and inputs a tap has, and how to walk it."""

    index: int
    results: int
    inputs: int
    kernel: Pair
    strides: tuple[int, int, int]
    """From one result, input and tap to the next, inside a group."""
    groups: int = 1

    @classmethod
    def forward(cls, index: int, shape: tuple[int, ...], turned: bool = False, groups: int = 1) -> Filters:
        """Sum over channels; ``turned``: the kernel rotated by 180°, as one of mathematics is."""
        o, i, kh, kw = shape
        return cls(index, o, i * groups, (kh, kw), (i * kh * kw, kh * kw, -1 if turned else 1), groups)

    @classmethod
    def backward(cls, index: int, shape: tuple[int, ...], turned: bool, groups: int = 1) -> Filters:
        """Sum over filters, for the gradient of the data."""
        o, i, kh, kw = shape
        return cls(index, i * groups, o, (kh, kw), (kh * kw, i * kh * kw, -1 if turned else 1), groups)

    @property
    def taps(self) -> int:
        """Cells of the kernel."""
        return self.kernel[0] * self.kernel[1]

    @property
    def merged(self) -> int:
        """How many groups are computed as one, so that their results fill whole panels; all, if fewer never do."""
        return merged_groups(self.groups, self.results)


def merged_groups(groups: int, results: int) -> int:
    """Return the least number of groups whose results fill whole panels: foreign channels meet weights of 0."""
    panel, per_group = vectors_of(results) * host().width, results // groups
    fitting = (m for m in range(1, groups) if groups % m == 0 and m * per_group % panel == 0)
    return next(fitting, groups)


def vectors_of(channels: int) -> int:
    """How many vectors a panel of filters has: as many as a tile takes, if they divide a pixel's."""
    across = padded(channels) // host().width
    return next(vectors for vectors in host().panels if across % vectors == 0)


def emit_winograd(
    work: Work, m: int, x: Buffer, y: Buffer, filters: Filters, bias: int | None, before: Pair,
    epilogue: Epilogue | Pooling,
) -> None:  # fmt: skip
    """Add the calls of y = finish(conv(x) + bias), or for m = 4 of what pooling makes of it, by F(m×m, 3×3)."""
    (n, _, height, wide), (_, _, y_height, y_wide) = x.images, y.images
    step = m // 2 if isinstance(epilogue, Pooling) else m
    vectors, tiles = vectors_of(filters.results), n * -(-y_height // step) * -(-y_wide // step)
    panel = vectors * host().width
    panels = y.pixel // panel
    by_filter, by_channel, by_tap = filters.strides
    first = 8 if by_tap < 0 else 0

    def write(target: Buffer, call: Any) -> None:
        call(
            winograd.prepare(m, vectors), panels, work.plain(filters.index), target, by_filter, by_channel, by_tap,
            first, filters.results, filters.inputs, panels, scratch=9 * panel,
        )  # fmt: skip

    packed = work.packed(filters.index, ((m + 2) ** 2 * panels * filters.inputs * panel,), write)
    dealt = winograd.blocks(m, tiles, x.pixel, y.pixel)
    if isinstance(epilogue, Pooling):
        kernel = winograd_pooled.forward(vectors, epilogue.indices is not None)
    else:
        kernel = winograd.forward(m, vectors, epilogue.curve)
    work.call(
        kernel, dealt.parts, x, packed, padded_bias(work, bias, y.pixel), y,
        *epilogue.arguments(y), work.plain(filters.index), by_filter,
        by_channel, by_tap, first, height, wide, x.pixel, filters.inputs, y_height, y_wide, y.pixel, filters.results,
        *before, tiles, dealt.block, scratch=dealt.scratch,
    )  # fmt: skip


class Pixels(NamedTuple):
    """Where a kernel finds images: (N, C, H, W), and how many floats lie from a pixel to the next."""

    buffer: Buffer
    images: tuple[int, int, int, int]
    pixel: int

    @classmethod
    def of(cls, buffer: Buffer) -> Pixels:
        """Look at an image."""
        return cls(buffer, buffer.images, buffer.pixel)


def emit_gather(
    work: Work,
    x: Pixels,
    y: Buffer,
    filters: Filters,
    bias: int | None,
    phases: list[direct.Phase],
    steps: tuple[Pair, Pair],
    epilogue: Epilogue,
    merged: int = 1,
) -> None:
    """Add the calls of y = finish(conv(x) + bias) by gathered products.

    ``steps`` is the way from one cell of a phase to the next in x and in y; ``merged`` taps count as one.
    """
    vectors, merged_inputs = vectors_of(filters.results), filters.inputs * filters.merged // filters.groups
    panel, depth, taps = vectors * host().width, merged * merged_inputs, filters.taps // merged
    panels, packed = y.pixel // panel, packed_filters(work, filters)
    n, _, height, wide = x.images
    dealt = direct.deal(phases, n, panels, depth, depth * panel, (wide * x.pixel, x.pixel))
    work.call(
        direct.convolution(vectors, epilogue.curve), dealt.parts, x.buffer, packed, padded_bias(work, bias, y.pixel), y,
        *epilogue.arguments(y),
        work.constant(dealt.table), len(phases), dealt.block, dealt.groups, n, height, wide, x.pixel, depth,
        *y.images[2:], y.pixel, panels, panels * filters.merged // filters.groups, merged_inputs,
        filters.results, filters.results // filters.groups, filters.merged, dealt.taps, taps,
        *steps[0], *steps[1], scratch=direct.scratch(dealt, depth, x.pixel),
    )  # fmt: skip


def packed_filters(work: Work, filters: Filters) -> Buffer:
    """Return the weight in the panels that gathered products read."""
    vectors, inputs = vectors_of(filters.results), filters.inputs * filters.merged // filters.groups
    panel = vectors * host().width
    panels, weight = padded(filters.results) // panel, work.plain(filters.index)
    by_filter, by_channel, by_tap = filters.strides
    first = filters.taps - 1 if by_tap < 0 else 0

    def write(target: Buffer, call: Any) -> None:
        call(
            direct.prepare(vectors), panels, weight, target, by_filter, by_channel, by_tap,
            weight.nbytes // 4 // filters.groups, first, filters.results, filters.results // filters.groups,
            inputs, filters.merged, filters.taps,
        )  # fmt: skip

    return work.packed(filters.index, (panels * filters.taps * inputs * panel,), write)


def padded_bias(work: Work, index: int | None, wanted: int) -> Buffer:
    """Return a bias padded with zeros, or zeros if there is none."""
    if index is None or work.given(index) is None:
        return work.constant(np.zeros(wanted, np.float32))
    plain = work.plain(index)

    def write(target: Buffer, call: Any) -> None:
        call(direct.pad, 1, plain, target, plain.shape[0], wanted)

    return work.packed(index, (wanted,), write)


def lower_winograd(m: int, work: Work, op: Any, types: Types, epilogue: Epilogue | Pooling = NOTHING) -> None:
    """Lower a 3×3 convolution to F(m×m, 3×3)."""
    weight = present(types, 1)
    before = op.padding[0][0], op.padding[1][0]
    filters = Filters.forward(1, weight.shape, op.flip)
    emit_winograd(work, m, work.image(0), work.image_result(), filters, 2, before, epilogue)


def lower_gather(work: Work, op: Any, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower any convolution to gathered products."""
    filters = Filters.forward(1, present(types, 1).shape, op.flip, op.groups)
    y, before = work.image_result(), (op.padding[0][0], op.padding[1][0])
    phases = direct.phases(y.images[2:], filters.kernel, before, op.dilation)
    emit_gather(work, Pixels.of(work.image(0)), y, filters, 2, phases, (op.stride, (1, 1)), epilogue)


def lower_rows(work: Work, op: Any, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower a convolution of few channels: in a padded copy, the pixels under a row of taps lie side by side."""
    filters = Filters.forward(1, present(types, 1).shape, op.flip)
    y, (kh, kw) = work.image_result(), filters.kernel
    phases = direct.phases(y.images[2:], (kh, 1), (0, 0), (op.dilation[0], 1))
    copy = padded_copy(work, 0, op, present(types))
    emit_gather(work, copy, y, filters, 2, phases, (op.stride, (1, 1)), epilogue, merged=kw)


def lower_winograd_backward_data(m: int, work: Work, op: Any, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower the gradient of the data of a 3×3 convolution: a 3×3 convolution of the slopes, padded by 2 − padding."""
    before = 2 - op.padding[0][0], 2 - op.padding[1][0]
    filters = Filters.backward(1, present(types, 1).shape, not op.flip)
    emit_winograd(work, m, work.image(0), work.image_result(), filters, None, before, epilogue)


def lower_gather_backward_data(work: Work, op: Any, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower the gradient of the data of any convolution."""
    filters = Filters.backward(1, present(types, 1).shape, op.flip, op.groups)
    y, before = work.image_result(), (op.padding[0][0], op.padding[1][0])
    phases = direct.transposed_phases(y.images[2:], filters.kernel, op.stride, before, op.dilation)
    emit_gather(work, Pixels.of(work.image(0)), y, filters, None, phases, ((1, 1), op.stride), epilogue)


def padded_copy(work: Work, index: int, op: Any, x: TensorType) -> Pixels:
    """Copy an input to (N, H, W, C) with its border of zeros, its channels not padded."""
    (n, channels, height, width), ((top, bottom), (left, right)) = x.shape, op.padding
    size = height + top + bottom, width + left + right
    copy = work.temporary((n * size[0] * size[1] * channels + 16,))  # a tile may read a little further
    lines, per_part = n * size[0], max(1, _PART_FLOATS // (size[1] * channels))
    work.call(
        weights.pad_image, -(-lines // per_part), work.plain(index), copy, channels, height, width, top, left, *size,
        lines, per_part,
    )  # fmt: skip
    return Pixels(copy, (n, channels, *size), channels)


def lower_backward_weight(wrt: tuple[str, ...], work: Work, op: Any, types: Types) -> None:
    """Lower the gradient of weight and bias."""
    x, weight = present(types), present(types, 1)
    dy = work.image(0)
    if "weight" not in wrt:
        lower_bias(work, dy)
        return
    if _is_first_layer(op, types):
        source, before, merged = padded_copy(work, 1, op, x), (0, 0), weight.shape[3]
    else:
        source, before, merged = Pixels.of(work.image(1)), (op.padding[0][0], op.padding[1][0]), 1
    dweight = work.plain_result(wrt.index("weight"))
    dbias = work.plain_result(wrt.index("bias")) if "bias" in wrt else None
    emit_backward_weight(work, op, source, dy, before, dweight, dbias, merged, op.flip)


def emit_backward_weight(
    work: Work,
    op: Any,
    source: Pixels,
    slopes: Buffer,
    before: Pair,
    dweight: Buffer,
    dbias: Buffer | None,
    merged: int = 1,
    flip: bool = False,
) -> None:
    """Add the calls of dweight (O, I, KH, KW) = Σ pixels · slopes, and of dbias = Σ slopes.

    ``merged`` taps, whose pixels lie side by side, count as one.
    """
    (n, channels, height, width), (o, _, kh, kw) = source.images, dweight.shape
    vectors = vectors_of(o)
    groups = merged_groups(op.groups, o)
    own = channels * groups // op.groups
    panel, depth, taps = vectors * host().width, merged * own, kh * (kw // merged)
    panels = slopes.pixel // panel
    size = taps * -(-depth // 2) * 2 * panel + panel
    runs = max(1, min(n, _RUNS, _MOST_SUMS // (panels * size)))
    sums = work.temporary((runs * panels * size,))
    work.call(
        weights.correlation(vectors), runs * panels, source.buffer, slopes, sums, runs, panels, n, height, width,
        source.pixel, depth, panels * groups // op.groups, own,
        *slopes.images[2:], slopes.pixel, kh, kw // merged, *op.stride, *before, *op.dilation,
    )  # fmt: skip
    work.call(
        weights.reduction(vectors), panels, sums, dweight, dbias or dweight, int(dbias is not None), runs, panels, taps,
        merged, own, channels // op.groups, o, o // op.groups, groups, int(flip),
    )  # fmt: skip


def lower_winograd_backward_weight(wrt: tuple[str, ...], work: Work, op: Any, types: Types) -> None:
    """Lower the gradient of weight and bias of a 3×3 convolution."""
    dy, x, (o, channels, _, _) = work.image(0), work.image(1), present(types, 1).shape
    (n, _, height, wide), (_, _, y_height, y_wide) = x.images, dy.images
    before, vectors = (op.padding[0][0], op.padding[1][0]), vectors_of(o)
    panels = dy.pixel // (vectors * host().width)
    tiles = n * -(-y_height // 4) * -(-y_wide // 4)
    dealt = winograd_weights.deal(tiles, panels, vectors, channels, x.pixel, dy.pixel)
    sums = work.temporary((dealt.runs * panels * dealt.size,))
    work.call(
        winograd_weights.accumulation(vectors), dealt.runs * dealt.groups, x, dy, sums, tiles, dealt.runs, dealt.groups,
        panels, dealt.block, height, wide, x.pixel, channels, y_height, y_wide, dy.pixel, *before,
        scratch=dealt.scratch,
    )  # fmt: skip
    dweight = work.plain_result(wrt.index("weight"))
    dbias = work.plain_result(wrt.index("bias")) if "bias" in wrt else dweight
    chunk = 16
    work.call(
        winograd_weights.reduction(vectors), panels * -(-channels // chunk), sums, dweight, dbias, int("bias" in wrt),
        dealt.runs, panels, channels, o, int(op.flip), chunk, x, dy, n, height, wide, x.pixel, y_height, y_wide,
        dy.pixel, *before, scratch=9 * vectors * host().width,
    )  # fmt: skip


_PART_FLOATS = 16_384
"""About how many floats of a padded copy a part writes."""
_RUNS = 16
"""Into how many runs the images are dealt, each with sums of its own."""
_MOST_SUMS = 8_000_000
"""Floats that all these sums may take together."""


def lower_bias(work: Work, dy: Buffer, result: int = 0) -> None:
    """Lower the gradient of the bias alone: the slopes of each channel, summed."""
    n, channels, height, width = dy.images
    runs = max(1, min(n, _RUNS))
    sums = work.temporary((runs * dy.pixel,))
    work.call(weights.channel_sums(), runs, dy, sums, runs, n, height * width, dy.pixel)
    work.call(weights.add_runs, 1, sums, work.plain_result(result), runs, dy.pixel, channels)


def _is_first_layer(op: Any, types: Types) -> bool:
    channels = present(types).shape[1]
    return channels < host().width // 2 and op.dilation[1] == 1 and op.groups == 1


def winograd_cost(m: int, op: Any, types: Types) -> float:
    """Count multiplications: one at each point of a tile for each weight, and what reading the weight takes."""
    return _winograd_cost(m, op.infer(*types)[0].shape, types)


def winograd_backward_data_cost(m: int, op: Any, types: Types) -> float:
    """Count multiplications as :func:`winograd_cost` does, for the gradient of the data."""
    return _winograd_cost(m, present(types).shape, types)


def _winograd_cost(m: int, images: Shape, types: Types) -> float:
    (n, _, height, width), (o, i, _, _) = images, present(types, 1).shape
    tiles = n * -(-height // m) * -(-width // m)
    return float((m + 2) ** 2 * o * i * (tiles + _WEIGHT_TILES))


def gather_cost(op: Any, types: Types) -> float:
    """Count multiplications: one at each cell for each weight, and what reading the weight takes."""
    (n, _, height, width), weight = op.infer(*types)[0].shape, present(types, 1)
    return float(weight.size * (n * height * width + _WEIGHT_TILES))


def rejects_rows(op: Any, types: Types) -> str | None:
    """Say why rows of taps do not serve."""
    if op.groups != 1:
        return f"{op.groups} groups: the rows of one would lie between those of others"
    if not _is_first_layer(op, types):
        return f"{present(types).shape[1]} channels, dilation {op.dilation}: for few channels, close together"
    return rejects_gather(op, types)


def rejects_gather(op: Any, types: Types) -> str | None:
    """Say why gathered products do not serve."""
    if op.border != "zeros":
        return f"border {op.border!r}: gathers zeros only"
    return not_float32(op, types)


def rejects_winograd(op: Any, types: Types) -> str | None:
    """Say why Winograd's algorithm does not serve."""
    if precision() == "strict":
        return "precision 'strict': transforms round more than sums do"
    o, i, *kernel = present(types, 1).shape
    if kernel != [3, 3]:
        return f"{kernel[0]}×{kernel[1]} kernels: transforms are for 3×3"
    if op.stride != (1, 1) or op.dilation != (1, 1):
        return f"stride {op.stride}, dilation {op.dilation}: neighbouring cells must share their pixels"
    if min(o, i) < _LEAST_CHANNELS:
        return f"{i} channels, {o} filters: with fewer than {_LEAST_CHANNELS} the transforms cost more than they save"
    if op.groups != 1:
        return f"{op.groups} groups: multiplies all channels with all filters"
    return rejects_gather(op, types)


def rejects_winograd_backward_data(op: Any, types: Types) -> str | None:
    """Say why Winograd's algorithm does not serve for the gradient of the data."""
    if max(max(pair) for pair in op.padding) > 2:
        return f"padding {op.padding}: wider than the kernel reaches"
    return rejects_winograd(op, types)


def rejects_winograd_backward_weight(wrt: tuple[str, ...], op: Any, types: Types) -> str | None:
    """Say why Winograd's algorithm does not serve for the gradient of the weight."""
    return rejects_winograd(op, types) if "weight" in wrt else "asks for the bias alone"
