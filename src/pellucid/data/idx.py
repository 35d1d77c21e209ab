"""IDX files, the format of MNIST: a magic number, the extents, then bytes.

Format: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*. Only unsigned bytes (type 0x08)
are read, as MNIST, Fashion-MNIST and their relatives use nothing else.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.limits import file_size, read_exactly
from pellucid.data.preprocessing import Preprocessing
from pellucid.errors import DataError, FileError
from pellucid.types import Array

_STEMS = {
    ("train", "images"): "train-images{}idx3-ubyte",
    ("train", "labels"): "train-labels{}idx1-ubyte",
    ("test", "images"): "t10k-images{}idx3-ubyte",
    ("test", "labels"): "t10k-labels{}idx1-ubyte",
}


def files(folder: Path) -> dict[tuple[str, str], Path]:
    """Return the IDX files in a folder under MNIST's usual names, by (part, kind); up to four."""
    found = {}
    for part, stem in _STEMS.items():
        names = [stem.format(separator) + suffix for separator in "-." for suffix in ("", ".gz")]
        existing = [folder / name for name in names if (folder / name).is_file()]
        if existing:
            found[part] = existing[0]
    return found


def load(
    folder: Path,
    *,
    name: str,
    classes: tuple[str, ...] | None = None,
    preprocessing: Preprocessing | None = None,
) -> tuple[Dataset, Dataset]:
    """Return the training and test set of a folder with MNIST's four files, gzipped or not.

    Raises
    ------
    DataError
        If a file is missing or damaged, or the files do not belong together.
    FileError
        If a file cannot be read.
    """
    found = files(folder)
    missing = [stem.format("-") for part, stem in _STEMS.items() if part not in found]
    if missing:
        raise DataError(f"The folder '{folder}' must hold MNIST's four files; got none called {', '.join(missing)}.")
    arrays = {key: read(path) for key, path in found.items()}
    for (part, kind), array in arrays.items():
        axes = 3 if kind == "images" else 1
        if array.ndim != axes:
            raise DataError(f"The file '{found[part, kind]}' must have {axes} axes; got shape {array.shape}.")
    train = Dataset.from_arrays(
        arrays["train", "images"],
        arrays["train", "labels"],
        classes=classes,
        name=name,
        preprocessing=preprocessing,
    )
    test = Dataset.from_arrays(
        arrays["test", "images"],
        arrays["test", "labels"],
        classes=train.classes,
        name=name,
        preprocessing=train.preprocessing,
    )
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DataError(
            f"The training and test images in '{folder}' must have one size; got {train.images.shape[2:]} "
            f"and {test.images.shape[2:]}."
        )
    return train, test


def read(path: Path) -> Array:
    """Return the array of one IDX file of unsigned bytes, gzipped if its name ends in .gz.

    Raises
    ------
    DataError
        If the file is damaged or of another kind.
    FileError
        If it cannot be read.
    """
    available = file_size(path)
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as opened:
            return _read(cast(BinaryIO, opened), available, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"The file '{path}' must be a whole gzip file; got a damaged one ({error}).") from None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"The file '{path}' must be readable; got: {error.strerror}.") from None


def _read(file: BinaryIO, available: int, path: Path) -> Array:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != 0x08 or magic[3] not in (1, 2, 3, 4):
        raise DataError(
            f"The file '{path}' must be an IDX file of unsigned bytes, beginning 00 00 08; got "
            f"{magic.hex(' ') or 'an empty file'}."
        )
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise DataError(f"The header of '{path}' must be whole; got the first {4 + len(header)} bytes only.")
    shape = tuple(int(extent) for extent in np.frombuffer(header, ">u4"))
    data = read_exactly(file, math.prod(shape), available=available, name=str(path))
    return np.frombuffer(data, np.uint8).reshape(shape)
