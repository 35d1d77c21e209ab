"""Exit statuses and messages, in this process and as real processes."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid as pel
from pellucid.cli import summary
from tests.cli.conftest import Command

COMMANDS = (
    "train", "evaluate", "predict", "summary", "compare", "design", "draw", "step", "explain", "kernels", "filter",
    "maps", "filters", "attribute", "dream", "shift", "studio", "quiz", "bench",
    "engine",
)  # fmt: skip
PELLUCID = [sys.executable, "-W", "error", "-c", "import sys; from pellucid.cli.main import main; sys.exit(main())"]


def process(*arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
    words = [*PELLUCID, *(str(argument) for argument in arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **settings)


@pytest.mark.parametrize("name", [*COMMANDS, "data list", "data get", "data path"])
def test_every_command_has_help_with_an_example(command: Command, name: str) -> None:
    status, out, err = command(*name.split(), "--help")

    assert (status, err) == (0, "")
    assert f"Example: pellucid {name}" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_help_lists_the_commands(command: Command) -> None:
    status, out, _ = command("--help")

    assert status == 0
    for name in (*COMMANDS, "data"):
        assert f" {name} " in out


def test_version(command: Command) -> None:
    assert command("--version") == (0, f"pellucid {pel.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["train", "--nonsense"],
        ["train", "--epochs", "many"],
        ["train", "--epochs", "0"],
        ["train", "--optimizer", "rmsprop"],
        ["train", "--net", "nonsense"],
        ["train", "--augment", "mirror"],
        ["train", "--resume", "somewhere", "--epochs", "3"],
        ["predict", "model.safetensors"],
        ["predict", "model.safetensors", "a.png", "--top", "0"],
        ["summary", "tiny", "--input", "28,28"],
        ["summary", "tiny", "--input", "1,0,28"],
        ["summary", "tiny", "--input", f"1,{'9' * 5000},28"],
        ["train", "--seed", "18446744073709551616"],
        ["summary"],
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, _, err = command(*arguments)

    assert status == 2
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["summary", "nonsense"], "There is no network, run or model file 'nonsense'; the networks are "),
        (["summary", "tiny", "--input", "1,3,3"], "shrinks its image"),
        (["evaluate", "nonsense"], "There is no model file 'nonsense'"),
        (["predict", "nonsense", "a.png"], "There is no model file 'nonsense'"),
        (["train", "--json", "--data", "nonsense"], "A data set must be one of fashion-mnist-mini"),
        (["train", "--resume", "nonsense"], "'nonsense' holds no run to resume"),
        (["data", "path", "nonsense"], "must be one of fashion-mnist-mini"),
    ],
)
def test_failures_end_with_1_and_one_line(command: Command, arguments: list[str], reason: str) -> None:
    status, out, err = command(*arguments)

    assert (status, out) == (1, "")
    assert err.startswith("pellucid: ")
    assert err.count("\n") == 1
    assert reason in err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a.bin"),
            "'a.bin': No space left on device; free some space",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "'/x': Permission denied; choose a place"),
        (OSError("odd"), "pellucid: odd."),
        (MemoryError(), "There is not enough memory for this"),
        (pel.DataError("one\n  two"), "pellucid: one two"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(summary, "find_network", fail)
    status, out, err = command("summary", "tiny")

    assert (status, out) == (1, "")
    assert line in err
    assert err.count("\n") == 1


def test_control_c_is_one_sentence_and_130(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(summary, "find_network", stop)

    assert command("summary", "tiny") == (130, "", "pellucid: Stopped by Ctrl-C.\n")


def test_as_a_process_results_go_to_stdout_and_reasons_to_stderr() -> None:
    good, bad = process("summary", "tiny", "--json"), process("summary", "nonsense")

    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["totals"]["parameters"] == 4266
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.count("\n") == 1


def test_a_reader_that_stops_reading_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*PELLUCID, "summary", "pooled28"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)

    assert done.stderr == ""
    assert done.returncode == 1


def test_a_terminal_without_the_signs_gets_question_marks() -> None:
    done = process("summary", "tiny", env={**os.environ, "PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0
    assert "4?28?28" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_control_c_says_how_to_go_on(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["train", "--net", "tiny", "--data", images, "--epochs", "100000", "--checkpoint-steps", "1", "--out", out]
    running = subprocess.Popen(
        [*PELLUCID, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("tiny on ")
        while not (out / "checkpoint.safetensors").exists():
            assert running.poll() is None, running.communicate()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()

    assert running.returncode == 130
    assert err == f"Stopped; resume with: pellucid train --resume {out}\n"


def test_help_needs_no_heavy_library() -> None:
    heavy = ["matplotlib", "PIL", "jinja2", "safetensors", "pellucid.views", "pellucid.train"]
    code = (
        "import sys; from pellucid.cli.main import main; main(['train', '--help']);"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
