"""Convolution and its transpose."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.geometry import Window
from pellucid.kernels import im2col
from pellucid.ops.base import (
    Candidate,
    Kernel,
    Op,
    Results,
    Types,
    check_choice,
    check_floating,
    check_integers,
    check_parameter,
    check_rank,
    present,
)
from pellucid.ops.convolve import (
    gather_cost,
    lower_backward_weight,
    lower_gather,
    lower_gather_backward_data,
    lower_rows,
    lower_winograd,
    lower_winograd_backward_data,
    lower_winograd_backward_weight,
    rejects_gather,
    rejects_rows,
    rejects_winograd,
    rejects_winograd_backward_data,
    rejects_winograd_backward_weight,
    winograd_backward_data_cost,
    winograd_cost,
)
from pellucid.ops.depthwise import (
    lower_depthwise,
    lower_depthwise_backward_data,
    lower_depthwise_backward_weight,
    rejects_depthwise,
)
from pellucid.ops.pad import BORDERS, check_border
from pellucid.ops.transposed import (
    lower_transposed,
    lower_transposed_backward_data,
    lower_transposed_backward_weight,
    rejects_transposed,
)
from pellucid.types import Array, Padding, Pair, Shape, TensorType

_Pass: TypeAlias = Callable[[Array, Any, Shape], Array]


@dataclass(frozen=True)
class Conv2d(Op):
    """Slide a kernel over an image: multiply, sum, add the bias.

    The weight is (O, C/groups, KH, KW). What lessons draw, and frameworks compute, is cross-correlation; ``flip``
    rotates the kernel by 180° and makes it the convolution of mathematics.
    """

    stride: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    border: str = "zeros"
    flip: bool = False

    arguments: ClassVar = ("x", "weight", "bias")
    optional: ClassVar = ("bias",)

    def __post_init__(self) -> None:
        _check_sliding(self, self.stride, self.padding, self.dilation, self.groups)
        check_choice(self, "border", self.border, BORDERS)
        check_choice(self, "flip", self.flip, (False, True))

    def window(self, x: TensorType, weight: TensorType, *_: Any) -> Window:
        kernel = weight.shape[2], weight.shape[3]
        return Window.of(kernel, self.stride, self.padding, self.dilation)

    def infer(self, x: TensorType, weight: TensorType, bias: TensorType | None) -> tuple[TensorType, ...]:
        _check_operands(x, weight)
        (n, channels, height, width), (filters, per_group) = x.shape, weight.shape[:2]
        if channels != per_group * self.groups:
            _refuse_channels(x, per_group * self.groups)
        if filters % self.groups:
            raise ShapeError(f"has {filters} filters, which {self.groups} groups do not divide.")
        check_parameter("bias", bias, (filters,), x.dtype)
        check_border(self.border, ((0, 0), (0, 0), *self.padding), x.shape)
        rows, columns = self.window(x, weight).output_size(height, width)
        return (TensorType((n, filters, rows, columns), x.dtype),)

    def macs(self, x: TensorType, weight: TensorType, bias: TensorType | None) -> int:
        (y,) = self.infer(x, weight, bias)
        return y.size * (weight.size // weight.shape[0])

    def reference(self, x: Array, weight: Array, bias: Array | None) -> Results:
        return (reference.conv2d(x, weight, bias, **vars(self)),)

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        return ("x",), ("weight", "bias")

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return _saved(wrt)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **saved: Any) -> Results:
        data = partial(reference.conv2d_backward_data, **vars(self))
        weight = partial(reference.conv2d_backward_weight, **vars(self))
        return _backward(data, weight, wrt, types, dy, **saved)

    def candidates(self) -> tuple[Candidate, ...]:
        def bind(op: Conv2d, types: Types) -> Kernel:
            return lambda x, weight, bias: (im2col.conv2d(x, weight, bias, **op._sliding()),)

        return (
            *_winograds("conv2d", rejects_winograd, lower_winograd, winograd_cost),
            Candidate("conv2d_rows", rejects=rejects_rows, lower=lower_rows, fuses=True),
            Candidate("conv2d_depthwise", rejects=rejects_depthwise, lower=lower_depthwise, fuses=True),
            Candidate("conv2d_gather", rejects=rejects_gather, lower=lower_gather, fuses=True, cost=gather_cost),
            Candidate("conv2d_im2col", bind, _im2col_rejects),
        )

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        if wrt == ("x",):
            return (
                *_winograds(
                    "conv2d_backward_data",
                    rejects_winograd_backward_data,
                    lower_winograd_backward_data,
                    winograd_backward_data_cost,
                ),
                Candidate(
                    "conv2d_backward_data_depthwise",
                    rejects=rejects_depthwise,
                    lower=lower_depthwise_backward_data,
                    fuses=True,
                ),
                Candidate(
                    "conv2d_backward_data_gather",
                    rejects=rejects_gather,
                    lower=lower_gather_backward_data,
                    fuses=True,
                    cost=gather_cost,
                ),
                Candidate("conv2d_backward_data_im2col", _bind_backward_data, _backward_data_rejects),
            )
        return (
            Candidate(
                "conv2d_backward_weight_k3s1_winograd4",
                rejects=partial(rejects_winograd_backward_weight, wrt),
                lower=partial(lower_winograd_backward_weight, wrt),
            ),
            Candidate(
                "conv2d_backward_weight_depthwise",
                rejects=rejects_depthwise,
                lower=partial(lower_depthwise_backward_weight, wrt),
            ),
            Candidate("conv2d_backward_weight", rejects=rejects_gather, lower=partial(lower_backward_weight, wrt)),
            Candidate("conv2d_backward_weight_im2col", partial(_bind_backward_weight, wrt), _im2col_rejects),
        )

    def _sliding(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("stride", "padding", "dilation", "flip")}


def _bind_backward_data(op: Conv2d, types: Types) -> Kernel:
    shape = present(types).shape
    return lambda dy, weight: (im2col.conv2d_backward_data(dy, weight, shape, **op._sliding()),)


def _bind_backward_weight(wrt: tuple[str, ...], op: Conv2d, types: Types) -> Kernel:
    shape = present(types, 1).shape
    compute = {
        "weight": lambda dy, x: im2col.conv2d_backward_weight(dy, x, shape, **op._sliding()),
        "bias": lambda dy, x: im2col.bias_backward(dy),
    }

    def run(dy: Array, x: Any = None) -> Results:
        return tuple(compute[name](dy, x) for name in wrt)

    return run


def _im2col_rejects(op: Conv2d, types: Types) -> str | None:
    if op.groups != 1:
        return f"{op.groups} groups: one matrix product needs a single group"
    if op.border != "zeros":
        return f"border {op.border!r}: copies rows of zeros only"
    return None


def _backward_data_rejects(op: Conv2d, types: Types) -> str | None:
    if op.stride != (1, 1):
        return f"stride {op.stride}: the gradient is a convolution for stride 1 only"
    return _im2col_rejects(op, types)


@dataclass(frozen=True)
class ConvTranspose2d(Op):
    """Stamp the kernel, scaled by each input cell, onto a larger output and add up: the adjoint of a convolution.

    The weight is (C, O/groups, KH, KW). ``output_padding`` adds rows and columns at the end, to tell apart the input
    sizes that a stride maps to the same output size.
    """

    stride: Pair = (1, 1)
    padding: Padding = ((0, 0), (0, 0))
    output_padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    arguments: ClassVar = ("x", "weight", "bias")
    optional: ClassVar = ("bias",)

    def __post_init__(self) -> None:
        _check_sliding(self, self.stride, self.padding, self.dilation, self.groups)
        check_integers(self, "output_padding", self.output_padding, minimum=0)

    def window(self, x: TensorType, weight: TensorType, *_: Any) -> Window:
        kernel = weight.shape[2], weight.shape[3]
        return Window.transposed(kernel, self.stride, self.padding, self.dilation, self.output_padding)

    def infer(self, x: TensorType, weight: TensorType, bias: TensorType | None) -> tuple[TensorType, ...]:
        _check_operands(x, weight)
        (n, channels, height, width), (expected, per_group) = x.shape, weight.shape[:2]
        if channels != expected:
            _refuse_channels(x, expected)
        if channels % self.groups:
            raise ShapeError(f"has {channels} input channels, which {self.groups} groups do not divide.")
        for added, stride, dilation in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if added >= max(stride, dilation):
                raise ShapeError(
                    f"has an output_padding of {added}, which must be smaller than its stride {stride} "
                    f"or its dilation {dilation}."
                )
        check_parameter("bias", bias, (per_group * self.groups,), x.dtype)
        rows, columns = self.window(x, weight).output_size(height, width)
        return (TensorType((n, per_group * self.groups, rows, columns), x.dtype),)

    def macs(self, x: TensorType, weight: TensorType, bias: TensorType | None) -> int:
        return x.size * (weight.size // weight.shape[0])  # every input cell stamps every tap once

    def reference(self, x: Array, weight: Array, bias: Array | None) -> Results:
        return (reference.conv_transpose2d(x, weight, bias, **vars(self)),)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("conv_transpose2d_gather", rejects=rejects_transposed, lower=lower_transposed),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        if wrt == ("x",):
            name, lower = "conv_transpose2d_backward_data_gather", lower_transposed_backward_data
        else:
            name, lower = "conv_transpose2d_backward_weight", partial(lower_transposed_backward_weight, wrt)
        return (Candidate(name, rejects=rejects_transposed, lower=lower),)

    def gradient_groups(self) -> tuple[tuple[str, ...], ...]:
        return ("x",), ("weight", "bias")

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return _saved(wrt)

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **saved: Any) -> Results:
        data = partial(reference.conv_transpose2d_backward_data, **vars(self))
        weight = partial(reference.conv_transpose2d_backward_weight, **vars(self))
        return _backward(data, weight, wrt, types, dy, **saved)


def _winograds(
    name: str,
    rejects: Callable[[Any, Types], str | None],
    lower: Callable[..., None],
    cost: Callable[[int, Any, Types], float],
) -> tuple[Candidate, ...]:
    """List Winograd's algorithm on tiles of 4×4 and of 2×2 outputs."""
    return tuple(
        Candidate(
            f"{name}_k3s1_winograd{m}", rejects=rejects, lower=partial(lower, m), fuses=True, cost=partial(cost, m)
        )
        for m in (4, 2)
    )


