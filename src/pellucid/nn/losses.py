"""Losses as functions: of arrays, or of symbols inside a training graph."""

from typing import Any

from pellucid import ops
from pellucid.nn.functional import apply


def cross_entropy(
    logits: Any, labels: Any, weight: Any = None, label_smoothing: float = 0.0, reduction: str = "mean"
) -> Any:
    """−log softmax(logits)[label]; logits (N, K, …), integer labels (N, …), class weights (K,).

    >>> import numpy as np
    >>> float(cross_entropy(np.zeros((1, 4)), np.array([2])).round(4))      # log 4
    1.3863
    """
    return apply(ops.CrossEntropy(label_smoothing, reduction), logits, labels, weight)


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """(x − target)²."""
    return apply(ops.MSE(reduction), x, target)


def binary_cross_entropy(x: Any, target: Any, reduction: str = "mean") -> Any:
    """−(t·log p + (1 − t)·log(1 − p)) for probabilities p."""
    return apply(ops.BinaryCrossEntropy(reduction), x, target)


def binary_cross_entropy_with_logits(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Binary cross-entropy of sigmoid(x)."""
    return apply(ops.BinaryCrossEntropyWithLogits(reduction), x, target)
