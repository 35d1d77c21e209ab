"""Losses as modules."""

from typing import Any

import numpy as np

from pellucid import ops
from pellucid.nn import losses
from pellucid.nn.module import Module
from pellucid.nn.parameter import Buffer
from pellucid.types import Array


class CrossEntropyLoss(Module):
    """−log softmax(logits)[label], with optional class weights (K,)."""

    one_op = True

    def __init__(self, weight: Array | None = None, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.weight = None if weight is None else Buffer(np.asarray(weight, np.float32))
        self.reduction, self.label_smoothing = reduction, label_smoothing
        ops.CrossEntropy(label_smoothing, reduction)  # refuses bad settings now rather than at the first call

    def _run(self, inputs: tuple[Any, ...], executor: str = "fast") -> Any:
        if len(inputs) == 2:
            losses.check_labels(np.asarray(inputs[1]), np.shape(inputs[0]))
        return super()._run(inputs, executor)

    def forward(self, logits: Any, labels: Any) -> Any:
        return losses.cross_entropy(logits, labels, self.weight, self.label_smoothing, self.reduction)


class _Comparison(Module):
    one_op = True

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction
        ops.MSE(reduction)  # refuses a bad reduction now; the rule is the same for all of them


class MSELoss(_Comparison):
    """(x − target)²."""

    def forward(self, x: Any, target: Any) -> Any:
        return losses.mse_loss(x, target, self.reduction)


class BCELoss(_Comparison):
    """Binary cross-entropy of probabilities."""

    def forward(self, x: Any, target: Any) -> Any:
        return losses.binary_cross_entropy(x, target, self.reduction)


class BCEWithLogitsLoss(_Comparison):
    """Binary cross-entropy of sigmoid(x)."""

    def forward(self, x: Any, target: Any) -> Any:
        return losses.binary_cross_entropy_with_logits(x, target, self.reduction)
