"""Batch normalisation with its memory: what the layers and a loaded graph share."""

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


def p4_batch_norm(
    op: ops.BatchNorm,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Buffer | None,
    variance: Buffer | None,
    count: Buffer | None,
) -> Any:
    """Normalise p4 maps (N, 4·C, H, W) as :func:`batch_norm` does images, with numbers that four orientations share.

    In training the planes of a feature are laid below each other, so that it has one mean; afterwards its numbers are
    repeated for each plane, which leaves one operation that a convolution before it can take over.
    """
    if not op.training:
        own = weight, bias, mean, variance
        return apply(op, x, *(value if value is None else apply(ops.Orientations(), value) for value in own))
    n, channels, height, width = x.shape
    stacked = x.reshape(n, channels // 4, 4 * height, width)
    y = batch_norm(op, stacked, weight, bias, mean, variance, count)
    return y.reshape(n, channels, height, width)
