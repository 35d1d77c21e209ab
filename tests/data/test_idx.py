import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data import idx
from pellucid.errors import DataError, FileError

from .writers import idx_bytes, outcome, small_arrays, write_idx


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("gz", [False, True])
def test_round_trip(tmp_path: Path, separator: str, gz: bool) -> None:
    arrays = small_arrays()
    train, test = idx.load(write_idx(tmp_path, arrays, separator=separator, gz=gz), name="toy")
    for part, images, labels in ((train, *arrays[:2]), (test, *arrays[2:])):
        assert np.array_equal(part.images[:, 0], images)
        assert np.array_equal(part.labels, labels)
    assert train.classes == test.classes == ("0", "1", "2")
    assert test.preprocessing == train.preprocessing


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, small_arrays())
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="must hold MNIST's four files; got none called t10k-labels-idx1-ubyte"):
        idx.load(tmp_path, name="toy")


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    train_images, train_labels, test_images, test_labels = small_arrays()
    turned = test_images.transpose(0, 2, 1)
    with pytest.raises(DataError, match="one label per image; got 6 for 12 images"):
        idx.load(write_idx(tmp_path / "a", (train_images, test_labels, test_images, test_labels)), name="toy")
    with pytest.raises(DataError, match=r"must have one size; got \(5, 4\) and \(4, 5\)"):
        idx.load(write_idx(tmp_path / "b", (train_images, train_labels, turned, test_labels)), name="toy")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte' must have 3 axes; got shape \(12,\)"):
        idx.load(write_idx(tmp_path / "c", (train_labels, train_labels, test_images, test_labels)), name="toy")
    with pytest.raises(DataError, match=r"lie within 0 to 2 \(3 classes\); got 9 at index 0"):
        idx.load(write_idx(tmp_path / "d", (train_images, train_labels, test_images, test_labels + 9)), name="toy")


def header(*extents: int) -> bytes:
    return struct.pack(f">4B{len(extents)}I", 0, 0, 8, len(extents), *extents)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must be an IDX file of unsigned bytes, beginning 00 00 08; got an empty file"),
        (b"\x89PNG", "beginning 00 00 08; got 89 50 4e 47"),
        (b"\0\0\x0d\x01" + bytes(8), "unsigned bytes, .*; got 00 00 0d 01"),
        (header(2, 2)[:9], "The header of .* must be whole; got the first 9 bytes only"),
        (header(10) + b"abc", "must be the 10 bytes that its header announces; got 3"),
        (header(2) + b"abc", "must be the 2 bytes that its header announces; got more"),
        (header(*[2**32 - 1] * 4), "must announce what the file can hold; got"),
        (header(2**31), "must announce what the file can hold; got 2147483648 bytes in a file of 8"),
    ],
)
@pytest.mark.parametrize("gz", [False, True])
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes, message: str, gz: bool) -> None:
    path = tmp_path / ("x.gz" if gz else "x")
    path.write_bytes(gzip.compress(data) if gz else data)
    with pytest.raises(DataError, match=message.replace("of 8", "of 28") if gz else message):
        idx.read(path)


def test_a_missing_file_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="must be readable; got: No such file"):
        idx.read(tmp_path / "x")


def test_a_gzip_bomb_is_read_no_further_than_announced(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(header(1000) + bytes(200 * 2**20)))
    tracemalloc.start()
    with pytest.raises(DataError, match="must be the 1000 bytes that its header announces; got more"):
        idx.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


PLAIN = idx_bytes(small_arrays()[0])


@settings(max_examples=300, deadline=None)
@given(
    gz=st.booleans(),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 400),
)
def test_mutated_files_bring_out_nothing_but_data_errors(
    tmp_path_factory: pytest.TempPathFactory, gz: bool, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(gzip.compress(PLAIN) if gz else PLAIN)
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / ("mutated.gz" if gz else "mutated")
    path.write_bytes(data[: len(data) - cut])
    read = outcome(idx.read, path)
    if isinstance(read, np.ndarray):
        assert read.size == small_arrays()[0].size
    else:
        assert isinstance(read, DataError)
        assert str(path) in str(read)
