"""Data sets by name or path; ``pel.datasets`` is this module.

>>> train, test = load("fashion-mnist-mini")
>>> train
Dataset 'fashion-mnist-mini': 5000 images of 1×28×28, 10 classes
"""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.data import cifar, idx, npz
from pellucid.data.catalogue import ENTRIES, Entry, RemoteFile
from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, FileError, ParameterError
from pellucid.types import Array, Pair

if TYPE_CHECKING:
    from pellucid.data.download import Progress

__all__ = ["Entry", "data_folder", "find", "get", "info", "load", "names", "path", "picture"]

_EMBEDDED = Path(__file__).parent / "embedded" / "fashion-mnist-mini.npz"

_DEBIAN = {"fashion-mnist": Path("/usr/share/datasets/fashion-mnist")}  # package dataset-fashion-mnist


def load(source: str | os.PathLike[str], *, size: Pair | None = None, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Return the training and test set of a named data set or a path.

    Parameters
    ----------
    source
        One of `names`, or a path: a folder with MNIST's four IDX files, a folder of CIFAR-10 batches, an
        .npz file, or a folder of images with one subfolder per class.
    size
        For a folder of images: the (height, width) to bring them to; by default the most common one.
    seed
        For a folder of images without a test part: chooses the fifth that becomes it.

    Raises
    ------
    DataError
        If there is no such data set, or what is there is damaged or unsuitable.
    FileError
        If a file cannot be read, or a named data set has not been fetched yet.

    Examples
    --------
    >>> train, test = load("fashion-mnist-mini")
    >>> train.classes[train.labels[0]], train.images.shape
    ('Ankle boot', (5000, 1, 28, 28))
    """
    if source in ENTRIES:
        _no_size(size, str(source))
        return _load_named(ENTRIES[str(source)])
    place = Path(source)
    if not place.exists():
        raise DataError(f"A data set must be one of {', '.join(ENTRIES)}, or a path that exists; got '{source}'.")
    return _load_path(place, size, seed)


def picture(source: str) -> Array | None:
    """Return the picture that "DATA:INDEX" stands for, one of a data set's test part, uint8 (C, H, W).

    None where the text has another form, or is the name of a file. Raises what `load` raises, and DataError where the
    test part has no such picture.

    >>> picture("fashion-mnist-mini:17").shape, picture("photo.jpg")
    ((1, 28, 28), None)
    """
    data, _, index = source.rpartition(":")
    if not data or not re.fullmatch("-?[0-9]{1,18}", index) or Path(source).exists():
        return None
    _, test = load(data)
    if not 0 <= int(index) < len(test):
        raise DataError(f"The picture of '{data}' must be 0 to {len(test) - 1}, as DATA:INDEX; got {index}.")
    from pellucid.data.images import as_bytes  # brings in Pillow

    return as_bytes(test.images[int(index)])


def names() -> tuple[str, ...]:
    """Return the names of the data sets that Pellucid knows.

    >>> names()
    ('fashion-mnist-mini', 'fashion-mnist', 'mnist', 'cifar-10')
    """
    return tuple(ENTRIES)


def info(name: str) -> Entry:
    """Return what is known of a named data set: description, licence, sizes, classes, files.

    Raises
    ------
    DataError
        If there is no data set of that name.

    Examples
    --------
    >>> info("mnist").train
    60000
    """
    if name not in ENTRIES:
        raise DataError(f"The name of a data set must be one of {', '.join(ENTRIES)}; got '{name}'.")
    return ENTRIES[name]


def find(name: str) -> Path | None:
    """Return where a named data set lies on this machine, or None if it has not been fetched.

    >>> find("fashion-mnist-mini").name
    'fashion-mnist-mini.npz'
    """
    entry = info(name)
    if not entry.files:
        return _EMBEDDED
    candidates = [data_folder() / name, *([_DEBIAN[name]] if name in _DEBIAN else [])]
    return next((folder for folder in candidates if _is_complete(entry, folder)), None)


def at_hand() -> list[str]:
    """Return the names of the data sets that are on this machine.

    >>> at_hand()[0]
    'fashion-mnist-mini'
    """
    return [name for name in names() if find(name) is not None]


def path(name: str) -> Path:
    """Return where a named data set lies on this machine.

    Raises
    ------
    DataError
        If there is no data set of that name.
    FileError
        If it has not been fetched.
    """
    found = find(name)
    if found is None:
        entry = info(name)
        debian = ", or install Debian's package dataset-fashion-mnist" if name in _DEBIAN else ""
        raise FileError(
            f"The data set '{name}' must be on this machine; got nothing in '{data_folder() / name}'; fetch "
            f"it with: pellucid data get {name} ({entry.bytes / 1e6:.0f} MB){debian}."
        )
    return found


def get(name: str, *, progress: "Progress | None" = None) -> Path:
    """Fetch a named data set unless it is on this machine already, and return where it lies.

    A download that broke off is resumed; each file is checked against its SHA-256.

    Parameters
    ----------
    name
        One of `names`.
    progress
        Called with (file name, bytes so far, bytes in all) as they come.

    Raises
    ------
    DataError
        If there is no data set of that name.
    FileError
        If the network or the disk refuses, or a file has the wrong contents.
    """
    from pellucid.data import download

    found = find(name)
    if found is not None:
        return found
    folder = data_folder() / name
    for file in info(name).files:
        fetched = download.fetch(file, folder, progress)
        if _is_archive(file):
            cifar.unpack(fetched, folder)
            fetched.unlink()
    return folder


def data_folder() -> Path:
    """Return the folder of fetched data sets: $PELLUCID_DATA, or the system's place for a user's data."""
    chosen = os.environ.get("PELLUCID_DATA")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "pellucid" / "data"


def _load_named(entry: Entry) -> tuple[Dataset, Dataset]:
    place = path(entry.name)
    if place == _EMBEDDED:
        return npz.load(place, name=entry.name, classes=entry.classes, preprocessing=entry.preprocessing)
    if any(_is_archive(file) for file in entry.files):
        return cifar.load(place, name=entry.name, preprocessing=entry.preprocessing)
    return idx.load(place, name=entry.name, classes=entry.classes, preprocessing=entry.preprocessing)


def _load_path(place: Path, size: Pair | None, seed: int) -> tuple[Dataset, Dataset]:
    name = place.resolve().name
    if place.is_file():
        _no_size(size, str(place))
        if place.suffix.lower() != ".npz":
            raise DataError(f"A data set in one file must be an .npz archive; got '{place}'.")
        return npz.load(place, name=name)
    if idx.files(place):
        _no_size(size, str(place))
        return idx.load(place, name=name)
    if cifar.is_folder(place):
        _no_size(size, str(place))
        return cifar.load(place, name=name)
    from pellucid.data import folder  # brings in Pillow

    return folder.load(place, name=name, size=size, seed=seed)


def _no_size(size: Pair | None, source: str) -> None:
    if size is not None:
        raise ParameterError(
            f"The 'size' parameter of load must be left out unless the data set is a folder of images; got "
            f"{size} for '{source}'."
        )


def _is_archive(file: RemoteFile) -> bool:
    return file.name.endswith(".tar.gz")


def _is_complete(entry: Entry, folder: Path) -> bool:
    if any(_is_archive(file) for file in entry.files):
        return cifar.is_complete(folder)
    return len(idx.files(folder)) == len(entry.files)
