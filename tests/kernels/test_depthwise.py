"""Depthwise convolutions against the reference, around the edges of vectors, blocks and planes."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from pellucid import ops
from pellucid.kernels import depthwise, threads
from pellucid.kernels.host import host
from pellucid.ops.base import Candidate
from pellucid.ops.depthwise import (
    lower_depthwise,
    lower_depthwise_backward_data,
    lower_depthwise_backward_weight,
    rejects_depthwise,
)
from pellucid.ops.fused import Fused
from pellucid.types import TensorType
from tests.comparison import EPSILON, assert_matches
from tests.ops.running import run

from .lowered import interpreted

W = host().width
WRT = ["x", "weight", "bias"]
PADDED = ((1, 1), (1, 1))


@dataclass(frozen=True)
class _Depthwise(ops.Conv2d):
    """A convolution that knows no other kernels."""

    def candidates(self):
        return (Candidate("depthwise", lower=lower_depthwise, rejects=rejects_depthwise, fuses=True),)

    def backward_candidates(self, wrt):
        weight = partial(lower_depthwise_backward_weight, wrt)
        lower = lower_depthwise_backward_data if wrt == ("x",) else weight
        return (Candidate("depthwise_backward", lower=lower, rejects=rejects_depthwise),)


def inputs(channels, size, kernel, images=2, *, whole=True):
    generator = np.random.default_rng([images, channels, *size, *kernel])
    shapes = {"x": (images, channels, *size), "weight": (channels, 1, *kernel), "bias": (channels,)}
    if whole:
        return {name: generator.integers(-4, 5, shape).astype(np.float32) for name, shape in shapes.items()}
    return {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def slope(op, arrays, *, whole=True):
    shape = op.infer(*(array if array is None else TensorType.of(array) for array in arrays.values()))[0].shape
    generator = np.random.default_rng(shape)
    return (generator.integers(-4, 5, shape) if whole else generator.standard_normal(shape)).astype(np.float32)


def assert_exact(op, arrays, wrt=WRT):
    dy = slope(op, arrays)
    fast, reference = (run(op, arrays, dy, wrt, executor=executor) for executor in ("fast", "reference"))
    for name, expected in reference.all().items():
        assert_matches(fast.all()[name], expected, kernel=f"{op} {name}")
    assert fast.kernels["op"] == "depthwise"
    assert {kernel for node, kernel in fast.kernels.items() if node.startswith("d.op.")} == {"depthwise_backward"}


@pytest.mark.parametrize("channels", sorted({2, W - 1, W, W + 1, 2 * W, 2 * W + 1}))
@pytest.mark.parametrize("stride", [1, 2])
def test_channels_around_whole_vectors(channels, stride):
    op = _Depthwise((stride, stride), PADDED, groups=channels)
    assert_exact(op, inputs(channels, (5, 6), (3, 3)))


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 14, 15, 29])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2)])
def test_lines_around_whole_blocks(width, kernel, stride):
    op = _Depthwise((stride, stride), ((kernel // 2,) * 2,) * 2, groups=3)
    assert_exact(op, inputs(3, (4, width), (kernel, kernel)))


@pytest.mark.parametrize("height", [1, 2, 3, 6])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("op", "kernel"),
    [
        (_Depthwise((2, 3), ((4, 1), (5, 2)), (2, 2), 4), (3, 2)),
        (_Depthwise((4, 5), ((3, 3), (0, 3)), (1, 1), 4), (3, 3)),  # strides beyond the kernel
        (_Depthwise((1, 1), ((9, 9), (8, 8)), (1, 3), 4), (2, 3)),  # padding beyond the kernel
        (_Depthwise((1, 1), ((0, 0), (0, 0)), (1, 1), 4), (1, 1)),
        (_Depthwise((1, 1), ((3, 3), (3, 3)), (1, 1), 4), (7, 7)),
    ],
    ids=str,
)
def test_other_strides_paddings_and_dilations(op, kernel, height, flip):
    op = _Depthwise(op.stride, op.padding, op.dilation, 4, flip=flip)
    assert_exact(op, inputs(4, (height, 9), kernel))


@pytest.mark.parametrize("wrt", [["x"], ["weight"], ["bias"], ["weight", "bias"]], ids=str)
def test_some_gradients_alone(wrt):
    assert_exact(_Depthwise(padding=PADDED, groups=3), inputs(3, (5, 6), (3, 3)), wrt)


def test_without_bias():
    assert_exact(_Depthwise(groups=3), inputs(3, (5, 6), (3, 3)) | {"bias": None}, ["x", "weight"])


def test_real_numbers_come_out_within_the_rounding_of_a_sum():
    """Two orders of a sum of n products differ by at most n · ε · Σ |products|."""
    op, arrays = _Depthwise(padding=PADDED, groups=W + 3), inputs(W + 3, (20, 23), (3, 3), images=4, whole=False)
    dy = slope(op, arrays, whole=False)
    fast, reference = (run(op, arrays, dy, WRT, executor=executor) for executor in ("fast", "reference"))
    sizes = run(op, {name: abs(array) for name, array in arrays.items()}, abs(dy), WRT)
    for name, expected in reference.all().items():
        terms = 10 if name in ("y", "dx") else dy[:, 0].size
        assert_matches(fast.all()[name], expected, terms * EPSILON["float32"] * sizes.all()[name], kernel=name)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_go_where_they_go_in_the_reference(special):
    op, arrays = _Depthwise((2, 1), PADDED, groups=3), inputs(3, (6, 9), (3, 3))
    arrays["x"][0, 1, 3, 4] = arrays["x"][1, 2, 0, 8] = special
    dy = slope(op, arrays)
    fast, reference = (run(op, arrays, dy, WRT, executor=executor) for executor in ("fast", "reference"))
    for name, expected in reference.all().items():
        assert_matches(fast.all()[name], expected, kernel=name)


@pytest.mark.parametrize("residual", [False, True])
def test_what_follows_is_fused(residual):
    op = Fused(_Depthwise(padding=PADDED, groups=W + 1), 0.0, 6.0)
    arrays = inputs(W + 1, (5, 9), (3, 3))
    y = op.of.reference(*arrays.values())[0]
    arrays["residual"] = np.random.default_rng(3).integers(-9, 9, y.shape).astype(np.float32) if residual else None
    arrays["slope"] = None
    fast, reference = (run(op, arrays, executor=executor) for executor in ("fast", "reference"))
    assert_matches(fast.results["y"], reference.results["y"], kernel="fused")
    assert fast.kernels["op"] == "depthwise"


@pytest.mark.parametrize("op", [_Depthwise(padding=PADDED, groups=3), _Depthwise((2, 2), PADDED, groups=3)], ids=str)
def test_interpreted_as_compiled(op):
    arrays = inputs(3, (3, 5), (3, 3))
    dy = slope(op, arrays)
    found = run(op, arrays, dy, WRT, executor="fast").all()
    for name, array in interpreted(op, arrays, dy, WRT).items():
        np.testing.assert_array_equal(array, found[name])


def test_the_number_of_threads_changes_nothing():
    op, arrays = _Depthwise(padding=PADDED, groups=20), inputs(20, (50, 50), (3, 3), images=4, whole=False)
    dy, before, results = slope(op, arrays, whole=False), threads.count(), []
    try:
        for count in (1, 2, 3):
            threads.set_threads(count)
            results.append(run(op, arrays, dy, WRT, executor="fast").all())
    finally:
        threads.set_threads(before)
    for name, array in results[0].items():
        np.testing.assert_array_equal(results[1][name], array)
        np.testing.assert_array_equal(results[2][name], array)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("taps", "stride", "dilation"), [(3, 1, 1), (3, 2, 1), (2, 3, 2), (5, 2, 1)])
def test_every_meeting_of_a_line_is_in_one_block(taps, stride, dilation, transposed):
    """Outputs j and inputs i of a line meet at a tap where i = j·stride − left + tap·dilation."""
    left, wide, outputs = 2, 17, 9
    meet = {(j, k, j * stride - left + k * dilation) for j in range(outputs) for k in range(taps)}
    meet = {(j, k, i) for j, k, i in meet if 0 <= i < wide}
    shape = depthwise.pattern(taps, stride, dilation, 4, transposed)
    ends = (wide, outputs, -left, 0) if transposed else (outputs, wide, 0, -left)
    found = []
    for _, first, start, *lanes in depthwise.blocks(shape, *ends).tolist():
        reads = dict(zip(shape.inputs, lanes, strict=False))
        for output, tap, source in shape.meetings:
            if reads[source] and 0 <= first + output < ends[0]:
                found.append((first + output, tap, start + source))
    expected = {(i, k, j) for j, k, i in meet} if transposed else meet
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize(
    ("op", "x", "weight", "reason"),
    [
        (_Depthwise(), (1, 4, 5, 5), (4, 4, 3, 3), "1 groups, 4 channels, 4 filters"),
        (_Depthwise(groups=4), (1, 4, 5, 5), (8, 1, 3, 3), "8 filters"),
        (_Depthwise(groups=4, border="reflect"), (1, 4, 5, 5), (4, 1, 3, 3), "border 'reflect'"),
        (_Depthwise(groups=4), (1, 4, 5, 50), (4, 1, 3, 17), "17 columns"),
        (_Depthwise(groups=4), (0, 4, 5, 5), (4, 1, 3, 3), "not empty"),
    ],
)
def test_a_kernel_says_why_it_rejects(op, x, weight, reason):
    assert reason in dict(ops.choose(op, (TensorType(x), TensorType(weight), None)).rejected)["depthwise"]
