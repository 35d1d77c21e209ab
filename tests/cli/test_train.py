import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

import pellucid as pel
from pellucid.cli import train as command_file
from pellucid.cli.main import main
from pellucid.train.settings import RunSettings
from tests.cli.conftest import Command
from tests.views.page import Page


def test_a_run_leaves_its_files_and_they_agree(trained: Path, images: Path, command: Command) -> None:
    record = json.loads((trained / "run.json").read_text())
    lines = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    page = Page((trained / "report.html").read_text(encoding="utf-8"))
    _, out, _ = command("evaluate", trained, "--json")
    evaluation = json.loads(out)

    assert {path.name for path in trained.iterdir()} == {
        "model.safetensors",
        "run.json",
        "history.jsonl",
        "steps.jsonl",
        "filters.jsonl",
        "results.json",
        "report.html",
    }
    assert record["settings"]["epochs"] == 15
    assert [line["epoch"] for line in lines] == list(range(1, 16))
    assert evaluation["accuracy"] > 0.9  # dark, light and striped
    assert f"{100 * evaluation['accuracy']:.1f} %" in page.section("result").replace("100 %", "100.0 %")
    assert str(images) in page.section("record")


def test_what_is_printed(images: Path, tmp_path: Path, command: Command) -> None:
    status, out, err = command("train", "--net", "tiny", "--data", images, "--epochs", 1, "--out", tmp_path / "run")
    lines = out.splitlines()

    assert (status, err) == (0, "")
    assert lines[0].startswith("tiny on ")
    assert lines[-1] == f"Report: {tmp_path / 'run' / 'report.html'}"
    for word in ("test accuracy", "test loss", "training time", "images per second", "model.safetensors", "run.json"):
        assert word in out


def test_json_is_one_object(images: Path, tmp_path: Path, command: Command) -> None:
    status, out, _ = command(
        "train", "--net", "tiny", "--data", images, "--epochs", 1, "--out", tmp_path / "run", "--json"
    )
    record = json.loads(out)

    assert status == 0
    assert record["out"] == str(tmp_path / "run")
    assert 0 <= record["accuracy"] <= 1
    assert record["epochs"] == 1


def test_settings_reach_the_run(images: Path, tmp_path: Path) -> None:
    given = {
        "--net": "tiny",
        "--data": str(images),
        "--augment": "shift=1",
        "--validation": "0.2",
        "--epochs": "2",
        "--batch-size": "16",
        "--optimizer": "adamw",
        "--lr": "0.01",
        "--momentum": "0.5",
        "--weight-decay": "0.1",
        "--schedule": "cosine",
        "--warmup": "2",
        "--label-smoothing": "0.1",
        "--clip-norm": "5",
        "--seed": "9",
        "--early-stopping": "4",
        "--checkpoint-steps": "2",
        "--checkpoint-seconds": "60",
    }
    words = [word for pair in given.items() for word in pair]
    assert main(["train", *words, "--no-nesterov", "--out", str(tmp_path / "run")]) == 0

    assert json.loads((tmp_path / "run" / "run.json").read_text())["settings"] == {
        "network": "tiny",
        "data": str(images),
        "augment": "shift=1",
        "validation": 0.2,
        "epochs": 2,
        "batch_size": 16,
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "momentum": 0.5,
        "weight_decay": 0.1,
        "schedule": "cosine",
        "warmup": 2,
        "label_smoothing": 0.1,
        "clip_norm": 5.0,
        "seed": 9,
        "early_stopping": 4,
        "checkpoint_steps": 2,
        "checkpoint_seconds": 60.0,
        "nesterov": False,
    }


def test_help_tells_the_true_defaults() -> None:
    names = {"net": "network", "lr": "learning_rate"}
    told = 0
    for name, parameter in inspect.signature(command_file.train, eval_str=True).parameters.items():
        default = re.search(r"default ([^)]+)\)", parameter.annotation.__metadata__[0].help or "")
        if default and name != "out":
            value = getattr(RunSettings(), names.get(name, name))
            assert (default[1] == "none") if value is None else (type(value)(default[1]) == value), name
            told += 1
    assert told == 18


def test_a_run_is_never_overwritten(trained: Path, images: Path, command: Command) -> None:
    before = (trained / "model.safetensors").read_bytes()
    status, _, err = command("train", "--net", "tiny", "--data", images, "--out", trained)

    assert status == 1
    assert "already holds a run" in err
    assert (trained / "model.safetensors").read_bytes() == before


def test_resuming_a_finished_run_writes_its_report_again(trained: Path, command: Command) -> None:
    (trained / "report.html").unlink()
    status, out, _ = command("train", "--resume", trained)

    assert status == 0
    assert "training time" not in out  # nothing was trained
    assert (trained / "report.html").exists()


def test_runs_are_named_by_time_and_network(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda form, *_: "20260131-120000")
    for _ in range(2):
        assert command("train", "--net", "tiny", "--data", images, "--epochs", 1)[0] == 0

    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "20260131-120000-tiny",
        "20260131-120000-tiny-2",
    ]


def test_a_folder_that_cannot_be_made_is_one_line(images: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = command("train", "--net", "tiny", "--data", images, "--out", tmp_path / "file" / "run")

    assert status == 1
    assert err.count("\n") == 1
    assert "cannot be made" in err


def test_a_full_disk_at_the_report_leaves_the_model(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    def full(*_: object) -> None:
        raise pel.FileError("'report.html' cannot be written: No space left on device")

    monkeypatch.setattr("pellucid.views.report.write_text", full)
    status, out, err = command("train", "--net", "tiny", "--data", images, "--epochs", 1, "--out", tmp_path / "run")

    assert status == 1
    assert "test accuracy" in out
    assert "No space left" in err
    assert pel.load(tmp_path / "run" / "model.safetensors")(np.zeros((1, 1, 8, 8), np.float32)).shape == (1, 3)
