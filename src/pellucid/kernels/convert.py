"""From contiguous arrays (N, C, H, W) to images, channels last, and back."""

from typing import Any

from pellucid.kernels import arrange
from pellucid.kernels.program import Buffer


def to_image(plain: Buffer, image: Buffer) -> tuple[Any, ...]:
    """Return the call that copies a contiguous array to an image."""
    return arrange.from_rows(plain, image, _numbers(image))


def to_plain(image: Buffer, plain: Buffer) -> tuple[Any, ...]:
    """Return the call that copies an image to a contiguous array."""
    return arrange.to_rows(image, plain, _numbers(image))


def _numbers(image: Buffer) -> int:
    """How many numbers a contiguous image has."""
    _, channels, height, width = image.images
    return channels * height * width
