"""A training run with a folder of its own, which survives being killed at any instant.

The folder holds ``run.json`` (settings, machine, state), ``history.jsonl`` (a line an epoch), while training
``checkpoint.safetensors`` and in the end ``model.safetensors``. Every file is replaced in one piece.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from pellucid import machine, nn, zoo
from pellucid.data import registry
from pellucid.data.dataset import Dataset
from pellucid.errors import FileError, TrainingError
from pellucid.files import write_text
from pellucid.interop.native import load, save
from pellucid.train.callbacks import Callback, Progress
from pellucid.train.checkpoint import Checkpoint, restore
from pellucid.train.evaluate import Evaluation, evaluate
from pellucid.train.loop import Trainer
from pellucid.train.settings import RunSettings
from pellucid.types import Array

RUN, HISTORY, CHECKPOINT, MODEL = "run.json", "history.jsonl", "checkpoint.safetensors", "model.safetensors"


@dataclass(frozen=True)
class Outcome:
    """A finished run: what was trained, on what, and how well it does."""

    out: Path
    settings: RunSettings
    net: nn.Module
    initial: dict[str, Array]
    """State dict before training."""
    history: list[dict[str, Any]]
    evaluation: Evaluation
    """On the test set."""
    train: Dataset
    test: Dataset
    seconds: float
    """Time that the last epochs, those of this process, took."""


def start(settings: RunSettings, out: str | os.PathLike[str], callbacks: Sequence[Callback] = ()) -> Outcome:
    """Train in a new folder and return the outcome.

    Raises TrainingError where the folder already holds a run, FileError where it cannot be written, DataError and
    ParameterError where data and settings do not fit, KeyboardInterrupt after a checkpoint on Ctrl-C.
    """
    out = Path(out)
    if any((out / name).exists() for name in (RUN, CHECKPOINT, MODEL)):
        raise TrainingError(f"'{out}' already holds a run; resume it with --resume, or choose another folder.")
    data = _load_data(settings)
    trainer = _new_trainer(settings, data[0])  # refuses what does not fit before anything is written
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"The folder '{out}' cannot be made: {error.strerror}; choose another with --out.") from None
    _write_record(out, settings, "training")
    return _train(trainer, settings, out, data, callbacks)


def resume(out: str | os.PathLike[str], callbacks: Sequence[Callback] = ()) -> Outcome:
    """Go on where a killed or stopped run was; a finished one is evaluated again.

    The final weights are those of a run that was never stopped, bit for bit. Raises TrainingError where the folder
    holds no run, and else what :func:`start` raises.
    """
    out = Path(out)
    settings, status = _read_record(out)
    data = _load_data(settings)
    if status == "finished":
        return _outcome(settings, out, data, load(out / MODEL), _read_history(out), 0.0)
    trainer = _new_trainer(settings, data[0])
    if (out / CHECKPOINT).exists():
        restore(trainer, out / CHECKPOINT)
    _remove_unfinished(out)
    return _train(trainer, settings, out, data, callbacks)


def _new_trainer(settings: RunSettings, train: Dataset) -> Trainer:
    parts = train.split(settings.validation, settings.seed) if settings.validation else (train, None)
    return Trainer(_new_network(settings, train), settings.make_optimizer(), settings.make_recipe(), *parts)


def _remove_unfinished(out: Path) -> None:
    """Remove what a killed process was writing: the temporary files of :func:`pellucid.files.replacing`."""
    for name in (RUN, HISTORY, CHECKPOINT, MODEL):
        for path in out.glob(f".{name}.*"):
            path.unlink(missing_ok=True)


def _train(
    trainer: Trainer,
    settings: RunSettings,
    out: Path,
    data: tuple[Dataset, Dataset],
    callbacks: Sequence[Callback],
) -> Outcome:
    writing = Checkpoint(trainer, out / CHECKPOINT, settings.checkpoint_steps, settings.checkpoint_seconds)
    trainer.callbacks = [_HistoryFile(trainer, out / HISTORY), writing, *callbacks]
    started = time.perf_counter()
    with _stopping_between_steps(trainer):
        history = trainer.run()
    seconds = time.perf_counter() - started
    save(trainer.net, out / MODEL)
    _write_record(out, settings, "finished")
    with suppress(FileNotFoundError):
        (out / CHECKPOINT).unlink()
    return _outcome(settings, out, data, trainer.net, history, seconds)


def _outcome(
    settings: RunSettings,
    out: Path,
    data: tuple[Dataset, Dataset],
    net: nn.Module,
    history: list[dict[str, Any]],
    seconds: float,
) -> Outcome:
    train, test = data
    initial = _new_network(settings, train).state_dict()
    return Outcome(out, settings, net, initial, history, evaluate(net, test), train, test, seconds)


def _load_data(settings: RunSettings) -> tuple[Dataset, Dataset]:
    return registry.load(settings.data)


def _new_network(settings: RunSettings, train: Dataset) -> nn.Module:
    """Build the network as it is before the first step: always the same for the same seed."""
    nn.manual_seed(settings.seed)
    shape = train.images.shape[1:]
    net = zoo.build(settings.network, input=shape, classes=len(train.classes))
    net.metadata |= {
        "classes": list(train.classes),
        "preprocessing": train.preprocessing.as_dict(),
        "data": settings.data,
    }
    net.graph((1, *shape))
    return net


class _HistoryFile(Callback):
    def __init__(self, trainer: Trainer, path: Path) -> None:
        self.trainer, self.path = trainer, path

    def begin(self, progress: Progress) -> None:
        self._write()  # a resumed run drops the lines after its checkpoint

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        self._write()

    def _write(self) -> None:
        write_text(self.path, "".join(json.dumps(record) + "\n" for record in self.trainer.history))


@contextmanager
def _stopping_between_steps(trainer: Trainer) -> Iterator[None]:
    """Let Ctrl-C end training after the current step, with a checkpoint; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        trainer.interrupted = True
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _write_record(out: Path, settings: RunSettings, status: str) -> None:
    record = {"status": status, "settings": settings.as_dict(), "machine": machine.describe()}
    write_text(out / RUN, json.dumps(record, indent=2) + "\n")


def _read_record(out: Path) -> tuple[RunSettings, str]:
    path = out / RUN
    if not path.is_file():
        raise TrainingError(f"'{out}' holds no run to resume: there is no {RUN} in it; start it anew.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return RunSettings.from_dict(record["settings"]), record["status"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileError(f"'{path}' is damaged: {error}") from None


def _read_history(out: Path) -> list[dict[str, Any]]:
    path = out / HISTORY
    try:
        history = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"'{path}' cannot be read: {error}") from None
    if not history or not all(isinstance(record, dict) and "epoch" in record for record in history):
        raise FileError(f"'{path}' must hold a record for each epoch; got something else; train anew.")
    return history
