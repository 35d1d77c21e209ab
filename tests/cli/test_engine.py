import json
import os
from pathlib import Path

import pytest

from pellucid.bench import engine
from pellucid.kernels import cache, cores, host, threads
from pellucid.ops import modes
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty place for kernels, and a speed that need not be measured."""
    monkeypatch.setattr(engine, "fma_peak", lambda count: 100.0 * count)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    cache.folder.cache_clear()
    yield tmp_path / "cache"
    cache.folder.cache_clear()


def keep(folder: Path, *sizes: int) -> None:
    folder.mkdir(mode=0o700, parents=True)
    for number, size in enumerate(sizes):
        (folder / f"kernel{number}").write_bytes(bytes(size))


def test_a_table(command: Command, base: Path) -> None:
    keep(cache.folder(), 1000, 2000)
    status, out, err = command("engine")
    kind = host.host()

    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    for words in (
        f"{kind.name}: {kind.width} floats each, {kind.registers} registers", f"{threads.count()}: {threads.reason()}",
        "100 GFLOP/s on 1 thread", "2 kernels, 3 kB; each is compiled once", cache.folder().name,
        *engine.VARIABLES,
    ):  # fmt: skip
        assert "".join(words.split()) in "".join(out.split())


def test_json_says_the_same(command: Command, base: Path) -> None:
    keep(cache.folder(), 1000, 2000)
    status, out, err = command("engine", "--json")
    found = json.loads(out)

    assert (status, err) == (0, "")
    assert found == engine.describe()
    assert found["cache"] == {
        "folder": str(cache.folder()), "kernels": 2, "bytes": 3000, "usable": True, "obstacle": None
    }  # fmt: skip
    assert (found["threads"]["usable_cores"], found["threads"]["usable_reason"]) == cores.usable()
    assert found["tile"]["floats"] == found["tile"]["rows"] * found["tile"]["vectors"] * found["vectors"]["width"]


def test_what_the_environment_changes(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads._Team, "size", None)
    monkeypatch.setattr(modes.PRECISION, "chosen", None)
    monkeypatch.setenv(threads.VARIABLE, "300")
    monkeypatch.setenv(modes.PRECISION.variable, "strict")
    _, out, _ = command("engine", "--json")
    found = json.loads(out)

    assert (found["threads"]["count"], found["threads"]["reason"]) == (300, "as PELLUCID_THREADS says")
    assert found["precision"] == "strict"
    assert found["environment"][threads.VARIABLE] == "300"
    assert str(300) not in found["peak_gflops"]  # no more threads than cores are timed
    _, out, _ = command("engine")
    assert max(map(len, out.splitlines())) <= 80
    assert "strict: every product summed" in out


def test_nonsense_in_the_environment_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modes.PRECISION, "chosen", None)
    monkeypatch.setenv(modes.PRECISION.variable, "exact")

    assert command("engine") == (
        1,
        "",
        "pellucid: The variable PELLUCID_PRECISION must be fast or strict; got 'exact'.\n",
    )


def test_a_place_that_is_no_use_is_told(command: Command, base: Path) -> None:
    base.write_bytes(b"")
    status, out, err = command("engine")

    assert (status, err) == (0, "")
    assert "compiled anew in every process, as none can be kept: " in " ".join(out.split())
    assert not json.loads(command("engine", "--json")[1])["cache"]["usable"]


def test_clear_removes_the_kernels_and_nothing_else(command: Command, base: Path) -> None:
    keep(cache.folder(), 1000, 2000)
    keep(base / "kernels-sse-0123", 500)
    (base / "notes").write_bytes(b"mine")

    assert command("engine", "--clear") == (0, "Removed 3 kernels, 4 kB.\n", "")
    assert os.listdir(base) == ["notes"]
    assert command("engine", "--clear", "--json") == (0, '{"kernels": 0, "bytes": 0}\n', "")
