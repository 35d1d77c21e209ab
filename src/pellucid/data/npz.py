"""NumPy archives (.npz) with training and test arrays; nothing in them is ever unpickled."""

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from pellucid.data.dataset import Dataset
from pellucid.data.limits import file_size, read_exactly
from pellucid.data.preprocessing import Preprocessing
from pellucid.errors import DataError, FileError, PellucidError
from pellucid.types import Array, Shape

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
KERAS_KEYS = ("x_train", "y_train", "x_test", "y_test")


def load(
    path: Path,
    *,
    name: str,
    classes: tuple[str, ...] | None = None,
    preprocessing: Preprocessing | None = None,
) -> tuple[Dataset, Dataset]:
    """Return the training and test set of an .npz file.

    Its keys are train_images, train_labels, test_images, test_labels, or Keras's x_train, y_train, x_test,
    y_test. Images are (N, H, W), (N, C, H, W) or (N, H, W, C); pixels are whole numbers from 0 to 255, or
    fractions from 0 to 1.

    Raises
    ------
    DataError
        If an array is missing, damaged, or breaks these rules.
    FileError
        If the file cannot be read.
    """
    train_images, train_labels, test_images, test_labels = _read_four(path)
    train = Dataset.from_arrays(
        _as_pixels(train_images, path), train_labels, classes=classes, name=name, preprocessing=preprocessing
    )
    test = Dataset.from_arrays(
        _as_pixels(test_images, path),
        test_labels,
        classes=train.classes,
        name=name,
        preprocessing=train.preprocessing,
    )
    for attribute in ("shape", "dtype"):
        ours, theirs = (getattr(part.images[0], attribute) for part in (train, test))
        if ours != theirs:
            raise DataError(
                f"The training and test images in '{path}' must have one {attribute}; got {ours} and {theirs}."
            )
    return train, test


def _read_four(path: Path) -> list[Array]:
    available = file_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            for keys in (KEYS, KERAS_KEYS):
                if all(key in members for key in keys):
                    return [_read_member(archive, members[key], available, path) for key in keys]
            raise DataError(
                f"The file '{path}' must have the keys {', '.join(KEYS)} or {', '.join(KERAS_KEYS)}; got "
                f"{', '.join(list(members)[:8]) or 'none'}."
            )
    except PellucidError:
        raise
    except OSError as error:
        raise FileError(f"The file '{path}' must be readable; got: {error.strerror or error}.") from None
    except Exception as error:  # on damaged bytes zipfile raises nearly anything
        raise DataError(f"The file '{path}' must be a whole .npz archive; got a damaged one ({error}).") from None


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, available: int, path: Path) -> Array:
    name = f"{path}:{info.filename}"
    with archive.open(info) as stream:
        shape, fortran, dtype = _read_header(stream, name)
        announced = math.prod(shape) * dtype.itemsize
        data = read_exactly(stream, announced, available=available, name=name)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _read_header(stream: IO[bytes], name: str) -> tuple[Shape, bool, "np.dtype[Any]"]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    if dtype.kind not in "uif" or dtype.hasobject:
        raise DataError(f"The array '{name}' must hold numbers; got {dtype}.")
    if any(extent < 0 for extent in shape):
        raise DataError(f"The array '{name}' must have extents of at least 0; got shape {shape}.")
    return shape, fortran, dtype


def _as_pixels(images: Array, path: Path) -> Array:
    images = _channels_first(images)
    if images.dtype == np.uint8 or images.size == 0:
        return images
    low, high = images.min(), images.max()  # NaN and infinity pass the tests below for Dataset to name
    if low < 0 or high > 255 or (high > 1 and not np.array_equal(images, np.rint(images))):
        raise DataError(
            f"The pixels in '{path}' must be whole numbers from 0 to 255 or fractions from 0 to 1; got {low} "
            f"to {high}; scale them before saving."
        )
    if high > 1 or images.dtype.kind != "f":
        return images.astype(np.uint8)
    return images


def _channels_first(images: Array) -> Array:
    if images.ndim == 4 and images.shape[3] in (1, 3) and images.shape[1] not in (1, 3):
        return images.transpose(0, 3, 1, 2)  # (N, C, H, W)
    return images
