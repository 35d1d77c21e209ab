"""A training run with a folder of its own, which survives being killed at any instant.

The folder holds ``run.json`` (settings, machine, state), ``history.jsonl`` (a line an epoch), ``steps.jsonl`` and
``filters.jsonl`` (see :mod:`pellucid.train.recording`), until it is finished ``checkpoint.safetensors`` and in the end
``model.safetensors`` and ``results.json``. What the run needs to go on is replaced in one piece.
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
from pellucid.errors import FileError, PellucidError, TrainingError
from pellucid.files import write_text
from pellucid.interop.native import load, save
from pellucid.nn.random import skip_init
from pellucid.train.callbacks import Callback, Progress
from pellucid.train.checkpoint import Checkpoint, restore
from pellucid.train.evaluate import Evaluation, evaluate
from pellucid.train.lock import holding
from pellucid.train.loop import Trainer
from pellucid.train.recording import FILTERS, STEPS, Recording
from pellucid.train.settings import RunSettings
from pellucid.types import Array

RUN, HISTORY, CHECKPOINT, MODEL = "run.json", "history.jsonl", "checkpoint.safetensors", "model.safetensors"
RESULTS = "results.json"
FILES = (RUN, HISTORY, STEPS, FILTERS, CHECKPOINT, MODEL, RESULTS)

WAITING, TRAINING, PAUSED, FAILED, FINISHED = "waiting", "training", "paused", "failed", "finished"
"""What a run's record says of it: not begun, begun, stopped by somebody, broken off by an error, done."""


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


def create(settings: RunSettings, out: str | os.PathLike[str]) -> None:
    """Make the folder of a run that is yet to begin: :func:`resume` begins it.

    Raises what :func:`start` raises where data, settings or folder are not right.
    """
    with skip_init():  # the network is only looked at, and drawn when the run begins
        _prepare(settings, Path(out))


def start(settings: RunSettings, out: str | os.PathLike[str], callbacks: Sequence[Callback] = ()) -> Outcome:
    """Train in a new folder and return the outcome.

    Raises TrainingError where the folder already holds a run, FileError where it cannot be written, DataError and
    ParameterError where data and settings do not fit, KeyboardInterrupt after a checkpoint on Ctrl-C.
    """
    out = Path(out)
    data, trainer = _prepare(settings, out)
    with holding(out), _noting(settings, out):
        return _train(trainer, settings, out, data, callbacks)


def resume(out: str | os.PathLike[str], callbacks: Sequence[Callback] = ()) -> Outcome:
    """Go on where a killed or stopped run was; a finished one is evaluated again.

    The final weights are those of a run that was never stopped, bit for bit. Raises TrainingError where the folder
    holds no run or another process trains in it, and else what :func:`start` raises.
    """
    out = Path(out)
    settings, status = _read_record(out)
    if status == FINISHED:
        return _outcome(settings, out, _load_data(settings), load(out / MODEL), _read_history(out), 0.0)
    with holding(out), _noting(settings, out):
        data = _load_data(settings)
        return _train(_restored(settings, out, data[0]), settings, out, data, callbacks)


def conclude(out: str | os.PathLike[str]) -> Outcome:
    """Finish a stopped run where it is: what it has learned becomes its model. It cannot go on afterwards.

    Raises TrainingError where it has not learned anything yet or is finished, and else what :func:`resume` raises.
    """
    out = Path(out)
    settings, status = _read_record(out)
    if status == FINISHED or not (out / CHECKPOINT).exists():
        reason = "is finished" if status == FINISHED else "has not learned anything yet"
        raise TrainingError(f"The run '{out}' {reason}: there is nothing to conclude.")
    with holding(out), _noting(settings, out):
        data = _load_data(settings)
        trainer = _restored(settings, out, data[0])
        history = trainer.conclude()
        _write_history(out / HISTORY, history)
        return _finished(trainer, settings, out, data, 0.0)


def _prepare(settings: RunSettings, out: Path) -> tuple[tuple[Dataset, Dataset], Trainer]:
    """Refuse what does not fit before anything is written, then make the run's folder."""
    if any((out / name).exists() for name in (RUN, CHECKPOINT, MODEL)):
        raise TrainingError(f"'{out}' already holds a run; resume it with --resume, or choose another folder.")
    data = _load_data(settings)
    trainer = _new_trainer(settings, data[0])
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"The folder '{out}' cannot be made: {error.strerror}; choose another with --out.") from None
    _write_record(out, settings, WAITING)
    return data, trainer


def _restored(settings: RunSettings, out: Path, train: Dataset) -> Trainer:
    """Return the trainer where the last checkpoint was written, or at the start."""
    trainer = _new_trainer(settings, train)
    if (out / CHECKPOINT).exists():
        restore(trainer, out / CHECKPOINT)
    _remove_unfinished(out)
    return trainer


def _new_trainer(settings: RunSettings, train: Dataset) -> Trainer:
    parts = train.split(settings.validation, settings.seed) if settings.validation else (train, None)
    return Trainer(_new_network(settings, train), settings.make_optimizer(), settings.make_recipe(), *parts)


def _remove_unfinished(out: Path) -> None:
    """Remove what a killed process was writing: the temporary files of :func:`pellucid.files.replacing`."""
    for name in FILES:
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
    trainer.callbacks = [_HistoryFile(trainer, out / HISTORY), Recording(trainer, out), writing, *callbacks]
    _write_record(out, settings, TRAINING)
    started = time.perf_counter()
    with _stopping_between_steps(trainer):
        trainer.run()
    return _finished(trainer, settings, out, data, time.perf_counter() - started)


def _finished(
    trainer: Trainer, settings: RunSettings, out: Path, data: tuple[Dataset, Dataset], seconds: float
) -> Outcome:
    save(trainer.net, out / MODEL)
    outcome = _outcome(settings, out, data, trainer.net, trainer.history, seconds)
    _write_record(out, settings, FINISHED)
    with suppress(FileNotFoundError):
        (out / CHECKPOINT).unlink()
    return outcome


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
    evaluation = evaluate(net, test)
    write_text(out / RESULTS, json.dumps(_results(evaluation, test)) + "\n")
    return Outcome(out, settings, net, initial, history, evaluation, train, test, seconds)


def _results(evaluation: Evaluation, test: Dataset) -> dict[str, Any]:
    """Return the evaluation with every test image's class, what it was called and how surely."""
    called = evaluation.probabilities.argmax(axis=1)
    sure = evaluation.probabilities.max(axis=1)
    named = {"truth": test.labels.tolist(), "called": called.tolist(), "sure": [round(p, 4) for p in sure.tolist()]}
    return evaluation.as_dict() | named


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
        _write_history(self.path, self.trainer.history)  # a resumed run drops the lines after its checkpoint

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        _write_history(self.path, self.trainer.history)


def _write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write the history, a line an epoch."""
    write_text(path, "".join(json.dumps(record) + "\n" for record in history))


@contextmanager
def _noting(settings: RunSettings, out: Path) -> Iterator[None]:
    """Write down why a run did not come to its end, for whoever looks at its folder later."""
    try:
        yield
    except KeyboardInterrupt:
        _write_record(out, settings, PAUSED)
        raise
    except PellucidError as error:
        _write_record(out, settings, FAILED, reason=str(error))
        raise


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


def _write_record(out: Path, settings: RunSettings, status: str, **more: str) -> None:
    record = {"status": status, "settings": settings.as_dict(), "machine": machine.describe(), **more}
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
