import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pellucid.analysis.compare import compare
from pellucid.bench import measure
from tests.cli.conftest import Command


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every run takes a quarter of a second, by decree; gives the names of what was timed."""
    names: list[str] = []

    def interleaved(runs: Mapping[str, Callable[[], Any]], *, seconds: float) -> dict[str, float]:
        assert 0 < seconds < 1
        names.extend(runs)
        return dict.fromkeys(runs, 0.25)

    monkeypatch.setattr(measure, "interleaved", interleaved)
    return names


def test_json_is_the_comparison_of_python(command: Command) -> None:
    status, out, err = command(
        "compare", "--channels", "8, 12", "--kernel", 5, "--size", 9, "--bias", "--no-time", "--json"
    )

    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "channels": [8, 12],
        "kernel": 5,
        "size": [9, 9],
        "bias": True,
        "comparisons": {name: found.as_dict() for name, found in compare(8, 12, 5, 9, 9, bias=True).items()},
    }


def test_times_are_measured_unless_refused(command: Command, timed: list[str]) -> None:
    status, out, err = command("compare", "--channels", "4,4", "--size", 6, "--json")
    comparisons = json.loads(out)["comparisons"].values()

    assert (status, err) == (0, "")
    assert [row["name"] for found in comparisons for row in found["alternatives"]] == timed
    assert {row["milliseconds"] for found in comparisons for row in found["alternatives"]} == {250.0}


def test_four_tables_each_with_a_sentence(command: Command, timed: list[str]) -> None:
    status, out, err = command("compare", "--channels", "1,32", "--size", 28)

    assert (status, err) == (0, "")
    assert out.startswith("1 → 32 channels, kernels of 3×3, maps of 28×28, without biases\n")
    found = compare(1, 32, 3, 28, 28, timer=lambda runs: dict.fromkeys(runs, 0.25))
    for comparison in found.values():
        assert f"\n{comparison.title}\n\n{comparison}\n" in out
    assert re.search("dense, same output +19,668,992  × 68,295 .* –\n", out)
    assert "\nms: median for one image, on " in out
    assert out.endswith("\n–: too large to be run for this.\n")


def test_signs_are_explained_where_they_stand(command: Command, timed: list[str]) -> None:
    _, counted, _ = command("compare", "--channels", "4,4", "--size", 6, "--no-time")
    _, small, _ = command("compare", "--channels", "4,4", "--size", 6)

    assert counted.endswith(".\n\n÷, ×: beside the first row.\n")
    assert re.search(r"\nms: median for one image, on \d+ threads?\.\n$", small)


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--bias"], ["--channels", "3,10", "--kernel", "5", "--size", "32", "--bias"],
        ["--channels", "512,1024", "--size", "112"], ["--channels", "1,1", "--kernel", "2", "--size", "2"],
        ["--channels", "2048,1000", "--size", "224"],
    ],
)  # fmt: skip
def test_every_table_fits_80_columns(command: Command, arguments: list[str]) -> None:
    status, out, err = command("compare", *arguments, "--no-time")

    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--channels", "64"], "--channels must be IN,OUT, two whole numbers such as 64,128; got '64'."),
        (["--channels", "a,b"], "--channels must be IN,OUT, two whole numbers such as 64,128; got 'a,b'."),
        (["--channels", f"4,{'9' * 5000}"], "--channels must be IN,OUT"),
        (["--channels", "0,4"], "The 'in_channels' parameter of compare must be a whole number from 1 to 4,096; got 0"),
        (["--kernel", "32"], "The 'kernel' parameter of compare must be a whole number from 1 to 31; got 32."),
        (["--size", "1"], "The 'height' parameter of compare must be a whole number from 2 to 4,096; got 1."),
        (["--size", "wide"], "unable to parse string as an integer"),
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str], rule: str) -> None:
    status, out, err = command("compare", *arguments)

    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert rule.replace(" ", "") in "".join(err.replace("│", "").split())


def test_what_no_memory_can_hold_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pellucid.analysis.compare.compare", fail)

    status, out, err = command("compare", "--no-time")
    assert (status, out) == (1, "")
    assert "not enough memory" in err
    assert err.count("\n") == 1


def test_help(command: Command) -> None:
    status, out, err = command("compare", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid compare" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_it_really_measures(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_SETTLING", 0.0)
    _, out, _ = command("compare", "--channels", "2,2", "--size", 4, "--json")
    times = [row["milliseconds"] for row in json.loads(out)["comparisons"]["heads"]["alternatives"]]

    assert len(times) == 2
    assert min(times) > 0
