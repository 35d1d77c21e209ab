import json
from pathlib import Path

import pytest

from pellucid.data import registry
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _empty_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DATA", str(tmp_path / "data"))


def test_list_names_every_data_set(command: Command) -> None:
    status, out, _ = command("data", "list")
    _, machine, _ = command("data", "list", "--json")

    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    assert [entry["name"] for entry in json.loads(machine)] == list(registry.names())
    assert all(name in out for name in registry.names())


def test_the_embedded_set_is_here(command: Command) -> None:
    _, place, _ = command("data", "path", "fashion-mnist-mini")

    assert Path(place.strip()).is_file()
    assert command("data", "get", "fashion-mnist-mini") == (0, place, "")


def test_what_is_not_here_says_how_to_get_it(command: Command) -> None:
    status, out, err = command("data", "path", "mnist")

    assert (status, out) == (1, "")
    assert "pellucid data get mnist" in err


def test_without_a_network_get_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    status, out, err = command("data", "get", "mnist")

    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "check the connection" in err
