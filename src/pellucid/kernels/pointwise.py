"""Number by number: kernels that pass over memory once, whatever the layout, made of functions of vectors.

Also those that combine every pixel of an image with one number for each channel.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.interpret import Floats
from pellucid.kernels.program import Buffer
from pellucid.kernels.tiles import vector_width

PART = 16_384
"""Floats that a part goes through: a multiple of every vector's width."""


def parts(buffer: Buffer) -> tuple[int, int]:
    """Return how many parts a pass over a buffer has, and how many floats there are."""
    floats = buffer.nbytes // 4
    return -(-floats // PART), floats


@cache
def of_one(name: str, compute: Callable[[Any, Any], Any]) -> Any:
    """Make the kernel y = compute(x, setting); its arguments are count, x, y, setting."""

    def write(e: Any, x: Any, y: Any, at: Any, setting: Any, valid: Any = None) -> None:
        e.store(compute(e.load(x, at, valid), setting), y, at, valid)

    @tile
    def whole(e: Any, x: Any, y: Any, at: Any, setting: Any) -> None:
        write(e, x, y, at, setting)

    @tile
    def rest(e: Any, x: Any, y: Any, at: Any, setting: Any, valid: Any) -> None:
        write(e, x, y, at, setting, valid)

    @kernel(name)
    def run(part: int, scratch: Floats, count: int, x: Floats, y: Floats, setting: float) -> None:
        at, last = part * PART, min(count, (part + 1) * PART)
        while at + vector_width() <= last:
            whole(x, y, at, setting)
            at += vector_width()
        if at < last:
            rest(x, y, at, setting, last - at)

    return run


@cache
def of_two(name: str, compute: Callable[[Any, Any, Any], Any]) -> Any:
    """Make the kernel y = compute(a, b, setting); its arguments are count, a, b, y, setting."""

    def write(e: Any, a: Any, b: Any, y: Any, at: Any, setting: Any, valid: Any = None) -> None:
        e.store(compute(e.load(a, at, valid), e.load(b, at, valid), setting), y, at, valid)

    @tile
    def whole(e: Any, a: Any, b: Any, y: Any, at: Any, setting: Any) -> None:
        write(e, a, b, y, at, setting)

    @tile
    def rest(e: Any, a: Any, b: Any, y: Any, at: Any, setting: Any, valid: Any) -> None:
        write(e, a, b, y, at, setting, valid)

    @kernel(name)
    def run(part: int, scratch: Floats, count: int, a: Floats, b: Floats, y: Floats, setting: float) -> None:
        at, last = part * PART, min(count, (part + 1) * PART)
        while at + vector_width() <= last:
            whole(a, b, y, at, setting)
            at += vector_width()
        if at < last:
            rest(a, b, y, at, setting, last - at)

    return run


@cache
def of_one_and_number(name: str, compute: Callable[[Any, Any], Any]) -> Any:
    """Make the kernel y = compute(x, number) for a number in memory; its arguments are count, x, number, y."""

    @tile
    def whole(e: Any, x: Any, number: Any, y: Any, at: Any) -> None:
        e.store(compute(e.load(x, at), e.splat(number, 0)), y, at)

    @tile
    def rest(e: Any, x: Any, number: Any, y: Any, at: Any, valid: Any) -> None:
        e.store(compute(e.load(x, at, valid), e.splat(number, 0)), y, at, valid)

    @kernel(f"{name}_number")
    def run(part: int, scratch: Floats, count: int, x: Floats, number: Floats, y: Floats) -> None:
        at, last = part * PART, min(count, (part + 1) * PART)
        while at + vector_width() <= last:
            whole(x, number, y, at)
            at += vector_width()
        if at < last:
            rest(x, number, y, at, last - at)

    return run


@cache
def of_channels(name: str, compute: Callable[[Any, Any], Any]) -> Any:
    """Make the kernel y = compute(x, number of the channel) for images.

    Its arguments are those of :func:`channel_call`.
    """

    @tile
    def whole(e: Any, x: Any, numbers: Any, y: Any, at: Any, channel: Any) -> None:
        e.store(compute(e.load(x, at), e.load(numbers, channel)), y, at)

    @kernel(f"{name}_channels")
    def run(
        part: int, scratch: Floats, x: Floats, numbers: Floats, y: Floats, cells: int, pixel: int, step: int,
        rows: int, per_image: int,
    ) -> None:  # fmt: skip
        image, first = part // per_image, part % per_image * rows
        for cell in range(first, min(cells, first + rows)):
            for channel in range(0, pixel, vector_width()):
                whole(x, numbers, y, (image * cells + cell) * pixel + channel, image * step + channel)

    return run


def channel_call(x: Buffer, numbers: Buffer, y: Buffer, step: int) -> tuple[Any, ...]:
    """Return parts and arguments of a kernel of :func:`of_channels`.

    ``numbers`` are padded like a pixel: one set for all images (``step`` 0) or one for each (``step`` their pixel).
    """
    n, _, height, width = x.images
    rows, per_image = rows_per_part(height * width, x.pixel)
    return n * per_image, x, numbers, y, height * width, x.pixel, step, rows, per_image


def rows_per_part(rows: int, floats: int) -> tuple[int, int]:
    """Return how many rows of so many floats a part goes through, and how many parts there are."""
    size = max(1, min(rows, PART // max(1, floats)))
    return size, -(-rows // size)


@kernel("spread_channels")
def spread_channels(part: int, scratch: Floats, numbers: Floats, target: Floats, channels: int, pixel: int) -> None:
    """Write a number for each channel, or the one for all, as a pixel padded with zeros."""
    for channel in range(pixel):
        if channels == 1:
            target[channel] = numbers[0]
        else:
            target[channel] = numbers[channel] if channel < channels else 0.0


def add(a: Any, b: Any, setting: Any = 0.0) -> Any:
    """Return a + b."""
    return a + b


def multiply(a: Any, b: Any, setting: Any = 0.0) -> Any:
    """Return a · b."""
    return a * b


@tile
def prelu_backward_tile(e: Any, dy: Any, x: Any, weight: Any, dx: Any, at: Any, channel: Any, sums: Any) -> None:
    """Write dx and add to the sums, for one vector."""
    slope, value, weights = e.load(dy, at), e.load(x, at), e.load(weight, channel)
    e.store(value.where_over(0.0, slope, slope * weights), dx, at)
    product = value.where_over(0.0, 0.0, value * slope)
    e.store(e.load(sums, channel) + product, sums, channel)


@kernel("prelu_backward")
def prelu_backward(
    part: int, scratch: Floats, dy: Floats, x: Floats, weight: Floats, dx: Floats, sums: Floats, cells: int, pixel: int,
    rows: int, per_image: int,
) -> None:  # fmt: skip
    """Write dx, and for the slope of each channel the sum of x · dy over this part's cells with x ≤ 0."""
    image, first = part // per_image, part % per_image * rows
    for channel in range(pixel):
        sums[part * pixel + channel] = 0.0
    for cell in range(first, min(cells, first + rows)):
        for channel in range(0, pixel, vector_width()):
            at = (image * cells + cell) * pixel + channel
            prelu_backward_tile(dy, x, weight, dx, at, channel, sums + part * pixel)


@kernel("prelu_slopes")
def prelu_slopes(
    part: int, scratch: Floats, sums: Floats, parts: int, pixel: int, channels: int, dweight: Floats, slopes: int
) -> None:
    """Add up the sums of all parts; of all channels too where they share one slope."""
    total = 0.0
    for channel in range(channels):
        if slopes > 1:
            total = 0.0
        for number in range(parts):
            total += sums[number * pixel + channel]
        dweight[channel if slopes > 1 else 0] = total
