import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from tests.cli.conftest import Command


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of another size than the network's, in colour."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize("suffix", [".svg", ".png"])
@pytest.mark.parametrize("scale", ["local", "layer", "global"])
def test_maps_of_a_run_are_drawn(
    trained: Path, photo: Path, tmp_path: Path, command: Command, suffix: str, scale: str
) -> None:
    out = tmp_path / f"maps{suffix}"
    status, said, err = command("maps", trained, photo, "--scale", scale, "--out", out)

    assert (status, err) == (0, "")
    assert [line.split()[0] for line in said.splitlines()[2:5]] == ["relu1", "relu2", "fc"]
    assert said.endswith(f"Drawn, with the weights of {trained}: {out}\n")
    if suffix == ".png":
        with Image.open(out) as picture:
            assert picture.width == 1600
            assert picture.text["Title"] == f"Feature maps of {trained.name}: relu1, relu2, fc"
            assert "relu2: 8 maps of 4×4" in picture.text["Description"]
    else:
        assert "dark" in out.read_text(encoding="utf-8")  # the class's name beside its number


def test_json_and_npz_hold_the_numbers_of_the_trace(
    trained: Path, photo: Path, tmp_path: Path, command: Command
) -> None:
    arguments = ["--layer", "conv1", "--layer", "relu2", "--channels", "3,0-1", "--by", "max", "--json"]
    files = ["--out", tmp_path / "a.svg", "--npz", tmp_path / "a.npz"]
    status, said, _ = command("maps", trained, photo, *arguments, *files)
    record = json.loads(said)
    trace = pel.trace(pel.load(trained / "model.safetensors"), Image.open(photo))

    assert (status, record["weights"]) == (0, f"the weights of {trained}")
    assert (record["image"], record["file"]) == (str(photo), str(tmp_path / "a.svg"))
    assert [one["layer"] for one in record["layers"]] == ["conv1", "relu2"]
    with np.load(tmp_path / "a.npz") as saved:
        for one in record["layers"]:
            values, order = trace[one["layer"]].output, [known["channel"] for known in one["channels"]]
            assert sorted(order) == [0, 1, 3]
            np.testing.assert_array_equal(saved[f"{one['layer']}/channels"], order)
            np.testing.assert_array_equal(saved[f"{one['layer']}/maps"], values[order])
            np.testing.assert_array_equal(saved[f"{one['layer']}/zeros"], (values[order] == 0).mean(axis=(1, 2)))
            highs = [known["max"] for known in one["channels"]]
            assert highs == sorted(highs, reverse=True) == values[order].max(axis=(1, 2)).tolist()


def test_test_pictures_and_networks_of_the_zoo_can_be_named(tmp_path: Path, command: Command) -> None:
    status, said, _ = command("maps", "tiny", "fashion-mnist-mini:3", "--out", tmp_path / "a.svg")

    assert status == 0
    assert "Drawn, with fresh random weights" in said


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("maps", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid maps" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--layer", "relu9", "--out", "a.svg"], "There is no layer 'relu9'; the nearest are relu"),
        (
            ["--layer", "relu1", "--channels", "0-7", "--out", "a.svg"],
            "channels of 'relu1' must be among 0 to 3; got 4",
        ),
        (["--out", "a.pdf"], "The picture's file must end in .svg or .png; got 'a.pdf'."),
        (["--out", "missing/a.svg"], "cannot be written: No such file or directory"),
    ],
)
def test_failures_are_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = command("maps", "tiny", "fashion-mnist-mini:0", *arguments)

    assert (status, said) == (1, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "image", "reason"),
    [
        ("nonsense", "fashion-mnist-mini:0", "There is no network, run or model file 'nonsense'"),
        ("tiny", "fashion-mnist-mini:5000", "must be 0 to 999, as DATA:INDEX; got 5000"),
        ("tiny", "photo.png", "photo.png"),
    ],
)
def test_unknown_networks_and_pictures_are_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, image: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = command("maps", network, image, "--out", "a.svg")

    assert status == 1
    assert err.count("\n") == 1
    assert reason in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "a.svg", "--channels", "0-3"],
        ["--out", "a.svg", "--layer", "relu1", "--channels", "3-0"],
        ["--out", "a.svg", "--layer", "relu1", "--channels", "all"],
        ["--out", "a.svg", "--layer", "relu1", "--channels", "0-99999,0-99999"],
        ["--out", "a.svg", "--scale", "mine"],
        ["--out", "a.svg", "--npz", "a.npy"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, _, err = command("maps", "tiny", "fashion-mnist-mini:0", *arguments)

    assert status == 2
    assert "Traceback" not in err


def test_json_needs_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, _ = command("maps", "tiny", "fashion-mnist-mini:3", "--json")
    record = json.loads(said)

    assert (status, record["image"]) == (0, "fashion-mnist-mini:3")
    assert "file" not in record
    assert list(tmp_path.iterdir()) == []
