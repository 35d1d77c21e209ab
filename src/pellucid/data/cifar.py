"""CIFAR-10's batches: the binary version and the Python version.

Formats: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images* (2009), and its web page. A
binary record is one label byte and 3 × 32 × 32 pixel bytes, channels first.
"""

import os
import tarfile
import zlib
from pathlib import Path

import numpy as np

from pellucid.data import pickled
from pellucid.data.dataset import Dataset
from pellucid.data.limits import read_exactly, read_file
from pellucid.data.preprocessing import Preprocessing
from pellucid.errors import DataError, FileError
from pellucid.types import Array

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_BINARY_FILES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
_LARGEST = 64 * 2**20  # a real batch has 31 MB


def is_folder(folder: Path) -> bool:
    """Return whether a folder holds CIFAR-10's batches in either version."""
    return any((folder / name).is_file() for name in ("test_batch.bin", "test_batch"))


def is_complete(folder: Path) -> bool:
    """Return whether a folder holds all six files of the binary version."""
    return all((folder / name).is_file() for name in _BINARY_FILES)


def unpack(archive: Path, folder: Path) -> None:
    """Write the six batches of the binary version's archive into a folder, and nothing else of it.

    Each is written under another name and renamed when it is complete.

    Raises
    ------
    DataError
        If the archive is damaged or lacks a batch.
    FileError
        If a file cannot be read or written.
    """
    missing = set(_BINARY_FILES)
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for member in opened:
                name = member.name.rpartition("/")[2]
                stream = opened.extractfile(member) if member.isfile() and name in missing else None
                if stream is not None and member.size <= _LARGEST:
                    data = read_exactly(stream, member.size, available=archive.stat().st_size, name=member.name)
                    (folder / f"{name}.part").write_bytes(data)
                    os.replace(folder / f"{name}.part", folder / name)
                    missing.remove(name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"The file '{archive}' must be a whole .tar.gz archive; got a damaged one ({error}).") from None
    except OSError as error:
        raise FileError(f"The batches in '{archive}' must be unpacked into '{folder}'; got: {error}.") from None
    if missing:
        raise DataError(f"The archive '{archive}' must hold CIFAR-10's six batches; got no {sorted(missing)[0]}.")


def load(folder: Path, *, name: str, preprocessing: Preprocessing | None = None) -> tuple[Dataset, Dataset]:
    """Return the training and test set of a folder of CIFAR-10 batches.

    Raises
    ------
    DataError
        If a batch is missing or damaged, or a pickle contains anything but plain data.
    FileError
        If a file cannot be read.
    """
    suffix, reader = (".bin", read_binary) if (folder / "test_batch.bin").is_file() else ("", read_python)
    batches = sorted(path for path in folder.glob("data_batch_*") if path.suffix == suffix)
    if not batches:
        raise DataError(f"The folder '{folder}' must hold CIFAR-10's training batches; got none.")
    parts = [reader(path) for path in batches]
    train = Dataset.from_arrays(
        np.concatenate([images for images, _ in parts]),
        np.concatenate([labels for _, labels in parts]),
        classes=CLASSES,
        name=name,
        preprocessing=preprocessing,
    )
    images, labels = reader(folder / f"test_batch{suffix}")
    test = Dataset.from_arrays(images, labels, classes=CLASSES, name=name, preprocessing=train.preprocessing)
    return train, test


def read_binary(path: Path) -> tuple[Array, Array]:
    """Return the images, uint8 (N, 3, 32, 32), and labels (N,) of a binary batch.

    Raises
    ------
    DataError
        If the file is not a whole number of records.
    FileError
        If it cannot be read.
    """
    data = read_file(path, _LARGEST)
    if not data or len(data) % (1 + _PIXELS):
        raise DataError(
            f"The file '{path}' must be whole records of {1 + _PIXELS} bytes; got {len(data)} bytes; it is "
            f"damaged or incomplete."
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, 1 + _PIXELS)
    return records[:, 1:].reshape(-1, *_SHAPE), records[:, 0]


def read_python(path: Path) -> tuple[Array, Array]:
    """Return the images, uint8 (N, 3, 32, 32), and labels (N,) of a Python batch, without unpickling it.

    Raises
    ------
    DataError
        If the file is damaged, or contains anything but plain data.
    FileError
        If it cannot be read.
    """
    try:
        batch = pickled.read(read_file(path, _LARGEST))
    except DataError as error:
        raise DataError(f"The file '{path}' must be a batch of CIFAR-10. {error}") from None
    if not isinstance(batch, dict):
        raise DataError(f"The file '{path}' must hold a dict; got {type(batch).__name__}.")
    keys = {key.decode("latin-1") if isinstance(key, bytes) else key: key for key in batch}
    if "data" not in keys or "labels" not in keys:
        raise DataError(
            f"The file '{path}' must hold 'data' and 'labels'; got {', '.join(map(str, keys)) or 'neither'}."
        )
    data, labels = batch[keys["data"]], batch[keys["labels"]]
    if not isinstance(data, np.ndarray) or data.shape[1:] != (_PIXELS,):
        shape = data.shape if isinstance(data, np.ndarray) else type(data).__name__
        raise DataError(f"The 'data' of '{path}' must be (N, {_PIXELS}) bytes; got {shape}.")
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 10 for label in labels):
        raise DataError(f"The 'labels' of '{path}' must be a list of numbers from 0 to 9; got something else.")
    return data.reshape(-1, *_SHAPE), np.array(labels, np.int64)
