"""One small kernel slid over a photo: vectors lie along its rows, so that few channels fill them too.

The lines under a kernel are held as floats in a ring, each with what lies beyond its ends, so that the tile knows no
borders and bytes are converted once. What lies beyond is a matter of two tables: which line of the photo stands in
which place, and which number of a line stands in each place before and after it; −1 stands for zeros. Channels lie side
by side in a photo: neighbours of a colour are ``step`` floats apart.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import helper, kernel, tile
from pellucid.kernels.interpret import Bytes, Floats, Longs
from pellucid.kernels.tiles import as_longs, vector_width

_ROWS = 4
"""Lines that a tile computes together: what it reads serves up to so many of them."""
_VECTORS = 2
LINES = 32
"""Lines of a photo that a part computes."""


@cache
def filter_tile(taps_y: int, rows: int, to_bytes: bool, masked: bool) -> Any:
    """Make the tile y[row] = Σ line[row + ky][kx·step] · weight[kx, ky], two vectors wide.

    The table says where each line lies; a masked tile is told how many columns there are.
    """

    def write(
        e: Any, lines: Any, table: Any, weight: Any, taps_x: Any, step: Any, y: Any, y_row: Any, valid: Any = None
    ) -> None:
        sources = [lines + e.index(table, line) for line in range(rows + taps_y - 1)]

        def column(kx: Any, sums: list[Any]) -> list[Any]:
            sums, weights = list(sums), [e.splat(weight, kx * taps_y + ky) for ky in range(taps_y)]
            for line, source in enumerate(sources):
                for v in range(_VECTORS):
                    pixels = e.load(source, kx * step + v * e.width)
                    for row in range(max(0, line - taps_y + 1), min(rows, line + 1)):
                        place = row * _VECTORS + v
                        sums[place] = pixels.fma(weights[line - row], sums[place])
            return sums

        totals = e.loop(taps_x, [e.zero()] * (rows * _VECTORS), column)
        for place, total in enumerate(totals):
            row, v = divmod(place, _VECTORS)
            value = total.at_least(0.0).at_most(255.0).rounded() if to_bytes else total
            e.store(value, y, y_row * row + v * e.width, None if valid is None else valid - v * e.width)

    def whole(e: Any, lines: Any, table: Any, weight: Any, taps_x: Any, step: Any, y: Any, y_row: Any) -> None:
        write(e, lines, table, weight, taps_x, step, y, y_row)

    return tile(write if masked else whole)


@cache
def sliding(taps_y: int, to_bytes: bool) -> Any:
    """Make the helper that computes ``count`` lines from those that the table names."""
    four, one = ((filter_tile(taps_y, n, to_bytes, False), filter_tile(taps_y, n, to_bytes, True)) for n in (_ROWS, 1))
    (four_whole, four_masked), (one_whole, one_masked) = four, one

    @helper
    def slide(lines, table, weight, taps_x, step, y, y_row, wide, count):  # type: ignore[no-untyped-def]
        across = _VECTORS * vector_width()
        for j in range(0, wide, across):
            if count == _ROWS and j + across <= wide:
                four_whole(lines + j, table, weight, taps_x, step, y + j, y_row)
            elif count == _ROWS:
                four_masked(lines + j, table, weight, taps_x, step, y + j, y_row, wide - j)
            else:
                for row in range(count):
                    if j + across <= wide:
                        one_whole(lines + j, table + row, weight, taps_x, step, y + (row * y_row + j), y_row)
                    else:
                        one_masked(lines + j, table + row, weight, taps_x, step, y + (row * y_row + j), y_row, wide - j)

    return slide


@helper
def read_line(x, line, wide, ends, before, beyond, target):  # type: ignore[no-untyped-def]
    """Copy a line of a photo to floats, between what lies before it and beyond it: so many numbers together."""
    if line >= 0:
        source = x + line * wide
        for j in range(wide):
            target[before + j] = source[j]
        for j in range(beyond):
            place = j if j < before else j + wide
            if ends[j] >= 0:
                target[place] = source[ends[j]]
            else:
                target[place] = 0.0
    else:
        for j in range(wide + beyond):
            target[j] = 0.0


@cache
def filtering(taps_y: int, is_bytes: bool, separated: bool) -> Any:
    """Make the kernel that filters ``LINES`` lines of a photo whose rows have ``wide`` numbers.

    The weights lie column by column; separated, the row's weights first, then the column's: each line is then filtered
    along itself as it is read.
    """
    photo: Any = Bytes if is_bytes else Floats
    slide = sliding(taps_y, is_bytes)
    slide_along = sliding(1, False)
    kind = ("uint8" if is_bytes else "float32") + ("_separated" if separated else "")

    @kernel(f"filter2d_k{taps_y}_{kind}")
    def run(
        part: int, scratch: Floats, x: photo, weight: Floats, sources: Longs, ends: Longs, y: photo, height: int,
        wide: int, taps_x: int, step: int, before: int, length: int,
    ) -> None:  # fmt: skip
        ring = _ROWS + taps_y - 1
        table, lines = as_longs(scratch), scratch + 2 * ring
        line, results = lines + ring * length, lines + (ring + 1) * length
        beyond = (taps_x - 1) * step
        for i in range((ring + 1) * length):
            lines[i] = 0.0
        first, last = part * LINES, min(height, (part + 1) * LINES)
        read = 0  # lines read so far, from the first that a kernel on line ``first`` lies on
        for start in range(first, last, _ROWS):
            while read < start - first + ring:
                target = lines + read % ring * length
                if separated:
                    read_line(x, sources[first + read], wide, ends, before, beyond, line)
                    table[0] = 0
                    slide_along(line, table, weight, taps_x, step, target, length, wide, 1)
                else:
                    read_line(x, sources[first + read], wide, ends, before, beyond, target)
                read += 1
            for row in range(ring):
                table[row] = (start - first + row) % ring * length
            count = min(_ROWS, last - start)
            along, taps = (weight + taps_x, 1) if separated else (weight + 0, taps_x)
            if is_bytes:
                slide(lines, table, along, taps, step, results, length, wide, count)
                for row in range(count):
                    for j in range(wide):
                        y[(start + row) * wide + j] = int(results[row * length + j])
            else:
                slide(lines, table, along, taps, step, y + start * wide, wide, wide, count)

    return run


def lines_read(height: int, taps_y: int) -> int:
    """Lines, counted with those above and below the photo, that are read for all its lines."""
    return height + taps_y - 1 + _ROWS - 1


def scratch(taps_y: int, length: int) -> int:
    """Floats of scratch memory that a thread needs."""
    ring = _ROWS + taps_y - 1
    return 2 * ring + (ring + 1 + _ROWS) * length


def line_length(wide: int, taps_x: int, step: int) -> int:
    """Floats of a line with its zeros, and room for a tile that reads beyond."""
    return wide + (taps_x - 1) * step + 2 * _VECTORS * int(vector_width())
