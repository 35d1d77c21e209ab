"""A pointwise convolution and the depthwise one after it as one op of a plan, and how it becomes a kernel's call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid.kernels import depthwise, pointwise_depthwise
from pellucid.kernels.host import host
from pellucid.kernels.program import padded
from pellucid.kernels.windows import Windows
from pellucid.ops.base import Candidate, Op, Results, Types, present
from pellucid.ops.conv import Conv2d
from pellucid.ops.convolve import Filters, packed_filters, padded_bias, rejects_gather, vectors_of
from pellucid.ops.depthwise import packed_kernels, rejects_depthwise
from pellucid.ops.fused import Fused
from pellucid.ops.lowering import Work
from pellucid.types import TensorType


@dataclass(frozen=True)
class PointwiseDepthwise(Op, only_in_plans=True):
    """Two convolutions with what each does at its end: one of 1×1 cells, then one with a kernel for each channel."""

    first: Fused
    second: Fused

    arguments: ClassVar = ("x", "weight", "bias", "depthwise_weight", "depthwise_bias")
    optional: ClassVar = ("bias", "depthwise_bias")

    def infer(self, *types: TensorType | None) -> tuple[TensorType, ...]:
        return self.second.infer(*self.first.infer(*types[:3]), *types[3:])

    def macs(self, *types: Any) -> int:
        return self.first.macs(*types[:3]) + self.second.macs(*self.first.infer(*types[:3]), *types[3:])

    def reference(self, x: Any, weight: Any, bias: Any, kernels: Any, biases: Any) -> Results:
        (between,) = self.first.reference(x, weight, bias, None)
        return self.second.reference(between, kernels, biases, None)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("conv2d_pointwise_depthwise", rejects=_rejects, lower=_lower),)


@dataclass(frozen=True)
class _Layout:
    """What kernel serves an op, and how its rows lie."""

    pattern: depthwise.Pattern
    name: str
    vectors: int
    panels: int
    line: int
    dealt: pointwise_depthwise.Bands | None

    @classmethod
    def of(cls, op: PointwiseDepthwise, types: Types) -> _Layout:
        """Lay rows out with zeros at both ends, as many cells as the last block of outputs reads."""
        (between,), (y,) = op.first.infer(*types[:3]), op.infer(*types)
        conv, (_, _, kh, kw) = _conv(op.second), present(types, 3).shape
        (down, across), dilation = conv.stride, conv.dilation
        pattern = depthwise.within(kw, across, dilation[1], y.shape[3])
        vectors = vectors_of(between.shape[1])
        panels = padded(between.shape[1]) // (vectors * host().width)
        cells = max(conv.padding[1][0] + between.shape[3], (y.shape[3] - 1) * across + (kw - 1) * dilation[1] + 1)
        line, reach = cells * vectors * host().width, (kh - 1) * dilation[0] + 1
        dealt = pointwise_depthwise.bands(y.shape[0], panels, line, y.shape[2], reach, down)
        name = f"pointwise_depthwise_w{kw}s{across}d{dilation[1]}_{pattern.outputs}cells"
        return cls(pattern, name, vectors, panels, line, dealt)


def _conv(fused: Fused) -> Conv2d:
    assert isinstance(fused.of, Conv2d)
    return fused.of


def _rejects(op: PointwiseDepthwise, types: Types) -> str | None:
    conv, second = _conv(op.first), _conv(op.second)
    if present(types, 1).shape[2:] != (1, 1) or conv.stride != (1, 1) or any(map(any, conv.padding)):
        return f"{conv} first: takes kernels of one cell, cell by cell"
    if conv.groups != 1:
        return f"{conv.groups} groups first: takes one"
    (between,) = op.first.infer(*types[:3])
    reason = rejects_gather(conv, types[:3]) or rejects_depthwise(second, (between, *types[3:]))
    if reason is not None:
        return reason
    return "a row that is too long for the cache" if _Layout.of(op, types).dealt is None else None


def _lower(work: Work, op: PointwiseDepthwise, types: Types) -> None:
    x, y, layout, conv = work.image(0), work.image_result(), _Layout.of(op, types), _conv(op.second)
    (n, _, height, wide), (_, _, y_height, y_wide) = x.images, y.images
    kernel_height, kernel_width = present(types, 3).shape[2:]
    assert layout.dealt is not None
    rows = depthwise.meetings(y_height, kernel_height, conv.stride[0], conv.padding[0][0], conv.dilation[0], height)
    first, second = op.first.ending(work, y.pixel), op.second.ending(work, y.pixel)
    kernel = pointwise_depthwise.forward(layout.pattern, layout.vectors, first.curve, second.curve, layout.name)
    filters = Filters.forward(1, present(types, 1).shape)
    work.call(
        kernel, n * layout.dealt.number * layout.panels, x, packed_filters(work, filters),
        padded_bias(work, 2, y.pixel), *first.after(y), packed_kernels(work, 3, conv, kernel_height * kernel_width, y),
        padded_bias(work, 4, y.pixel), *second.after(y), y,
        work.constant(pointwise_depthwise.tables(layout.vectors, x.pixel)), work.constant(Windows.of(rows).table),
        layout.panels, layout.dealt.number, layout.dealt.rows, height, wide, x.pixel, filters.inputs,
        conv.padding[1][0], layout.line, conv.stride[1], y_height, y_wide, y.pixel, scratch=layout.dealt.scratch,
    )  # fmt: skip
