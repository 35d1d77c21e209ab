"""How good a network is on data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.batches import Source, batches
from pellucid.data.dataset import Dataset
from pellucid.errors import DataError
from pellucid.nn import Module
from pellucid.nn.functional import softmax
from pellucid.nn.losses import cross_entropy
from pellucid.train.gradients import Loss
from pellucid.types import Array


@dataclass(frozen=True)
class Evaluation:
    """A classifier's results on a data set."""

    accuracy: float
    loss: float
    """Mean cross-entropy."""
    per_class: dict[str, float]
    """Share of each class that was recognised; NaN for a class without images."""
    confusion: Array
    """int64 (classes, classes): how many of each true class (row) were called each class (column)."""
    probabilities: Array
    """float32 (N, classes), in the data set's order."""

    def as_dict(self) -> dict[str, Any]:
        """Accuracy, loss, per-class accuracy and confusion matrix as JSON values."""
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "per_class": {name: None if np.isnan(share) else share for name, share in self.per_class.items()},
            "confusion": self.confusion.tolist(),
        }


def evaluate(net: Module, dataset: Dataset, batch_size: int = 256) -> Evaluation:
    """Classify a data set; the network returns to its mode afterwards.

    Raises DataError where the network does not give one value, and a finite one, for each class of the data set.
    """
    logits = outputs(net, dataset, batch_size)
    classes = len(dataset.classes)
    if logits.ndim != 2 or logits.shape[1] != classes:
        raise DataError(
            f"The network gives outputs of shape {logits.shape[1:]}, but data set '{dataset.name}' has "
            f"{classes} classes; evaluate it on data of the classes that it was trained on."
        )
    if not np.isfinite(logits).all():
        raise DataError("The network's outputs must be finite; got NaN or infinity; train it anew, at a lower rate.")
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (dataset.labels, logits.argmax(axis=1)), 1)
    counts = confusion.sum(axis=1)
    shares = np.divide(confusion.diagonal(), counts, out=np.full(classes, np.nan), where=counts > 0)
    return Evaluation(
        accuracy=float(confusion.trace() / len(dataset)),
        loss=float(cross_entropy(logits, dataset.labels)),
        per_class=dict(zip(dataset.classes, shares.tolist(), strict=True)),
        confusion=confusion,
        probabilities=softmax(logits, 1),
    )


def outputs(net: Module, source: Source, batch_size: int = 256) -> Array:
    """Return the network's outputs for all inputs, in order."""
    with net.evaluating():
        parts = [net(x) for _, x, _ in batches(source, batch_size, seed=0, epoch=0, shuffle=False)]
    return np.concatenate(parts)


def score(net: Module, source: Source, loss: Loss, batch_size: int = 256) -> tuple[float, float | None]:
    """Return mean loss and, where outputs and targets are those of a classifier, accuracy."""
    values, targets = outputs(net, source, batch_size), source.labels
    correct = count_correct(values, targets)
    return float(loss(values, targets)), None if correct is None else correct / len(targets)


def count_correct(output: Array, target: Array) -> int | None:
    """How many outputs (N, K) are largest at the integer target (N,); None where this is no classification."""
    if output.ndim != 2 or target.ndim != 1 or target.dtype.kind not in "iu":
        return None
    return int((output.argmax(axis=1) == target).sum())
