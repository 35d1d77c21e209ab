import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.explain.kernels.gallery import NAMES, kernel
from tests.cli.conftest import Command


def test_without_arguments_the_gallery_is_listed(command: Command) -> None:
    status, said, err = command("kernels")
    _, listed, _ = command("kernels", "--json")
    entries = json.loads(listed)["kernels"]

    assert (status, err) == (0, "")
    assert all(name in said for name in NAMES)
    assert max(map(len, said.splitlines())) <= 80
    assert [entry["name"] for entry in entries] == list(NAMES)
    assert entries[NAMES.index("sobel-x")]["kernel"] == kernel("sobel-x").tolist()
    assert entries[NAMES.index("gabor")]["parameters"] == ["size", "angle", "sigma", "wavelength", "phase"]


def test_a_kernel_is_described_from_a_name_a_file_or_rows(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("-3 0 3\n-6 0 6\n-3 0 3\n")
    for text in ("sobel-x", tmp_path / "mine.txt", "-1,0,1;-2,0,2;-1,0,1", "1 0 -1; 2 0 -2; 1 0 -1"):
        status, said, err = command("kernels", text)
        assert (status, err) == (0, "")
        assert "sobel-x" in said
        assert "answers to vertical edges" in said


def test_json_holds_the_kernel_and_its_description(command: Command) -> None:
    _, said, _ = command("kernels", "0,2,0;2,-8,2;0,2,0", "--json")
    found = json.loads(said)

    assert found["kernel"] == [[0, 2, 0], [2, -8, 2], [0, 2, 0]]
    assert (found["match"]["name"], found["match"]["scale"]) == ("laplacian", 2)
    assert found["sum"] == 0
    assert found["spectrum"]["kind"] == "high-pass"
    assert found["text"]["kernel"] == "2 × laplacian"


@pytest.mark.parametrize("suffix", [".svg", ".png"])
@pytest.mark.parametrize("arguments", [[], ["emboss"], ["--compose", "sobel-x", "-1;1"]])
def test_each_is_drawn(command: Command, tmp_path: Path, arguments: list[str], suffix: str) -> None:
    out = tmp_path / f"drawn{suffix}"
    status, said, err = command("kernels", *arguments, "--out", out)

    assert (status, err) == (0, "")
    assert said.endswith(f"Drawn: {out}\n")
    if suffix == ".png":
        with Image.open(out) as picture:
            assert picture.width == 1600
    else:
        assert "<desc>" in out.read_text(encoding="utf-8")
    assert json.loads(command("kernels", *arguments, "--out", out, "--json")[1])["file"] == str(out)


def test_a_picture_of_ones_own_is_filtered(command: Command, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    own, drawn = tmp_path / "own.png", tmp_path / "card.png"

    assert command("kernels", "sharpen", "--picture", tmp_path / "photo.png", "--out", own)[0] == 0
    assert command("kernels", "sharpen", "--out", drawn)[0] == 0
    assert own.read_bytes() != drawn.read_bytes()


def test_two_kernels_are_composed_and_compared_on_a_picture(command: Command) -> None:
    status, said, err = command("kernels", "--compose", "sobel-x", "sobel-y", "--json")
    found = json.loads(said)

    assert (status, err) == (0, "")
    assert np.shape(found["composed"]) == (5, 5)
    assert found["error"] < 1e-5 < found["relu_difference"]
    assert found["description"]["rank"] == 1
    shown = " ".join(command("kernels", "--compose", "sobel-x", "sobel-y")[1].split())
    assert "3×3, then 3×3, are one kernel of 5×5." in shown
    assert "no single kernel does that" in shown


def test_detectors_are_ranked_by_their_answers(command: Command) -> None:
    def ranked(picture: str) -> dict[str, float]:
        responses = json.loads(command("kernels", "--rank", picture, "--json")[1])["responses"]
        energies = [round(item["energy"], 6) for item in responses]
        assert energies == sorted(energies, reverse=True)
        return {item["name"]: item["energy"] for item in responses}

    lying, standing = ranked("horizontal-line"), ranked("0 0 1 0 0;0 0 1 0 0;0 0 1 0 0;0 0 1 0 0;0 0 1 0 0")
    assert lying["sobel-y"] > 1e3 * lying["sobel-x"]
    assert standing["sobel-x"] > 1e3 * standing["sobel-y"]
    status, said, err = command("kernels", "--rank", "horizontal-line")
    assert (status, err) == (0, "")
    assert said.splitlines()[2].split()[:2] == ["gabor:angle=90", "█" * 18]


def test_a_data_sets_test_picture_is_ranked_and_filtered(command: Command, tmp_path: Path) -> None:
    status, said, _ = command("kernels", "--rank", "fashion-mnist-mini:17", "--json")
    assert status == 0
    assert json.loads(said)["picture"] == "fashion-mnist-mini:17"
    composed = [
        json.loads(command("kernels", "--compose", "sobel-x", "sobel-y", *more, "--json")[1])["largest"]
        for more in (["--picture", "fashion-mnist-mini:17"], ["--picture", "card"], [])
    ]
    assert composed[0] != composed[1] == composed[2]
    out = tmp_path / "a.png"
    assert command("kernels", "sobel-x", "--picture", "fashion-mnist-mini:17", "--out", out)[0] == 0


def test_help_has_an_example(command: Command) -> None:
    status, said, err = command("kernels", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid kernels sobel-x --out sobel.png" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["sobel"], "There is no kernel 'sobel'; the nearest are sobel-"),
        (["1,2;3"], "The kernel must have rows of equal length; got 2 in row 1 and 1 in row 2."),
        (["missing.txt"], "The kernel 'missing.txt' must be a readable file; got: No such file or directory."),
        (["gabor:size=4"], "must be an odd whole number from 1 to 255; got 4."),
        (["sobel-x", "--out", "a.gif"], "The picture's file must end in .svg or .png; got 'a.gif'."),
        (["sobel-x", "--out", "a.png", "--picture", "missing.png"], "The image 'missing.png' must be readable"),
        (["--rank", "missing.png"], "The image 'missing.png' must be readable"),
        (["--compose", "sobel-x", "nonsense"], "There is no kernel 'nonsense'"),
        (["--compose", "sobel-x", "sobel-y", "--picture", "1,2;3,4"], "at least as large as the composed kernel, 5×5"),
    ],
)
def test_failures_are_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, err = command("kernels", *arguments)

    assert (status, said) == (1, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["sobel-x", "--rank", "card"],
        ["--rank", "card", "--compose", "sobel-x", "sobel-y"],
        ["--rank", "card", "--out", "a.png"],
        ["--compose", "sobel-x"],
        ["sobel-x", "--picture", "card"],
        ["--picture", "card"],
        ["--rank", "card", "--picture", "card"],
        ["--jsn"],
        ["-x"],
        ["sobel-x", "sobel-y"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, said, err = command("kernels", *arguments)

    assert (status, said) == (2, "")
    assert "Traceback" not in err
