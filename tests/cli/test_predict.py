import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from tests.cli.conftest import Command


@pytest.fixture
def picture(images: Path) -> Path:
    return images / "striped" / "2-0.png"


def test_json_lists_files_with_their_likeliest_classes(trained: Path, picture: Path, command: Command) -> None:
    other = picture.parents[1] / "light" / "1-0.png"
    status, out, err = command("predict", trained, picture, other, "--top", 2, "--json")
    found = json.loads(out)

    assert (status, err) == (0, "")
    assert [entry["file"] for entry in found] == [str(picture), str(other)]
    assert [entry["top"][0]["class"] for entry in found] == ["striped", "light"]
    assert all(len(entry["top"]) == 2 for entry in found)


def test_probabilities_are_the_networks(trained: Path, picture: Path, command: Command) -> None:
    _, out, _ = command("predict", trained, picture, "--json")
    (entry,) = json.loads(out)
    net = pel.load(trained / "model.safetensors")
    t = pel.trace(net, Image.open(picture))
    *_, last = t
    exponentials = np.exp(last.output.astype(np.float64))
    expected = dict(zip(net.metadata["classes"], exponentials / exponentials.sum(), strict=True))

    probabilities = [guess["probability"] for guess in entry["top"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    for guess in entry["top"]:
        assert guess["probability"] == pytest.approx(expected[guess["class"]], rel=1e-4)


def test_text_has_bars(trained: Path, picture: Path, command: Command) -> None:
    status, out, _ = command("predict", trained, picture)

    assert status == 0
    assert picture.name in out
    assert "█" in out
    assert "striped" in out


def test_any_kind_of_picture_is_taken(trained: Path, picture: Path, tmp_path: Path, command: Command) -> None:
    pixels = Image.open(picture).resize((50, 40), Image.Resampling.NEAREST)
    pixels.convert("RGB").save(tmp_path / "a.jpg", quality=95)
    pixels.convert("RGBA").save(tmp_path / "b.webp", lossless=True)
    pixels.convert("P").save(tmp_path / "c.gif")
    status, out, _ = command("predict", trained, *sorted(tmp_path.iterdir()), "--json")

    assert status == 0
    assert [entry["top"][0]["class"] for entry in json.loads(out)] == ["striped"] * 3


def test_a_bad_picture_does_not_stop_the_others(trained: Path, picture: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "text.png").write_text("no picture")
    bad = [tmp_path / "text.png", tmp_path / "missing.png", tmp_path]
    status, out, err = command("predict", trained, bad[0], picture, bad[1], bad[2], "--json")

    assert status == 1
    assert [entry["file"] for entry in json.loads(out)] == [str(picture)]
    assert len(err.splitlines()) == 3
    for path, line in zip(bad, err.splitlines(), strict=True):
        assert line.startswith("pellucid: ")
        assert str(path) in line


def test_a_model_that_does_not_know_its_classes_is_refused(tmp_path: Path, picture: Path, command: Command) -> None:
    pel.save(pel.zoo.build("tiny"), tmp_path / "net.safetensors")
    status, out, err = command("predict", tmp_path / "net.safetensors", picture)

    assert (status, out) == (1, "")
    assert "must say how images are prepared and what its classes are" in err


@pytest.mark.parametrize("value", [float("nan"), 3e38])
def test_outputs_that_are_no_numbers_are_refused(
    trained: Path, picture: Path, tmp_path: Path, command: Command, value: float
) -> None:
    net = pel.load(trained / "model.safetensors")
    for parameter in net.parameters():
        parameter.data[...] = value
    pel.save(net, tmp_path / "net.safetensors")

    for arguments in (["predict", tmp_path / "net.safetensors", picture], ["evaluate", tmp_path / "net.safetensors"]):
        status, _, err = command(*arguments, "--json")
        assert status == 1
        assert err.count("\n") == 1
        assert "must be finite; got NaN or infinity" in err


def test_a_damaged_model_is_refused(trained: Path, tmp_path: Path, picture: Path, command: Command) -> None:
    (tmp_path / "net.safetensors").write_bytes((trained / "model.safetensors").read_bytes()[:-7])
    status, _, err = command("predict", tmp_path / "net.safetensors", picture)

    assert status == 1
    assert err.count("\n") == 1
    assert "net.safetensors" in err
