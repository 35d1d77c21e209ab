import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Command


def test_a_dream_of_each_class_of_a_run(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "dreams.png"
    status, said, err = command("dream", trained, "--class", "all", "--steps", 30, "--out", out, "--data", images)

    assert (status, err) == (0, "")
    assert "  striped: from " in said
    assert said.endswith(f"Drawn: {out}\n")
    with Image.open(out) as picture:
        assert picture.width == 1600
        assert "dark from" in picture.info["Description"]


def test_json_tells_all_scores(trained: Path, tmp_path: Path, command: Command) -> None:
    arguments = ("--layer", "conv2", "--channel", "0-1,5", "--cell", "1,2", "--steps", 3, "--seed", 9, "--json")
    said = [command("dream", trained, *arguments, "--out", tmp_path / f"{name}.svg")[1] for name in "ab"]
    first, second = map(json.loads, said)

    assert [one["channel"] for one in first["dreams"]] == [0, 1, 5]
    assert first["dreams"] == second["dreams"]
    assert all(one["cell"] == [1, 2] and one["seed"] == 9 and len(one["scores"]) == 3 for one in first["dreams"])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_picture_to_start_from(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(np.full((20, 20), 200, np.uint8)).save(photo)
    scores = []
    for start in ((), ("--image", photo)):
        status, said, _ = command(
            "dream", trained, "--layer", "conv1", "--steps", 2, *start, "--json", "--out", tmp_path / "a.svg"
        )
        assert status == 0
        scores.append(json.loads(said)["dreams"][0]["start"])

    assert scores[0] != scores[1]


def test_json_needs_no_picture_and_names_the_image(trained: Path, images: Path, command: Command) -> None:
    photo = images / "striped/2-3.png"
    status, said, err = command("dream", trained, "--class", "dark", "--steps", 2, "--image", photo, "--json")
    record = json.loads(said)

    assert (status, err) == (0, "")
    assert record["image"] == str(photo)
    assert "file" not in record


def test_without_a_picture_or_json_is_wrong_usage(command: Command) -> None:
    status, _, err = command("dream", "tiny", "--class", "3")

    assert status == 2
    assert "give --out FILE for the picture, or --json." in " ".join(err.split())


def test_a_network_of_the_zoo_in_colour(tmp_path: Path, command: Command) -> None:
    out = tmp_path / "a.png"
    status, said, err = command("dream", "lenet5-rgb", "--class", "3", "--steps", 2, "--out", out)

    assert (status, err) == (0, "")
    assert said.startswith("Logit of the class, with fresh random weights:\n  3: from ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["tiny", "--class", "3", "--out", "a.pdf"], "The picture's file must end in .svg or .png; got 'a.pdf'."),
        (["nothing", "--class", "3", "--out", "a.svg"], "There is no network, run or model file 'nothing'"),
        (["tiny", "--class", "ten", "--out", "a.svg"], "There is no class 'ten'; there are 0, 1, 2"),
        (["tiny", "--layer", "conv9", "--out", "a.svg"], "There is no layer 'conv9'; the nearest are conv"),
        (
            ["tiny", "--layer", "conv1", "--channel", "4", "--out", "a.svg"],
            "The channel of 'conv1' must be 0 to 3; got 4",
        ),
        (["tiny", "--layer", "conv1", "--channel", "0-999", "--out", "a.svg"], "must be 0 to 3; got 4"),
        (["tiny", "--class", "3", "--image", "none.png", "--out", "a.svg"], "none.png"),
        (["tiny", "--class", "3", "--data", "cifar", "--out", "a.svg"], "A data set must be one of"),
        (["tiny", "--class", "3", "--steps", "1", "--out", "missing/a.svg"], "cannot be written"),
    ],
)
def test_failures_are_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = command("dream", *arguments)

    assert (status, said) == (1, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--class", "3", "--layer", "conv1"],
        ["--class", "3", "--channel", "1"],
        ["--layer", "conv1", "--cell", "1,2"],
        ["--layer", "conv1", "--channel", "5-3"],
        ["--layer", "conv1", "--channel", "a"],
        ["--layer", "conv1", "--channel", "٢"],
        ["--layer", "conv1", "--channel", "0", "--cell", "3"],
        ["--class", "3", "--steps", "0"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    status, _, err = command("dream", "tiny", *arguments, "--out", tmp_path / "a.svg")

    assert status == 2
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.explain.dreams import dream

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dream._Climb, "_uphill", stopped)
    status, _, err = command("dream", "tiny", "--class", "3", "--out", tmp_path / "a.svg")

    assert (status, err) == (130, "pellucid: Stopped by Ctrl-C.\n")
    assert list(tmp_path.iterdir()) == []


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("dream", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid dream digits --class all" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80
