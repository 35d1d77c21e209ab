"""Training in one call."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.data.augment import Augmentation, parse
from pellucid.errors import ParameterError
from pellucid.nn import Module
from pellucid.nn.losses import cross_entropy
from pellucid.train.arrays import as_source
from pellucid.train.callbacks import Callback, Progress
from pellucid.train.checkpoint import Checkpoint, restore
from pellucid.train.gradients import Loss
from pellucid.train.loop import Recipe, Trainer
from pellucid.train.optim import SGD, Optimizer
from pellucid.train.schedules import Schedule, schedule_named


def fit(
    net: Module,
    train: Any,
    *,
    validation: Any = None,
    epochs: int = 1,
    batch_size: int = 64,
    optimizer: Optimizer | None = None,
    schedule: str | Schedule = "constant",
    warmup: int = 0,
    loss: Loss = cross_entropy,
    augment: str | Augmentation | None = None,
    clip_norm: float | None = None,
    early_stopping: int | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Train a network and return the history, one record an epoch; the network is left in evaluation mode.

    Parameters
    ----------
    net
        What to train; parameters with ``requires_grad=False`` stay as they are.
    train, validation
        Data sets, or pairs of arrays: inputs (N, …) float32, used as they are, and targets (N, …).
    epochs, batch_size
        How often all images are seen, and how many at once; the last batch of an epoch may be smaller.
    optimizer
        By default ``SGD(0.05, momentum=0.9)``.
    schedule, warmup
        "constant", "step", "cosine" or "one-cycle", after so many steps of a linear rise.
    loss
        A function of outputs and targets.
    augment
        Such as "flip,shift=2"; see :func:`pellucid.data.augment.parse`.
    clip_norm
        Largest common norm of the gradients.
    early_stopping
        Epochs without a better validation loss after which to stop, with the best weights.
    seed
        Fixes the order, the augmentation and the dropout.
    callbacks
        Listeners.
    checkpoint
        A file that receives the whole state every ten seconds; where it exists already, training goes on from it.
    progress
        Whether to print a line an epoch when there is a terminal to read it.

    Raises
    ------
    DataError
        If the data do not fit each other or the network.
    ParameterError
        If a setting breaks its rule.
    TrainingError
        At the first NaN or infinity, naming step and layer; where ``checkpoint`` is another training's.

    Examples
    --------
    >>> import numpy as np
    >>> import pellucid as pel
    >>> x = np.random.default_rng(0).standard_normal((64, 1, 8, 8)).astype(np.float32)
    >>> y = (x.mean((1, 2, 3)) > 0).astype(np.int64)
    >>> net = pel.nn.Sequential(pel.nn.Flatten(), pel.nn.Linear(64, 2))
    >>> history = pel.fit(net, (x, y), epochs=20, progress=False)
    >>> len(history), history[-1]["loss"] < history[0]["loss"]
    (20, True)
    """
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ParameterError(
            f"The 'optimizer' parameter of fit must be an optimiser, such as pel.optim.Adam(0.001); got {optimizer!r}."
        )
    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        schedule=schedule_named(schedule) if isinstance(schedule, str) else schedule,
        warmup=warmup,
        loss=loss,
        augment=parse(augment) if isinstance(augment, str) else augment,
        clip_norm=clip_norm,
        early_stopping=early_stopping,
        seed=seed,
    )
    sources = as_source(train, "training"), None if validation is None else as_source(validation, "validation")
    listening = [*callbacks, *([Printer()] if progress else [])]
    trainer = Trainer(net, optimizer or SGD(0.05, momentum=0.9), recipe, *sources, listening)
    if checkpoint is not None:
        if Path(checkpoint).exists():
            restore(trainer, checkpoint)
        trainer.callbacks.append(Checkpoint(trainer, checkpoint, steps=None, seconds=10.0))
    return trainer.run()


class Printer(Callback):
    """Prints a line an epoch on standard error, where that is a terminal."""

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        """Print the epoch's record."""
        if not sys.stderr.isatty():
            return
        line = f"epoch {record['epoch']}/{progress.epochs}  loss {record['loss']:.4f}"
        if "validation_loss" in record:
            line += f"  validation loss {record['validation_loss']:.4f}"
        if record.get("validation_accuracy") is not None:
            line += f"  accuracy {record['validation_accuracy']:.4f}"
        print(f"{line}  {record['images_per_second']:.0f} images/s", file=sys.stderr)
