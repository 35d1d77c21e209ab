"""Parameters of layers that treat an image alike in all four orientations."""

from dataclasses import dataclass
from typing import Any

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.ops.base import Op, Results, Types, present
from pellucid.types import Array, TensorType


@dataclass(frozen=True)
class Orientations(Op):
    """The base kernels or biases of a p4 layer in four orientations, each a quarter turn from the last.

    (O, C, K, K) → (4·O, C, K, K) for kernels on images; (O, C, 4, K, K) → (4·O, 4·C, K, K) for kernels on p4 maps;
    (O,) → (4·O,) for biases. Maps of one filter lie side by side: channel 4·o + r is filter o, turned r times.
    Cohen & Welling, *Group Equivariant Convolutional Networks* (2016).
    """

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        shape = x.shape
        if len(shape) == 1:
            return (TensorType((4 * shape[0],), x.dtype),)
        if len(shape) not in (4, 5) or shape[-1] != shape[-2] or (len(shape) == 5 and shape[2] != 4):
            raise ShapeError(f"needs biases (O,) or square kernels (O, C, K, K) or (O, C, 4, K, K), got shape {shape}.")
        channels = shape[1] if len(shape) == 4 else 4 * shape[1]
        return (TensorType((4 * shape[0], channels, *shape[-2:]), x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.orientations(x),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **_: Any) -> Results:
        return (reference.orientations_backward(dy, present(types).shape),)
