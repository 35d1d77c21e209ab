"""Convolution of any shape as products of gathered pixels with weights.

A tile of output cells is held in registers while all taps and channels are added to it. For each tap a table says
where the tile's cells find their pixels, so that padding, stride and dilation cost nothing; a pixel in the border is
a row of zeros. What differs between a convolution and the gradient of one with stride 2 is only the table: there,
the cells of the result fall into phases, each of which meets its own taps.

Images are (N, H, W, channels), a pixel's channels padded to whole vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pellucid.kernels.compiler import helper, kernel
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.packing import copy_vector, turn_tile
from pellucid.kernels.tiles import as_longs, distance, finishing, gather_tile, suffix
from pellucid.kernels.winograd import clear
from pellucid.types import Array, Pair

_PHASE = 11
"""Entries of a phase in the table: first part, first cell (2), cells (2), number of taps, place of its taps, and how
far these reach: least and most down, least and most to the right."""
_TAP = 4
"""Entries of a tap: shift down, shift right, place of its weights, shift in memory."""


@dataclass(frozen=True)
class Phase:
    """Cells of the result at (first + step·(i, j)), and their taps: (shift down, shift right, number)."""

    first: Pair
    cells: Pair
    taps: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Deal:
    """How the cells of a result are dealt out: so many in a part, panels in so many groups; the kernel's table."""

    table: Array
    block: int
    groups: int
    parts: int
    taps: int


