"""Depthwise convolution: every channel has a kernel of its own, so a vector of channels needs no sum over channels.

Several outputs side by side are held in registers, and share what they read. Which output meets which input at which
tap of the kernel's row is a :class:`Pattern`, written out when the tile is made; so the gradient of the data, where
it is the slopes that are read, is the same kernel with another pattern. Which rows meet at which tap stands in a
table, and so does which cells of a block exist where it hangs over an edge.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.tiles import finish, suffix
from pellucid.kernels.winograd import clear
from pellucid.types import Array

PART_FLOATS = 16_384
"""About how many floats of both images a part goes through."""


class Pattern(NamedTuple):
    """One row of a kernel against a block of a line of outputs."""

    taps: int
    outputs: int
    source_step: int
    """Inputs from the first that a block reads to the first that the next one does."""
    meetings: tuple[tuple[int, int, int], ...]
    """(output, tap, input): counted from the block's first output and input."""

    @property
    def inputs(self) -> list[int]:
        """The inputs that a block reads."""
        return sorted({source for _, _, source in self.meetings})


@cache
def pattern(taps: int, stride: int, dilation: int, cells: int, transposed: bool) -> Pattern:
    """Return the pattern for blocks of so many outputs, or if transposed so many times the stride.

    Output j of a convolution meets input j·stride + tap·dilation; transposed, the two change roles.
    """
    if not transposed:
        meetings = [(j, k, j * stride + k * dilation) for j in range(cells) for k in range(taps)]
        return Pattern(taps, cells, cells * stride, tuple(meetings))
    outputs = cells * stride
    meetings = [
        (j, k, (j - k * dilation) // stride)
        for j in range(outputs)
        for k in range(taps)
        if (j - k * dilation) % stride == 0
    ]
    return Pattern(taps, outputs, cells, tuple(meetings))


@cache
def sliding_tile(shape: Pattern, edge: bool, curve: str) -> Any:
    """Make the tile that computes a block of outputs of a line for one vector of channels.

    ``rows`` lists (input row, row of the kernel). At an edge ``lanes`` tells for each input and then each output how
    many of a vector's floats exist: all or none. Inputs that do not are read from ``zeros``, which costs less than
    masks.
    """

    @tile
    def slide(
        e: Any, x: Any, x_line: Any, x_pixel: Any, pixel: Any, rows: Any, down: Any, weight: Any, bias: Any, y: Any,
        other: Any, add: Any, mask: Any, low: Any, high: Any, setting: Any, lanes: Any, zeros: Any,
    ) -> None:  # fmt: skip
        number = {source: i for i, source in enumerate(shape.inputs)}
        valid = [e.index(lanes, i) if edge else None for i in range(len(number) + shape.outputs)]

        def row(a: Any, sums: list[Any]) -> list[Any]:
            line = x + e.index(rows, a * 2) * x_line
            kernels = weight + e.index(rows, a * 2 + 1) * (pixel * shape.taps)
            factors = [e.load(kernels, pixel * tap) for tap in range(shape.taps)]
            totals = list(sums)
            for source in shape.inputs:
                place = line + x_pixel * source
                if edge:
                    place = e.either(valid[number[source]], place, zeros)
                value = e.load(place, 0)
                for output, tap, met in shape.meetings:
                    if met == source:
                        totals[output] = value.fma(factors[tap], totals[output])
            return totals

        sums = e.loop(down, [e.load(bias, 0)] * shape.outputs, row)
        places = [pixel * j for j in range(shape.outputs)]
        bounds, settings = (e.lift(low), e.lift(high)), [setting] * shape.outputs
        finish(e, sums, places, y, other, add, mask, bounds, curve, settings, valid[len(number) :])

    return slide


@cache
def sliding(shape: Pattern, name: str, curve: str) -> Any:
    """Make the kernel y = finish(bias + Σ x · weight), tap by tap as the pattern and the tables say."""
    width, entry = host().width, 3 + len(shape.inputs) + shape.outputs
    inside, edge = sliding_tile(shape, False, curve), sliding_tile(shape, True, curve)

    @kernel(name + suffix(curve))
    def depthwise(
        part: int, scratch: Floats, x: Floats, weight: Floats, bias: Floats, y: Floats, other: Floats, add: int,
        mask: int, low: float, high: float, setting: Floats, rows: Longs, blocks: Longs, count: int, height: int,
        wide: int, pixel: int, y_height: int, y_wide: int, lines: int, per_part: int,
    ) -> None:  # fmt: skip
        first = part * per_part
        clear(scratch, width)
        for line in range(first, min(lines, first + per_part)):
            i = line % y_height
            source = x + line // y_height * height * wide * pixel
            met, down = rows + rows[i], (rows[i + 1] - rows[i]) // 2
            for number in range(count):
                block = blocks + number * entry
                target = (line * y_wide + block[1]) * pixel
                for c in range(0, pixel, width):
                    pixels = source + (block[2] * pixel + c)
                    place = target + c
                    if block[0] == 0:
                        inside(
                            pixels, wide * pixel, pixel, pixel, met, down, weight + c, bias + c, y + place,
                            other + place, add, mask, low, high, setting + c, block, scratch,
                        )  # fmt: skip
                    else:
                        edge(
                            pixels, wide * pixel, pixel, pixel, met, down, weight + c, bias + c, y + place,
                            other + place, add, mask, low, high, setting + c, block + 3, scratch,
                        )  # fmt: skip

    return depthwise


def within(taps: int, stride: int, dilation: int, outputs: int) -> Pattern:
    """Choose the pattern of a convolution whose blocks are no longer than its lines."""
    return pattern(taps, stride, dilation, _cells(outputs, min(outputs, _most_sums())), False)


def forward(taps: int, stride: int, dilation: int, outputs: int, curve: str) -> tuple[Pattern, Any]:
    """Choose the pattern and kernel of a convolution whose kernel has so many columns and whose lines so many cells."""
    shape = pattern(taps, stride, dilation, _cells(outputs, _most_sums()), False)
    return shape, sliding(shape, f"depthwise_w{taps}s{stride}d{dilation}_{shape.outputs}cells", curve)


def backward_data(taps: int, stride: int, dilation: int, outputs: int) -> tuple[Pattern, Any]:
    """Choose the pattern and kernel of the gradient of the data, whose lines have so many cells."""
    cells = _cells(-(-outputs // stride), max(1, _most_sums() // stride))
    shape = pattern(taps, stride, dilation, cells, True)
    return shape, sliding(shape, f"depthwise_backward_data_w{taps}s{stride}d{dilation}_{shape.outputs}cells", "")


def _most_sums() -> int:
    """How many outputs fit in registers beside a row of the kernel: a multiple of neither 7 nor 8 wastes little."""
    return 8 if host().registers == 16 else 14


def _cells(outputs: int, most: int) -> int:
    """Choose how many outputs a block has: few blocks, of which the last is nearly full."""
    usual = [cells for cells in (14, 8, 7, 4, 1) if cells <= most]
    return min(usual, key=lambda cells: (-(-outputs // cells) * (cells + 1.5), -cells))


def blocks(shape: Pattern, outputs: int, inputs: int, first: int, start: int) -> Array:
    """Lay blocks over a line: for each whether it hangs over an edge, its first output, its first input, its lanes.

    The first block begins at output ``first`` ≤ 0 and input ``start``.
    """
    entries = []
    for number in range(-(-(outputs - first) // shape.outputs)):
        output, source = first + number * shape.outputs, start + number * shape.source_step
        exists = [0 <= source + i < inputs for i in shape.inputs]
        exists += [0 <= output + j < outputs for j in range(shape.outputs)]
        entries.append([not all(exists), output, source, *(lane * host().width for lane in exists)])
    return np.array(entries, np.int64)


def meetings(size: int, taps: int, stride: int, before: int, dilation: int, inputs: int) -> list[list[int]]:
    """Return for each row of outputs the rows that it meets, as input, tap, input, tap and so on."""
    places = [[(i * stride - before + tap * dilation, tap) for tap in range(taps)] for i in range(size)]
    return [[number for pair in row if 0 <= pair[0] < inputs for number in pair] for row in places]


def transposed(rows: list[list[int]], size: int) -> list[list[int]]:
    """Return for each of so many inputs the rows of outputs that it meets, and the taps."""
    readers: list[list[int]] = [[] for _ in range(size)]
    for output, row in enumerate(rows):
        for source, tap in zip(row[::2], row[1::2], strict=True):
            readers[source] += [output, tap]
    return readers


@kernel("depthwise_weights")
def prepare(
    part: int, scratch: Floats, weight: Floats, packed: Floats, channels: int, pixel: int, taps: int, flip: int
) -> None:
    """Write the weight (C, 1, KH, KW) as (taps, channels padded with zeros)."""
    for tap in range(taps):
        place = taps - 1 - tap if flip != 0 else tap
        for c in range(pixel):
            packed[tap * pixel + c] = weight[c * taps + place] if c < channels else 0.0


CELLS = 4
"""Outputs of a line that share what they read of x, for the gradient of the weight."""


@cache
def correlation_tile(taps: int, stride: int, dilation: int, cells: int, edge: bool) -> Any:
    """Make the tile that adds, for one row of the kernel and one vector of channels, the products of a line of cells.

    Each tap has two sums, for even and odd cells, so that one need not wait for the other.
    """
    shape = pattern(taps, stride, dilation, cells, False)

    @tile
    def correlate(e: Any, x: Any, dy: Any, pixel: Any, count: Any, total: Any, lanes: Any) -> None:
        chains = min(2, cells)

        def block(number: Any, sums: list[Any]) -> list[Any]:
            pixels, slopes = x + number * (pixel * shape.source_step), dy + number * (pixel * cells)
            slope = [e.load(slopes, pixel * j) for j in range(cells)]
            totals = list(sums)
            for i, source in enumerate(shape.inputs):
                value = e.load(pixels, pixel * source, e.index(lanes, i) if edge else None)
                for output, tap, met in shape.meetings:
                    if met == source:
                        place = tap * chains + output % chains
                        totals[place] = value.fma(slope[output], totals[place])
            return totals

        start = [e.load(total, pixel * (i // chains)) if i % chains == 0 else e.zero() for i in range(taps * chains)]
        sums = e.loop(count, start, block)
        for tap in range(taps):
            pair = sums[tap * chains : (tap + 1) * chains]
            e.store(pair[0] + pair[1] if chains == 2 else pair[0], total, pixel * tap)

    return correlate


@tile
def add_cells(e: Any, dy: Any, pixel: Any, count: Any, total: Any) -> None:
    """Add up a line of cells."""

    def cell(j: Any, sums: list[Any]) -> list[Any]:
        return [sums[0] + e.load(dy, j * pixel)]

    e.store(e.loop(count, [e.load(total, 0)], cell)[0], total, 0)


@cache
def backward_weight(taps: int, stride: int, dilation: int) -> Any:
    """Make the kernel that adds up the products of some lines of all images: (taps and the bias, pixel) for each part.

    ``inner``: the first cell of a line all of whose taps lie inside, and how many blocks of such cells follow.
    """
    width, cells = host().width, CELLS
    many = correlation_tile(taps, stride, dilation, cells, False)
    one = correlation_tile(taps, stride, dilation, 1, True)

    @kernel(f"depthwise_backward_weight_w{taps}s{stride}d{dilation}")
    def accumulate(
        part: int, scratch: Floats, x: Floats, dy: Floats, sums: Floats, rows: Longs, lanes: Longs, inner: int,
        full: int, taps_down: int, height: int, wide: int, pixel: int, y_height: int, y_wide: int, left: int,
        lines: int, per_part: int,
    ) -> None:  # fmt: skip
        own = sums + part * (taps_down * taps + 1) * pixel
        clear(own, (taps_down * taps + 1) * pixel)
        outer = inner + full * cells
        first = part * per_part
        for line in range(first, min(lines, first + per_part)):
            i = line % y_height
            image = x + line // y_height * height * wide * pixel
            slopes = dy + line * y_wide * pixel
            for c in range(0, pixel, width):
                for a in range(rows[i], rows[i + 1], 2):
                    total = own + (rows[a + 1] * taps * pixel + c)
                    source = image + ((rows[a] * wide - left) * pixel + c)
                    for j in range(inner):
                        one(source + j * stride * pixel, slopes + (j * pixel + c), pixel, 1, total, lanes + j * taps)
                    place = inner * pixel
                    many(source + place * stride, slopes + (place + c), pixel, full, total, lanes)
                    for j in range(outer, y_wide):
                        one(source + j * stride * pixel, slopes + (j * pixel + c), pixel, 1, total, lanes + j * taps)
                add_cells(slopes + c, pixel, y_wide, own + (taps_down * taps * pixel + c))

    return accumulate


@tile
def add_parts(e: Any, sums: Any, step: Any, parts: Any, total: Any) -> None:
    """Add up what the parts found, in order."""

    def further(number: Any, held: list[Any]) -> list[Any]:
        return [held[0] + e.load(sums, number * step)]

    e.store(e.loop(parts, [e.zero()], further)[0], total, 0)


@cache
def reduction() -> Any:
    """Make the kernel that adds up all parts for one vector of channels: dweight (C, 1, KH, KW) and dbias."""
    width = host().width

    @kernel("depthwise_backward_weight_sum")
    def reduce(
        part: int, scratch: Floats, sums: Floats, dweight: Floats, dbias: Floats, has_bias: int, parts: int, pixel: int,
        channels: int, taps: int, flip: int,
    ) -> None:  # fmt: skip
        c = part * width
        count = min(width, channels - c)
        for tap in range(taps + 1):
            add_parts(sums + (tap * pixel + c), (taps + 1) * pixel, parts, scratch)
            place = taps - 1 - tap if flip != 0 else tap
            for lane in range(count):
                if tap < taps:
                    dweight[(c + lane) * taps + place] = scratch[lane]
                elif has_bias != 0:
                    dbias[c + lane] = scratch[lane]

    return reduce
