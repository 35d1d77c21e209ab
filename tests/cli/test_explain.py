import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture
def picture(images: Path) -> Path:
    return images / "striped" / "2-3.png"


def test_without_a_layer_the_layers_are_listed(trained: Path, picture: Path, command: Command) -> None:
    status, out, err = command("explain", trained, picture)

    assert (status, err) == (0, "")
    assert "conv1" in out
    assert "Choose one with --layer NAME." in out
    _, listed, _ = command("explain", trained, picture, "--json")
    assert [layer["layer"] for layer in json.loads(listed)][:2] == ["conv1", "relu1"]


def test_a_cell_is_written_out(trained: Path, picture: Path, command: Command) -> None:
    status, out, err = command("explain", trained, picture, "--layer", "conv2", "--cell", "3,1,2")

    assert (status, err) == (0, "")
    assert f"With the weights of {trained}" in " ".join(out.split())
    assert "conv2, channel 3, row 1, column 2" in out
    assert "The engine computed" in out
    assert max(map(len, out.splitlines()[2:])) <= 80


def test_without_a_place_the_largest_number_is_taken_and_it_is_said(
    trained: Path, picture: Path, command: Command
) -> None:
    _, out, _ = command("explain", trained, picture, "--layer", "fc")
    assert "the largest number of the layer" in " ".join(out.split())

    _, out, _ = command("explain", trained, picture, "--layer", "fc", "--json")
    chosen = json.loads(out)
    others = [
        json.loads(command("explain", trained, picture, "--layer", "fc", "--cell", k, "--json")[1]) for k in "012"
    ]
    assert chosen["is_largest_of_layer"]
    assert not any(other["is_largest_of_layer"] for other in others)
    assert chosen["value"] == max(other["value"] for other in others)
    assert abs(chosen["explained"] - chosen["value"]) == chosen["error"] <= chosen["bound"]


def test_a_page_is_written(trained: Path, picture: Path, tmp_path: Path, command: Command) -> None:
    page = tmp_path / "cell.html"
    status, out, _ = command("explain", trained, picture, "--layer", "pool1", "--cell", "0,1,1", "--html", page)

    assert status == 0
    assert out.endswith(f"Written: {page}\n")
    assert '<section class="pel-cell" aria-label="pool1, channel 0, row 1, column 1">' in page.read_text(
        encoding="utf-8"
    )


def test_a_network_by_name_and_a_picture_of_a_data_set(command: Command) -> None:
    status, out, _ = command("explain", "tiny", "fashion-mnist-mini:17", "--layer", "conv1", "--cell", "0,5,5")

    assert status == 0
    assert "With fresh random weights, on fashion-mnist-mini:17." in out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--layer", "conf1"], 1, "There is no layer 'conf1'; the nearest are conv1"),
        (["--layer", "conv1", "--cell", "99,0,0"], 1, "The 'channel' parameter of cell must be 0 to"),
        (["--layer", "conv1", "--cell", "1,2"], 1, "A cell of 'conv1' must be given by 3 numbers"),
        (["--layer", "conv1", "--cell", "a,b,c"], 2, "--cell must be whole numbers such as 3,5,7"),
        (["--layer", "conv1", "--cell", "1_0,2,3"], 2, "--cell must be whole numbers such as 3,5,7; got '1_0,2,3'"),
        (["--layer", "conv1", "--cell", "٢,2,3"], 2, "--cell must be whole numbers"),
        (["--layer", "conv1", "--cell", "-1,2,3"], 1, "The 'channel' parameter of cell must be 0 to"),
        (["--cell", "0,0,0"], 2, "--cell and --html go with --layer NAME"),
    ],
)
def test_what_there_is_not(
    trained: Path, picture: Path, command: Command, arguments: list[str], status: int, message: str
) -> None:
    found, out, err = command("explain", trained, picture, *arguments)

    assert (found, out) == (status, "")
    assert message in " ".join(err.replace("│", " ").split())


def test_a_picture_that_is_none(trained: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "none.png").write_text("no picture")
    status, _, err = command("explain", trained, tmp_path / "none.png")

    assert status == 1
    assert err.count("\n") == 1
