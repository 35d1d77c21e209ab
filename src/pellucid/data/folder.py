"""A folder of images per class, optionally under train/ and test/."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from pellucid.data import images
from pellucid.data.dataset import Dataset
from pellucid.data.limits import MAX_BYTES
from pellucid.data.preprocessing import Preprocessing
from pellucid.errors import DataError, FileError
from pellucid.types import Pair

TEST_FOLDERS = ("test", "val", "valid", "validation")
TEST_FRACTION = 0.2


def load(root: Path, *, name: str, size: Pair | None = None, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Return the training and test set of a folder that has one subfolder of images per class.

    If there is a train/ subfolder, the classes are in there, and in test/, val/, valid/ or validation/
    likewise. Without a test part, a fifth of each class becomes it, chosen by the seed. The images become
    grey if all of them are, and colour otherwise.

    Parameters
    ----------
    root
        The folder.
    name
        What messages and reports call the data set.
    size
        (height, width) that all images are brought to; by default the most common size among the training
        images.
    seed
        Chooses the test part where there is none.

    Raises
    ------
    DataError
        If there are fewer than two classes, a class without images, a file that is no image, or more pixels
        than 4 GiB.
    FileError
        If a file cannot be read.
    """
    train_root = root / "train" if (root / "train").is_dir() else root
    test_root = next((root / part for part in TEST_FOLDERS if (root / part).is_dir()), None)
    files = _by_class(train_root, at_least=2)
    headers = [images.header(path) for paths in files.values() for path in paths]
    chosen = size or Counter(extents for extents, _ in headers).most_common(1)[0][0]
    channels = 1 if all(grey for _, grey in headers) else 3
    plain = Preprocessing(chosen, channels, (0.0,) * channels, (1.0,) * channels)
    train = _read(files, tuple(files), plain, name)
    if train_root == root or test_root is None:
        train, test = train.split(TEST_FRACTION, seed)
    else:
        test_files = _by_class(test_root, at_least=1)
        strangers = [label for label in test_files if label not in files]
        if strangers:
            raise DataError(
                f"The classes in '{test_root}' must be among those in '{train_root}'; got {', '.join(strangers)}."
            )
        test = _read(test_files, tuple(files), plain, name)
    measured = Preprocessing.measured(train.images)
    return replace(train, preprocessing=measured), replace(test, preprocessing=measured)


def _by_class(root: Path, at_least: int) -> dict[str, list[Path]]:
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] not in "._")
    except OSError as error:
        raise FileError(f"The folder '{root}' must be readable; got: {error.strerror}.") from None
    files = {folder.name: images.list_images(folder) for folder in folders}
    empty = [label for label, paths in files.items() if not paths]
    if empty:
        raise DataError(
            f"Each class folder in '{root}' must hold at least one image; got none in '{empty[0]}'; remove "
            f"it, or put images there ({', '.join(sorted(images.SUFFIXES))})."
        )
    if len(files) < at_least:
        raise DataError(
            f"The folder '{root}' must hold at least {at_least} subfolders of images, one per class; got "
            f"{len(files)}{''.join(f' ({label})' for label in files)}; put the images of each class in one."
        )
    return files


def _read(files: dict[str, list[Path]], classes: tuple[str, ...], plain: Preprocessing, name: str) -> Dataset:
    total = sum(len(paths) for paths in files.values())
    shape = (total, plain.channels, *plain.size)
    if np.prod(shape, dtype=np.float64) > MAX_BYTES:
        raise DataError(
            f"The images of data set '{name}' must fit in {MAX_BYTES // 2**30} GiB; got {total} of "
            f"{plain.size[0]}×{plain.size[1]}; choose a smaller size."
        )
    pixels = np.empty(shape, np.uint8)
    labels = [classes.index(label) for label, paths in files.items() for _ in paths]
    for place, path in enumerate(path for paths in files.values() for path in paths):
        pixels[place] = plain.to_array(path)
    return Dataset(pixels, np.array(labels, np.int64), classes, name, plain)
