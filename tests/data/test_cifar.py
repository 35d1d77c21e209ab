import gzip
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data import cifar
from pellucid.errors import DataError, FileError

from .writers import python2_batch

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
LABELS = np.array([6, 9, 9, 4, 1, 1])


def binary(images: Any, labels: Any) -> bytes:
    return b"".join(bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True))


def write(folder: Path, suffix: str) -> Path:
    folder.mkdir(exist_ok=True)
    writer = binary if suffix else python2_batch
    for number in (1, 2):
        chosen = slice(2 * number - 2, 2 * number)
        (folder / f"data_batch_{number}{suffix}").write_bytes(writer(IMAGES[chosen], LABELS[chosen]))
    (folder / f"test_batch{suffix}").write_bytes(writer(IMAGES[4:], LABELS[4:]))
    return folder


@pytest.mark.parametrize("suffix", [".bin", ""])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    assert not cifar.is_folder(tmp_path)
    folder = write(tmp_path, suffix)
    assert cifar.is_folder(folder)
    train, test = cifar.load(folder, name="toy")
    assert np.array_equal(train.images, IMAGES[:4])
    assert np.array_equal(train.labels, LABELS[:4])
    assert np.array_equal(test.images, IMAGES[4:])
    assert np.array_equal(test.labels, LABELS[4:])
    assert train.classes[train.labels[0]] == "frog"
    assert test.preprocessing == train.preprocessing


@pytest.mark.parametrize("data", [b"", bytes(3072), bytes(3074)])
def test_a_broken_binary_batch_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.bin").write_bytes(data)
    with pytest.raises(DataError, match=f"must be whole records of 3073 bytes; got {len(data)} bytes"):
        cifar.read_binary(tmp_path / "x.bin")


def test_a_label_beyond_the_classes_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ".bin")
    (tmp_path / "test_batch.bin").write_bytes(binary(IMAGES[:1], [10]))
    with pytest.raises(DataError, match=r"lie within 0 to 9 \(10 classes\); got 10 at index 0"):
        cifar.load(tmp_path, name="toy")


def test_missing_and_oversized_batches_are_refused(tmp_path: Path) -> None:
    write(tmp_path, ".bin")
    with (tmp_path / "test_batch.bin").open("r+b") as file:
        file.truncate(3073 * 30_000)
    with pytest.raises(DataError, match="must have at most 67108864 bytes; got 92190000"):
        cifar.load(tmp_path, name="toy")
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(FileError, match="must be readable; got: No such file"):
        cifar.read_binary(tmp_path / "test_batch.bin")
    (tmp_path / "test_batch").touch()
    with pytest.raises(DataError, match="must hold CIFAR-10's training batches; got none"):
        cifar.load(tmp_path, name="toy")


DATA = IMAGES.reshape(6, -1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "must hold a dict; got list"),
        ({"data": DATA}, "must hold 'data' and 'labels'; got data"),
        ({"data": DATA[:, :-1], "labels": [1] * 6}, r"must be \(N, 3072\) bytes; got \(6, 3071\)"),
        ({"data": [1], "labels": [1]}, r"must be \(N, 3072\) bytes; got list"),
        ({"data": DATA, "labels": [1, 2, 3, 4, 5, 10]}, "must be a list of numbers from 0 to 9"),
        ({"data": DATA, "labels": ["a"] * 6}, "must be a list of numbers from 0 to 9"),
        ({"data": DATA.astype(np.float32), "labels": [1] * 6}, "got another type of array"),
        ({"data": print, "labels": [1] * 6}, "plain data only; got the name 'builtins print'"),
    ],
)
def test_another_pickle_is_refused_by_name(tmp_path: Path, value: Any, message: str) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps(value, protocol=4))
    with pytest.raises(DataError, match=message) as caught:
        cifar.read_python(path)
    assert str(path) in str(caught.value)


def archive(names: list[str], data: bytes = b"x" * 3073) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as opened:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("cifar/test_batch.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
    return file.getvalue()


FILES = [*(f"cifar/data_batch_{i}.bin" for i in range(1, 6)), "cifar/test_batch.bin"]


def test_unpacking_writes_the_six_batches_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(archive([*FILES, "../evil.bin", "/evil.bin", "cifar/readme.html"]))
    folder = tmp_path / "out"
    folder.mkdir()
    assert not cifar.is_complete(folder)
    cifar.unpack(path, folder)
    assert cifar.is_complete(folder)
    assert sorted(p.name for p in folder.iterdir()) == sorted(name.split("/")[1] for name in FILES)
    assert (folder / "test_batch.bin").read_bytes() == b"x" * 3073
    assert not (tmp_path / "evil.bin").exists()


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    whole = archive(FILES, np.random.default_rng(0).bytes(3073))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"must be a whole \.tar\.gz archive"):
        cifar.unpack(path, tmp_path)
    path.write_bytes(gzip.compress(b"no tar"))
    with pytest.raises(DataError, match=r"must be a whole \.tar\.gz archive"):
        cifar.unpack(path, tmp_path)
    path.write_bytes(archive(FILES[1:]))
    with pytest.raises(DataError, match=r"must hold CIFAR-10's six batches; got no data_batch_1\.bin"):
        cifar.unpack(path, tmp_path)
