"""Hypothesis strategies: random settings and shapes for every family of operations.

A strategy draws a :class:`Case`, which holds shapes and settings but no numbers: those follow from its seed,
so that a failing example prints in a few lines and shrinks fast.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[Any]
BORDERS = ("zeros", "replicate", "reflect", "circular")

quick = settings(max_examples=50, deadline=None)


@dataclass(frozen=True)
class Case:
    """Shapes by input name, keyword arguments, and the seed of the numbers."""

    shapes: dict[str, tuple[int, ...]]
    settings: dict[str, Any]
    seed: int

    def array(self, name: str, dtype: str = "float64") -> Array:
        """Return normally distributed numbers for an input."""
        return self._generator(name).standard_normal(self.shapes[name]).astype(dtype)

    def integers(self, name: str, low: int = -4, high: int = 4, dtype: str = "float64") -> Array:
        """Return whole numbers low … high for an input: sums are exact, and equal values occur."""
        return self._generator(name).integers(low, high, self.shapes[name], endpoint=True).astype(dtype)

    def gradient(self, y: Array) -> Array:
        """Return a gradient that could have arrived at y."""
        return self._generator("dy").standard_normal(y.shape).astype(y.dtype)

    def _generator(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


seeds = st.integers(0, 2**16)
extents = st.integers(1, 9)  # 1, odd and even sizes


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def shapes(low: int = 1, high: int = 4, largest: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes with ``low`` … ``high`` axes."""
    return st.lists(st.integers(1, largest), min_size=low, max_size=high).map(tuple)


def _span(kernel: Sequence[int], dilation: Sequence[int], axis: int) -> int:
    return dilation[axis] * (kernel[axis] - 1) + 1


@st.composite
def conv2d_cases(draw: st.DrawFn, borders: Sequence[str] = BORDERS) -> Case:
    """Convolutions: strides beyond kernels, dilation, groups up to depthwise, uneven padding, all borders."""
    kernel, stride, dilation = draw(pairs(1, 5)), draw(pairs(1, 6)), draw(pairs(1, 3))
    padding = (draw(pairs(0, 3)), draw(pairs(0, 3)))
    border = draw(st.sampled_from(borders))
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    per_group = draw(st.sampled_from((1, 1, 2, 3)))  # 1 with several groups is a depthwise convolution
    c, o = groups * per_group, groups * draw(st.integers(1, 3))
    size = []
    for axis in (0, 1):
        least = _span(kernel, dilation, axis) - sum(padding[axis])
        if border == "reflect":
            least = max(least, max(padding[axis]) + 1)
        if border == "circular":
            least = max(least, *padding[axis])
        size.append(max(1, least) + draw(st.integers(0, 6)))
    return Case(
        {"x": (draw(st.integers(1, 3)), c, *size), "weight": (o, per_group, *kernel), "bias": (o,)},
        {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
            "border": border,
            "flip": draw(st.booleans()),
        },
        draw(seeds),
    )


