"""How a cell of each kind of operation follows from what it reads: one small file per family."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pellucid import ops
from pellucid.errors import ParameterError
from pellucid.explain.cells import moves, norms, pointwise, pooling, rounding, softmax, sums
from pellucid.explain.cells.parts import Arithmetic, Site
from pellucid.ops import Op

_BY_OP: dict[type[Op], Callable[[Site], Arithmetic]] = {
    ops.Conv2d: sums.convolution,
    ops.ConvTranspose2d: sums.transposed,
    ops.Linear: sums.dense,
    ops.MaxPool2d: pooling.maximum,
    ops.AvgPool2d: pooling.average,
    ops.LPPool2d: pooling.power,
    ops.AdaptiveAvgPool2d: pooling.adaptive,
    ops.Mean: pooling.over_axes,
    ops.Sum: pooling.over_axes,
    ops.BatchNorm: norms.batch,
    ops.LayerNorm: norms.layer,
    ops.GroupNorm: norms.group,
    ops.LocalResponseNorm: norms.local_response,
    ops.Add: pointwise.add,
    ops.Multiply: pointwise.multiply,
    ops.PReLU: pointwise.prelu,
    **dict.fromkeys(pointwise.FORMULAS, pointwise.activation),
    ops.Softmax: softmax.share,
    ops.LogSoftmax: softmax.share,
    **dict.fromkeys(moves.MOVES, moves.moved),
}


def arithmetic(site: Site) -> Arithmetic:
    """Take a cell apart. Raises ParameterError where there is no account of its kind of operation."""
    with np.errstate(all="ignore"):  # infinity and NaN are numbers like others here
        found = _explanation(site.op)(site)
        return replace(found, bound=rounding.settled(found.result, found.bound, found.operands, site.x.dtype))


def _explanation(op: Op) -> Callable[[Site], Arithmetic]:
    if isinstance(op, ops.Resize) and op.mode == "bilinear":
        return moves.resized
    explain = _BY_OP.get(type(op))
    if explain is None or (isinstance(op, ops.Dropout) and op.training):
        raise ParameterError(
            f"There is no account of a cell of {op.kind}; choose a layer that a network is used with, not trained."
        )
    return explain
