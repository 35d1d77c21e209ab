"""Small data sets in every format, written by other code than that which reads them."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import DataError, FileError
from pellucid.types import Array


def idx_bytes(array: Array) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns, or the documented error that it raises."""
    try:
        return function(*arguments)
    except (DataError, FileError) as error:
        return error


def small_arrays() -> tuple[Array, Array, Array, Array]:
    """Return training images and labels, test images and labels: 12 and 6 images of 5×4, three classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (18, 5, 4), dtype=np.uint8)
    labels = np.arange(18, dtype=np.uint8) % 3
    return images[:12], labels[:12], images[12:], labels[12:]


def write_idx(folder: Path, arrays: tuple[Array, ...], *, separator: str = "-", gz: bool = False) -> Path:
    names = ("train-images{}idx3", "train-labels{}idx1", "t10k-images{}idx3", "t10k-labels{}idx1")
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(names, arrays, strict=True):
        data = idx_bytes(array)
        path = folder / f"{name.format(separator)}-ubyte{'.gz' if gz else ''}"
        path.write_bytes(gzip.compress(data, mtime=0) if gz else data)
    return folder


def python2_batch(images: Array, labels: Array) -> bytes:
    """Return a CIFAR batch as Python 2's cPickle wrote it: protocol 2, byte strings throughout."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value  # SHORT_BINSTRING

    rows = images.reshape(len(images), -1)
    shape = b"".join(b"J" + struct.pack("<i", extent) for extent in rows.shape) + b"\x86"  # BININT ×2, TUPLE2
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R"  # (b"u1", 0, 1), REDUCE
    dtype += b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"  # its state, BUILD
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + text(b"b") + b"tR"
    array += b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", rows.size) + rows.tobytes() + b"tb"
    items = text(b"data") + array
    items += text(b"labels") + b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    items += text(b"batch_label") + text(b"training batch 1 of 5")
    return b"\x80\x02}(" + items + b"u."
