"""Pooling: the maximum, the average or the p-norm of every window; channels stay apart."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ParameterError, ShapeError
from pellucid.geometry import Axis, TransposedAxis, Window
from pellucid.kernels import pooling, resample
from pellucid.kernels.program import Buffer
from pellucid.kernels.windows import Windows
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
from pellucid.ops.lowering import Work, not_images
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
        return (
            Candidate("max_pool2d_k2s2", lower=_lower_quarters, rejects=_quarters_rejects),
            Candidate("max_pool2d", lower=_lower_maximum, rejects=_maximum_rejects),
        )

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (
            Candidate("max_pool2d_k2s2_backward", lower=_lower_quarters_backward, rejects=_quarters_backward_rejects),
            Candidate("max_pool2d_backward", lower=_lower_maximum_backward, rejects=_maximum_rejects),
        )


def _lower_quarters(work: Work, op: MaxPool2d, types: Types) -> None:
    x, y, indices, keep = _maximum_buffers(work)
    dealt = pooling.parts(y.images[0] * y.images[2], 2 * x.images[3] * x.pixel)
    parts, *lines = dealt
    work.call(pooling.forward_quarters(keep), parts, x, y, indices, *pooling.sizes(x, y), *lines)


def _lower_maximum(work: Work, op: MaxPool2d, types: Types) -> None:
    x, y, indices, keep = _maximum_buffers(work)
    rows, columns = _windows(op, present(types))
    n, _, y_height, _ = y.images
    parts, *lines = pooling.parts(n * y_height, x.images[2] * x.images[3] * x.pixel // y_height)
    tables = work.constant(rows.table), work.constant(columns.table)
    work.call(pooling.forward(keep), parts, x, y, indices, *tables, *pooling.sizes(x, y), *lines)


def _maximum_buffers(work: Work) -> tuple[Buffer, Buffer, Buffer, bool]:
    """Return x, y, indices, and whether these are kept; else y stands in for them and is not written to twice."""
    keep = work.is_read(1)
    x, y = work.image(0), work.image_result()
    return x, y, work.image_result(1) if keep else y, keep


def _lower_quarters_backward(work: Work, op: MaxPool2d, types: Types) -> None:
    dy, indices, dx = work.image(0), work.image(1), work.image_result()
    parts, *lines = pooling.parts(dy.images[0] * dy.images[2], 2 * dx.images[3] * dx.pixel)
    work.call(pooling.backward_quarters(), parts, dy, indices, dx, *pooling.sizes(dx, dy), *lines)


def _lower_maximum_backward(work: Work, op: MaxPool2d, types: Types) -> None:
    dy, indices, dx = work.image(0), work.image(1), work.image_result()
    n, _, height, wide = dx.images
    rows, columns = _windows(op, present(types))
    tables = work.constant(rows.transposed(height).table), work.constant(columns.transposed(wide).table)
    parts, *lines = pooling.parts(n * height, wide * dx.pixel)
    work.call(pooling.backward(), parts, dy, indices, dx, *tables, *pooling.sizes(dx, dy), *lines)


def _quarters_rejects(op: MaxPool2d, types: Types) -> str | None:
    """Say why the windows are not the plane's 2×2 blocks."""
    if not op.kernel == op.stride == (2, 2) or op.dilation != (1, 1):
        return (
            f"kernel {op.kernel}, stride {op.stride} and dilation {op.dilation}: windows must be 2×2 and tile the plane"
        )
    if op.padding != ((0, 0), (0, 0)):
        return f"padding {op.padding}: takes none"
    if op.ceil_mode and _is_odd(types):
        return "ceil_mode with a window over the end"
    return not_images(op, types)


def _quarters_backward_rejects(op: MaxPool2d, types: Types) -> str | None:
    return _quarters_rejects(op, types) or ("an odd size: cells that no window sees" if _is_odd(types) else None)


def _is_odd(types: Types) -> bool:
    return any(size % 2 for size in present(types).shape[2:])


def _maximum_rejects(op: MaxPool2d, types: Types) -> str | None:
    reason = not_images(op, types)
    if reason is None and any((axis.counts == 0).any() for axis in _windows(op, present(types))):
        return "a window that meets no cell"
    return reason


def _windows(op: Any, x: TensorType) -> tuple[Windows, Windows]:
    """Tables of the cells that a window meets, by rows and by columns."""
    window, (height, wide) = op.window(x), x.shape[2:]
    return _met(window.rows, height), _met(window.columns, wide)


