"""Which networks the page may open, and that each is opened once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import pellucid as pel
from pellucid.errors import FileError, ParameterError
from pellucid.studio import networks as module
from pellucid.studio.networks import Networks


def nowhere(upload: str) -> Path:
    raise FileError(f"There is no uploaded file {upload!r}.")


@pytest.fixture
def networks(tmp_path: Path) -> Networks:
    return Networks(tmp_path, nowhere)


def save(folder: Path, weight: float, **metadata: object) -> Path:
    net = pel.nn.Sequential({"conv": pel.nn.Conv2d(1, 2, 3), "flatten": pel.nn.Flatten(), "fc": pel.nn.Linear(8, 3)})
    net.load_state_dict({name: np.full_like(array, weight) for name, array in net.state_dict().items()})
    folder.mkdir(exist_ok=True)
    pel.save(net, folder / "model.safetensors", {"input": [1, 4, 4], **metadata})
    return folder / "model.safetensors"


def test_a_shipped_network(networks):
    opened = networks.open("digits")
    assert (opened.kind, opened.shape, opened.classes) == ("shipped", (1, 28, 28), tuple("0123456789"))
    assert opened.net.metadata["data"] == "mnist"
    assert networks.open("digits") is opened


def test_a_network_of_the_zoo_has_random_weights_and_says_so(networks):
    opened = networks.open("tiny")
    assert (opened.kind, opened.says) == ("random", "fresh random weights")
    assert opened.preprocessing.size == (28, 28)


def test_a_run_that_is_written_anew_is_opened_anew(networks, tmp_path):
    file = save(tmp_path / "20261121-tiny", 1.0, classes=["a", "b", "c"])
    first = networks.open("20261121-tiny")
    assert (first.kind, first.classes, networks.runs()) == ("run", ("a", "b", "c"), ["20261121-tiny"])
    stamp = file.stat().st_mtime_ns
    save(tmp_path / "20261121-tiny", 2.0)
    import os

    os.utime(file, ns=(stamp + 10**9, stamp + 10**9))
    second = networks.open("20261121-tiny")
    assert second.net.state_dict()["fc.bias"][0] == 2.0
    assert second.key != first.key


def test_an_upload_is_found_by_its_id(tmp_path):
    file = save(tmp_path / "elsewhere", 1.0)
    opened = Networks(tmp_path / "runs", {"abc": file}.__getitem__).open("upload:abc")
    assert (opened.kind, opened.classes) == ("upload", ("0", "1", "2"))


@pytest.mark.parametrize("target", ["../secret", "/etc", "secret/..", ".", "..", "a/b", "secret\0", "", "x" * 200])
def test_no_path_leads_out_of_the_folder(tmp_path, target):
    save(tmp_path / "secret", 1.0)
    (tmp_path / "runs").mkdir()
    with pytest.raises(ParameterError, match="There is no network"):
        Networks(tmp_path / "runs", nowhere).open(target)


def test_a_link_in_the_folder_is_the_users_own_doing_but_a_name_is_no_path(tmp_path):
    path = save(tmp_path / "secret", 1.0)
    with pytest.raises(ParameterError, match="There is no network"):
        Networks(tmp_path / "runs", nowhere).open(str(path))


def test_an_upload_that_is_not_there(networks):
    with pytest.raises(FileError, match="There is no uploaded file"):
        networks.open("upload:none")


def test_a_network_of_huge_images_is_refused(networks, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 15)
    save(tmp_path / "large", 1.0)
    with pytest.raises(ParameterError, match="at most 15 pixels to be looked into here; got 4 × 4"):
        networks.open("large")


def test_weights_beyond_the_limit_are_forgotten_the_oldest_first(tmp_path):
    networks = Networks(tmp_path, nowhere, limit=1)
    first = networks.open("tiny")
    assert networks.open("tiny") is first  # one is kept, however large
    networks.open("lenet5")
    assert networks.open("tiny") is not first


def test_threads_that_ask_at_once_get_the_same_network(networks):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(networks.open, ["fashion"] * 16))
    assert len({id(each) for each in found}) == 1
