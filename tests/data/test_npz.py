import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data import npz
from pellucid.errors import DataError, FileError
from pellucid.types import Array

from .writers import outcome, small_arrays


def write(path: Path, arrays: tuple[Array, ...], keys: tuple[str, ...] = npz.KEYS, **options: Any) -> Path:
    np.savez_compressed(path, **dict(zip(keys, arrays, strict=True)), **options)
    return path


@pytest.mark.parametrize("keys", [npz.KEYS, npz.KERAS_KEYS])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_round_trip(tmp_path: Path, keys: tuple[str, ...], save: Any) -> None:
    arrays = small_arrays()
    save(tmp_path / "x.npz", **dict(zip(keys, arrays, strict=True)))
    train, test = npz.load(tmp_path / "x.npz", name="toy")
    assert np.array_equal(train.images[:, 0], arrays[0])
    assert np.array_equal(train.labels, arrays[1])
    assert np.array_equal(test.images[:, 0], arrays[2])
    assert np.array_equal(test.labels, arrays[3])
    assert test.preprocessing == train.preprocessing


def test_channels_last_and_fortran_order(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    labels = np.array([[0], [1], [0], [1]])
    train, _ = npz.load(write(tmp_path / "x.npz", (images, labels, np.asfortranarray(images), labels)), name="toy")
    assert np.array_equal(train.images, images.transpose(0, 3, 1, 2))
    _, test = npz.load(tmp_path / "x.npz", name="toy")
    assert np.array_equal(test.images, train.images)


def variant(tmp_path: Path, convert: Any) -> Array:
    train_images, train_labels, test_images, test_labels = small_arrays()
    path = write(tmp_path / "x.npz", (convert(train_images), train_labels, convert(test_images), test_labels))
    return npz.load(path, name="toy")[0].images[:, 0]


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_whole_numbers_up_to_255_become_bytes(tmp_path: Path, dtype: Any) -> None:
    images = variant(tmp_path, lambda pixels: pixels.astype(dtype))
    assert images.dtype == np.uint8
    assert np.array_equal(images, small_arrays()[0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fractions_up_to_1_stay(tmp_path: Path, dtype: Any) -> None:
    images = variant(tmp_path, lambda pixels: (pixels / 255).astype(dtype))
    assert images.dtype == np.float32
    assert np.allclose(images, small_arrays()[0] / 255, atol=1e-3)


@pytest.mark.parametrize(
    ("convert", "message"),
    [
        (lambda pixels: pixels / 255 - 0.5, r"whole numbers from 0 to 255 or fractions from 0 to 1; got -0\.5"),
        (lambda pixels: pixels * 0.5, "whole numbers from 0 to 255 or fractions"),
        (lambda pixels: pixels * 1.5, "whole numbers from 0 to 255 or fractions"),
        (lambda pixels: pixels.astype(int) + 300, "whole numbers from 0 to 255"),
        (lambda pixels: np.full(pixels.shape, np.nan), "must be finite; got NaN"),
        (lambda pixels: pixels.astype(complex), "must hold numbers; got complex128"),
        (lambda pixels: pixels.astype(str), "must hold numbers; got <U3"),
        (lambda pixels: pixels[:, 0], r"must be \(N, C, H, W\); got shape \(12, 4\)"),
        (lambda pixels: pixels[:0], "must hold at least one image"),
    ],
)
def test_unusable_pixels_are_refused(tmp_path: Path, convert: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        variant(tmp_path, convert)


def test_parts_that_differ_are_refused(tmp_path: Path) -> None:
    train_images, train_labels, test_images, test_labels = small_arrays()
    for changed, message in (
        (test_images[:, 1:], r"must have one shape; got \(1, 5, 4\) and \(1, 4, 4\)"),
        (test_images / 255, "must have one dtype; got uint8 and float32"),
    ):
        write(tmp_path / "x.npz", (train_images, train_labels, changed, test_labels))
        with pytest.raises(DataError, match=message):
            npz.load(tmp_path / "x.npz", name="toy")


def test_missing_keys_are_refused_with_those_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros(3), y=np.zeros(3))
    with pytest.raises(DataError, match=r"must have the keys train_images, .* or x_train, .*; got images, y"):
        npz.load(tmp_path / "x.npz", name="toy")


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    arrays = small_arrays()
    path = tmp_path / "x.npz"
    np.savez(path, **dict(zip(npz.KEYS, (*arrays[:3], np.array([1, "a"], object)), strict=True)), allow_pickle=True)
    with pytest.raises(DataError, match="must hold numbers; got object"):
        npz.load(path, name="toy")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with pytest.raises(FileError, match="must be readable; got: No such file"):
        npz.load(path, name="toy")
    path.write_text("no archive")
    with pytest.raises(DataError, match=r"must be a whole \.npz archive; got a damaged one"):
        npz.load(path, name="toy")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((10**6, 10**6), "must announce what the file can hold; got 1000000000000 bytes"),
        ((30,), "must be the 30 bytes that its header announces; got 20"),
        ((10,), "must be the 10 bytes that its header announces; got more"),
        ((-4, -5), r"must have extents of at least 0; got shape \(-4, -5\)"),
    ],
)
def test_a_header_is_not_taken_at_its_word(tmp_path: Path, shape: tuple[int, ...], message: str) -> None:
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for key in npz.KEYS:
            archive.writestr(f"{key}.npy", member.getvalue() + bytes(20))
    with pytest.raises(DataError, match=message):
        npz.load(tmp_path / "x.npz", name="toy")


def valid() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **dict(zip(npz.KEYS, small_arrays(), strict=True)))
    return file.getvalue()


VALID = valid()


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 255)), min_size=1, max_size=5),
    cut=st.just(0) | st.integers(0, 10**4),
)
def test_mutated_archives_bring_out_nothing_but_documented_errors(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(VALID)
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    path.write_bytes(data[: len(data) - cut % len(data)])
    result = outcome(lambda: npz.load(path, name="toy"))
    assert isinstance(result, tuple) or "must" in str(result)
