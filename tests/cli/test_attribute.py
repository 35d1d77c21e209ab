import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.explain.attribution.attribute import METHODS
from tests.cli.conftest import Command

PICTURE = "striped/2-3.png"


def test_the_picture_and_what_is_said(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "why.png"
    status, said, err = command("attribute", trained, images / PICTURE, "--out", out)

    assert (status, err) == (0, "")
    assert said.startswith(f"With the weights of {trained}:\nThe score of 'striped' (class 2) is ")
    assert "The map adds up to " in said
    assert said.endswith(f"Drawn: {out}\n")
    with Image.open(out) as picture:
        assert picture.width == 1600
        assert picture.text["Title"] == "Integrated gradients for “striped”"
        assert "of the positive attribution" in picture.text["Description"]


def test_all_methods_as_json_and_arrays(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    out, npz = tmp_path / "why.svg", tmp_path / "why.npz"
    arguments = ("--method", "all", "--target", "dark", "--npz", npz, "--sanity", "--json", "--out", out)
    status, said, err = command("attribute", trained, images / PICTURE, *arguments)
    record = json.loads(said)

    assert (status, err) == (0, "")
    assert [each["method"] for each in record["attributions"]] == list(METHODS)
    assert {each["class"] for each in record["attributions"]} == {"dark"}
    assert [check["method"] for check in record["sanity"]] == list(METHODS)
    assert [stage["layers"] for stage in record["sanity"][0]["stages"]] == [["fc"], ["conv2"], ["conv1"]]
    assert record["left_out"] == []
    assert "<desc>Gradient: " in out.read_text(encoding="utf-8")
    with np.load(npz) as arrays:
        assert arrays["image"].shape == arrays["gradient"].shape == (1, 8, 8)
        assert arrays["grad-cam"].shape == (2, 2)
        assert arrays["grad-cam.summary"].shape == (8, 8)


def test_the_same_command_writes_the_same_file(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    arguments = ("attribute", trained, images / PICTURE, "--method", "smooth-grad", "--target", "1", "--out")
    for name in ("one.svg", "other.svg"):
        assert command(*arguments, tmp_path / name)[0] == 0
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_what_a_network_lacks_is_left_out_of_all(tmp_path: Path, command: Command) -> None:
    Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32)).save(tmp_path / "a.png")
    out = tmp_path / "b.svg"
    status, said, err = command("attribute", "lenet5", tmp_path / "a.png", "--method", "all", "--out", out)

    assert (status, err) == (0, "")
    assert "With fresh random weights:" in said
    assert "Left out: Guided backprop needs a ReLU or ReLU6" in said
    assert "Grad-CAM: " in said


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("attribute", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid attribute" in " ".join(said.split())
    assert all(name in said for name in METHODS)
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--out", "a.pdf"], "The picture's file must end in .svg or .png; got 'a.pdf'."),
        (["--out", "a.svg", "--method", "gradcam"], "There is no method 'gradcam'; the nearest are grad-cam"),
        (["--out", "a.svg", "--target", "stripes"], "There is no class 'stripes'; the nearest is striped."),
        (["--out", "a.svg", "--target", "3"], "The class must be 0 to 2; got 3."),
        (["--out", "a.svg", "--method", "all", "--layer", "conv9"], "There is no layer 'conv9'; the nearest are "),
        (["--out", "a.svg", "--method", "grad-cam", "--layer", "fc"], "needs a layer of rows and columns; 'fc' is "),
        (["--out", "a.svg", "--baseline", "white"], "The 'baseline' parameter must be one of 'black', 'mean', "),
        (["--out", "a.svg", "--baseline", "1_0"], "The 'baseline' parameter must be one of 'black', 'mean', "),
        (["--out", "a.svg", "--target", "٢"], "There is no class '٢'; "),
        (["--out", "a.svg", "--layer", "conv1"], "The 'layer' parameter of attribute goes with grad-cam, grad-cam++, "),
    ],
)
def test_failures_are_one_line(
    trained: Path,
    images: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = command("attribute", trained, images / PICTURE, *arguments)

    assert (status, said) == (1, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


def test_json_needs_no_picture_and_names_the_image(trained: Path, images: Path, command: Command) -> None:
    arguments = ("--baseline", "-1.5", "--method", "integrated-gradients", "--json")
    status, said, err = command("attribute", trained, images / PICTURE, *arguments)
    record = json.loads(said)

    assert (status, err) == (0, "")
    assert record["image"] == str(images / PICTURE)
    assert "file" not in record
    assert record["attributions"][0]["baseline"] != record["attributions"][0]["score"]


@pytest.mark.parametrize("arguments", [[], ["--out", "a.svg", "--npz", "a.txt"], ["--out", "a.svg", "--seed", "-1"]])
def test_wrong_usage_ends_with_2(trained: Path, images: Path, command: Command, arguments: list[str]) -> None:
    status, _, err = command("attribute", trained, images / PICTURE, *arguments)

    assert status == 2
    assert "Traceback" not in err