def deal(phases: Sequence[Phase], images: int, panels: int, depth: int, tap_size: int, image: Pair) -> Deal:
    """Choose parts of a few hundred thousand multiply-adds, of whole tiles, and write the table.

    A tap's weights take ``tap_size`` floats of a panel; from a row of an image to the next, and from a pixel to the
    next, are ``image`` floats.
    """
    rows, vectors = host().tile
    taps = max(len(phase.taps) for phase in phases)
    work = max(1, taps * depth * vectors * host().width)
    cells = max(rows, min(96, 400_000 // work // rows * rows))
    total = images * sum(phase.cells[0] * phase.cells[1] for phase in phases)
    groups = min(panels, max(1, 16 * cells // max(1, total)))  # few cells: the filters are dealt out instead
    table = np.zeros((len(phases), _PHASE), np.int64)
    entries: list[tuple[int, int, int, int]] = []
    parts = 0
    for row, phase in zip(table, phases, strict=True):
        place = table.size + _TAP * len(entries)
        downs, rights = ([tap[axis] for tap in phase.taps] or [0] for axis in (0, 1))
        reach = min(downs), max(downs), min(rights), max(rights)
        row[:] = parts, *phase.first, *phase.cells, len(phase.taps), place, *reach
        for down, right, number in phase.taps:
            entries.append((down, right, number * tap_size, down * image[0] + right * image[1]))
        parts += -(-images * phase.cells[0] * phase.cells[1] // cells)
    return Deal(
        np.concatenate((table.ravel(), np.array(entries, np.int64).ravel())), cells, groups, parts * groups, taps
    )


def scratch(dealt: Deal, depth: int, pixel: int) -> int:
    """Floats of scratch memory that a thread needs: a row of zeros, and a table for every tile, the last ones small."""
    rows = host().tile[0]
    tiles = dealt.block // rows + rows // 2
    return 2 * tiles * (1 + rows + rows * max(1, dealt.taps)) + depth + pixel + 16


@helper
def look_up(  # type: ignore[no-untyped-def]
    places, count, cell, zeros, phase, taps, height, wide, pixel, in_y, in_x, y_wide, y_pixel, y_cells, out_y, out_x
):  # fmt: skip
    """Write the table of one tile: ``count`` cells from ``cell`` on.

    First whether all its taps lie inside the images; then the cells' places in y; then in x, once if so, else tap by
    tap.
    """
    columns = phase[4]
    cells = phase[3] * columns
    image, rest = cell // cells, cell % cells
    i, j = rest // columns, rest % columns
    places[0] = 1
    for row in range(count):
        y, z = i * in_y, j * in_x
        places[1 + row] = (image * y_cells + (phase[1] + i * out_y) * y_wide + phase[2] + j * out_x) * y_pixel
        places[1 + count + row] = ((image * height + y) * wide + z) * pixel
        if y + phase[7] < 0 or y + phase[8] >= height or z + phase[9] < 0 or z + phase[10] >= wide:
            places[0] = 0
        j += 1
        if j == columns:
            i, j = i + 1, 0
            if i == phase[3]:
                image, i = image + 1, 0
    if places[0] == 0:
        image, i, j = cell // cells, rest // columns, rest % columns
        for row in range(count):
            for number in range(phase[5]):
                tap = taps + _TAP * number
                y, z = i * in_y + tap[0], j * in_x + tap[1]
                inside = y >= 0 and y < height and z >= 0 and z < wide
                place = ((image * height + y) * wide + z) * pixel
                places[1 + count + number * count + row] = place if inside else zeros
            j += 1
            if j == columns:
                i, j = i + 1, 0
                if i == phase[3]:
                    image, i = image + 1, 0


@cache
def multiplying(vectors: int, curve: str) -> Any:
    """Make the helper that runs the tile of so many cells."""
    rows = host().tile[0]
    full, half, single = (gather_tile(count, vectors, True, curve) for count in (rows, rows // 2, 1))
    full_by_tap, half_by_tap, single_by_tap = (gather_tile(n, vectors, False, curve) for n in (rows, rows // 2, 1))

    @helper
    def multiply(x, table, count, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting):  # type: ignore[no-untyped-def]
        inside, place = table[0], table + 1
        if count == rows and inside == 1:
            full(x, place, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting)
        elif count == rows:
            full_by_tap(x, place, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting)
        elif count > 1 and inside == 1:
            half(x, place, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting)
        elif count > 1:
            half_by_tap(x, place, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting)
        elif inside == 1:
            single(x, place, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting)
        else:
            single_by_tap(x, place, steps, taps, depth, weight, bias, y, other, add, mask, low, high, setting)

    return multiply


@cache
def repairing(curve: str) -> Any:
    """Make the helper that repairs the cells of a tile."""
    finish_one = finishing(curve)

    @helper
    def repair(  # type: ignore[no-untyped-def]
        x, places, count, steps, taps, panel, weight, bias, y, other, add, mask, low, high, setting, first, last,
        per_group, merged, own
    ):  # fmt: skip
        """Compute again, from a filter's own channels alone, what is NaN as another group's weighted 0 was not finite.

        Filters ``first`` to ``last`` belong to groups of ``per_group``, each with ``own`` channels, ``merged`` in a
        row.
        """
        for row in range(count):
            for lane in range(last - first):
                place = places[1 + row] + lane
                if y[place] != y[place]:
                    start = (first + lane) // per_group % merged * own
                    total = bias[lane]
                    for number in range(taps):
                        tap = steps + _TAP * number
                        if places[0] == 1:
                            pixels = x + (places[1 + count + row] + tap[3])
                        else:
                            pixels = x + places[1 + count + number * count + row]
                        for c in range(start, start + own):
                            total += pixels[c] * weight[tap[2] + c * panel + lane]
                    finish_one(total, y + place, other + place, add, mask, low, high, setting + lane)

    return repair


@cache
def convolution(vectors: int, curve: str) -> Any:
    """Make the kernel y = finish(Σ taps + bias), whose weights lie as (panels, taps, depth, panel).

    So many panels form a group, which reads its own channels: so many floats further in a pixel than the one before.
    """
    rows, panel = host().tile[0], vectors * host().width
    multiply, repair = multiplying(vectors, curve), repairing(curve)

    @kernel(f"conv2d_gather_v{vectors}{suffix(curve)}")
    def convolve(
        part: int, scratch: Floats, x: Floats, weight: Floats, bias: Floats, y: Floats, other: Floats, add: int,
        mask: int, low: float, high: float, setting: Floats, table: Longs, phases: int, block: int, groups: int,
        images: int, height: int, wide: int, pixel: int, depth: int, y_height: int, y_wide: int, y_pixel: int,
        panels: int, group_panels: int, group_step: int, filters: int, per_group: int, merged: int, taps: int,
        weight_taps: int, in_y: int, in_x: int, out_y: int, out_x: int,
    ) -> None:  # fmt: skip
        group, number = part % groups, part // groups
        phase = table + 0
        for later in range(1, phases):
            if table[later * _PHASE] <= number:
                phase = table + later * _PHASE
        steps = table + phase[6]
        cells = images * phase[3] * phase[4]
        first = (number - phase[0]) * block
        last = min(cells, first + block)
        clear(scratch, depth + pixel)
        zeros, places = distance(x, scratch), as_longs(scratch + (depth + pixel + 1) // 2 * 2)
        entry = 1 + rows + rows * max(1, taps)
        cell, tile_ = first, 0
        while cell < last:
            count = size_of(last - cell, rows)
            look_up(
                places + tile_ * entry, count, cell, zeros, phase, steps, height, wide, pixel, in_y, in_x, y_wide,
                y_pixel, y_height * y_wide, out_y, out_x,
            )  # fmt: skip
            cell, tile_ = cell + count, tile_ + 1
        for k in range(panels * group // groups, panels * (group + 1) // groups):
            cell, tile_ = first, 0
            while cell < last:
                count = size_of(last - cell, rows)
                source, place = x + k // group_panels * group_step, places + tile_ * entry
                weights, biases = weight + k * weight_taps * depth * panel, bias + k * panel
                target, beside, settings = y + k * panel, other + k * panel, setting + k * panel
                multiply(
                    source, place, count, steps, phase[5], depth, weights, biases, target, beside, add, mask, low,
                    high, settings,
                )  # fmt: skip
                if merged > 1:
                    repair(
                        source, place, count, steps, phase[5], panel, weights, biases, target, beside, add, mask, low,
                        high, settings, k * panel, min(filters, (k + 1) * panel), per_group, merged, depth // merged,
                    )  # fmt: skip
                cell, tile_ = cell + count, tile_ + 1

    return convolve


@helper
def size_of(left: int, rows: int) -> int:
    """How many cells the next tile has: as many as a tile can, half of them, or one."""
    if left >= rows:
        return rows
    return rows // 2 if left >= rows // 2 else 1


@cache
def prepare(vectors: int) -> Any:
    """Make the kernel that writes one panel of filters as (panels, taps, channels, panel).

    The weight is read by strides, so that the kernels may be turned around and filters and channels swapped. A panel
    reads the ``channels`` of ``merged`` groups; those of other groups than a filter's own have weights of 0.
    """
    width, panel, turn = host().width, vectors * host().width, turn_tile(host().width)

    @helper
    def pack_plain(weight, target, by_filter, by_channel, first, filters, channels):  # type: ignore[no-untyped-def]
        """Pack kernels of one cell, one group: by squares along the channels, or as they lie along the filters."""
        for start in range(0, panel, width):
            whole = first + start + width <= filters
            c = 0
            while whole and by_channel == 1 and c + width <= channels:
                turn(weight + ((first + start) * by_filter + c), by_filter, target + (c * panel + start), panel)
                c += width
            while whole and by_filter == 1 and c < channels:
                copy_vector(weight + (first + start + c * by_channel), target + (c * panel + start))
                c += 1
            while c < channels:
                for lane in range(start, start + width):
                    place = (first + lane) * by_filter + c * by_channel
                    target[c * panel + lane] = weight[place] if first + lane < filters else 0.0
                c += 1

    @kernel(f"conv2d_gather_weights_v{vectors}")
    def weights(
        part: int, scratch: Floats, weight: Floats, packed: Floats, by_filter: int, by_channel: int, by_tap: int,
        by_group: int, first_tap: int, filters: int, per_group: int, channels: int, merged: int, taps: int,
    ) -> None:  # fmt: skip
        target, own_channels = packed + part * taps * channels * panel, channels // merged
        if taps == 1 and filters == per_group:
            pack_plain(weight, target, by_filter, by_channel, part * panel, filters, channels)
            return
        for tap in range(taps):
            for c in range(channels):
                for lane in range(panel):
                    k = part * panel + lane
                    group, filter_ = k // per_group, k % per_group
                    channel = c - group % merged * own_channels
                    found = k < filters and channel >= 0 and channel < own_channels
                    place = group * by_group + filter_ * by_filter + channel * by_channel + tap * by_tap + first_tap
                    target[(tap * channels + c) * panel + lane] = weight[place] if found else 0.0

    return weights


@kernel("pad_with_zeros")
def pad(part: int, scratch: Floats, source: Floats, target: Floats, count: int, wanted: int) -> None:
    """Copy a bias, and zeros up to whole vectors."""
    for i in range(wanted):
        target[i] = source[i] if i < count else 0.0


def phases(size: Pair, kernel_: Pair, before: Pair, dilation: Pair) -> list[Phase]:
    """Return those of a convolution: one, of all cells and all taps."""
    taps = [
        (ky * dilation[0] - before[0], kx * dilation[1] - before[1], ky * kernel_[1] + kx)
        for ky, kx in np.ndindex(*kernel_)
    ]
    return [Phase((0, 0), size, tuple(taps))]


def transposed_phases(size: Pair, kernel_: Pair, stride: Pair, before: Pair, dilation: Pair) -> list[Phase]:
    """Return those of the transpose of a convolution: cells that differ by a stride meet the same taps."""
    found = []
    for y, x in np.ndindex(*stride):
        cells = (-(-(size[0] - y) // stride[0]), -(-(size[1] - x) // stride[1]))
        taps = []
        for ky, kx in np.ndindex(*kernel_):
            down, right = y + before[0] - ky * dilation[0], x + before[1] - kx * dilation[1]
            if down % stride[0] == 0 and right % stride[1] == 0:
                taps.append((down // stride[0], right // stride[1], ky * kernel_[1] + kx))
        if min(cells) > 0:
            found.append(Phase((y, x), cells, tuple(taps)))
    return found
