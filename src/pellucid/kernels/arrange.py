"""Moving numbers: runs from one array to another, and pixels by channels to channels by pixels and back."""

from typing import Any

from pellucid.kernels.compiler import helper, kernel, tile
from pellucid.kernels.interpret import Floats
from pellucid.kernels.pointwise import PART, rows_per_part
from pellucid.kernels.program import Buffer
from pellucid.kernels.tiles import vector_width


@tile
def copy_vector(e: Any, source: Any, target: Any, at: Any) -> None:
    """Copy one vector."""
    e.store(e.load(source, at), target, at)


@tile
def copy_rest(e: Any, source: Any, target: Any, at: Any, valid: Any) -> None:
    """Copy a part of a vector."""
    e.store(e.load(source, at, valid), target, at, valid)


@helper
def copy_run(source: Floats, target: Floats, count: int) -> None:
    """Copy so many floats."""
    at = 0
    while at + vector_width() <= count:
        copy_vector(source, target, at)
        at += vector_width()
    if at < count:
        copy_rest(source, target, at, count - at)


@kernel("copy_runs")
def copy_runs(
    part: int, scratch: Floats, source: Floats, target: Floats, runs: int, length: int, source_step: int,
    source_start: int, target_step: int, target_start: int, rows: int, chunk: int, chunks: int,
) -> None:  # fmt: skip
    """Copy runs of one length, each at its start plus a step for every run; long ones in chunks."""
    first, start = part // chunks * rows, part % chunks * chunk
    for run in range(first, min(runs, first + rows)):
        from_ = source + (run * source_step + source_start + start)
        copy_run(from_, target + (run * target_step + target_start + start), min(chunk, length - start))


def run_call(
    source: Buffer, target: Buffer, runs: int, length: int, source_step: int, target_step: int,
    source_start: int = 0, target_start: int = 0,
) -> tuple[Any, ...]:  # fmt: skip
    """Return the call that copies runs of ``length`` floats."""
    chunk = max(1, min(length, PART))
    chunks = -(-length // chunk)
    rows, parts = rows_per_part(runs, chunk)
    steps = source_step, source_start, target_step, target_start
    return copy_runs, parts * chunks, source, target, runs, length, *steps, rows, chunk, chunks


@tile
def transpose(e: Any, source: Any, source_step: Any, target: Any, target_step: Any) -> None:
    """Turn the rows of a square of floats into the columns of another."""
    rows = [e.load(source, source_step * row) for row in range(e.width)]
    for row, vector in enumerate(e.transposed(rows)):
        e.store(vector, target, target_step * row)


@tile
def clear_vector(e: Any, target: Any, at: Any) -> None:
    """Write zeros."""
    e.store(e.zero(), target, at)


@kernel("image_to_rows")
def image_to_rows(
    part: int, scratch: Floats, image: Floats, rows: Floats, cells: int, pixel: int, channels: int, row: int, span: int,
    per_image: int,
) -> None:  # fmt: skip
    """Copy ``span`` channels of one image, (H·W, pixel) → (C, H·W); the next image's come ``row`` floats later."""
    number, first = part // per_image, part % per_image * span
    source, target = image + number * cells * pixel, rows + number * row
    for channel in range(first, min(channels, first + span), vector_width()):
        if channel + vector_width() <= channels and cells >= vector_width():
            for start in range(0, cells, vector_width()):
                cell = min(start, cells - vector_width())  # the last square reaches back
                transpose(source + (cell * pixel + channel), pixel, target + (channel * cells + cell), cells)
        else:
            for c in range(channel, min(channels, channel + vector_width())):
                for cell in range(cells):
                    target[c * cells + cell] = source[cell * pixel + c]


@kernel("rows_to_image")
def rows_to_image(
    part: int, scratch: Floats, rows: Floats, image: Floats, cells: int, pixel: int, channels: int, row: int, span: int,
    per_image: int,
) -> None:  # fmt: skip
    """Copy ``span`` channels of one image, (C, H·W) → (H·W, pixel); the padding becomes 0."""
    number, first = part // per_image, part % per_image * span
    source, target = rows + number * row, image + number * cells * pixel
    for channel in range(first, min(pixel, first + span), vector_width()):
        if channel + vector_width() <= channels and cells >= vector_width():
            for start in range(0, cells, vector_width()):
                cell = min(start, cells - vector_width())
                transpose(source + (channel * cells + cell), cells, target + (cell * pixel + channel), pixel)
        else:
            for cell in range(cells):
                clear_vector(target, cell * pixel + channel)
                for c in range(channel, min(channels, channel + vector_width())):
                    target[cell * pixel + c] = source[c * cells + cell]


def to_rows(image: Buffer, rows: Buffer, row: int) -> tuple[Any, ...]:
    """Return the call that writes images as channels by pixels, ``row`` floats from one image to the next."""
    n, channels, *size = image.images
    if size == [1, 1]:
        return run_call(image, rows, n, channels, image.pixel, row)
    parts, *sizes = _deal(image, row)
    return image_to_rows, parts, image, rows, *sizes


def from_rows(rows: Buffer, image: Buffer, row: int) -> tuple[Any, ...]:
    """Return the call that reads images from channels by pixels, ``row`` floats from one image to the next."""
    n, channels, *size = image.images
    if size == [1, 1]:
        return run_call(rows, image, n, channels, row, image.pixel)
    parts, *sizes = _deal(image, row)
    return rows_to_image, parts, rows, image, *sizes


def _deal(image: Buffer, row: int) -> tuple[int, ...]:
    """Return how many parts there are, and the sizes that the kernels are told.

    A part is some vectors of channels of one image.
    """
    n, channels, height, width = image.images
    vectors, per_image = rows_per_part(image.pixel // vector_width(), height * width * vector_width())
    return n * per_image, height * width, image.pixel, channels, row, vectors * vector_width(), per_image
