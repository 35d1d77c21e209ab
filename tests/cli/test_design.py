import json
from pathlib import Path

import pytest

import pellucid as pel
from pellucid.analysis.design import design
from pellucid.cli.design import parse_count
from tests.cli.conftest import Command

WORDS = ("design", "--input", "3,64,64", "--classes", 10)


def test_the_screen_explains_counts_and_lists(command: Command) -> None:
    status, out, err = command(*WORDS, "--budget-params", "0.1M", "--budget-macs", "50M", "--receptive-field", 60)
    proposal = design((3, 64, 64), 10, parameters=100_000, macs=50_000_000, receptive_field=60)
    flat = " ".join(out.split())

    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith(f"{proposal.pattern} for 10 classes of 3×64×64 images\n")
    assert f"parameters {proposal.summary.parameters:,} of 100,000 █" in flat
    assert f"multiply-adds {proposal.summary.macs:,} of 50,000,000 █" in flat
    assert f"receptive field {proposal.field} × {proposal.field} at least 60" in flat
    for reason in proposal.reasons:
        assert f"{reason.of} {reason.text}" in flat
    for layer in proposal.summary.layers:
        assert f"{layer.name} {layer.op} " in flat
    assert out.endswith(f"\n\n{proposal.code()}")


@pytest.mark.parametrize("shape", ["1,28,28", "3,224,224", "3,1024,1024", "3,2,2", "1,16,4000", "3,9999,9999"])
def test_every_screen_fits_80_columns(command: Command, shape: str) -> None:
    status, out, _ = command("design", "--input", shape, "--classes", 1000, "--budget-macs", "9999G")

    assert status == 0
    assert max(map(len, out.splitlines())) <= 80


def test_json_is_the_proposal_of_python(command: Command) -> None:
    status, out, _ = command(*WORDS, "--json")

    assert status == 0
    assert json.loads(out) == json.loads(json.dumps(design((3, 64, 64), 10).as_dict()))


def test_out_writes_a_listing_that_runs(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    status, out, _ = command(*WORDS, "--budget-params", "100k", "--out", path)
    names: dict[str, object] = {}
    exec(path.read_text(encoding="utf-8"), names)

    assert status == 0
    assert f"Python: {path}" in out.replace("\n", "").replace("Python:/", "Python: /")
    assert "import pellucid" not in out
    assert pel.summary(names["net"], (3, 64, 64)).parameters <= 100_000


def test_out_overwrites_nothing(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("mine")
    status, out, err = command(*WORDS, "--out", path)

    assert (status, out) == (1, "")
    assert err == f"pellucid: '{path}' exists and is not overwritten; give --out another name, or remove it.\n"
    assert path.read_text() == "mine"


def test_out_into_no_folder_is_one_line(command: Command, tmp_path: Path) -> None:
    status, _, err = command(*WORDS, "--out", tmp_path / "none" / "net.py")

    assert status == 1
    assert err.count("\n") == 1
    assert "cannot be written" in err


def test_budgets_that_nothing_keeps_end_with_1_and_one_line(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    status, out, err = command(*WORDS, "--budget-params", 1000, "--out", path)

    assert (status, out) == (1, "")
    assert err.startswith("pellucid: No network ")
    assert err.count("\n") == 1
    assert "the budget of parameters must be at least 11,346, got 1,000." in err
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100000", 100_000),
        ("100_000", 100_000),
        ("0.1M", 100_000),
        ("100k", 100_000),
        ("1.5k", 1500),
        ("2G", 2 * 10**9),
        ("3.0", 3),
    ],
)
def test_counts_are_read_as_people_write_them(text: str, number: int) -> None:
    assert parse_count(text, "--budget-params") == number


@pytest.mark.parametrize(
    "arguments",
    [
        ["design", "--classes", "10"],
        ["design", "--input", "3,64,64"],
        ["design", "--input", "64,64", "--classes", "10"],
        ["design", "--input", "3,64,64", "--classes", "0"],
        [*WORDS, "--receptive-field", "0"],
        *([*WORDS, "--budget-params", text] for text in ("0", "many", "-5", "1.5", "1e6", "1__0", "1M5", "9" * 30)),
        [*WORDS, "--budget-macs", "0.0001k"],
        ["design", "--input", f"3,{'9' * 5000},64", "--classes", "10"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, out, err = command(*arguments)

    assert (status, out) == (2, "")
    assert "Traceback" not in err


def test_a_wrong_number_is_shown_with_good_ones(command: Command) -> None:
    _, _, err = command(*WORDS, "--budget-macs", "1.5")
    said = " ".join(err.replace("│", " ").split())

    assert (
        "--budget-macs must be a whole number of at least 1, such as 100000, 100_000, 100k or 0.1M; got '1.5'" in said
    )


def test_help_has_an_example(command: Command) -> None:
    status, out, err = command("design", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid design --input 3,64,64 --classes 10" in out
    assert max(map(len, out.splitlines())) <= 80
