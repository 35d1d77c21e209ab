import json
from pathlib import Path

import pytest

from pellucid.bench import ours, peak, peers, works
from tests.bench.fakes import Peer
from tests.cli.conftest import Command

WORK = "conv/fwd/n1c3h6w6k4r3s3pad1"
QUICKLY = ["--threads", "1", "--quick"]


@pytest.fixture(autouse=True)
def no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "fma_peak", lambda threads: 100.0 * threads)
    monkeypatch.setattr(peak, "bandwidth", lambda threads: 10.0)
    monkeypatch.setattr("os.getloadavg", lambda: (0.25, 0.0, 0.0))


def beside(monkeypatch: pytest.MonkeyPatch, name: str, scale: float = 1.0) -> None:
    """Put a peer beside us whose result is ours, scaled."""
    task = works.find(WORK).task
    assert task is not None
    results = {key: scale * array for key, array in ours.form(task()).results().items()}
    monkeypatch.setattr(peers, "installed", lambda: {name: Peer({"": results})})
    monkeypatch.setattr(peers, "missing", lambda: ["openvino"])


def test_a_table_and_a_file(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    beside(monkeypatch, "pytorch")
    file = tmp_path / "bench.json"
    status, out, err = command("bench", "--work", WORK, *QUICKLY, "--json", file)

    assert status == 0
    assert err == "Not installed, so left out: openvino; pip install 'pellucid[bench]'.\n"
    for words in ("conv/fwd, ms", "n1c3h6w6k4r3s3pad1", "PyTorch", "Pellucid", "GFLOP/s", "100 GFLOP/s on 1 thread"):
        assert words in out
    assert max(map(len, out.splitlines())) <= 80
    (row,) = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert (row["work"], row["threads"], list(row["peers"])) == (WORK, 1, ["pytorch"])


def test_a_wrong_result_ends_with_1(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(monkeypatch, "onnxruntime", 1.01)
    status, out, err = command("bench", "--work", WORK, *QUICKLY)

    assert status == 1
    assert "off by 0.01 of its size" in " ".join(out.split())
    assert err.splitlines()[-1].startswith("pellucid: 2 measurements failed or gave a wrong result")


def test_a_busy_machine_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(monkeypatch, "pytorch")
    monkeypatch.setattr("os.getloadavg", lambda: (3.0, 0.0, 0.0))
    status, _, err = command("bench", "--work", WORK, *QUICKLY)

    assert status == 0
    assert "The machine was busy before (load average 3.0)" in err


def test_why(command: Command) -> None:
    status, out, err = command("bench", "--why", "tiny")

    assert (status, err) == (0, "")
    assert "conv1" in out
    assert "kernel" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        ["--work", "nonsense"], ["--work", "infer/nonsense/*"], ["--threads", "0"], ["--threads", "1,two"],
        ["--why", "nonsense"],
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str]) -> None:
    status, _, err = command("bench", *arguments)

    assert status == 2
    assert "Traceback" not in err


def test_help(command: Command) -> None:
    status, out, err = command("bench", "--help")

    assert (status, err) == (0, "")
    assert "Example: pellucid bench" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_a_file_that_cannot_be_written_ends_with_1(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    beside(monkeypatch, "pytorch")
    status, _, err = command("bench", "--work", WORK, *QUICKLY, "--json", tmp_path / "nowhere" / "bench.json")

    assert status == 1
    assert "cannot be written" in err
