"""Gradients of weights: for each tap, pixels times slopes, summed over all cells of all images.

The images are dealt out in fixed runs, each with sums of its own, which are added in order at the end: so the result
never depends on how many threads there are.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import helper, kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.tiles import outer


@cache
def correlation_tile(rows: int, vectors: int) -> Any:
    """Make the tile C (rows, vectors·width) += Σ x[place + row] · dy[place], over lines of cells of an image."""

    @tile
    def correlate(
        e: Any, x: Any, x_line: Any, x_step: Any, dy: Any, dy_line: Any, dy_step: Any, c: Any, c_row: Any, lines: Any,
        cells: Any,
    ) -> None:  # fmt: skip
        places = [(row, v) for row in range(rows) for v in range(vectors)]

        def line(i: Any, sums: list[Any]) -> list[Any]:
            pixels, slopes = x + i * x_line, dy + i * dy_line

            def cell(j: Any, sums: list[Any]) -> list[Any]:
                across = [e.load(slopes, j * dy_step + v * e.width) for v in range(vectors)]
                return outer(sums, (e.splat(pixels, j * x_step + row) for row in range(rows)), across)

            return list(e.loop(cells, sums, cell))

        start = [e.load(c, c_row * row + v * e.width) for row, v in places]
        for (row, v), total in zip(places, e.loop(lines, start, line), strict=True):
            e.store(total, c, c_row * row + v * e.width)

    return correlate


@helper
def reach(shift: int, step: int, size: int, cells: int) -> tuple[int, int]:
    """First and last + 1 of the cells whose pixel, at shift + step · cell, lies inside an image of this size."""
    first = max(0, (step - 1 - shift) // step)
    last = (size - 1 - shift) // step + 1 if size > shift else 0
    return first, max(first, min(cells, last))


_CHUNK = 24_576
"""Floats of an image that are gone through at a time, so that they stay in cache while every tap passes."""


@cache
def products(vectors: int) -> Any:
    """Make the helper that adds one tap's products of all channels, over some cells, to its sums."""
    rows, panel = host().tile[0], vectors * host().width
    correlate, pair = correlation_tile(rows, vectors), correlation_tile(2, vectors)

    @helper
    def add_products(pixels, x_line, x_step, slopes, dy_line, dy_step, sums, depth, lines, cells):  # type: ignore[no-untyped-def]
        c = 0
        while c + rows <= depth:
            correlate(pixels + c, x_line, x_step, slopes, dy_line, dy_step, sums + c * panel, panel, lines, cells)
            c += rows
        while c < depth:
            pair(pixels + c, x_line, x_step, slopes, dy_line, dy_step, sums + c * panel, panel, lines, cells)
            c += 2

    return add_products


