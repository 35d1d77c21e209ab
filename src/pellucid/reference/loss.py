"""Losses: how wrong a prediction is.

``reduction`` says what becomes of the single losses: "none" keeps them, "sum" adds them, "mean" averages
them; the latter two return a 0-d array. A backward pass takes the gradient dy of what the forward pass
returned.
"""

from typing import Any

import numpy as np

from pellucid.reference._arrays import Array, along
from pellucid.reference.activation import sigmoid
from pellucid.reference.softmax import log_softmax, softmax


def cross_entropy(
    logits: Array,
    labels: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Array:
    """Compute −Σ_k target_k · weight_k · log softmax(logits)_k for each sample.

    target is 1 for the label's class and 0 for the others; label smoothing e mixes it with the even
    distribution: (1 − e) · target + e / K. The mean divides the sum by Σ weight[label], which is the number
    of samples when there are no weights.

    logits are (N, K) or (N, K, …), labels integers (N,) or (N, …), weight (K,).

    >>> cross_entropy(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 1]), reduction="none").round(4)
    array([0.2877, 0.6931])
    """
    target = _weighted_target(logits, labels, weight, label_smoothing)  # (N, K, …)
    with np.errstate(invalid="ignore"):
        terms = np.where(target == 0, 0, target * log_softmax(logits, axis=1))  # 0 · log 0 counts as 0
    losses = -terms.sum(1).astype(logits.dtype)
    if reduction == "none":
        return np.asarray(losses)
    return np.asarray(losses.sum() / _divisor(labels, weight, reduction, logits.dtype))


def cross_entropy_backward(
    dy: Array,
    logits: Array,
    labels: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Array:
    """Compute dlogits = dy · (softmax(logits) · Σ_k q_k − q), where q is the smoothed, weighted target.

    For the mean it is divided as the loss was. Without weights Σ q is 1, and softmax − target remains.

    >>> cross_entropy_backward(np.array(1.0), np.log([[0.25, 0.75]]), np.array([1]))
    array([[ 0.25, -0.25]])
    """
    target = _weighted_target(logits, labels, weight, label_smoothing)  # (N, K, …)
    dlogits = softmax(logits, axis=1) * target.sum(1, keepdims=True) - target
    if reduction == "none":
        return np.asarray(dlogits * np.expand_dims(dy, 1))
    return np.asarray(dlogits * (dy / _divisor(labels, weight, reduction, logits.dtype)))


def mse(x: Array, target: Array, *, reduction: str) -> Array:
    """Compute (x − target)² cell by cell; x and target have the same shape.

    >>> mse(np.array([1.0, 2.0]), np.array([3.0, 2.0]), reduction="none")
    array([4., 0.])
    """
    return _reduce((x - target) ** 2, reduction)


def mse_backward(dy: Array, x: Array, target: Array, *, reduction: str) -> tuple[Array, Array]:
    """Return dx = dy · 2 · (x − target) and dtarget = −dx, divided by the number of cells for the mean.

    >>> mse_backward(np.array(1.0), np.array([1.0, 2.0]), np.array([3.0, 2.0]), reduction="mean")
    (array([-2.,  0.]), array([ 2., -0.]))
    """
    dx = _spread(dy, x, reduction) * 2 * (x - target)
    return dx, -dx


def binary_cross_entropy(p: Array, target: Array, *, reduction: str) -> Array:
    """Compute −target · log p − (1 − target) · log(1 − p) for probabilities p, no logarithm taken below −100.

    >>> binary_cross_entropy(np.array([1.0, 0.0]), np.array([1.0, 1.0]), reduction="none")
    array([ -0., 100.])
    """
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return _reduce((target - 1) * no - target * yes, reduction)


def binary_cross_entropy_backward(dy: Array, p: Array, target: Array, *, reduction: str) -> Array:
    """Compute dp = dy · (p − target) / (p · (1 − p)), the denominator not below 1e-12.

    >>> binary_cross_entropy_backward(np.array(1.0), np.array([0.5]), np.array([1.0]), reduction="sum")
    array([-2.])
    """
    return np.asarray(_spread(dy, p, reduction) * (p - target) / np.maximum(p * (1 - p), 1e-12))


def binary_cross_entropy_with_logits(x: Array, target: Array, *, reduction: str) -> Array:
    """Compute the binary cross-entropy of p = sigmoid(x), as max(x, 0) − x · target + log(1 + exp(−|x|)).

    >>> binary_cross_entropy_with_logits(np.array([1000.0, 1000.0]), np.array([1.0, 0.0]), reduction="none")
    array([   0., 1000.])
    """
    return _reduce(np.maximum(x, 0) - x * target + np.log1p(np.exp(-abs(x))), reduction)


def binary_cross_entropy_with_logits_backward(dy: Array, x: Array, target: Array, *, reduction: str) -> Array:
    """Compute dx = dy · (sigmoid(x) − target), divided by the number of cells for the mean.

    >>> one = np.array(1.0)
    >>> binary_cross_entropy_with_logits_backward(one, np.array([0.0]), np.array([1.0]), reduction="sum")
    array([-0.5])
    """
    return np.asarray(_spread(dy, x, reduction) * (sigmoid(x) - target))


def _weighted_target(logits: Array, labels: Array, weight: Array | None, label_smoothing: float) -> Array:
    """Return q_k = weight_k · ((1 − e) · target_k + e / K), in the shape of the logits."""
    classes = logits.shape[1]
    even = label_smoothing / classes
    hot = np.expand_dims(labels, 1) == along(np.arange(classes), 1, logits.ndim)  # (N, K, …)
    target = np.where(hot, 1 - label_smoothing + even, even).astype(logits.dtype)
    return np.asarray(target if weight is None else target * along(weight, 1, logits.ndim))


def _divisor(labels: Array, weight: Array | None, reduction: str, dtype: np.dtype[Any]) -> Array:
    """Return what the sum of a cross-entropy is divided by, as a number of the given dtype."""
    if reduction == "sum":
        return np.asarray(1, dtype)
    return np.asarray(labels.size if weight is None else weight[labels].sum(), dtype)


def _reduce(losses: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    return np.asarray(losses.mean() if reduction == "mean" else losses.sum())


def _spread(dy: Array, x: Array, reduction: str) -> Array:
    """Return the gradient of each single loss, given that of the reduced one."""
    return dy / x.size if reduction == "mean" else dy