@st.composite
def conv_transpose2d_cases(draw: st.DrawFn, *, symmetric: bool = False) -> Case:
    """Transposed convolutions; an output padding is less than the stride or the dilation, as PyTorch asks."""
    kernel, stride, dilation = draw(pairs(1, 4)), draw(pairs(1, 4)), draw(pairs(1, 3))
    size = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    output_padding, padding = [], []
    for axis in (0, 1):
        output_padding.append(draw(st.integers(0, max(stride[axis], dilation[axis]) - 1)))
        full = (size[axis] - 1) * stride[axis] + _span(kernel, dilation, axis) + output_padding[axis]
        if symmetric:
            before = after = draw(st.integers(0, min(3, (full - 1) // 2)))
        else:
            before = draw(st.integers(0, min(3, full - 1)))
            after = draw(st.integers(0, min(3, full - 1 - before)))
        padding.append((before, after))
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    c, per_group = groups * draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return Case(
        {
            "x": (draw(st.integers(1, 3)), c, *size),
            "weight": (c, per_group, *kernel),
            "bias": (groups * per_group,),
        },
        {
            "stride": stride,
            "padding": tuple(padding),
            "output_padding": tuple(output_padding),
            "dilation": dilation,
            "groups": groups,
        },
        draw(seeds),
    )


@st.composite
def pool2d_cases(draw: st.DrawFn, *, dilated: bool = False, padded: bool = True, symmetric: bool = True) -> Case:
    """Pooling windows: strides beyond the kernel, padding up to half the kernel, dilation if asked.

    ``symmetric=False`` draws uneven padding, without ceil_mode, which PyTorch cannot combine. No window
    misses the input altogether: an axis is at least as long as its dilation.
    """
    kernel, stride = draw(pairs(1, 4)), draw(pairs(1, 5))
    dilation = draw(pairs(1, 3)) if dilated else (1, 1)
    padding, size = [], []
    for axis in (0, 1):
        half = kernel[axis] // 2 if padded else 0
        before = draw(st.integers(0, half))
        after = before if symmetric else draw(st.integers(0, half))
        padding.append((before, after))
        least = max(_span(kernel, dilation, axis) - before - after, dilation[axis])
        size.append(max(1, least) + draw(st.integers(0, 7)))
    options: dict[str, Any] = {"kernel": kernel, "stride": stride}
    if padded:
        options["padding"] = tuple(padding)
    if dilated:
        options["dilation"] = dilation
    options["ceil_mode"] = symmetric and draw(st.booleans())
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size)
    return Case({"x": shape}, options, draw(seeds))


@st.composite
def adaptive_pool2d_cases(draw: st.DrawFn) -> Case:
    """Adaptive pooling to fewer, as many and more cells than the input has."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(extents), draw(extents))
    return Case({"x": shape}, {"output_size": draw(pairs(1, 10))}, draw(seeds))


@st.composite
def linear_cases(draw: st.DrawFn) -> Case:
    """Linear layers on inputs with one to four axes."""
    *leading, i = draw(shapes())
    o = draw(st.integers(1, 6))
    return Case({"x": (*leading, i), "weight": (o, i), "bias": (o,)}, {}, draw(seeds))


@st.composite
def pad_cases(draw: st.DrawFn) -> Case:
    """Padding of the last two axes of an image, in every mode, within the mode's limits."""
    mode = draw(st.sampled_from(BORDERS))
    size = (draw(extents), draw(extents))
    limit = {"reflect": lambda extent: extent - 1, "circular": lambda extent: extent}.get(mode, lambda _: 5)
    padding = [(0, 0), (0, 0), *(draw(pairs(0, limit(extent))) for extent in size)]
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *size)
    return Case({"x": shape}, {"padding": padding, "mode": mode}, draw(seeds))


@st.composite
def elementwise_cases(draw: st.DrawFn) -> Case:
    """Arrays of any shape for an activation."""
    return Case({"x": draw(shapes())}, {}, draw(seeds))


@st.composite
def softmax_cases(draw: st.DrawFn) -> Case:
    """Arrays of any shape and one of their axes, counted from either side."""
    shape = draw(shapes())
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return Case({"x": shape}, {"axis": axis}, draw(seeds))


@st.composite
def channel_norm_cases(draw: st.DrawFn) -> Case:
    """Inputs (N, C), (N, C, L) or (N, C, H, W) with at least two values a channel, as batch norm needs."""
    n, c = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    rest = draw(st.lists(st.integers(1, 4), max_size=2))
    return Case(
        {"x": (n, c, *rest), "weight": (c,), "bias": (c,), "running_mean": (c,), "running_variance": (c,)},
        {"eps": draw(st.sampled_from((1e-5, 1e-3)))},
        draw(seeds),
    )


@st.composite
def layer_norm_cases(draw: st.DrawFn) -> Case:
    """Layer norm over one or more trailing axes."""
    shape = draw(shapes(2, 4))
    axes = draw(st.integers(1, len(shape) - 1))
    trailing = shape[len(shape) - axes :]
    options = {"axes": axes, "eps": draw(st.sampled_from((1e-5, 1e-3)))}
    return Case({"x": shape, "weight": trailing, "bias": trailing}, options, draw(seeds))


@st.composite
def group_norm_cases(draw: st.DrawFn) -> Case:
    """Group norm from one group to one group a channel."""
    groups, per_group = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    c, n = groups * per_group, draw(st.integers(1, 3))
    rest = draw(st.lists(st.integers(1, 4), max_size=2))
    # PyTorch refuses a group of a single value
    rest = rest if per_group * int(np.prod(rest)) > 1 else [2]
    options = {"groups": groups, "eps": draw(st.sampled_from((1e-5, 1e-3)))}
    return Case({"x": (n, c, *rest), "weight": (c,), "bias": (c,)}, options, draw(seeds))


@st.composite
def local_response_norm_cases(draw: st.DrawFn) -> Case:
    """Local response norm with neighbourhoods odd, even and wider than the channels."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 7)), *draw(shapes(1, 2, 4)))
    options = {
        "size": draw(st.integers(1, 6)),
        "alpha": draw(st.sampled_from((1e-4, 0.5))),
        "beta": draw(st.sampled_from((0.5, 0.75))),
        "k": draw(st.sampled_from((1.0, 2.0))),
    }
    return Case({"x": shape}, options, draw(seeds))


@st.composite
def resize_cases(draw: st.DrawFn) -> Case:
    """Images made larger and smaller, each side by itself."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(extents), draw(extents))
    return Case({"x": shape}, {"size": draw(pairs(1, 20))}, draw(seeds))


@st.composite
def broadcast_cases(draw: st.DrawFn) -> Case:
    """Two shapes that broadcast together, either of which may have fewer axes or axes of size 1."""
    full = draw(shapes())
    sides = {}
    for name in ("a", "b"):
        side = [size if draw(st.booleans()) else 1 for size in full]
        sides[name] = tuple(side[draw(st.integers(0, len(full) - 1)) :])
    return Case(sides, {}, draw(seeds))


@st.composite
def reduction_cases(draw: st.DrawFn) -> Case:
    """An array and some of its axes, counted from either side."""
    shape = draw(shapes())
    chosen = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    axes = tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in sorted(chosen))
    return Case({"x": shape}, {"axes": axes, "keepdims": draw(st.booleans())}, draw(seeds))


@st.composite
def cross_entropy_cases(draw: st.DrawFn) -> Case:
    """Logits of vectors or images; labels are drawn by ``labels_of``."""
    n, k = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rest = draw(st.sampled_from(((), (2, 3), (1, 1))))
    options = {
        "label_smoothing": draw(st.sampled_from((0.0, 0.1, 0.7))),
        "reduction": draw(st.sampled_from(("mean", "sum", "none"))),
    }
    return Case({"logits": (n, k, *rest), "weight": (k,)}, options, draw(seeds))


def labels_of(case: Case) -> Array:
    """Return labels for the logits of a cross-entropy case."""
    n, k, *rest = case.shapes["logits"]
    return np.random.default_rng(case.seed).integers(0, k, (n, *rest))


@st.composite
def elementwise_loss_cases(draw: st.DrawFn) -> Case:
    """Predictions and targets of one shape, and a reduction."""
    shape = draw(shapes())
    reduction = draw(st.sampled_from(("mean", "sum", "none")))
    return Case({"x": shape, "target": shape}, {"reduction": reduction}, draw(seeds))
