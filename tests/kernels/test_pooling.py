"""The kernels of maximum pooling against the reference, around the edges of vectors, windows and planes."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.kernels.host import host
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.running import run

from .lowered import interpreted, kernels

W = host().width
CHANNELS = sorted({1, 2, W - 1, W, W + 1, 2 * W, 2 * W + 1, 4 * W, 5 * W + 1})
QUARTERS = ops.MaxPool2d((2, 2), (2, 2))
OVERLAPPING = ops.MaxPool2d((3, 3), (2, 2), ((1, 1), (1, 1)))
OPS = [
    QUARTERS,
    OVERLAPPING,
    ops.MaxPool2d((2, 2), (2, 2), ceil_mode=True),
    ops.MaxPool2d((3, 2), (1, 1), ((1, 0), (0, 1))),
    ops.MaxPool2d((2, 3), (3, 4), dilation=(2, 1), padding=((1, 1), (1, 1)), ceil_mode=True),
    ops.MaxPool2d((1, 1), (1, 1)),
]


def whole(*shape, seed=0):
    """Small whole numbers: many cells are equal."""
    return np.random.default_rng([seed, *shape]).integers(-3, 4, shape).astype(np.float32)


def both(op, x):
    y = op.reference(x)[0]
    dy = whole(*y.shape, seed=1)
    return [run(op, {"x": x}, dy, ["x"], executor=executor) for executor in ("fast", "reference")]


def assert_alike(op, x):
    fast, reference = both(op, x)
    for name, expected in reference.all().items():
        assert_matches(fast.all()[name], expected, kernel=f"{op} {name}")
    return fast.kernels


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("op", [QUARTERS, OVERLAPPING], ids=str)
def test_channels_around_whole_vectors(op, channels):
    assert_alike(op, whole(2, channels, 4, 6))


@pytest.mark.parametrize("height", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("width", [2, 3, 7])
@pytest.mark.parametrize("op", OPS, ids=str)
def test_planes_of_every_size(op, height, width):
    if height + sum(op.padding[0]) <= op.dilation[0] * (op.kernel[0] - 1):
        return  # no window fits
    assert_alike(op, whole(2, 3, height, width))


def test_which_kernel_runs():
    even, odd = whole(1, 3, 4, 6), whole(1, 3, 5, 6)
    expected = {"op": "max_pool2d_k2s2", "d.op.x": "max_pool2d_k2s2_backward"}
    assert expected.items() <= assert_alike(QUARTERS, even).items()
    expected = {"op": "max_pool2d_k2s2", "d.op.x": "max_pool2d_backward"}
    assert expected.items() <= assert_alike(QUARTERS, odd).items()
    expected = {"op": "max_pool2d", "d.op.x": "max_pool2d_backward"}
    assert expected.items() <= assert_alike(OVERLAPPING, even).items()


@pytest.mark.parametrize(
    ("op", "kernel"), [(QUARTERS, "max_pool2d_k2s2"), (OVERLAPPING, "max_pool2d")], ids=["quarters", "overlapping"]
)
def test_places_that_nobody_reads_are_not_computed(op, kernel):
    assert kernel in kernels(op, {"x": whole(1, 2, 4, 4)})


@pytest.mark.parametrize("op", OPS, ids=str)
def test_ties_infinities_and_several_nan(op):
    x = whole(2, 2 * W + 1, 6, 7)
    for seed, special in enumerate((np.nan, np.inf, -np.inf)):
        np.copyto(x, special, where=np.random.default_rng(seed).random(x.shape) < 0.3)
    assert_alike(op, x)


def test_a_slope_that_is_nan_stays_where_its_maximum_stood():
    x, dy = whole(1, 2, 4, 4), np.full((1, 2, 2, 2), np.nan, np.float32)
    fast, reference = (run(QUARTERS, {"x": x}, dy, ["x"], executor=executor) for executor in ("fast", "reference"))
    np.testing.assert_array_equal(np.isnan(fast.gradients["x"]).sum(), 8)
    np.testing.assert_array_equal(fast.gradients["x"] == 0, reference.gradients["x"] == 0)


@pytest.mark.parametrize("op", OPS[:4], ids=str)
def test_more_lines_than_a_part_has(op):
    assert_alike(op, whole(3, W + 1, 64, 50))


@pytest.mark.parametrize("op", OPS[:3], ids=str)
def test_interpreted_as_compiled(op):
    x, dy = whole(2, W + 1, 4, 4), whole(2, W + 1, 2, 2, seed=1)
    found = run(op, {"x": x}, dy, ["x"], executor="fast").all()
    for name, array in interpreted(op, {"x": x}, dy, ["x"]).items():
        np.testing.assert_array_equal(array, found[name])


@pytest.mark.parametrize(
    ("op", "type_", "kernel", "reason"),
    [
        (OVERLAPPING, TensorType((1, 1, 4, 4)), "max_pool2d_k2s2", "kernel (3, 3)"),
        (ops.MaxPool2d((2, 2), (2, 2), ((1, 1), (0, 0))), TensorType((1, 1, 4, 4)), "max_pool2d_k2s2", "padding"),
        (OPS[2], TensorType((1, 1, 4, 5)), "max_pool2d_k2s2", "over the end"),
        (QUARTERS, TensorType((1, 1, 4, 4), "float64"), "max_pool2d", "float64"),
        (QUARTERS, TensorType((0, 1, 4, 4)), "max_pool2d", "not empty"),
        (ops.MaxPool2d((1, 2), (1, 1), ((0, 0), (1, 1)), (1, 3)), TensorType((1, 1, 1, 2)), "max_pool2d", "no cell"),
    ],
)
def test_a_kernel_says_why_it_rejects(op, type_, kernel, reason):
    assert reason in dict(ops.choose(op, (type_,)).rejected)[kernel]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, W - 1, 3, 4), (3, 2 * W + 1, 7, 1), (1, W, 1, 9)], ids=str)
def test_the_mean_of_whole_images_is_compiled(shape, keepdims):
    op = ops.Mean((2, 3), keepdims)
    cells = shape[2] * shape[3]
    x = cells * np.random.default_rng(shape).integers(-9, 10, shape).astype(np.float32)
    dy = cells * np.random.default_rng(1).integers(-9, 10, op.infer(TensorType.of(x))[0].shape).astype(np.float32)
    fast, reference = (run(op, {"x": x}, dy, ["x"], executor=executor) for executor in ("fast", "reference"))
    assert (fast.kernels["op"], fast.kernels["d.op.x"]) == ("mean_of_images", "mean_of_images_backward")
    for name, expected in reference.all().items():
        assert_matches(fast.all()[name], expected, 1e-5, kernel=name)


def test_a_mean_over_other_axes_is_none_of_images():
    reasons = dict(ops.choose(ops.Mean((1, 3)), (TensorType((1, 2, 3, 4)),)).rejected)
    assert reasons == {"mean_of_images": "axes (1, 3): averages rows and columns"}
