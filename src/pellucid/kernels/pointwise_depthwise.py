"""A pointwise convolution and the depthwise one that follows, band by band: what lies between never leaves the cache.

An inverted bottleneck widens an image several times before it filters each channel. Written to memory and read again
the wide image costs more than its arithmetic; here a part makes some of its rows, for one panel of channels, in its
own memory, zeros at both ends of each row as the padding, and filters them at once.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pellucid.kernels.compiler import helper, kernel
from pellucid.kernels.depthwise import Pattern, sliding_tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.tiles import gather_tile
from pellucid.kernels.winograd import clear
from pellucid.types import Array

_CACHE_FLOATS = 64_000
"""What the rows of a band may take: a quarter of a megabyte."""
_LEAST_PARTS = 8


@cache
def widening(vectors: int, curve: str) -> Any:
    """Make the helper that writes one row of cells for one panel of filters: (wide, panel).

    Where the last tile would reach beyond the row it begins earlier, and writes some cells twice.
    """
    rows, panel = host().tile[0], vectors * host().width
    full, half, single = (gather_tile(count, vectors, True, curve) for count in (rows, rows // 2, 1))

    @helper
    def widen(x, wide, pixel, depth, tables, weight, bias, y, low, high, setting):  # type: ignore[no-untyped-def]
        j = 0
        while j < wide:
            count = 1
            if wide - j > rows // 2 and wide >= rows:
                count = rows
            elif wide >= rows // 2 and wide - j > 1:
                count = rows // 2
            j = min(j, wide - count)
            source, target = x + j * pixel, y + j * panel
            if count == rows:
                full(source, tables + 4, tables, 1, depth, weight, bias, target, target, 0, 0, low, high, setting)
            elif count == 1:
                single(source, tables, tables, 1, depth, weight, bias, target, target, 0, 0, low, high, setting)
            else:
                table = tables + (4 + 2 * rows)
                half(source, table, tables, 1, depth, weight, bias, target, target, 0, 0, low, high, setting)
            j += count

    return widen


def tables(vectors: int, pixel: int) -> Array:
    """Return what :func:`gather_tile` is told: its one tap, then where the cells of a tile lie in y and in x."""
    rows, panel = host().tile[0], vectors * host().width
    places = [[cell * step for step in (panel, pixel) for cell in range(count)] for count in (rows, rows // 2)]
    return np.array([0] * 4 + places[0] + places[1], np.int64)


@cache
def forward(shape: Pattern, vectors: int, curve: str, after: str, name: str) -> Any:
    """Make the kernel y = finish(depthwise(finish(pointwise(x)))) for one band of rows and one panel of channels.

    ``rows`` tells which rows each row of outputs meets, see :func:`pellucid.kernels.depthwise.sliding_tile`.
    """
    width, panel, cells = host().width, vectors * host().width, shape.outputs
    widen, slide = widening(vectors, curve), sliding_tile(shape, False, after)

    @kernel(f"{name}_v{vectors}_{curve or 'plain'}_then_{after or 'plain'}")
    def both(
        part: int, scratch: Floats, x: Floats, weight: Floats, bias: Floats, low: float, high: float,
        setting: Floats, kernels: Floats, biases: Floats, least: float, most: float, settings: Floats, y: Floats,
        places: Longs, rows: Longs, panels: int, bands: int, per_band: int, height: int, wide: int, pixel: int,
        depth: int, left: int, line: int, across: int, y_height: int, y_wide: int, y_pixel: int,
    ) -> None:  # fmt: skip
        k, number = part % panels * panel, part // panels
        image, first = number // bands, number % bands * per_band
        last = min(y_height, first + per_band)
        top, bottom = height, 0
        for met in range(rows[first], rows[last], 2):
            top, bottom = min(top, rows[met]), max(bottom, rows[met] + 1)
        for row in range(top, bottom):
            place = scratch + (row - top) * line
            clear(place, left * panel)
            clear(place + (left + wide) * panel, line - (left + wide) * panel)
            source = x + (image * height + row) * wide * pixel
            widen(
                source, wide, pixel, depth, places, weight + k * depth, bias + k, place + left * panel, low, high,
                setting + k,
            )  # fmt: skip
        for i in range(first, last):
            met, down = rows + rows[i], (rows[i + 1] - rows[i]) // 2
            start = 0
            while start < y_wide:
                j = min(start, y_wide - cells)
                target = y + (((image * y_height + i) * y_wide + j) * y_pixel + k)
                for c in range(0, panel, width):
                    slide(
                        scratch + (j * across * panel + c - top * line), line, panel, y_pixel, met, down,
                        kernels + (k + c), biases + (k + c), target + c, target + c, 0, 0, least, most,
                        settings + (k + c), met, scratch,
                    )  # fmt: skip
                start += cells

    return both


class Bands(NamedTuple):
    """So many bands of so many rows of outputs, and the floats of scratch memory that one takes."""

    number: int
    rows: int
    scratch: int


def bands(images: int, panels: int, line: int, outputs: int, reach: int, stride: int) -> Bands | None:
    """Deal out rows: as many to a band as the cache holds, and enough parts; None if not even one row fits."""
    fitting = (_CACHE_FLOATS // line - reach) // stride + 1
    if fitting < 1:
        return None
    count = max(-(-outputs // fitting), min(outputs, -(-_LEAST_PARTS // (images * panels))))
    rows = -(-outputs // count)
    return Bands(-(-outputs // rows), rows, ((rows - 1) * stride + reach) * line)
