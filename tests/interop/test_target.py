"""What MODEL and IMAGE on the command line stand for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
import pellucid.nn as nn
from pellucid.data import Preprocessing
from pellucid.errors import DataError, FileError, ParameterError
from pellucid.interop.target import find_network, name_of, open_input, open_model, open_pixels


def test_models_by_run_by_name_and_from_the_zoo(trained: Path) -> None:
    run, whose = open_model(str(trained))
    fashion, _ = open_model("fashion")
    (one, fresh), (other, _) = open_model("tiny"), open_model("tiny")

    assert whose == f"the weights of {trained}"
    assert run.metadata["classes"] == ["dark", "light", "striped"]
    assert fashion.metadata["classes"][9] == "Ankle boot"
    assert fresh == "fresh random weights"
    assert not one.training
    np.testing.assert_array_equal(one.arrays()["conv1.weight"], other.arrays()["conv1.weight"])
    with pytest.raises(
        ParameterError, match=r"no network, run or model file 'nix'; the networks are digits and fashion, which"
    ):
        open_model("nix")


def test_pictures_by_data_set_and_number() -> None:
    net, _ = open_model("fashion")
    _, test = pel.datasets.load("fashion-mnist-mini")

    np.testing.assert_array_equal(open_pixels(net, "fashion-mnist-mini:17"), test.images[17])
    wanted = Preprocessing.from_dict(net.metadata["preprocessing"]).normalise(test.images[17])
    np.testing.assert_array_equal(open_input(net, "fashion-mnist-mini:17"), wanted)
    with pytest.raises(DataError, match=r"picture of 'fashion-mnist-mini' must be 0 to 999, .*; got 1000"):
        open_pixels(net, "fashion-mnist-mini:1000")
    with pytest.raises(DataError, match=r"picture of 'fashion-mnist-mini' must be 0 to 999, .*; got -1"):
        open_pixels(net, "fashion-mnist-mini:-1")
    with pytest.raises(FileError, match="The image 'fashion-mnist-mini:٢' must be readable"):
        open_pixels(net, "fashion-mnist-mini:٢")
    with pytest.raises(DataError, match="A data set must be one of"):
        open_pixels(net, "nix:3")


def test_pictures_from_files_for_networks_that_say_no_more_than_their_input(tmp_path: Path) -> None:
    Image.new("RGB", (10, 10), (255, 0, 0)).save(tmp_path / "red:1.png")
    colours, _ = open_model("resnet18")
    grey, _ = open_model("tiny")

    red = open_input(colours, str(tmp_path / "red:1.png"))
    assert red.shape == (3, 224, 224)
    np.testing.assert_allclose(red[:, 0, 0], [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-5)
    assert open_input(grey, str(tmp_path / "red:1.png")).shape == (1, 28, 28)
    with pytest.raises(ParameterError, match="does not say which images it takes"):
        open_input(nn.Conv2d(1, 1, 3), str(tmp_path / "red:1.png"))


def test_trained_networks_are_found_by_every_command() -> None:
    net, shape = find_network("fashion", None)

    assert shape == (1, 28, 28)
    assert len(net.metadata["classes"]) == 10


def test_titles_name_runs_whole_and_files_without_their_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run-0.5"
    run.mkdir()
    monkeypatch.chdir(run)

    assert name_of(str(run)) == name_of(".") == "run-0.5"
    assert name_of("some/fashion.v2.safetensors") == "fashion.v2"
    assert name_of("resnet18") == "resnet18"
