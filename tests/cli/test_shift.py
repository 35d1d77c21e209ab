import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from pellucid.data import registry
from pellucid.explain.shifts.shift import shift
from tests.cli.conftest import Command


def test_json_is_the_record_of_the_runs_own_data(trained: Path, images: Path, command: Command) -> None:
    status, out, err = command("shift", trained, "--json", "--seed", 2, "--images", 9)
    expected = shift(pel.load(trained / "model.safetensors"), registry.load(images)[1], images=9, seed=2)

    assert (status, err) == (0, "")
    assert json.loads(out) == json.loads(json.dumps(expected.as_dict()))


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_text_and_picture(trained: Path, tmp_path: Path, command: Command, suffix: str) -> None:
    out = tmp_path / f"shift{suffix}"
    status, said, err = command("shift", trained, "--out", out)

    assert (status, err) == (0, "")
    assert said.startswith("tiny on ")
    assert said.endswith(f"Drawn: {out}\n")
    assert max(map(len, said.splitlines()[:-1])) <= 80
    if suffix == ".png":
        with Image.open(out) as picture:
            assert picture.width == 1600
            assert "rotation at worst" in picture.text["Description"]
    else:
        assert "rotation at worst" in out.read_text(encoding="utf-8")


def test_remedies_of_small_pictures(images: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "remedies.svg"
    arguments = ("--remedies", "--data", images, "--epochs", 1, "--images", 6)
    status, said, err = command("shift", *arguments, "--out", out, "--json")
    record = json.loads(said)

    assert (status, err) == (0, "")
    assert record["file"] == str(out)
    assert record["epochs"] == 1
    assert [one["name"] for one in record["remedies"]] == ["plain", "augmented", "BlurPool", "p4"]
    turns = next(one for one in record["remedies"] if one["name"] == "p4")["record"]["curves"][0]
    at = dict(zip(turns["values"], turns["accuracy"], strict=True))
    assert at[0] == at[90] == at[180] == at[270]
    assert "<title>Remedies, trained alike" in out.read_text(encoding="utf-8")


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("shift", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid shift" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Give either a run or model file, or --remedies."),
        (["some-run", "--remedies"], "Give either a run or model file, or --remedies."),
        (["some-run", "--epochs", "3"], "--epochs goes with --remedies only; leave it out."),
        (["some-run", "--images", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_usage(command: Command, arguments: list[str], reason: str) -> None:
    status, said, err = command("shift", *arguments)

    assert (status, said) == (2, "")
    assert reason in " ".join(err.replace("│", " ").split())


def test_what_fails_is_said_in_one_line(trained: Path, tmp_path: Path, command: Command) -> None:
    net = pel.zoo.build("tiny")
    pel.save(net, tmp_path / "silent.safetensors")
    np.savez(tmp_path / "wide.npz", images=np.zeros((4, 28, 30), np.uint8), labels=np.arange(4) % 2)
    for arguments, reason in (
        (["nowhere"], "nowhere"),
        (["tiny"], "The network must be trained; 'tiny' of the zoo is not"),
        ([trained, "--out", "a.pdf"], "The picture's file must end in .svg or .png; got 'a.pdf'."),
        ([trained, "--data", "nothing"], "nothing"),
        ([tmp_path / "silent.safetensors"], "does not say what it was trained on; choose a data set with --data."),
        ([tmp_path / "silent.safetensors", "--data", "fashion-mnist-mini"], "train it with pellucid"),
    ):
        status, said, err = command("shift", *arguments)
        assert (status, said) == (1, "")
        assert err.startswith("pellucid: ")
        assert reason in err
        assert err.count("\n") == 1
