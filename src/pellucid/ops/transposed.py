"""How transposed convolutions and their gradients become calls of the engine's kernels.

A transposed convolution is what the gradient of a convolution's data is, and its own gradient is a convolution.
"""

from __future__ import annotations

from typing import Any

from pellucid.kernels import direct
from pellucid.ops.base import Types, present
from pellucid.ops.convolve import Filters, Pixels, emit_backward_weight, emit_gather, lower_bias
from pellucid.ops.lowering import NOTHING, Work, not_images
from pellucid.types import Pair


def rejects_transposed(op: Any, types: Types) -> str | None:
    """Say why gathered products do not serve."""
    return not_images(op, types)


def lower_transposed(work: Work, op: Any, types: Types) -> None:
    """Lower a transposed convolution: cells that differ by a stride meet the same taps."""
    filters = Filters.backward(1, present(types, 1).shape, False, op.groups)
    y = work.image_result()
    phases = direct.transposed_phases(y.images[2:], filters.kernel, op.stride, _before(op), op.dilation)
    emit_gather(work, Pixels.of(work.image(0)), y, filters, 2, phases, ((1, 1), op.stride), NOTHING)


def lower_transposed_backward_data(work: Work, op: Any, types: Types) -> None:
    """Lower the gradient of the data: the convolution of the slopes."""
    filters = Filters.forward(1, present(types, 1).shape, False, op.groups)
    dx = work.image_result()
    phases = direct.phases(dx.images[2:], filters.kernel, _before(op), op.dilation)
    emit_gather(work, Pixels.of(work.image(0)), dx, filters, None, phases, (op.stride, (1, 1)), NOTHING)


def lower_transposed_backward_weight(wrt: tuple[str, ...], work: Work, op: Any, types: Types) -> None:
    """Lower the gradient of weight and bias: that of the convolution, pixels and slopes in each other's place."""
    dy = work.image(0)
    if "weight" in wrt:
        dweight = work.plain_result(wrt.index("weight"))
        emit_backward_weight(work, op, Pixels.of(dy), work.image(1), _before(op), dweight, None)
    if "bias" in wrt:
        lower_bias(work, dy, wrt.index("bias"))


def _before(op: Any) -> Pair:
    return op.padding[0][0], op.padding[1][0]
