"""Losses as functions: of arrays, or of symbols inside a training graph."""

from typing import Any

import numpy as np

from pellucid import ops
from pellucid.errors import DataError
from pellucid.graph import Value
from pellucid.nn.functional import apply
from pellucid.types import Array, Shape


def cross_entropy(
    logits: Any, labels: Any, weight: Any = None, label_smoothing: float = 0.0, reduction: str = "mean"
) -> Any:
    """−log softmax(logits)[label]; logits (N, K, …), integer labels (N, …), class weights (K,).

    Raises DataError where a label is out of range.

    >>> import numpy as np
    >>> float(cross_entropy(np.zeros((1, 4)), np.array([2])).round(4))      # log 4
    1.3863
    """
    if isinstance(labels, np.ndarray) and not isinstance(logits, Value):
        check_labels(labels, np.shape(logits))
    return apply(ops.CrossEntropy(label_smoothing, reduction), logits, labels, weight)


def check_labels(labels: Array, logits: Shape) -> None:
    """Refuse labels that are not among the classes; what is wrong with shape or dtype, the op tells."""
    if labels.dtype.kind in "iu" and labels.size and len(logits) > 1:
        worst = labels.min() if labels.min() < 0 else labels.max()
        if not 0 <= worst < logits[1]:
            raise DataError(f"The labels for {logits[1]} classes must be from 0 to {logits[1] - 1}; got {worst}.")


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """(x − target)²."""
    return apply(ops.MSE(reduction), x, target)


def binary_cross_entropy(x: Any, target: Any, reduction: str = "mean") -> Any:
    """−(t·log p + (1 − t)·log(1 − p)) for probabilities p."""
    return apply(ops.BinaryCrossEntropy(reduction), x, target)


def binary_cross_entropy_with_logits(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Binary cross-entropy of sigmoid(x)."""
    return apply(ops.BinaryCrossEntropyWithLogits(reduction), x, target)
