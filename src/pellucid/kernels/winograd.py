"""Convolution with 3×3 kernels and stride 1 by Winograd's algorithm F(m×m, 3×3), m = 2 or 4.

An output tile of m×m cells needs (m + 2)² products per channel and filter instead of 9·m²: tiles of the input and
the kernels are transformed (Bᵀ·d·B, G·g·Gᵀ), multiplied cell by cell, which for all channels and filters together is
(m + 2)² matrix products, and the sums are transformed back (Aᵀ·M·A). A. Lavin and S. Gray, Fast Algorithms for
Convolutional Neural Networks, 2015.

A part of the work is a block of tiles small enough for all its numbers to stay in a core's second-level cache.
Images are (N, H, W, channels), a pixel's channels padded to whole vectors.
"""

from functools import cache
from typing import Any, NamedTuple

from pellucid.kernels.compiler import helper, kernel
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.packing import turn_tile
from pellucid.kernels.tiles import as_longs, distance, finishing, product_tile, suffix
from pellucid.kernels.transforms import reading, transform_tile, writing


@helper
def clear(target: Floats, count: int) -> None:
    """Write zeros."""
    for i in range(count):
        target[i] = 0.0


@cache
def reading_block(m: int) -> Any:
    """Make the helper that transforms the input tiles ``first`` to ``last``; ``down`` × ``across`` make an image."""
    read = reading("B", m)

    @helper
    def read_all(x, first, last, down, across, top, left, height, wide, pixel, v, v_point, table, zeros):  # type: ignore[no-untyped-def]
        for number in range(first, last):
            image, rest = number // (down * across), number % (down * across)
            i, j = rest // across * m - top, rest % across * m - left
            base, target = image * height * wide * pixel, v + (number - first) * pixel
            read(x, base, i, j, height, wide, pixel, 0, pixel, target, v_point, table, zeros)

    return read_all


