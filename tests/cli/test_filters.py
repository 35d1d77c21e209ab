import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from pellucid.explain.exciting import exciting_patches
from pellucid.interop.target import load_test_set
from tests.cli.conftest import Command


@pytest.mark.parametrize("suffix", [".svg", ".png"])
@pytest.mark.parametrize(
    "arguments", [[], ["--layer", "conv2", "--scale", "local"], ["--channels", "0,2"], ["--patches", "images"]]
)
def test_filters_of_a_run_are_drawn(
    trained: Path, images: Path, tmp_path: Path, command: Command, suffix: str, arguments: list[str]
) -> None:
    out = tmp_path / f"filters{suffix}"
    arguments = [str(images) if word == "images" else word for word in arguments]
    status, said, err = command("filters", trained, *arguments, "--out", out)

    assert (status, err) == (0, "")
    assert said.endswith(f"Drawn, with the weights of {trained}: {out}\n")
    if suffix == ".png":
        with Image.open(out) as picture:
            assert picture.width == 1600
            assert "conv" in picture.text["Description"]


def test_json_holds_norms_and_gabor_fits(tmp_path: Path, command: Command) -> None:
    arguments = ["--gabor", "--channels", "4,0-1", "--json", "--out", tmp_path / "a.svg"]
    status, said, _ = command("filters", "lenet5-rgb", *arguments)
    record = json.loads(said)
    pel.manual_seed(0)
    weight = pel.zoo.build("lenet5-rgb").get_submodule("conv1").weight.data.astype(np.float64)

    assert (status, record["layer"], record["shape"]) == (0, "conv1", [6, 3, 5, 5])
    assert [one["filter"] for one in record["filters"]] == [4, 0, 1]
    norms = np.linalg.norm(weight.reshape(6, -1), axis=1)[[4, 0, 1]]
    np.testing.assert_allclose([one["norm"] for one in record["filters"]], norms)
    assert len(record["gabor"]["fits"]) == 3
    assert record["gabor"]["median_r2"] == pytest.approx(np.median([one["r2"] for one in record["gabor"]["fits"]]))
    assert 0.4 < record["gabor"]["random_median_r2"] < 0.7


def test_json_holds_the_patches(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    arguments = ["--patches", images, "--layer", "relu2", "--channels", "5,1", "--top", "3", "--json"]
    status, said, _ = command("filters", trained, *arguments, "--out", tmp_path / "a.svg")
    record = json.loads(said)
    net = pel.load(trained / "model.safetensors")
    expected = exciting_patches(net, load_test_set(net, str(images)), "relu2", [5, 1], 3)

    assert (status, record["layer"]) == (0, "relu2")
    assert record["patches"] == {str(key): [one.as_dict() for one in best] for key, best in expected.items()}


def test_what_is_left_out_is_said(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    _, said, _ = command("filters", trained, "--patches", images, "--layer", "flatten", "--out", tmp_path / "a.svg")

    assert "flatten: the first 16 of 32 channels, 12 pictures." in said


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("filters", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid filters" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--layer", "conv9", "--out", "a.svg"], "There is no layer 'conv9'; the nearest are conv"),
        (["--layer", "relu1", "--out", "a.svg"], "must be a convolution with weights of its own; it is ReLU"),
        (["--channels", "4", "--out", "a.svg"], "The channels of 'conv1' must be among 0 to 3; got 4."),
        (["--gabor", "--out", "a.svg"], "got 3×3; choose a layer with filters of 5×5 or more."),
        (["--patches", "fashion-mnist-mini", "--out", "a.svg"], "must say how images are prepared"),
        (["--out", "a.pdf"], "The picture's file must end in .svg or .png; got 'a.pdf'."),
    ],
)
def test_failures_are_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = command("filters", "tiny", *arguments)

    assert (status, said) == (1, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "a.svg", "--channels", "x"],
        ["--out", "a.svg", "--top", "0"],
        ["--out", "a.svg", "--gabor", "--patches", "fashion-mnist-mini"],
        ["--out", "a.svg", "--scale", "local", "--patches", "fashion-mnist-mini"],
        ["--out", "a.svg", "--top", "3"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, _, err = command("filters", "tiny", *arguments)

    assert status == 2
    assert "Traceback" not in err


def test_json_needs_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, _ = command("filters", "tiny", "--json")

    assert (status, json.loads(said)["layer"]) == (0, "conv1")
    assert list(tmp_path.iterdir()) == []


def test_filters_that_are_all_constant_have_no_median(tmp_path: Path, command: Command) -> None:
    net = pel.nn.Sequential({"conv": pel.nn.Conv2d(1, 2, 5)})
    net.get_submodule("conv").weight.data[:] = 0
    pel.save(net, tmp_path / "a.safetensors", metadata={"input": (1, 8, 8)})
    out = tmp_path / "a.png"
    status, said, _ = command("filters", tmp_path / "a.safetensors", "--gabor", "--out", out)

    assert status == 0
    assert "Gabor functions: all filters are constant; of 128 random" in said
    with Image.open(out) as picture:
        assert "nan" not in picture.text["Description"]
