"""How depthwise convolutions and their gradients become calls of the engine's kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.kernels import depthwise
from pellucid.kernels.host import host
from pellucid.kernels.program import Buffer
from pellucid.kernels.windows import Windows
from pellucid.ops.base import Types, present
from pellucid.ops.convolve import lower_bias, padded_bias
from pellucid.ops.lowering import NOTHING, Epilogue, Work, not_images
from pellucid.types import Array

_WIDEST = 16
"""Columns of a kernel: its tiles are written out tap by tap."""
_PARTS = 32
"""Into how many parts the lines of a batch are dealt at most, where each has sums of its own."""


def rejects_depthwise(op: Any, types: Types) -> str | None:
    """Say why a convolution is none with one kernel for each channel."""
    x, weight = present(types), present(types, 1)
    if op.groups == 1 or not op.groups == x.shape[1] == weight.shape[0]:
        return f"{op.groups} groups, {x.shape[1]} channels, {weight.shape[0]} filters: takes as many of each"
    if op.border != "zeros":
        return f"border {op.border!r}: surrounds with zeros only"
    if weight.shape[3] > _WIDEST:
        return f"a kernel of {weight.shape[3]} columns: takes {_WIDEST}"
    return not_images(op, types)


def lower_depthwise(work: Work, op: Any, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower a depthwise convolution."""
    x, y, (_, _, kh, kw) = work.image(0), work.image_result(), present(types, 1).shape
    (_, _, height, wide), (_, _, y_height, y_wide) = x.images, y.images
    (top, _), (left, _) = op.padding
    shape, kernel = depthwise.forward(kw, op.stride[1], op.dilation[1], y_wide, epilogue.curve)
    rows = depthwise.meetings(y_height, kh, op.stride[0], top, op.dilation[0], height)
    blocks = depthwise.blocks(shape, y_wide, wide, 0, -left)
    bias = padded_bias(work, 2, y.pixel)
    _call(work, kernel, x, y, packed_kernels(work, 1, op, kh * kw, x), bias, epilogue, rows, blocks)


def lower_depthwise_backward_data(work: Work, op: Any, types: Types, epilogue: Epilogue = NOTHING) -> None:
    """Lower the gradient of the data: the slopes of the outputs that a cell entered, times the weights."""
    dy, dx, (_, _, kh, kw) = work.image(0), work.image_result(), present(types, 1).shape
    (_, _, height, wide), (_, _, y_height, y_wide) = dx.images, dy.images
    (top, _), (left, _) = op.padding
    shape, kernel = depthwise.backward_data(kw, op.stride[1], op.dilation[1], wide + left)
    rows = depthwise.meetings(y_height, kh, op.stride[0], top, op.dilation[0], height)
    blocks = depthwise.blocks(shape, wide, y_wide, -left, 0)
    bias = work.constant(np.zeros(dx.pixel, np.float32))
    packed = packed_kernels(work, 1, op, kh * kw, dx)
    _call(work, kernel, dy, dx, packed, bias, epilogue, depthwise.transposed(rows, height), blocks)


def _call(
    work: Work, kernel: Any, x: Buffer, y: Buffer, weight: Buffer, bias: Buffer, epilogue: Epilogue,
    rows: list[list[int]], blocks: Array,
) -> None:  # fmt: skip
    (_, _, height, wide), (n, _, y_height, y_wide) = x.images, y.images
    lines = n * y_height
    per_line = y_wide * y.pixel + height * wide * x.pixel // y_height
    per_part = max(1, depthwise.PART_FLOATS // per_line)
    table = work.constant(Windows.of(rows).table)
    work.call(
        kernel, -(-lines // per_part), x, weight, bias, y, *epilogue.arguments(y), table, work.constant(blocks),
        len(blocks), height, wide, x.pixel, y_height, y_wide, lines, per_part, scratch=host().width,
    )  # fmt: skip


def packed_kernels(work: Work, index: int, op: Any, taps: int, image: Buffer) -> Buffer:
    """Return the weight as (taps, channels), padded as the image's pixels are."""
    plain = work.plain(index)

    def write(target: Buffer, call: Any) -> None:
        call(depthwise.prepare, 1, plain, target, image.images[1], image.pixel, taps, int(op.flip))

    return work.packed(index, (taps * image.pixel,), write)


def lower_depthwise_backward_weight(wrt: tuple[str, ...], work: Work, op: Any, types: Types) -> None:
    """Lower the gradient of weight and bias."""
    dy, (_, _, kh, kw) = work.image(0), present(types, 1).shape
    if "weight" not in wrt:
        lower_bias(work, dy)
        return
    x = work.image(1)
    (n, channels, height, wide), (_, _, y_height, y_wide) = x.images, dy.images
    (top, _), (left, _) = op.padding
    taps, lines = kh * kw, n * y_height
    parts = max(1, min(_PARTS, lines, x.nbytes // 4 // depthwise.PART_FLOATS))
    per_part = -(-lines // parts)
    parts = -(-lines // per_part)
    rows = depthwise.meetings(y_height, kh, op.stride[0], top, op.dilation[0], height)
    met = [[j * op.stride[1] - left + tap * op.dilation[1] for tap in range(kw)] for j in range(y_wide)]
    inside = [j for j, cells in enumerate(met) if cells[0] >= 0 and cells[-1] < wide]
    inner, full = (inside[0], len(inside) // depthwise.CELLS) if inside else (0, 0)
    lanes = np.array([[host().width * (0 <= cell < wide) for cell in cells] for cells in met], np.int64)
    sums = work.temporary((parts * (taps + 1) * x.pixel,))
    work.call(
        depthwise.backward_weight(kw, op.stride[1], op.dilation[1]), parts, x, dy, sums,
        work.constant(Windows.of(rows).table), work.constant(lanes), inner, full, kh, height, wide, x.pixel, y_height,
        y_wide, left, lines, per_part,
    )  # fmt: skip
    dweight = work.plain_result(wrt.index("weight"))
    dbias = work.plain_result(wrt.index("bias")) if "bias" in wrt else dweight
    work.call(
        depthwise.reduction(), x.pixel // host().width, sums, dweight, dbias, int("bias" in wrt), parts, x.pixel,
        channels, taps, int(op.flip), scratch=host().width,
    )  # fmt: skip
