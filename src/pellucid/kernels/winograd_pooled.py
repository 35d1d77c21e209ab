"""Convolution by Winograd's algorithm F(4×4, 3×3), an activation that cuts off, and maximum pooling 2×2, in one go.

A tile of 4×4 outputs is four windows of the pooling, so the convolution's own result is never written.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import helper, kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats
from pellucid.kernels.tiles import as_longs, distance
from pellucid.kernels.transforms import pooled_tile
from pellucid.kernels.winograd import clear, defining, is_spoilt, multiplying, reading_block


@tile
def store_bits(e: Any, number: Any, target: Any, at: Any) -> None:
    """Write an integer's 32 bits."""
    e.store(e.bits(number), target, at, e.number(1))


@cache
def writing(keep: bool) -> Any:
    """Make the helper that transforms sums back to the 2×2 pooled cells from y[0] on.

    ``down`` × ``across`` cells of the pooled image exist from there on; ``place`` is where the tile stands in the plane
    of the convolution's result, ``wide`` cells across.
    """
    width, whole, partial = host().width, pooled_tile(keep), pooled_tile(keep, partial=True)

    @helper
    def write(sums, point, bias, y, indices, place, wide, down, across, y_wide, pixel, low, high, check, table):  # type: ignore[no-untyped-def]
        for cell in range(4):
            table[cell] = width if cell // 2 < down and cell % 2 < across else 0
        for k in range(0, pixel, width):
            if down >= 2 and across >= 2:
                whole(
                    sums + k, 6 * point, point, bias + k, y + k, y_wide * pixel, pixel, indices + k, place, wide, low,
                    high, check, table,
                )  # fmt: skip
            else:
                partial(
                    sums + k, 6 * point, point, bias + k, y + k, y_wide * pixel, pixel, indices + k, place, wide, low,
                    high, check, table,
                )  # fmt: skip

    return write


@helper
def take_best(cells, filters, place, wide, y, indices, keep):  # type: ignore[no-untyped-def]
    """Pool four cells, each with all its filters, as :func:`pellucid.kernels.pooling.better` does."""
    for k in range(filters):
        best, where = cells[k], place
        for cell in range(1, 4):
            value = cells[cell * filters + k]
            if value > best or value != value:
                best, where = value, place + cell // 2 * wide + cell % 2
        y[k] = best
        if keep:
            store_bits(where, indices, k)


@cache
def forward(vectors: int, keep: bool) -> Any:
    """Make the kernel y = maxima of 2×2 cells of conv(x, weight) + bias, cut off; for one block of tiles.

    ``y_height`` × ``y_wide`` is the size of the pooled image. The rest is as in
    :func:`pellucid.kernels.winograd.forward`.
    """
    width, panel, by_definition = host().width, vectors * host().width, defining("")
    read_all, multiply, write = reading_block(4), multiplying(4, vectors), writing(keep)

    @kernel(f"conv2d_k3s1_winograd4_max_pool2d{'_with_indices' if keep else ''}_v{vectors}")
    def convolve(
        part: int, scratch: Floats, x: Floats, u: Floats, bias: Floats, y: Floats, indices: Floats, low: float,
        high: float, weight: Floats, by_filter: int, by_channel: int, by_tap: int, first_tap: int, height: int,
        wide: int, pixel: int, channels: int, y_height: int, y_wide: int, y_pixel: int, filters: int, top: int,
        left: int, tiles: int, block: int,
    ) -> None:  # fmt: skip
        down, across = (y_height + 1) // 2, (y_wide + 1) // 2
        first, last = part * block, min(tiles, (part + 1) * block)
        s_row = (y_pixel + panel - 1) // panel * panel
        v_point, s_point = block * pixel + 16, block * s_row + 16
        v, sums = scratch, scratch + 36 * v_point
        check = sums + 36 * s_point
        blank = check + width
        clear(check, width + 6 * pixel)
        zeros, table = distance(x, blank), as_longs(blank + 6 * pixel)
        read_all(x, first, last, down, across, top, left, height, wide, pixel, v, v_point, table, zeros)
        multiply(v, pixel, v_point, u, channels * s_row, sums, s_row, s_point, channels, last - first)
        for number in range(first, last):
            image, rest = number // (down * across), number % (down * across)
            i, j = rest // across * 2, rest % across * 2
            target = ((image * y_height + i) * y_wide + j) * y_pixel
            write(
                sums + (number - first) * s_row, s_point, bias, y + target, indices + target,
                2 * i * 2 * y_wide + 2 * j, 2 * y_wide, y_height - i, y_wide - j, y_wide, y_pixel, low, high, check,
                table,
            )  # fmt: skip
        if is_spoilt(check, width):
            for number in range(first, last):
                image, rest = number // (down * across), number % (down * across)
                for window in range(4):
                    i, j = rest // across * 2 + window // 2, rest % across * 2 + window % 2
                    if i < y_height and j < y_wide:
                        for cell in range(4):
                            own = scratch + cell * filters
                            by_definition(
                                x + image * height * wide * pixel, 2 * i + cell // 2 - top, 2 * j + cell % 2 - left,
                                height, wide, pixel, channels, weight + first_tap, by_filter, by_channel, by_tap, bias,
                                own, own, 0, 0, filters, low, high, own,
                            )  # fmt: skip
                        target = ((image * y_height + i) * y_wide + j) * y_pixel
                        take_best(
                            scratch, filters, 2 * i * 2 * y_wide + 2 * j, 2 * y_wide, y + target, indices + target, keep
                        )

    return convolve