def _saved(wrt: tuple[str, ...]) -> tuple[str, ...]:
    names = {"x": "weight", "weight": "x"}
    return tuple(names[name] for name in wrt if name in names)


def _backward(
    data: _Pass, weights: _Pass, wrt: tuple[str, ...], types: Types, dy: Array, x: Any = None, weight: Any = None
) -> Results:
    """Gradients named in ``wrt`` through the given backward-data and backward-weight functions."""
    compute = {
        "x": lambda: data(dy, weight, present(types).shape),
        "weight": lambda: weights(dy, x, present(types, 1).shape),
        "bias": lambda: reference.bias_backward(dy),
    }
    return tuple(compute[name]() for name in wrt)


def _check_sliding(op: Op, stride: Any, padding: Any, dilation: Any, groups: Any) -> None:
    check_integers(op, "stride", stride, minimum=1)
    check_integers(op, "padding", padding, minimum=0, shape=(2, 2))
    check_integers(op, "dilation", dilation, minimum=1)
    check_integers(op, "groups", groups, minimum=1, shape=())


def _check_operands(x: TensorType, weight: TensorType) -> None:
    check_rank(x, 4)
    check_floating(x)
    if len(weight.shape) != 4 or 0 in weight.shape or weight.dtype != x.dtype:
        raise ShapeError(f"needs a weight of 4 axes (O, C/groups, KH, KW) in {x.dtype}, none of them 0, got {weight}.")


def _refuse_channels(x: TensorType, expected: int) -> None:
    shape = x.shape
    hint = ""
    if shape[3] == expected:
        hint = "; channels last? x.transpose(0, 3, 1, 2)"
    raise ShapeError(f"needs {expected} channels on axis 1, got shape {shape}{hint}.")
