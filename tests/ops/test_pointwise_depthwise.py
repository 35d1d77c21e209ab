"""A pointwise and a depthwise convolution in one kernel, around the edges of tiles, blocks, panels and bands."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.kernels import pointwise_depthwise
from pellucid.kernels.host import host
from pellucid.ops.fused import Fused
from pellucid.ops.pointwise_depthwise import PointwiseDepthwise
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.running import run

W = host().width
BENT_BOUND = 2e-5
"""Sums of numbers up to about 10, by other roundings, through two activations of slopes up to 1.2."""


def pair(channels, *, kernel=3, stride=1, padding=1, dilation=1, low=0.0, high=6.0, curve=None):
    sides = ((padding, padding),) * 2
    second = ops.Conv2d((stride, stride), sides, (dilation, dilation), channels)
    return PointwiseDepthwise(Fused(ops.Conv2d(), low, high, curve), Fused(second, low, 4 * high, curve)), kernel


def inputs(given, size, images=2, depth=5, bias=True, scale=1):
    op, kernel = given
    channels = op.second.of.groups
    generator = np.random.default_rng([images, depth, channels, *size])
    shapes = {
        "x": (images, depth, *size), "weight": (channels, depth, 1, 1), "bias": (channels,),
        "depthwise_weight": (channels, 1, kernel, kernel), "depthwise_bias": (channels,),
    }  # fmt: skip
    arrays = {name: (generator.integers(-3, 4, shape) * scale).astype(np.float32) for name, shape in shapes.items()}
    return arrays if bias else arrays | {"bias": None, "depthwise_bias": None}


def check(given, arrays, bound=0.0):
    """Compare with the reference, and assert that the kernel ran."""
    op = given[0]
    found, expected = (run(op, arrays, executor=executor) for executor in ("fast", "reference"))
    assert found.kernels == {"op": "conv2d_pointwise_depthwise"}
    assert_matches(found.results["y"], expected.results["y"], bound, kernel=str(op))
    return expected.results["y"]


def rejected(op, *shapes):
    types = [None if shape is None else TensorType(shape) for shape in shapes]
    return op.candidates()[0].rejects(op, types)


@pytest.mark.parametrize("width", [*range(1, 19), 28, 29, 33])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2)])
def test_rows_around_whole_tiles_and_blocks(width, kernel, stride):
    given = pair(W + 1, kernel=kernel, stride=stride, padding=kernel // 2)
    assert np.unique(check(given, inputs(given, (4, width)))).size > 2


@pytest.mark.parametrize("channels", sorted({2, W - 1, W, W + 1, 2 * W, 2 * W + 1, 3 * W, 6 * W}))
@pytest.mark.parametrize("depth", [1, W - 1, W, 2 * W + 3])
def test_channels_around_whole_panels(channels, depth):
    given = pair(channels)
    check(given, inputs(given, (5, 8), depth=depth))


@pytest.mark.parametrize("height", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("floats", [0, 3, 5])
def test_bands_meet_without_a_seam(height, floats, monkeypatch):
    """With room for ``floats`` more rows than a kernel reaches over."""
    given = pair(2 * W)
    line = 10 * 2 * W
    monkeypatch.setattr(pointwise_depthwise, "_CACHE_FLOATS", (3 + floats) * line)
    check(given, inputs(given, (height, 8), images=3))


@pytest.mark.parametrize(
    "given",
    [
        pair(4, padding=0),
        pair(4, padding=5, kernel=2),  # rows of padding alone
        pair(4, dilation=3, padding=3),
        pair(4, kernel=1, padding=0),
        pair(4, kernel=1, stride=3, padding=0),  # columns that no output reads
        pair(4, kernel=7, padding=3, low=-np.inf, high=np.inf),
    ],
    ids=str,
)
@pytest.mark.parametrize("bias", [True, False])
def test_other_strides_paddings_and_dilations(given, bias):
    check(given, inputs(given, (9, 22), bias=bias))


@pytest.mark.parametrize("curve", [ops.SiLU(), ops.Hardswish(), ops.LeakyReLU(0.3)], ids=lambda curve: curve.kind)
def test_both_bend(curve):
    given = pair(W + 3, low=-np.inf, high=np.inf, curve=curve)
    check(given, inputs(given, (6, 9), scale=0.25), BENT_BOUND)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_go_where_they_go_in_the_reference(special):
    given = pair(W)
    arrays = inputs(given, (6, 9))
    arrays["x"][0, 1, 3, 4] = arrays["x"][1, 2, 0, 8] = special
    found = check(given, arrays)
    assert np.isfinite(found).any()


def test_what_it_rejects_and_why():
    wide, alone = (2, 4, 6, 9), ops.Conv2d(groups=8)
    weights = (8, 4, 1, 1), None, (8, 1, 3, 3), None
    assert rejected(PointwiseDepthwise(Fused(ops.Conv2d()), Fused(alone)), wide, *weights) is None
    for first, second, shapes, words in [
        (ops.Conv2d((2, 2)), alone, (wide, *weights), "cell by cell"),
        (ops.Conv2d(), alone, (wide, (8, 4, 3, 3), *weights[1:]), "kernels of one cell"),
        (ops.Conv2d(groups=2), alone, (wide, (8, 2, 1, 1), *weights[1:]), "2 groups first"),
        (ops.Conv2d(), ops.Conv2d(), (wide, weights[0], None, (8, 8, 3, 3), None), "takes as many of each"),
        (ops.Conv2d(), alone, ((1, 4, 6, 50_000), *weights), "too long"),
    ]:
        assert words in str(rejected(PointwiseDepthwise(Fused(first), Fused(second)), *shapes))


def test_one_wrong_cell_is_found():
    given = pair(W)
    arrays = inputs(given, (6, 9))
    expected = check(given, arrays)
    arrays["depthwise_bias"][1] += 1
    with pytest.raises(AssertionError, match="cell"):
        assert_matches(run(given[0], arrays).results["y"], expected)
