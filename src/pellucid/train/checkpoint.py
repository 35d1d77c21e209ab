"""Checkpoints: a training's whole state in one file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import TrainingError
from pellucid.interop import tensors
from pellucid.train.callbacks import Callback, Progress
from pellucid.train.loop import Best, Trainer
from pellucid.types import Array

_PARTS = ("net", "optimizer", "best")


class Checkpoint(Callback):
    """Writes the trainer's state every so many steps or seconds, after each epoch, and when it is interrupted."""

    def __init__(
        self, trainer: Trainer, path: str | os.PathLike[str], steps: int | None, seconds: float | None
    ) -> None:
        self.trainer, self.path = trainer, Path(path)
        self.every_steps, self.every_seconds = steps, seconds
        self._written = time.monotonic()

    def step(self, progress: Progress) -> None:
        """Write if it is time."""
        by_steps = self.every_steps is not None and progress.step % self.every_steps == 0
        by_time = self.every_seconds is not None and time.monotonic() - self._written >= self.every_seconds
        if by_steps or by_time or self.trainer.interrupted:
            self.write()

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        """Write."""
        self.write()

    def write(self) -> None:
        """Write now. Raises FileError where that fails; the previous checkpoint is then untouched."""
        trainer = self.trainer
        parts = (trainer.net.arrays(), trainer.optimizer.state_arrays(), trainer.best.arrays)
        arrays = {f"{part}/{name}": a for part, named in zip(_PARTS, parts, strict=True) for name, a in named.items()}
        progress = trainer.progress
        record = {
            "kind": "checkpoint",
            "order": _order(trainer),
            "epoch": progress.epoch,
            "step": progress.step,
            "seen": progress.seen,
            "correct": progress.correct,
            "loss_sum": progress.loss_sum,
            "learning_rate": progress.learning_rate,
            "optimizer_steps": trainer.optimizer.steps,
            "best": {"loss": trainer.best.loss, "epoch": trainer.best.epoch},
            "history": trainer.history,
        }
        tensors.write(self.path, arrays, record)
        self._written = time.monotonic()


def restore(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Put a trainer where the checkpoint was written.

    Raises FileError where the file is damaged, TrainingError where it belongs to another training.
    """
    arrays, record = tensors.read(path, "checkpoint")
    try:
        _restore(trainer, arrays, record)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"'{path}' is a checkpoint of another training: {error}") from None


def _order(trainer: Trainer) -> dict[str, int]:
    """Return what fixes which images a step sees: with anything else, a step's number means another place."""
    recipe = trainer.recipe
    images = {"images": len(trainer.train), "checksum": trainer.checksum}
    return {**images, "batch_size": recipe.batch_size, "seed": recipe.seed}


def _restore(trainer: Trainer, arrays: dict[str, Array], record: dict[str, Any]) -> None:
    if record["order"] != _order(trainer):
        raise ValueError(f"it has {record['order']}, this one {_order(trainer)}; go on with what it was begun with.")
    parts: dict[str, dict[str, Array]] = {part: {} for part in _PARTS}
    for key, array in arrays.items():
        part, _, name = key.partition("/")
        parts[part][name] = array
    trainer.net.load_state_dict(parts["net"])
    trainer.optimizer.load_state_arrays(parts["optimizer"], int(record["optimizer_steps"]))
    trainer.best = Best(float(record["best"]["loss"]), int(record["best"]["epoch"]), parts["best"])
    trainer.history = list(record["history"])
    progress = trainer.progress
    for name in ("epoch", "step", "seen", "correct"):
        setattr(progress, name, int(record[name]))
    progress.loss_sum, progress.learning_rate = float(record["loss_sum"]), float(record["learning_rate"])
    if not np.isfinite(progress.loss_sum) or progress.step > progress.steps:
        raise ValueError(f"step {progress.step} of {progress.steps}")
