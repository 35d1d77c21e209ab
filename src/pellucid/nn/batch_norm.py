"""Batch normalisation with its memory: what the layer and a loaded graph share."""

import math
from typing import Any

from pellucid import ops
from pellucid.nn import tracing
from pellucid.nn.functional import apply, apply_all
from pellucid.nn.parameter import Buffer


def batch_norm(
    op: ops.BatchNorm,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Buffer | None,
    variance: Buffer | None,
    count: Buffer | None,
) -> Any:
    """Add the op to the graph; where ``count`` is given and the op is in training, let it update the buffers."""
    y, *batch = apply_all(op, x, weight, bias, mean, variance)
    if op.training and mean is not None and variance is not None and count is not None:
        values = math.prod(x.shape) // x.shape[1]
        batches = tracing.lift(count) + 1
        unbiased = ops.RunningAverage(op.momentum, scale=values / (values - 1))
        tracing.update(mean, apply(ops.RunningAverage(op.momentum), mean, batch[0], batches))
        tracing.update(variance, apply(unbiased, variance, batch[1], batches))
        tracing.update(count, batches)
    return y