def _met(axis: Axis | TransposedAxis, size: int) -> Windows:
    return Windows.of([cell for cell in axis.inputs(i) if 0 <= cell < size] for i in range(axis.output_size(size)))


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

    def candidates(self) -> tuple[Candidate, ...]:
        def lower(work: Work, op: AvgPool2d, types: Types) -> None:
            _lower_average(work, _averages(op, present(types)))

        return (Candidate("avg_pool2d", lower=lower, rejects=not_images),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        def lower(work: Work, op: AvgPool2d, types: Types) -> None:
            _lower_average_backward(work, _averages(op, present(types)))

        return (Candidate("avg_pool2d_backward", lower=lower, rejects=not_images),)


def _averages(op: AvgPool2d, x: TensorType) -> tuple[Windows, Windows]:
    """Tables of the cells that a window meets, and of how many it counts, by rows and by columns."""
    window, (height, wide) = op.window(x), x.shape[2:]
    return _counted(op, window.rows, height), _counted(op, window.columns, wide)


def _counted(op: AvgPool2d, axis: Any, size: int) -> Windows:
    before, after = (axis.before, axis.after) if op.count_include_pad else (0, 0)
    cells = [axis.inputs(i) for i in range(axis.output_size(size))]
    counts = [sum(-before <= cell < size + after for cell in row) for row in cells]
    return Windows.of([[cell for cell in row if 0 <= cell < size] for row in cells], divisors=counts)


def _lower_average(work: Work, windows: tuple[Windows, Windows]) -> None:
    x, y = work.image(0), work.image_result()
    work.call(*resample.arguments(x, y, *windows, work.constant, divide=True))


def _lower_average_backward(work: Work, windows: tuple[Windows, Windows]) -> None:
    dy, dx = work.image(0), work.image_result()
    rows, columns = windows[0].transposed(dx.images[2]), windows[1].transposed(dx.images[3])
    work.call(*resample.arguments(dy, dx, rows, columns, work.constant))


def lower_mean_of_images(work: Work, op: Op, types: Types) -> None:
    """Lower the mean over the rows and columns of images."""
    _lower_average(work, _even(present(types), (1, 1)))


def lower_mean_of_images_backward(work: Work, op: Op, types: Types) -> None:
    """Lower the gradient of the mean over the rows and columns of images."""
    _lower_average_backward(work, _even(present(types), (1, 1)))


def rejects_mean(op: Any, types: Types) -> str | None:
    """Say why a mean is not over the rows and columns of images."""
    if tuple(sorted(op.axes)) != (2, 3):
        return f"axes {op.axes}: averages rows and columns"
    return not_images(op, types)


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

    def candidates(self) -> tuple[Candidate, ...]:
        def lower(work: Work, op: AdaptiveAvgPool2d, types: Types) -> None:
            _lower_average(work, _even(present(types), op.output_size))

        return (Candidate("adaptive_avg_pool2d", lower=lower, rejects=not_images),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        def lower(work: Work, op: AdaptiveAvgPool2d, types: Types) -> None:
            _lower_average_backward(work, _even(present(types), op.output_size))

        return (Candidate("adaptive_avg_pool2d_backward", lower=lower, rejects=not_images),)


def _even(x: TensorType, output_size: Pair) -> tuple[Windows, Windows]:
    """Tables of windows that cover the plane evenly, by rows and by columns."""
    rows, columns = (
        [range(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        for size, count in zip(x.shape[2:], output_size, strict=True)
    )
    return Windows.of(rows, divisors=[len(row) for row in rows]), Windows.of(
        columns, divisors=[len(c) for c in columns]
    )


def _check_pooling(op: Op, kernel: Any, stride: Any, padding: Any, dilation: Any = (1, 1)) -> None:
    check_integers(op, "kernel", kernel, minimum=1)
    check_integers(op, "stride", stride, minimum=1)
    check_integers(op, "padding", padding, minimum=0, shape=(2, 2))
    check_integers(op, "dilation", dilation, minimum=1)
    for size, pair, gap in zip(kernel, padding, dilation, strict=True):
        if 2 * max(pair) > gap * (size - 1) + 1:  # wider padding would make windows that see nothing real
            raise ParameterError(
                f"The 'padding' parameter of {op.kind} must be at most half the extent of its kernel {kernel}; "
                f"got {padding}."
            )


def _pooled(window: Window, x: TensorType) -> TensorType:
    check_rank(x, 4)
    check_floating(x)
    return TensorType((*x.shape[:2], *window.output_size(*x.shape[2:])), x.dtype)
