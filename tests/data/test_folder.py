from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data import folder
from pellucid.errors import DataError, FileError, ParameterError
from pellucid.types import Pair

from .test_images import png_header


def write(root: Path, counts: dict[str, int], *, size: Pair = (6, 8), mode: str = "L") -> Path:
    """Write images whose grey value names their class and place: 10 × class + place."""
    for label, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for place in range(count):
            value = 10 * label + place
            image = Image.new(mode, size[::-1], value if mode == "L" else (value, 0, 0))
            image.save(root / name / f"{place}.png")
    return root


def test_a_train_and_a_test_folder(tmp_path: Path) -> None:
    write(tmp_path / "train", {"cat": 3, "dog": 2})
    write(tmp_path / "val", {"cat": 0, "dog": 1})
    (tmp_path / "val" / "cat").rmdir()
    train, test = folder.load(tmp_path, name="pets")
    assert train.classes == test.classes == ("cat", "dog")
    assert train.images.shape == (5, 1, 6, 8)
    assert train.images[:, 0, 0, 0].tolist() == [0, 1, 2, 10, 11]
    assert train.labels.tolist() == [0, 0, 0, 1, 1]
    assert test.labels.tolist() == [1]
    assert test.preprocessing == train.preprocessing
    assert np.isclose(train.preprocessing.mean[0], np.mean([0, 1, 2, 10, 11]) / 255)


@pytest.mark.parametrize("inside", ["", "train"])
def test_without_a_test_part_a_fifth_of_each_class_becomes_it(tmp_path: Path, inside: str) -> None:
    write(tmp_path / inside, {"cat": 10, "dog": 5})
    train, test = folder.load(tmp_path, name="pets", seed=1)
    assert train.class_counts().tolist() == [8, 4]
    assert test.class_counts().tolist() == [2, 1]
    seen = np.concatenate([train.images, test.images])[:, 0, 0, 0]
    assert sorted(seen.tolist()) == [*range(10), *range(10, 15)]
    again = folder.load(tmp_path, name="pets", seed=1)[1]
    assert np.array_equal(again.images, test.images)
    others = [folder.load(tmp_path, name="pets", seed=seed)[1].images for seed in range(2, 6)]
    assert not all(np.array_equal(other, test.images) for other in others)


def test_the_most_common_size_is_taken_unless_one_is_given(tmp_path: Path) -> None:
    write(tmp_path, {"a": 4, "b": 4})
    Image.new("L", (30, 30)).save(tmp_path / "a" / "large.png")
    assert folder.load(tmp_path, name="x")[0].images.shape[2:] == (6, 8)
    resized = folder.load(tmp_path, name="x", size=(5, 3))[0]
    assert resized.images.shape[2:] == resized.preprocessing.size == (5, 3)
    with pytest.raises(ParameterError, match="'size' parameter"):
        folder.load(tmp_path, name="x", size=(0, 3))


def test_one_colour_image_makes_all_colour(tmp_path: Path) -> None:
    write(tmp_path, {"a": 3, "b": 3})
    assert folder.load(tmp_path, name="x")[0].images.shape[1] == 1
    write(tmp_path, {"a": 1}, mode="RGB")
    assert folder.load(tmp_path, name="x")[0].images.shape[1] == 3


def test_hidden_and_system_folders_are_no_classes(tmp_path: Path) -> None:
    write(tmp_path, {"a": 3, "b": 3, ".git": 1, "__MACOSX": 1})
    assert folder.load(tmp_path, name="x")[0].classes == ("a", "b")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold at least 2 subfolders of images, one per class; got 0; put"):
        folder.load(tmp_path, name="x")
    with pytest.raises(FileError, match="must be readable; got: No such file"):
        folder.load(tmp_path / "gone", name="x")


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"at least 2 subfolders of images, one per class; got 1 \(cat\)"):
        folder.load(write(tmp_path, {"cat": 3}), name="x")


def test_a_class_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least one image; got none in 'dog'; remove it, or put images there"):
        folder.load(write(tmp_path, {"cat": 3, "dog": 0}), name="x")


def test_a_class_only_known_in_the_test_part_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train", {"cat": 2, "dog": 2})
    write(tmp_path / "test", {"cat": 1, "wolf": 1})
    with pytest.raises(DataError, match=r"must be among those in .*train'; got wolf"):
        folder.load(tmp_path, name="x")


def test_one_image_a_class_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have a class of two images or more to be split"):
        folder.load(write(tmp_path, {"cat": 1, "dog": 1}), name="x")


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"cat": 3, "dog": 3})
    (tmp_path / "dog" / "1.png").write_bytes(b"gone bad")
    with pytest.raises(DataError, match=r"dog/1\.png' must be an image"):
        folder.load(tmp_path, name="x")


def test_a_huge_image_is_refused_before_any_is_decoded(tmp_path: Path) -> None:
    write(tmp_path, {"cat": 3, "dog": 3})
    (tmp_path / "dog" / "9.png").write_bytes(png_header(10_000, 10_000).getvalue())
    with pytest.raises(DataError, match=r"dog/9\.png' must have at most 64 million pixels; got 10000×10000"):
        folder.load(tmp_path, name="x")


def test_more_pixels_than_fit_are_refused_before_they_are_allocated(tmp_path: Path) -> None:
    write(tmp_path, {"cat": 40, "dog": 40})
    with pytest.raises(DataError, match="must fit in 4 GiB; got 80 of 8000×8000; choose a smaller size"):
        folder.load(tmp_path, name="x", size=(8000, 8000))
