"""Photos written as PNG files (ISO/IEC 15948), with numbers of 8 or 16 bits.

Pillow writes colours of 8 bits only, and one core's work at a time; here bands of rows are packed by several threads.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pellucid.files import replacing
from pellucid.kernels import threads
from pellucid.types import Array

_ROWS = 128
"""Rows of a band: enough for packing to lose nothing, few enough for all threads to have some."""
_LEVEL = 1
"""Of packing: higher ones take several times as long and make photos 5 to 10 % smaller."""
_UP = 2
"""The filter of each row: less the row above it, byte by byte."""
_BASE = 65521
"""Of Adler's checksum: the largest prime below 2^16."""


def write_png(
    path: str | os.PathLike[str],
    pixels: Array,
    *,
    profile: bytes | None = None,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write grey (H, W), grey and alpha (H, W, 2), RGB (H, W, 3) or RGBA (H, W, 4), of uint8 or uint16, in one piece.

    ``profile`` is an ICC profile; ``text`` holds words by PNG's keywords, such as Title and Description. Raises
    FileError where the file cannot be written.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, kind, 0, 0, 0)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header))
        if profile is not None:
            file.write(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
        for key, words in (text or {}).items():
            file.write(_chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + words.encode()))
        for data in _packed(pixels):
            file.write(_chunk(b"IDAT", data))
        file.write(_chunk(b"IEND", b""))


def _packed(pixels: Array) -> Iterator[bytes]:
    """Give the pieces of one zlib stream, each made by itself."""
    big_endian = pixels.astype(pixels.dtype.newbyteorder(">"), copy=False)
    lines = np.ascontiguousarray(big_endian).view(np.uint8).reshape(len(pixels), -1)
    starts = range(0, len(lines), _ROWS)

    def pack(start: int) -> tuple[bytes, int, int]:
        above = np.zeros_like(lines[:1]) if start == 0 else lines[start - 1 : start]
        band = lines[start : start + _ROWS]
        rows = np.full((len(band), 1 + band.shape[1]), _UP, np.uint8)
        np.subtract(band[:1], above, out=rows[:1, 1:])
        np.subtract(band[1:], band[:-1], out=rows[1:, 1:])
        packer = zlib.compressobj(_LEVEL, wbits=-15)
        packed = packer.compress(rows.data) + packer.flush(zlib.Z_FINISH if start == starts[-1] else zlib.Z_SYNC_FLUSH)
        return packed, zlib.adler32(rows.data), rows.size

    checksum = 1
    yield b"\x78\x01"
    with ThreadPoolExecutor(threads.count()) as pool:
        for packed, own, size in pool.map(pack, starts):
            checksum = _joined(checksum, own, size)
            yield packed
    yield struct.pack(">I", checksum)


def _joined(first: int, second: int, size: int) -> int:
    """Return Adler's checksum of two pieces from those of each; ``size`` is the second's."""
    a = first % 2**16 + second % 2**16 - 1
    b = (first >> 16) + (second >> 16) + size * (first % 2**16 - 1)
    return (b % _BASE) << 16 | a % _BASE


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
