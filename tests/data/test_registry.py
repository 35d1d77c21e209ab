import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data import catalogue, download, idx, npz, registry
from pellucid.data.catalogue import RemoteFile
from pellucid.errors import DataError, FileError, ParameterError

from . import test_cifar, test_folder
from .writers import small_arrays, write_idx

FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the user's data folder an empty one, and leave Debian's out."""
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(registry, "_DEBIAN", {})
    return tmp_path / "data"


def test_the_embedded_set_is_what_the_catalogue_says() -> None:
    train, test = registry.load("fashion-mnist-mini")
    entry = registry.info("fashion-mnist-mini")
    assert train.class_counts().tolist() == [500] * 10
    assert test.class_counts().tolist() == [100] * 10
    assert (len(train), len(test)) == (entry.train, entry.test)
    assert train.images.shape[1:] == (entry.channels, *entry.size)
    assert train.images.dtype == np.uint8
    assert train.classes == entry.classes
    assert train.name == "fashion-mnist-mini"
    measured = type(train.preprocessing).measured(train.images)
    assert np.allclose(measured.mean, entry.mean, atol=2e-3)
    assert np.allclose(measured.std, entry.std, atol=2e-3)


def test_no_embedded_image_is_in_both_parts() -> None:
    train, test = registry.load("fashion-mnist-mini")
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}


@pytest.mark.skipif(not FASHION.exists(), reason="needs Debian's package dataset-fashion-mnist")
def test_the_whole_of_fashion_mnist_is_what_the_catalogue_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_DEBIAN", {"fashion-mnist": FASHION})
    assert registry.path("fashion-mnist") == FASHION
    train, test = registry.load("fashion-mnist")
    entry = registry.info("fashion-mnist")
    assert (len(train), len(test)) == (entry.train, entry.test)
    measured = type(train.preprocessing).measured(train.images)
    assert np.allclose([measured.mean, measured.std], [entry.mean, entry.std], atol=5e-5)


@pytest.mark.parametrize("name", registry.names())
def test_catalogue_entries_are_whole(name: str) -> None:
    entry = registry.info(name)
    assert entry.name == name
    assert len(entry.classes) == 10
    assert entry.description
    assert entry.licence
    assert entry.homepage.startswith("http")
    assert entry.preprocessing.channels == entry.channels
    assert (entry.bytes == 0) == (name == "fashion-mnist-mini")
    for file in entry.files:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert all(url.startswith("https://") and url.endswith(file.name) for url in file.urls)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar-10"])
def test_what_was_not_fetched_says_how_to_fetch_it(name: str) -> None:
    assert registry.find(name) is None
    with pytest.raises(
        FileError, match=rf"must be on this machine; got nothing in .*pellucid data get {name} \(\d+ MB"
    ):
        registry.load(name)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"one of fashion-mnist-mini, .*, or a path that exists; got 'imagenet'"):
        registry.load("imagenet")
    with pytest.raises(DataError, match=r"one of fashion-mnist-mini, .*cifar-10; got 'imagenet'"):
        registry.info("imagenet")


def test_named_sets_are_found_in_the_users_folder(nowhere: Path) -> None:
    write_idx(nowhere / "mnist", small_arrays(), gz=True)
    assert registry.path("mnist") == nowhere / "mnist"
    assert registry.load("mnist")[0].classes == registry.info("mnist").classes
    (nowhere / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert registry.find("mnist") is None


def test_cifar_is_found_when_all_six_batches_are_there(nowhere: Path) -> None:
    folder = nowhere / "cifar-10"
    folder.mkdir(parents=True)
    for name in ("test_batch", *(f"data_batch_{i}" for i in range(1, 6))):
        assert registry.find("cifar-10") is None
        (folder / f"{name}.bin").write_bytes(test_cifar.binary(test_cifar.IMAGES, test_cifar.LABELS))
    train, test = registry.load("cifar-10")
    assert (len(train), len(test)) == (30, 6)
    assert train.preprocessing == registry.info("cifar-10").preprocessing


def test_every_kind_of_path_is_recognised(tmp_path: Path) -> None:
    arrays = small_arrays()
    np.savez(tmp_path / "x.npz", **dict(zip(npz.KEYS, arrays, strict=True)))
    places = {
        "idx": (write_idx(tmp_path / "idx", arrays), 12),
        "bin": (test_cifar.write(tmp_path / "bin", ".bin"), 4),
        "py": (test_cifar.write(tmp_path / "py", ""), 4),
        "x.npz": (tmp_path / "x.npz", 12),
        "pets": (test_folder.write(tmp_path / "pets", {"cat": 5, "dog": 5}), 8),
    }
    for name, (place, count) in places.items():
        train, test = registry.load(str(place))
        assert train.name == test.name == name
        assert len(train) == count
        if name != "pets":
            with pytest.raises(
                ParameterError, match=r"'size' .* unless the data set is a folder of images; got \(4, 4\)"
            ):
                registry.load(place, size=(4, 4))
    resized = registry.load(tmp_path / "pets", size=(4, 4), seed=3)[0]
    assert resized.images.shape[2:] == (4, 4)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").touch()
    with pytest.raises(DataError, match=r"in one file must be an \.npz archive; got '.*x\.csv'"):
        registry.load(tmp_path / "x.csv")
    with pytest.raises(DataError, match="at least 2 subfolders of images"):
        registry.load(tmp_path)


def test_get_fetches_each_file_of_an_idx_set(nowhere: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = write_idx(tmp_path / "remote", small_arrays(), gz=True)
    asked = []

    def fetch(file: RemoteFile, folder: Path, progress: Any) -> Path:
        asked.append(file.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file.name).write_bytes((source / file.name).read_bytes())
        return folder / file.name

    monkeypatch.setattr(download, "fetch", fetch)
    assert registry.get("mnist") == nowhere / "mnist" == registry.path("mnist")
    assert asked == [file.name for file in registry.info("mnist").files]
    registry.get("mnist")
    assert len(asked) == 4
    assert registry.get("fashion-mnist-mini").is_file()


def test_get_unpacks_an_archive_and_removes_it(nowhere: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = test_cifar.archive(test_cifar.FILES)
    (tmp_path / "a.tar.gz").write_bytes(data)
    file = RemoteFile("a.tar.gz", len(data), hashlib.sha256(data).hexdigest(), ((tmp_path / "a.tar.gz").as_uri(),))
    entry = replace(registry.info("cifar-10"), files=(file,))
    monkeypatch.setitem(catalogue.ENTRIES, "cifar-10", entry)
    seen: list[Any] = []
    folder = registry.get("cifar-10", progress=lambda *told: seen.append(told))
    assert sorted(path.name for path in folder.iterdir()) == sorted(n.split("/")[1] for n in test_cifar.FILES)
    assert seen[-1] == ("a.tar.gz", len(data), len(data))


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/x"}, "/x/pellucid/data"),
        ("linux", {}, "HOME/.local/share/pellucid/data"),
        ("darwin", {}, "HOME/Library/Application Support/pellucid/data"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/pellucid/data"),
        ("linux", {"PELLUCID_DATA": "/mine", "XDG_DATA_HOME": "/x"}, "/mine"),
    ],
)
def test_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    for name in ("PELLUCID_DATA", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", "/h")
    assert registry.data_folder() == Path(expected.replace("HOME", "/h"))


@pytest.mark.skipif(not FASHION.exists(), reason="needs Debian's package dataset-fashion-mnist")
def test_the_embedded_file_is_what_its_tool_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools")
    tool = __import__("make_fashion_mnist_mini")
    made = tool.make(FASHION)
    with np.load(tool.TARGET, allow_pickle=False) as kept:
        assert set(kept) == set(made) == set(npz.KEYS)
        for key, array in made.items():
            assert kept[key].dtype == array.dtype == np.uint8
            assert np.array_equal(kept[key], array)


@pytest.mark.skipif(not FASHION.exists(), reason="needs Debian's package dataset-fashion-mnist")
def test_debians_files_hold_the_published_bytes() -> None:
    # The SHA-256 of the unpacked originals; Debian packs them anew.
    published = {
        ("train", "images"): "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ("train", "labels"): "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ("test", "images"): "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ("test", "labels"): "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
    for key, path in idx.files(FASHION).items():
        array = idx.read(path)
        header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
        assert hashlib.sha256(header + array.tobytes()).hexdigest() == published[key]


@pytest.mark.long
@pytest.mark.skipif("PELLUCID_MNIST" not in os.environ, reason="needs MNIST's four files in $PELLUCID_MNIST")
def test_the_whole_of_mnist_is_what_the_catalogue_says() -> None:
    train, test = registry.load(os.environ["PELLUCID_MNIST"])
    entry = registry.info("mnist")
    assert (len(train), len(test)) == (entry.train, entry.test)
    assert np.allclose([*train.preprocessing.mean, *train.preprocessing.std], [*entry.mean, *entry.std], atol=5e-5)
