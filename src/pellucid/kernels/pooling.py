"""Maximum pooling: the largest value of every window, and where it stood; and its gradient.

A vector holds channels of one pixel. Where a maximum stood is an int32, a flat index into the plane; vectors carry it
as bits. Which cells a window has, and which windows a cell lies in, tables tell (:mod:`pellucid.kernels.windows`).
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.host import host
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.program import Buffer
from pellucid.kernels.resample import PART_FLOATS


@cache
def maximum_tile(keep: bool, vectors: int) -> Any:
    """Make the tile that finds one output pixel for so many vectors of channels, and if asked where it stood."""

    @tile
    def maximum(
        e: Any, x: Any, wide: Any, pixel: Any, rows: Any, down: Any, columns: Any, across: Any, y: Any, indices: Any
    ) -> None:
        def row(a: Any, state: list[Any]) -> list[Any]:
            first = e.index(rows, a) * wide

            def column(b: Any, state: list[Any]) -> list[Any]:
                place = first + e.index(columns, b)
                return better(e, state, _load(e, x, place * pixel, vectors), place)

            return list(e.loop(across, state, column))

        place = e.index(rows, 0) * wide + e.index(columns, 0)
        start = [*_load(e, x, place * pixel, vectors), *[e.bits(place)] * (vectors * keep)]
        _store(e, e.loop(down, start, row), vectors, y, indices)

    return maximum


@cache
def quarter_tile(keep: bool) -> Any:
    """Make the tile for a window of 2×2 cells whose first is x[0], at a flat index ``place`` of the plane."""

    @tile
    def quarter(e: Any, x: Any, place: Any, wide: Any, pixel: Any, y: Any, indices: Any) -> None:
        state = [e.load(x, 0), *([e.bits(place)] if keep else [])]
        for cell in (wide * 0 + 1, wide, wide + 1):
            state = better(e, state, _load(e, x, cell * pixel, 1), place + cell)
        _store(e, state, 1, y, indices)

    return quarter


def _load(e: Any, x: Any, offset: Any, vectors: int) -> list[Any]:
    return [e.load(x, offset + k * e.width) for k in range(vectors)]


def better(e: Any, state: list[Any], seen: list[Any], place: Any) -> list[Any]:
    """Renew maxima, and their places if the state holds them too, by what a later cell holds.

    Of equal values the first wins, of several NaN the last: a later cell wins if it is larger or NaN.
    """
    best, where = state[: len(seen)], state[len(seen) :]
    here = e.bits(place)
    larger = [new.where_wins(old, new, old) for new, old in zip(seen, best, strict=True)]
    return larger + [new.where_wins(best[k], here, where[k]) for k, new in enumerate(seen[: len(where)])]


def _store(e: Any, state: list[Any], vectors: int, y: Any, indices: Any) -> None:
    for k, value in enumerate(state):
        e.store(value, y if k < vectors else indices, k % vectors * e.width)


@cache
def forward(keep: bool) -> Any:
    """Make the kernel for windows of any kind, none of them empty, on some lines of the output."""
    width, four, one = host().width, maximum_tile(keep, 4), maximum_tile(keep, 1)

    @kernel("max_pool2d_with_indices" if keep else "max_pool2d")
    def max_pool2d(
        part: int, scratch: Floats, x: Floats, y: Floats, indices: Floats, rows: Longs, columns: Longs, height: int,
        wide: int, pixel: int, y_height: int, y_wide: int, lines: int, per_part: int,
    ) -> None:  # fmt: skip
        first = part * per_part
        for line in range(first, min(lines, first + per_part)):
            i = line % y_height
            source = x + line // y_height * height * wide * pixel
            start, down = rows[i], rows[i + 1] - rows[i]
            for j in range(y_wide):
                target = (line * y_wide + j) * pixel
                left, across = columns[j], columns[j + 1] - columns[j]
                c = 0
                while c + 4 * width <= pixel:
                    four(
                        source + c, wide, pixel, rows + start, down, columns + left, across, y + (target + c),
                        indices + (target + c),
                    )  # fmt: skip
                    c += 4 * width
                while c < pixel:
                    one(
                        source + c, wide, pixel, rows + start, down, columns + left, across, y + (target + c),
                        indices + (target + c),
                    )  # fmt: skip
                    c += width

    return max_pool2d


@cache
def forward_quarters(keep: bool) -> Any:
    """Make the kernel for windows of 2×2 cells side by side, on some lines of the output."""
    width, quarter = host().width, quarter_tile(keep)

    @kernel("max_pool2d_k2s2_with_indices" if keep else "max_pool2d_k2s2")
    def max_pool2d_k2s2(
        part: int, scratch: Floats, x: Floats, y: Floats, indices: Floats, height: int, wide: int, pixel: int,
        y_height: int, y_wide: int, lines: int, per_part: int,
    ) -> None:  # fmt: skip
        first = part * per_part
        for line in range(first, min(lines, first + per_part)):
            i = line % y_height * 2
            source = x + (line // y_height * height + i) * wide * pixel
            target = line * y_wide * pixel
            for j in range(y_wide):
                for c in range(0, pixel, width):
                    quarter(
                        source + (2 * j * pixel + c), i * wide + 2 * j, wide, pixel, y + target + (j * pixel + c),
                        indices + target + (j * pixel + c),
                    )  # fmt: skip

    return max_pool2d_k2s2


@cache
def winners_tile(vectors: int) -> Any:
    """Make the tile that adds up the slopes of the windows that a cell won, of those that it lies in."""

    @tile
    def winners(
        e: Any, dy: Any, indices: Any, wide: Any, pixel: Any, rows: Any, down: Any, columns: Any, across: Any,
        place: Any, dx: Any,
    ) -> None:  # fmt: skip
        here, zero = e.bits(place), e.zero()

        def row(a: Any, state: list[Any]) -> list[Any]:
            first = e.index(rows, a) * wide

            def column(b: Any, state: list[Any]) -> list[Any]:
                window = (first + e.index(columns, b)) * pixel
                won = zip(_load(e, indices, window, vectors), _load(e, dy, window, vectors), state, strict=True)
                return [total + where.where_same_bits(here, slope, zero) for where, slope, total in won]

            return list(e.loop(across, state, column))

        _store(e, e.loop(down, [zero] * vectors, row), vectors, dx, dx)

    return winners


@cache
def backward() -> Any:
    """Make the kernel of the gradient, on some lines of the input; each cell is written once."""
    width, four, one = host().width, winners_tile(4), winners_tile(1)

    @kernel("max_pool2d_backward")
    def max_pool2d_backward(
        part: int, scratch: Floats, dy: Floats, indices: Floats, dx: Floats, rows: Longs, columns: Longs, height: int,
        wide: int, pixel: int, y_height: int, y_wide: int, lines: int, per_part: int,
    ) -> None:  # fmt: skip
        first = part * per_part
        for line in range(first, min(lines, first + per_part)):
            i = line % height
            source = line // height * y_height * y_wide * pixel
            start, down = rows[i], rows[i + 1] - rows[i]
            for j in range(wide):
                left, across = columns[j], columns[j + 1] - columns[j]
                target, c = (line * wide + j) * pixel, 0
                while c + 4 * width <= pixel:
                    four(
                        dy + (source + c), indices + (source + c), y_wide, pixel, rows + start, down, columns + left,
                        across, i * wide + j, dx + (target + c),
                    )  # fmt: skip
                    c += 4 * width
                while c < pixel:
                    one(
                        dy + (source + c), indices + (source + c), y_wide, pixel, rows + start, down, columns + left,
                        across, i * wide + j, dx + (target + c),
                    )  # fmt: skip
                    c += width

    return max_pool2d_backward


@tile
def spread_tile(e: Any, dy: Any, indices: Any, place: Any, wide: Any, pixel: Any, dx: Any) -> None:
    """Write the 2×2 cells of one window: the slope where it won, else 0."""
    slope, where, zero = e.load(dy, 0), e.load(indices, 0), e.zero()
    for cell in (wide * 0, wide * 0 + 1, wide, wide + 1):
        e.store(where.where_same_bits(e.bits(place + cell), slope, zero), dx, cell * pixel)


@cache
def backward_quarters() -> Any:
    """Make the kernel of the gradient for windows of 2×2 cells side by side, on some lines of windows."""
    width = host().width

    @kernel("max_pool2d_k2s2_backward")
    def max_pool2d_k2s2_backward(
        part: int, scratch: Floats, dy: Floats, indices: Floats, dx: Floats, height: int, wide: int, pixel: int,
        y_height: int, y_wide: int, lines: int, per_part: int,
    ) -> None:  # fmt: skip
        first = part * per_part
        for line in range(first, min(lines, first + per_part)):
            i = line % y_height * 2
            source = line * y_wide * pixel
            target = dx + (line // y_height * height + i) * wide * pixel
            for j in range(y_wide):
                for c in range(0, pixel, width):
                    spread_tile(
                        dy + source + (j * pixel + c), indices + source + (j * pixel + c), i * wide + 2 * j, wide,
                        pixel, target + (2 * j * pixel + c),
                    )  # fmt: skip

    return max_pool2d_k2s2_backward


def parts(lines: int, line: int) -> tuple[int, int, int]:
    """Deal out lines of so many floats: how many parts, how many lines, lines of a part."""
    per_part = max(1, PART_FLOATS // max(1, line))
    return -(-lines // per_part), lines, per_part


def sizes(x: Buffer, y: Buffer) -> tuple[int, ...]:
    """Height and width of the input, floats of a pixel, height and width of the output."""
    return *x.images[2:], x.pixel, *y.images[2:]
