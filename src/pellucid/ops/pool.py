"""Pooling: the maximum, the average or the p-norm of every window; channels stay apart."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ParameterError, ShapeError
from pellucid.geometry import Window
from pellucid.kernels import pooling
from pellucid.ops.base import (
    Candidate,
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    check_number,
    check_rank,
    present,
)
from pellucid.types import Array, Padding, Pair, TensorType


@dataclass(frozen=True)
class MaxPool2d(Op):
    """The largest value of every window, and where it stood: a flat index into the unpadded plane.

    Padding never wins. The first of equal values wins. NaN beats everything, and the last of several wins, as in
    PyTorch.
    """

    kernel: Pair
    stride: Pair
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    ceil_mode: bool = False

    results: ClassVar = ("y", "indices")

    def __post_init__(self) -> None:
        _check_pooling(self, self.kernel, self.stride, self.padding, self.dilation)
        check_choice(self, "ceil_mode", self.ceil_mode, (False, True))

    def window(self, *_: Any) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        y = _pooled(self.window(), x)
        return y, TensorType(y.shape, "int32")

    def reference(self, x: Array) -> Results:
        return reference.max_pool2d(x, **vars(self))

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return ("indices",)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, indices: Any) -> Results:
        return (reference.max_pool2d_backward(dy, indices, present(types).shape),)

    def candidates(self) -> tuple[Candidate, ...]:
        def bind(op: MaxPool2d, types: Types) -> Any:
            return lambda x: pooling.max_pool2d_disjoint(x, kernel=op.kernel)

        return (Candidate("max_pool2d_disjoint", bind, _disjoint_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        def bind(op: MaxPool2d, types: Types) -> Any:
            shape = present(types).shape
            return lambda dy, indices: (pooling.max_pool2d_disjoint_backward(dy, indices, shape, kernel=op.kernel),)

        return (Candidate("max_pool2d_disjoint_backward", bind, _disjoint_rejects),)


def _disjoint_rejects(op: MaxPool2d, types: Types) -> str | None:
    if op.stride != op.kernel or op.dilation != (1, 1):
        return f"stride {op.stride} and dilation {op.dilation}: windows must tile the plane"
    if op.padding != ((0, 0), (0, 0)):
        return f"padding {op.padding}: takes none"
    if op.ceil_mode and any(size % k for size, k in zip(present(types).shape[2:], op.kernel, strict=True)):
        return "ceil_mode with a window over the end"
    return None


@dataclass(frozen=True)
class AvgPool2d(Op):
    """The mean of every window; ``count_include_pad`` says whether padding cells count as zeros or not at all."""

    kernel: Pair
    stride: Pair
    padding: Padding = ((0, 0), (0, 0))
    ceil_mode: bool = False
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        _check_pooling(self, self.kernel, self.stride, self.padding)
        check_choice(self, "ceil_mode", self.ceil_mode, (False, True))
        check_choice(self, "count_include_pad", self.count_include_pad, (False, True))

    def window(self, *_: Any) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, ceil_mode=self.ceil_mode)

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        return (_pooled(self.window(), x),)

    def reference(self, x: Array) -> Results:
        return (reference.avg_pool2d(x, **vars(self)),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **_: Any) -> Results:
        return (reference.avg_pool2d_backward(dy, present(types).shape, **vars(self)),)


@dataclass(frozen=True)
class LPPool2d(Op):
    """(Σ xᵖ)^(1/p) over every window, p being ``norm``; for p = 1 the sum, for p → ∞ the maximum."""

    norm: float
    kernel: Pair
    stride: Pair
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        check_number(self, "norm", self.norm, minimum=1)
        _check_pooling(self, self.kernel, self.stride, ((0, 0), (0, 0)))
        check_choice(self, "ceil_mode", self.ceil_mode, (False, True))

    def window(self, *_: Any) -> Window:
        return Window.of(self.kernel, self.stride, ceil_mode=self.ceil_mode)

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        return (_pooled(self.window(), x),)

    def reference(self, x: Array) -> Results:
        return (reference.lp_pool2d(x, **vars(self)),)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return "x", "y"

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, *, x: Any, y: Any) -> Results:
        return (reference.lp_pool2d_backward(dy, x, y, **vars(self)),)


@dataclass(frozen=True)
class AdaptiveAvgPool2d(Op):
    """The mean over windows chosen to give ``output_size``; (1, 1) is global average pooling.

    Output cell i averages the rows ⌊i·H/out⌋ … ⌈(i+1)·H/out⌉ − 1.
    """

    output_size: Pair

    def __post_init__(self) -> None:
        check_integers(self, "output_size", self.output_size, minimum=1)

    def window(self, x: TensorType) -> Window | None:
        """Return the window where all are alike; None where the sizes do not divide."""
        height, width = x.shape[2:]
        rows, columns = self.output_size
        if height % rows or width % columns:
            return None
        kernel = (height // rows, width // columns)
        return Window.of(kernel, stride=kernel)

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        check_rank(x, 4)
        check_floating(x)
        if 0 in x.shape[2:]:
            raise ShapeError(f"cannot average an empty plane; got shape {x.shape}.")
        return (TensorType((*x.shape[:2], *self.output_size), x.dtype),)

    def reference(self, x: Array) -> Results:
        return (reference.adaptive_avg_pool2d(x, **vars(self)),)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **_: Any) -> Results:
        return (reference.adaptive_avg_pool2d_backward(dy, present(types).shape, **vars(self)),)


def _check_pooling(op: Op, kernel: Any, stride: Any, padding: Any, dilation: Any = (1, 1)) -> None:
    check_integers(op, "kernel", kernel, minimum=1)
    check_integers(op, "stride", stride, minimum=1)
    check_integers(op, "padding", padding, minimum=0, shape=(2, 2))
    check_integers(op, "dilation", dilation, minimum=1)
    for size, pair, gap in zip(kernel, padding, dilation, strict=True):
        if max(pair) > (gap * (size - 1) + 1) / 2:  # wider padding would make windows that see nothing real
            raise ParameterError(
                f"The 'padding' parameter of {op.kind} must be at most half the extent of its kernel {kernel}; "
                f"got {padding}."
            )


def _pooled(window: Window, x: TensorType) -> TensorType:
    check_rank(x, 4)
    check_floating(x)
    return TensorType((*x.shape[:2], *window.output_size(*x.shape[2:])), x.dtype)
