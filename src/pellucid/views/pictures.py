"""Arrays as PNG pictures, ready to be put into a page."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from pellucid.types import Array
from pellucid.views.scales import LEVELS, Scale, palette

_LEAST_GAP, _LARGEST_GAP = 3, 12
"""Pixels between the tiles of a mosaic."""


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as an address that holds them: the page then needs no file beside it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def photo(image: Array, *, largest: int = 96) -> str:
    """Return a uint8 picture (C, H, W), C being 1 or 3, as a PNG address; larger ones are shrunk to ``largest``."""
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))  # (H, W) or (H, W, 3)
    picture = Image.fromarray(pixels)
    picture.thumbnail((largest, largest), Image.Resampling.BOX)
    return data_uri(_png(picture), "png")


def mosaic(tiles: Array, scale: Scale, *, tile: int, columns: int, width: int) -> str:
    """Return tiles (N, H, W) in rows of ``columns``, coloured by a scale, as a PNG address.

    Cells are squares of whole pixels, as large as tiles of at most ``tile`` pixels allow; full rows are spread to
    about ``width`` pixels.
    """
    levels = np.stack([scale.levels(_sized(one, tile)) for one in tiles])  # (N, h, w)
    count, height, breadth = levels.shape
    gap = (width - columns * breadth) // max(1, columns - 1)
    gap = min(max(gap, _LEAST_GAP), _LARGEST_GAP)
    columns = min(count, columns)
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (breadth + gap) - gap), LEVELS, np.uint8)
    for index, one in enumerate(levels):
        y, x = index // columns * (height + gap), index % columns * (breadth + gap)
        sheet[y : y + height, x : x + breadth] = one
    return data_uri(_png(_coloured(sheet, scale.colours), transparency=LEVELS), "png")


def ramp(colours: str) -> str:
    """Return all shades of a scale from left to right: the legend of a mosaic."""
    shades = np.arange(LEVELS, dtype=np.uint8)[None]
    return data_uri(_png(_coloured(shades, colours)), "png")


def _sized(values: Array, target: int) -> Array:
    """Enlarge (H, W) by repeating cells, or shrink it by averaging, until the longer side fits into ``target``."""
    longest = max(values.shape)
    if longest > target:
        scale = target / longest
        size = (max(1, round(values.shape[1] * scale)), max(1, round(values.shape[0] * scale)))
        picture = Image.fromarray(np.asarray(values, np.float32)).resize(size, Image.Resampling.BOX)
        return np.asarray(picture)
    factor = target // longest
    return values.repeat(factor, 0).repeat(factor, 1)


def _coloured(levels: Array, colours: str) -> Image.Image:
    picture = Image.fromarray(levels)
    picture.putpalette(palette(colours).tobytes() + b"\0\0\0")  # grey becomes "P": shades are indices
    return picture


def _png(picture: Image.Image, **settings: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, "png", optimize=True, **settings)
    return file.getvalue()
