"""The training loop, whose whole state can be written down after any step and taken up again."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.data.augment import Augmentation
from pellucid.data.batches import Source, batches
from pellucid.errors import DataError, ParameterError, TrainingError
from pellucid.nn import Module
from pellucid.nn.losses import cross_entropy
from pellucid.train.callbacks import Callback, Progress
from pellucid.train.diagnose import why_not_finite
from pellucid.train.evaluate import count_correct, score
from pellucid.train.gradients import Differentiated, Gradients, Loss
from pellucid.train.optim import Optimizer, clip_gradients
from pellucid.train.schedules import Constant, Schedule, rate_factor
from pellucid.types import Array


@dataclass(frozen=True)
class Recipe:
    """How to train: everything but the network, the data and the optimiser.

    ``early_stopping`` is the number of epochs without a better validation loss after which training stops; the best
    weights are then restored. The seed fixes the order of the data, the augmentation and the dropout.
    """

    epochs: int
    batch_size: int = 64
    schedule: Schedule = field(default_factory=Constant)
    warmup: int = 0
    loss: Loss = cross_entropy
    augment: Augmentation | None = None
    clip_norm: float | None = None
    early_stopping: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, minimum in (("epochs", 1), ("batch_size", 1), ("warmup", 0), ("seed", 0)):
            _check_count(name, getattr(self, name), minimum)
        if self.seed >= 2**64:
            raise ParameterError(f"The 'seed' parameter must be below 2⁶⁴; got {self.seed}.")
        if self.early_stopping is not None:
            _check_count("early_stopping", self.early_stopping, 1)
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ParameterError(f"The 'clip_norm' parameter must be above 0; got {self.clip_norm!r}.")


@dataclass
class Best:
    """The best epoch so far, for early stopping."""

    loss: float = float("inf")
    epoch: int = 0
    arrays: dict[str, Array] = field(default_factory=dict)


class Trainer:
    """Trains a network by a recipe.

    Randomness follows from the seed and the place in the training alone; so the weights, the optimiser's state, the
    counts in ``progress``, the history and the best epoch are all there is to remember.
    """

    def __init__(
        self,
        net: Module,
        optimizer: Optimizer,
        recipe: Recipe,
        train: Source,
        validation: Source | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        if recipe.early_stopping is not None and validation is None:
            raise ParameterError("Early stopping needs validation data; give some, or leave early_stopping out.")
        self.net, self.optimizer, self.recipe = net, optimizer, recipe
        self.train, self.validation, self.callbacks = train, validation, list(callbacks)
        self.progress = Progress(recipe.epochs, -(-len(train) // recipe.batch_size))
        self.history: list[dict[str, Any]] = []
        self.best = Best()
        self.interrupted = False
        self._differentiated = Differentiated(net, recipe.loss)
        self._parameters = dict(net.named_parameters())

    @cached_property
    def checksum(self) -> int:
        """CRC-32 of the training images and labels, by which a checkpoint knows them again."""
        images, labels = (np.ascontiguousarray(array).data for array in (self.train.images, self.train.labels))
        return zlib.crc32(labels, zlib.crc32(images))

    def run(self) -> list[dict[str, Any]]:
        """Train to the end and return the history; the network is left in evaluation mode.

        Raises TrainingError at the first NaN or infinity, naming step and layer; KeyboardInterrupt after the step
        during which ``interrupted`` was set.
        """
        for callback in self.callbacks:
            callback.begin(self.progress)
        try:
            while self.progress.epoch < self.recipe.epochs and not self._stopped_early():
                self._epoch()
        finally:
            for callback in self.callbacks:
                callback.end(self.progress)
        if self.best.arrays:
            self.net.load_state_dict(self.best.arrays)
        self.net.eval()
        return self.history

    def conclude(self) -> list[dict[str, Any]]:
        """End the training where it is, with a record of the epoch that was begun, and return the history."""
        if self.progress.seen:
            self.history.append(self._record())
        self.net.eval()
        return self.history

    def _epoch(self) -> None:
        progress, recipe = self.progress, self.recipe
        start = progress.step - progress.epoch * progress.steps_per_epoch
        self.net.train()
        for _, x, y in batches(
            self.train,
            recipe.batch_size,
            seed=recipe.seed,
            epoch=progress.epoch,
            start=start,
            augment=recipe.augment,
        ):
            self._step(x, y)
            for callback in self.callbacks:
                callback.step(progress)
            if self.interrupted:
                raise KeyboardInterrupt
        self._check_weights()
        record = self._record()
        self.history.append(record)
        progress.epoch += 1
        progress.seen = progress.correct = 0
        progress.loss_sum = 0.0
        for callback in self.callbacks:
            callback.epoch(progress, record)

    def _step(self, x: Array, y: Array) -> None:
        progress, recipe = self.progress, self.recipe
        key = np.array([recipe.seed, progress.step], np.uint64)
        result = self._differentiated(x, y, key)
        if progress.step == 0:
            _check_labels(result.output, self.train.labels)
        self._check(result, x, y, key)
        gradients = result.parameters
        if recipe.clip_norm is not None:
            gradients = clip_gradients(gradients, recipe.clip_norm)
        share = rate_factor(recipe.schedule, progress.step, progress.steps, recipe.warmup)
        progress.learning_rate = self.optimizer.lr * share
        self.optimizer.update(self._parameters, gradients, progress.learning_rate)
        self.net.update_buffers(result.buffers)
        progress.step += 1
        progress.seen += len(x)
        progress.seen_here += len(x)
        progress.loss_sum += result.loss * len(x)
        progress.correct += count_correct(result.output, y) or 0

    def _check(self, result: Gradients, x: Array, y: Array, key: Array) -> None:
        if np.isfinite(result.loss) and all(np.isfinite(g).all() for g in result.parameters.values()):
            return
        place = why_not_finite(self._differentiated, x, y, key)
        raise TrainingError(
            f"Training stopped at step {self.progress.step + 1} (epoch {self.progress.epoch + 1}): {place}; "
            f"lower the learning rate (now {self.optimizer.lr:g}) or set clip_norm."
        )

    def _check_weights(self) -> None:
        for name, parameter in self._parameters.items():
            if not np.isfinite(parameter.reading).all():
                raise TrainingError(
                    f"Training stopped at step {self.progress.step} (epoch {self.progress.epoch + 1}): the weights "
                    f"'{name}' hold NaN or infinity; lower the learning rate (now {self.optimizer.lr:g})."
                )

    def _record(self) -> dict[str, Any]:
        progress = self.progress
        record: dict[str, Any] = {"epoch": progress.epoch + 1, "step": progress.step, "loss": progress.loss}
        record["accuracy"] = progress.accuracy
        if self.validation is not None:
            loss, accuracy = score(self.net, self.validation, self.recipe.loss)
            record |= {"validation_loss": loss, "validation_accuracy": accuracy}
            self._remember_best(loss)
        return record | {
            "learning_rate": progress.learning_rate,
            "images_per_second": progress.images_per_second,
            "seconds": progress.seconds,
        }

    def _remember_best(self, loss: float) -> None:
        if self.recipe.early_stopping is not None and loss < self.best.loss:
            arrays = {name: array.copy() for name, array in self.net.arrays().items()}
            self.best = Best(loss, self.progress.epoch + 1, arrays)

    def _stopped_early(self) -> bool:
        patience = self.recipe.early_stopping
        return patience is not None and self.progress.epoch - self.best.epoch >= patience


def _check_count(name: str, value: Any, minimum: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ParameterError(f"The '{name}' parameter must be an integer of at least {minimum}; got {value!r}.")


def _check_labels(output: Array, labels: Array) -> None:
    """Refuse class numbers that the network has no output for."""
    if output.ndim < 2 or labels.dtype.kind not in "iu":
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= output.shape[1]:
        raise DataError(
            f"The labels must be from 0 to {output.shape[1] - 1}, the network's outputs; got {low} to {high}. "
            "Give the network's last layer one output for each class."
        )
