"""``pellucid studio``: what its options mean, and what is said where its libraries are missing."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import pellucid as pel
from pellucid.cli import studio
from pellucid.studio import serve

app = typer.Typer()
app.command()(studio.studio)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.setattr(serve, "serve", lambda host, port, *, tell, **more: calls.append((host, port, more)))
    return calls


@pytest.mark.parametrize(
    ("words", "host", "port", "runs", "browser"),
    [
        ([], "127.0.0.1", serve.PORT, "runs", True),
        (["--no-browser", "--port", "0", "--host", "::1", "--runs", "mine"], "::1", 0, "mine", False),
    ],
)
def test_options(served: list[Any], words: list[str], host: str, port: int, runs: str, browser: bool) -> None:
    assert CliRunner().invoke(app, words).exit_code == 0
    assert served == [(host, port, {"runs": Path(runs), "browser": browser})]


@pytest.mark.parametrize("words", [["--port", "65536"], ["--port", "-1"], ["--port", "x"], ["extra"]])
def test_wrong_usage(served: list[Any], words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2
    assert served == []


def test_libraries_that_are_missing_are_named(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "NEEDS", ("fastapi", "nonsense_a", "nonsense_b"))
    result = CliRunner().invoke(app, [])

    assert isinstance(result.exception, pel.FileError)
    assert str(result.exception) == (
        "The studio needs nonsense_a and nonsense_b; install them with: pip install 'pellucid[studio]'"
    )
    assert served == []


def test_the_browser_is_started_with_a_token_that_opens_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.studio.served import write_page

    opened, told, doors = [], [], []
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    monkeypatch.setattr(
        serve, "Thread", lambda target, args, daemon: type("Now", (), {"start": lambda _: target(*args)})()
    )
    monkeypatch.setattr(serve, "_run", lambda listening, door, built, runs: doors.append(door))
    serve.serve(port=0, pages=write_page(tmp_path / "page"), browser=True, tell=told.append)

    assert told[0].endswith(f"token={doors[0].token}")
    assert opened[0].endswith(f"token={doors[0].spare}")
    assert doors[0].opens_once(doors[0].spare)
    assert not doors[0].opens(opened[0].rpartition("=")[2])