@cache
def correlation(vectors: int) -> Any:
    """Make the kernel that adds up one run of images for one panel of filters.

    Sums lie as (runs, panels, taps, depth rounded up to pairs, panel); those of the bias follow the last tap.
    In the first layer, whose channels are few, the pixels of a whole row of taps lie side by side and count as one.
    So many panels form a group, which reads its own channels, so many floats further in a pixel.
    """
    width, panel, add_products = host().width, vectors * host().width, products(vectors)

    @tile
    def add_cells(e: Any, dy: Any, dy_step: Any, total: Any, cells: Any) -> None:
        start = [e.load(total, v * width) for v in range(vectors)]

        def cell(j: Any, sums: list[Any]) -> list[Any]:
            return [value + e.load(dy, j * dy_step + v * width) for v, value in enumerate(sums)]

        for v, value in enumerate(e.loop(cells, start, cell)):
            e.store(value, total, v * width)

    @kernel(f"conv2d_backward_weight_v{vectors}")
    def accumulate(
        part: int, scratch: Floats, x: Floats, dy: Floats, sums: Floats, runs: int, panels: int, images: int,
        height: int, wide: int, pixel: int, depth: int, group_panels: int, group_step: int, y_height: int, y_wide: int,
        y_pixel: int, taps_y: int, taps_x: int, stride_y: int, stride_x: int, top: int, left: int, dilation_y: int,
        dilation_x: int,
    ) -> None:  # fmt: skip
        run, k = part // panels, part % panels
        tap_size = (depth + 1) // 2 * 2 * panel
        size = taps_y * taps_x * tap_size + panel
        own = sums + (run * panels + k) * size
        for i in range(size):
            own[i] = 0.0
        lines = max(1, _CHUNK // max(1, wide * pixel * stride_y + y_wide * panel))
        for image in range(images * run // runs, images * (run + 1) // runs):
            source = x + (image * height * wide * pixel + k // group_panels * group_step)
            slopes = dy + (image * y_height * y_wide * y_pixel + k * panel)
            for start in range(0, y_height, lines):
                end = min(y_height, start + lines)
                for ky in range(taps_y):
                    down = ky * dilation_y - top
                    first, last = reach(down, stride_y, height, y_height)
                    first, last = max(first, start), min(last, end)
                    for kx in range(taps_x):
                        right = kx * dilation_x - left
                        begin, stop = reach(right, stride_x, wide, y_wide)
                        if first < last and begin < stop:
                            pixels = source + ((first * stride_y + down) * wide + begin * stride_x + right) * pixel
                            place = slopes + (first * y_wide + begin) * y_pixel
                            target = own + (ky * taps_x + kx) * tap_size
                            x_line, x_step, dy_line = stride_y * wide * pixel, stride_x * pixel, y_wide * y_pixel
                            add_products(
                                pixels, x_line, x_step, place, dy_line, y_pixel, target, depth, last - first,
                                stop - begin,
                            )  # fmt: skip
                add_cells(slopes + start * y_wide * y_pixel, y_pixel, own + (size - panel), (end - start) * y_wide)

    return accumulate


@cache
def reduction(vectors: int) -> Any:
    """Make the kernel that adds the runs of one panel, in order, and writes dweight (O, I, KH, KW) and dbias (O,).

    A tap of the sums is ``merged`` taps of the weight side by side, of ``depth`` channels each; a filter's own
    ``channels`` are among those of as many ``groups``.
    """
    width, panel = host().width, vectors * host().width

    @tile
    def add(e: Any, total: Any, more: Any, offset: Any) -> None:
        e.store(e.load(total, offset) + e.load(more, offset), total, offset)

    @kernel(f"conv2d_backward_weight_sum_v{vectors}")
    def reduce(
        part: int, scratch: Floats, sums: Floats, dweight: Floats, dbias: Floats, has_bias: int, runs: int, panels: int,
        taps: int, merged: int, depth: int, channels: int, filters: int, per_group: int, groups: int, flip: int,
    ) -> None:  # fmt: skip
        tap_size = (merged * depth + 1) // 2 * 2 * panel
        size = taps * tap_size + panel
        total = sums + part * size
        for run in range(1, runs):
            more = sums + (run * panels + part) * size
            for i in range(0, size, width):
                add(total, more, i)
        first, count = part * panel, min(panel, filters - part * panel)
        all_taps = taps * merged
        for lane in range(count):
            for tap in range(all_taps):
                place = all_taps - 1 - tap if flip != 0 else tap
                own = tap % merged * depth + (first + lane) // per_group % groups * channels
                source = total + (tap // merged * tap_size + own * panel + lane)
                for c in range(channels):
                    dweight[((first + lane) * channels + c) * all_taps + place] = source[c * panel]
            if has_bias != 0:
                dbias[first + lane] = total[size - panel + lane]

    return reduce


@cache
def channel_sums() -> Any:
    """Make the kernel that sums the pixels of one run of images."""
    width = host().width

    @tile
    def add_pixels(e: Any, dy: Any, step: Any, total: Any, cells: Any) -> None:
        def cell(j: Any, sums: list[Any]) -> list[Any]:
            return [sums[0] + e.load(dy, j * step)]

        (value,) = e.loop(cells, [e.zero()], cell)
        e.store(value, total, 0)

    @kernel("channel_sums")
    def add(
        part: int, scratch: Floats, dy: Floats, sums: Floats, runs: int, images: int, cells: int, pixel: int
    ) -> None:
        first, last = images * part // runs, images * (part + 1) // runs
        for c in range(0, pixel, width):
            add_pixels(dy + (first * cells * pixel + c), pixel, sums + (part * pixel + c), (last - first) * cells)

    return add


@kernel("add_runs")
def add_runs(part: int, scratch: Floats, sums: Floats, result: Floats, runs: int, pixel: int, channels: int) -> None:
    """Add what the runs found, in order."""
    for c in range(channels):
        total = sums[c]
        for run in range(1, runs):
            total += sums[run * pixel + c]
        result[c] = total


@kernel("pad_image")
def pad_image(
    part: int, scratch: Floats, plain: Floats, target: Floats, channels: int, height: int, wide: int, top: int,
    left: int, padded_height: int, padded_wide: int, lines: int, per_part: int,
) -> None:  # fmt: skip
    """Copy some lines of contiguous images (C, H, W) to (H, W, C) with a border of zeros, channels not padded."""
    for line in range(part * per_part, min(lines, (part + 1) * per_part)):
        image, i = line // padded_height, line % padded_height - top
        own = target + line * padded_wide * channels
        for cell in range(padded_wide * channels):
            own[cell] = 0.0
        if i >= 0 and i < height:
            for c in range(channels):
                source, place = plain + ((image * channels + c) * height + i) * wide, own + (left * channels + c)
                for j in range(wide):
                    place[j * channels] = source[j]
