"""Every example runs, in a folder of its own, and writes and says what it promises."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
ARGUMENTS = {"watch_filters_emerge": ["--epochs", "1"]}
WRITES = {
    "apply_filters": {"picture.png", "map-horizontal-edge.png", "map-sharpen.png"},
    "artistic_filters": {"original.png", "emboss.png", "edges.png", "blur.png", "pencil.png", "oil.png"},
    "design_a_filter": {"filter.png", "answers.png"},
    "forward_by_hand": {"bar.png", "bar-relu1.png", "bar-relu2.png"},
    "watch_filters_emerge": {"filters.gif", "filters.png"},
}


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    script = EXAMPLES / f"{name}.py"
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    runpy.run_path(str(script), run_name="__main__")


def test_every_example_is_tested_and_listed() -> None:
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    listed = re.findall(r"^- `(\w+)\.py`", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert scripts == set(WRITES) == set(listed)


@pytest.mark.parametrize("name", sorted(WRITES))
def test_an_example_writes_where_it_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    run(name, here, monkeypatch, "--out", str(there), *ARGUMENTS.get(name, []))
    said = capsys.readouterr().out

    assert list(here.iterdir()) == []
    assert WRITES[name] <= {path.name for path in there.iterdir()}
    assert f"Saved to {there}" in said
    for path in there.iterdir():
        with Image.open(path) as picture:
            assert np.asarray(picture.convert("L")).std() > 1, f"{path.name} shows nothing"


def test_the_forward_pass_by_hand_is_equal(tmp_path: Path, monkeypatch, capsys) -> None:
    run("forward_by_hand", tmp_path, monkeypatch)
    said = capsys.readouterr().out

    assert len(re.findall(r" equal$", said, re.MULTILINE)) == 7


def test_the_designed_filter_answers_to_horizontal_lines(tmp_path: Path, monkeypatch, capsys) -> None:
    run("design_a_filter", tmp_path, monkeypatch)
    answers = dict(re.findall(r"^  (\w+) +\S+ +(\S+)$", capsys.readouterr().out, re.MULTILINE))
    assert float(answers["horizontal"]) > 5 * float(answers["vertical"])
    assert float(answers["flat"]) == 0

    run("design_a_filter", tmp_path, monkeypatch, "--grid", ";".join(["0 0 9 0 0"] * 5))
    answers = dict(re.findall(r"^  (\w+) +\S+ +(\S+)$", capsys.readouterr().out, re.MULTILINE))
    assert float(answers["vertical"]) > 5 * float(answers["horizontal"])
    with pytest.raises(SystemExit, match="5 rows of 5 digits"):
        run("design_a_filter", tmp_path, monkeypatch, "--grid", "1 2; 3 4")


@pytest.mark.parametrize("name", ["apply_filters", "artistic_filters"])
def test_a_photo_of_ones_own(name: str, tmp_path: Path, monkeypatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    run(name, tmp_path, monkeypatch, "--photo", "photo.png")

    assert WRITES[name] <= {path.name for path in tmp_path.iterdir()}
