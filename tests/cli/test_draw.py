import json
from pathlib import Path

import pytest
from PIL import Image

import pellucid as pel
from tests.cli.conftest import Command


@pytest.mark.parametrize("drawing", ["funnel", "cone", "layers", "effective"])
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_every_drawing_of_a_run(trained: Path, tmp_path: Path, command: Command, drawing: str, suffix: str) -> None:
    out = tmp_path / f"drawn{suffix}"
    status, said, err = command("draw", trained, drawing, "--out", out)

    assert (status, err) == (0, "")
    assert said.endswith(f"Drawn: {out}\n")
    if suffix == ".png":
        with Image.open(out) as picture:
            assert picture.width == 1600
    else:
        assert "<title>" in out.read_text(encoding="utf-8")


def test_json_says_what_is_drawn(tmp_path: Path, command: Command) -> None:
    def drawn(*arguments: object) -> dict:
        status, said, _ = command("draw", "tiny", *arguments, "--json", "--out", tmp_path / "a.svg")
        assert status == 0
        return json.loads(said)

    funnel, cone, layers = drawn("funnel"), drawn("cone", "--input", "3,40,24"), drawn("layers")

    assert (funnel["file"], funnel["drawing"]) == (str(tmp_path / "a.svg"), "funnel")
    assert funnel["stages"][1] == {"name": "conv1", "channels": 4, "plane": [28, 28], "parameters": 40, "macs": 28224}
    assert [sight["field"] for sight in cone["fields"]] == [[3, 3], [4, 4], [8, 8], [10, 10], None]
    assert [block["name"] for block in layers["blocks"]] == ["conv1", "pool1", "conv2", "pool2", "fc"]
    assert layers["blocks"][4]["ops"] == ["Flatten", "Linear"]


def test_the_effective_field_is_that_of_the_models_weights(trained: Path, tmp_path: Path, command: Command) -> None:
    arguments = ("effective", "--layer", "conv1", "--out", tmp_path / "a.svg")
    _, of_run, _ = command("draw", trained, *arguments, "--json")
    _, of_name, _ = command("draw", "tiny", *arguments, "--json", "--input", "1,8,8")
    run, name = json.loads(of_run), json.loads(of_name)

    assert (run["weights"], name["weights"]) == ("the model's weights", "fresh random weights")
    assert run["box"] == name["box"] == [3, 3, 6, 6]
    assert run["side"] == 3
    assert command("draw", "tiny", *arguments)[1].startswith(
        "Of 'conv1', with fresh random weights, on 16 random images"
    )


def test_the_same_command_writes_the_same_file(tmp_path: Path, command: Command) -> None:
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    for out in (one, other):
        pel.manual_seed(len(str(out)))  # what was drawn before must not matter
        assert command("draw", "tiny", "effective", "--out", out)[0] == 0

    assert one.read_bytes() == other.read_bytes()


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("draw", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid draw" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["tiny", "cone", "--out", "a.pdf"], "The picture's file must end in .svg or .png; got 'a.pdf'."),
        (["tiny", "cone", "--out", "missing/a.svg"], "cannot be written: No such file or directory"),
        (["tiny", "effective", "--out", "a.svg", "--layer", "conv9"], "There is no layer 'conv9'; the nearest are "),
        (["nonsense", "funnel", "--out", "a.svg"], "There is no network, run or model file 'nonsense'"),
        (["nonsense", "effective", "--out", "a.svg"], "There is no network, run or model file 'nonsense'"),
        (["tiny", "layers", "--out", "a.svg", "--input", "1,3,3"], "shrinks its image"),
    ],
)
def test_failures_are_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = command("draw", *arguments)

    assert (status, said) == (1, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["tiny", "cone"],
        ["tiny", "pyramid", "--out", "a.svg"],
        ["tiny", "cone", "--out", "a.svg", "--layer", "conv1"],
        ["tiny", "cone", "--out", "a.svg", "--input", "28"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, _, err = command("draw", *arguments)

    assert status == 2
    assert "Traceback" not in err
