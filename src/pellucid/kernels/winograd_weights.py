"""The gradient of 3×3 kernels by Winograd's algorithm transposed: Gᵀ·[Σ (A·dY·Aᵀ) ⊙ (Bᵀ·d·B)]·G.

The sum runs over all tiles of all images before anything is transformed back, so that costs next to nothing. The
tiles are dealt out in fixed runs, the filters in groups; each part has sums of its own, which are added in order.
"""

from functools import cache
from typing import Any, NamedTuple

from pellucid.kernels.compiler import helper, kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.tiles import as_longs, distance, product_tile
from pellucid.kernels.transforms import reading, transform_tile
from pellucid.kernels.winograd import clear

_M = 4
_SIZE = _M + 2
_POINTS = _SIZE * _SIZE
_ALL_ONES = _SIZE + 1
"""At this point the transformed slopes are their plain sum, as A's second row is 1, 1, 1, 1: the bias's gradient."""


@cache
def multiplying(vectors: int) -> Any:
    """Make the helper that adds, for each point, pixels times slopes over all tiles of a block to ``sums``."""
    rows, panel = host().tile[0], vectors * host().width
    multiply = product_tile(rows, vectors, accumulate=True)

    @helper
    def multiply_all(v, pixel, v_point, w, own_pixel, w_point, sums, size, deep, channels, count):  # type: ignore[no-untyped-def]
        for point in range(36):
            for k in range(own_pixel // panel):
                target, source = sums + (k * size + point * deep * panel), v + point * v_point
                for c in range(0, channels, rows):
                    place = w + (point * w_point + k * panel)
                    multiply(source + c, 1, pixel, place, own_pixel, target + c * panel, panel, count)

    return multiply_all


@cache
def row_sums(vectors: int) -> Any:
    """Make the tile that adds rows of vectors, ``step`` floats apart, to a total."""

    @tile
    def add_rows(e: Any, total: Any, source: Any, step: Any, count: Any) -> None:
        start = [e.load(total, v * e.width) for v in range(vectors)]

        def row(i: Any, sums: list[Any]) -> list[Any]:
            return [value + e.load(source, i * step + v * e.width) for v, value in enumerate(sums)]

        for v, value in enumerate(e.loop(count, start, row)):
            e.store(value, total, v * e.width)

    return add_rows


@cache
def accumulation(vectors: int) -> Any:
    """Make the kernel that sums one run of tiles for one group of filters, as (panels, points, channels, panel).

    The bias's sums follow each panel.
    """
    rows, panel, add_rows = host().tile[0], vectors * host().width, row_sums(vectors)
    read, read_slopes, multiply = reading("B", _M), reading("A", _M, transposed=True), multiplying(vectors)

    @kernel(f"conv2d_k3s1_winograd4_backward_weight_v{vectors}")
    def accumulate(
        part: int, scratch: Floats, x: Floats, dy: Floats, sums: Floats, tiles: int, runs: int, groups: int,
        panels: int, block: int, height: int, wide: int, pixel: int, channels: int, y_height: int, y_wide: int,
        y_pixel: int, top: int, left: int,
    ) -> None:  # fmt: skip
        run, group = part // groups, part % groups
        first, last = panels * group // groups, panels * (group + 1) // groups
        deep, own_pixel = (channels + rows - 1) // rows * rows, (last - first) * panel
        size = 36 * deep * panel + panel
        own = sums + (run * panels + first) * size
        clear(own, (last - first) * size)
        v_point, w_point = block * pixel + 16, block * own_pixel + 16
        v = scratch
        w = v + 36 * v_point
        blank = w + 36 * w_point
        widest = 6 * max(pixel, y_pixel)
        clear(blank, widest)
        zeros, y_zeros, table = distance(x, blank), distance(dy, blank), as_longs(blank + widest)
        down, across = (y_height + 3) // 4, (y_wide + 3) // 4
        begin, end = tiles * run // runs, tiles * (run + 1) // runs
        for start in range(begin, end, block):
            count = min(block, end - start)
            for number in range(start, start + count):
                image, rest = number // (down * across), number % (down * across)
                i, j, place = rest // across * 4, rest % across * 4, number - start
                read(
                    x, image * height * wide * pixel, i - top, j - left, height, wide, pixel, 0, pixel,
                    v + place * pixel, v_point, table, zeros,
                )  # fmt: skip
            for number in range(start, start + count):  # not in turn: each writes to as many pages as a core keeps
                image, rest = number // (down * across), number % (down * across)
                i, j, place = rest // across * 4, rest % across * 4, number - start
                read_slopes(
                    dy, image * y_height * y_wide * y_pixel, i, j, y_height, y_wide, y_pixel, first * panel,
                    last * panel, w + place * own_pixel, w_point, table, y_zeros,
                )  # fmt: skip
            multiply(v, pixel, v_point, w, own_pixel, w_point, own, size, deep, channels, count)
            for k in range(last - first):
                add_rows(own + (k * size + size - panel), w + (_ALL_ONES * w_point + k * panel), own_pixel, count)

    return accumulate


@cache
def reduction(vectors: int) -> Any:
    """Make the kernel that adds the runs of one panel, a few channels: dweight (O, I, 3, 3) and dbias (O,).

    Sums that met an infinity or NaN are computed again by the definition, as they would spread over all taps.
    """
    width, rows, panel = host().width, host().tile[0], vectors * host().width
    to_taps = transform_tile("G", _M, transposed=True)

    @tile
    def add(e: Any, total: Any, more: Any, offset: Any) -> None:
        e.store(e.load(total, offset) + e.load(more, offset), total, offset)

    @kernel(f"conv2d_k3s1_winograd4_backward_weight_sum_v{vectors}")
    def reduce(
        part: int, scratch: Floats, sums: Floats, dweight: Floats, dbias: Floats, has_bias: int, runs: int, panels: int,
        channels: int, filters: int, flip: int, chunk: int, x: Floats, dy: Floats, images: int, height: int, wide: int,
        pixel: int, y_height: int, y_wide: int, y_pixel: int, top: int, left: int,
    ) -> None:  # fmt: skip
        chunks = (channels + chunk - 1) // chunk
        k, first_channel = part // chunks, part % chunks * chunk
        deep = (channels + rows - 1) // rows * rows
        size = 36 * deep * panel + panel
        total, first = sums + k * size, k * panel
        count = min(panel, filters - first)
        for c in range(first_channel, min(channels, first_channel + chunk)):
            for point in range(36):
                place = (point * deep + c) * panel
                for run in range(1, runs):
                    more = sums + (run * panels + k) * size
                    for lane in range(0, panel, width):
                        add(total, more, place + lane)
            for lane in range(0, panel, width):
                source = total + (c * panel + lane)
                to_taps(source, 6 * deep * panel, deep * panel, scratch + lane, 3 * panel, panel)
            for lane in range(count):
                check = 0.0
                for tap in range(9):
                    check += scratch[tap * panel + lane] * 0.0
                if check != 0.0:
                    tap_sums(
                        x + c, dy + (first + lane), images, height, wide, pixel, y_height, y_wide, y_pixel, top, left,
                        scratch + lane, panel,
                    )  # fmt: skip
                for tap in range(9):
                    place = 8 - tap if flip != 0 else tap
                    dweight[((first + lane) * channels + c) * 9 + place] = scratch[tap * panel + lane]
        if has_bias != 0 and first_channel == 0:
            for lane in range(count):
                value = total[size - panel + lane]
                for run in range(1, runs):
                    value += sums[(run * panels + k) * size + size - panel + lane]
                dbias[first + lane] = value

    return reduce


@helper
def tap_sums(x, dy, images, height, wide, pixel, y_height, y_wide, y_pixel, top, left, target, step):  # type: ignore[no-untyped-def]
    """Compute the gradient of one filter's kernel for one channel by the definition."""
    for tap in range(9):
        total = 0.0
        for image in range(images):
            for i in range(y_height):
                for j in range(y_wide):
                    y, z = i + tap // 3 - top, j + tap % 3 - left
                    if y >= 0 and y < height and z >= 0 and z < wide:
                        slope = dy[((image * y_height + i) * y_wide + j) * y_pixel]
                        total += slope * x[((image * height + y) * wide + z) * pixel]
        target[tap * step] = total


class Deal(NamedTuple):
    """Runs of tiles, groups of panels, tiles in a block, floats of a panel's sums and of scratch memory."""

    runs: int
    groups: int
    block: int
    size: int
    scratch: int


_MOST_SUMS = 4_000_000
"""Floats that the sums of all runs may take together."""


def deal(tiles: int, panels: int, vectors: int, channels: int, pixel: int, y_pixel: int) -> Deal:
    """Choose parts: at least eight if there is enough to do, whose sums stay in a core's cache where they can."""
    rows, panel = host().tile[0], vectors * host().width
    size = _POINTS * (-(-channels // rows) * rows) * panel + panel
    groups = min(panels, max(1, size * panels // 200_000))
    runs = max(1, min(16, tiles // 48, _MOST_SUMS // (size * panels)))
    if runs * groups < 8:
        groups = min(panels, -(-8 // runs))
    own = -(-panels // groups) * panel
    block = max(24, min(64, 100_000 // (_POINTS * (pixel + own)) // 8 * 8))
    scratch = _POINTS * (block * (pixel + own) + 32) + _SIZE * max(pixel, y_pixel) + 4 * _SIZE + 2
    return Deal(runs, groups, block, size, scratch)