@cache
def multiplying(m: int, vectors: int) -> Any:
    """Make the helper that multiplies all tiles of a block with all filters, point by point of the transform."""
    rows, panel, points = host().tile[0], vectors * host().width, (m + 2) ** 2
    full, half = product_tile(rows, vectors), product_tile(rows // 2, vectors)

    @helper
    def multiply(v, v_row, v_point, u, u_point, sums, s_row, s_point, depth, count):  # type: ignore[no-untyped-def]
        for point in range(points):
            for k in range(0, s_row, panel):
                weights = u + (point * u_point + k * depth)
                tile_ = 0
                while tile_ < count:
                    a = v + (point * v_point + tile_ * v_row)
                    c = sums + (point * s_point + tile_ * s_row + k)
                    if count - tile_ > rows // 2:
                        full(a, v_row, 1, weights, panel, c, s_row, depth)
                        tile_ += rows
                    else:
                        half(a, v_row, 1, weights, panel, c, s_row, depth)
                        tile_ += rows // 2

    return multiply


@cache
def forward(m: int, vectors: int, curve: str) -> Any:
    """Make the kernel y = finish(conv(x, weight) + bias) for one block of tiles; see :func:`finish`.

    ``u`` is the weight as :func:`prepare` writes it; the weight itself is read where Winograd's sums meet an
    infinity or NaN, which they would spread over a whole tile: such blocks are computed by the definition.
    """
    width, size, points, panel = host().width, m + 2, (m + 2) ** 2, vectors * host().width
    read_all, multiply, write = reading_block(m), multiplying(m, vectors), writing(m, curve)
    by_definition = defining(curve)

    @kernel(f"conv2d_k3s1_winograd{m}_v{vectors}{suffix(curve)}")
    def convolve(
        part: int, scratch: Floats, x: Floats, u: Floats, bias: Floats, y: Floats, other: Floats, add: int,
        mask: int, low: float, high: float, setting: Floats, weight: Floats, by_filter: int, by_channel: int,
        by_tap: int, first_tap: int, height: int, wide: int, pixel: int, channels: int, y_height: int, y_wide: int,
        y_pixel: int, filters: int, top: int, left: int, tiles: int, block: int,
    ) -> None:  # fmt: skip
        down, across = (y_height + m - 1) // m, (y_wide + m - 1) // m
        first, last = part * block, min(tiles, (part + 1) * block)
        s_row = (y_pixel + panel - 1) // panel * panel
        v_point, s_point = block * pixel + 16, block * s_row + 16  # 16: rows of points shall not share a cache set
        v, sums = scratch, scratch + points * v_point
        check = sums + points * s_point
        blank = check + width
        clear(check, width + size * pixel)
        zeros, table = distance(x, blank), as_longs(blank + size * pixel)
        read_all(x, first, last, down, across, top, left, height, wide, pixel, v, v_point, table, zeros)
        multiply(v, pixel, v_point, u, channels * s_row, sums, s_row, s_point, channels, last - first)
        for number in range(first, last):
            image, rest = number // (down * across), number % (down * across)
            i, j = rest // across * m, rest % across * m
            place = ((image * y_height + i) * y_wide + j) * y_pixel
            write(
                sums + (number - first) * s_row, s_point, bias, y + place, other + place, add, mask, y_height - i,
                y_wide - j, y_wide, y_pixel, low, high, setting, check, table,
            )  # fmt: skip
        if is_spoilt(check, width):
            for number in range(first, last):
                image, rest = number // (down * across), number % (down * across)
                for cell in range(m * m):
                    i, j = rest // across * m + cell // m, rest % across * m + cell % m
                    if i < y_height and j < y_wide:
                        place = ((image * y_height + i) * y_wide + j) * y_pixel
                        by_definition(
                            x + image * height * wide * pixel, i - top, j - left, height, wide, pixel, channels,
                            weight + first_tap, by_filter, by_channel, by_tap, bias, y + place, other + place, add,
                            mask, filters, low, high, setting,
                        )  # fmt: skip

    return convolve


@helper
def is_spoilt(check: Floats, width: int) -> bool:
    """Whether an infinity or NaN was among the numbers that were watched."""
    total = 0.0
    for lane in range(width):
        total += check[lane]
    return total != 0.0


@cache
def defining(curve: str) -> Any:
    """Make the helper that computes one output cell for all filters, tap by tap."""
    finish_one = finishing(curve)

    @helper
    def by_definition(  # type: ignore[no-untyped-def]
        x, top, left, height, wide, pixel, channels, weight, by_filter, by_channel, by_tap, bias, y, other, add, mask,
        filters, low, high, setting,
    ):  # fmt: skip
        for k in range(filters):
            total = bias[k]
            for tap in range(9):
                i, j = top + tap // 3, left + tap % 3
                if i >= 0 and i < height and j >= 0 and j < wide:
                    for c in range(channels):
                        total += x[(i * wide + j) * pixel + c] * weight[k * by_filter + c * by_channel + tap * by_tap]
            finish_one(total, y + k, other + k, add, mask, low, high, setting + k)

    return by_definition


@cache
def prepare(m: int, vectors: int) -> Any:
    """Make the kernel that writes G·g·Gᵀ of one panel of filters as (points, panels, channels, panel).

    The weight is read by strides, so that the kernels may be turned around and filters and channels swapped.
    """
    width = host().width
    size, panel = m + 2, vectors * host().width
    to_points, turn = transform_tile("G", m), turn_tile(9)

    @kernel(f"conv2d_k3s1_winograd{m}_weights_v{vectors}")
    def weights(
        part: int, scratch: Floats, weight: Floats, u: Floats, by_filter: int, by_channel: int, by_tap: int,
        first_tap: int, filters: int, channels: int, panels: int,
    ) -> None:  # fmt: skip
        point = panels * channels * panel
        for c in range(channels):
            for start in range(0, panel, width):
                k = part * panel + start
                if k + width <= filters:
                    place = scratch + (start + (8 * panel if by_tap < 0 else 0))
                    turn(weight + (k * by_filter + c * by_channel), by_filter, place, by_tap * panel)
                else:
                    for tap in range(9):
                        for lane in range(width):
                            source = (k + lane) * by_filter + c * by_channel + tap * by_tap + first_tap
                            scratch[tap * panel + start + lane] = weight[source] if k + lane < filters else 0.0
            for lane in range(0, panel, width):
                target = u + ((part * channels + c) * panel + lane)
                to_points(scratch + lane, 3 * panel, panel, target, size * point, point)

    return weights


class Blocks(NamedTuple):
    """How the tiles of an image are dealt out: so many in a block, in so many parts, with so much scratch memory."""

    block: int
    parts: int
    scratch: int


_CACHE_FLOATS = 80_000
"""What a block's transformed tiles and sums may take: about a third of a megabyte."""


def blocks(m: int, tiles: int, pixel: int, filters: int) -> Blocks:
    """Choose the block: as large as the cache allows, and at least four blocks if there are enough tiles."""
    rows, width, points = host().tile[0], host().width, (m + 2) ** 2
    most = max(rows, _CACHE_FLOATS // (points * (pixel + filters)) // rows * rows)
    parts = max(-(-tiles // most), min(4, -(-tiles // rows)))
    even = -(-tiles // parts)
    block = -(-even // rows) * rows
    floats = points * (block * (pixel + filters) + 32) + width + (m + 2) * pixel + 2 * max(2 * (m + 2), m * m) + 2
    return Blocks(block, -(-tiles // block), floats)
