"""The kernels of batch normalisation against the reference in float64."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.kernels import batch_norm, threads
from pellucid.kernels.host import host
from pellucid.kernels.program import image
from pellucid.types import TensorType
from tests.comparison import EPSILON, assert_matches
from tests.ops.running import run

from .lowered import interpreted

W = host().width
AFFINE = ("x", "weight", "bias")
TRAINING = ops.BatchNorm(1e-3, training=True)
FIXED = ops.BatchNorm(1e-3)
SHAPES = [
    (2, 1),
    (5, W + 1),
    (2, 1, 1, 1),
    (1, 3, 1, 2),
    (3, W - 1, 3, 5),
    (2, W, 7, 7),
    (2, 2 * W + 1, 5, 4),
    (4, 3, 100, 100),  # several parts, of several chunks
]


def inputs(op, shape, seed=0, far=0.0):
    """Numbers around ``far``, a multiple of the deviation."""
    generator = np.random.default_rng([seed, *shape])
    channels = shape[1]
    given = {name: generator.standard_normal(channels).astype(np.float32) for name in ("weight", "bias", "mean")}
    given["variance"] = generator.uniform(0.5, 2, channels).astype(np.float32)
    if op.training:
        given |= {"mean": None, "variance": None}
    return {"x": (generator.standard_normal(shape) + far).astype(np.float32)} | given


def slope(shape):
    return np.random.default_rng([1, *shape]).standard_normal(shape).astype(np.float32)


def doubled(arrays):
    return {name: None if array is None else array.astype(np.float64) for name, array in arrays.items()}


def assert_close(op, arrays, wrt=AFFINE, units=64):
    """Errors of a few dozen roundings of the largest number, whatever the count of cells: sums go by parts."""
    dy = slope(arrays["x"].shape)
    fast = run(op, arrays, dy, list(wrt), executor="fast")
    exact = run(op, doubled(arrays), dy.astype(np.float64), list(wrt))
    for name, expected in exact.all().items():
        size = abs(expected).max() + abs(arrays["x"]).max() if name in ("batch_mean", "y") else abs(expected).max() + 1
        bound = units * EPSILON["float32"] * size * (np.sqrt(dy.size) if name in ("dweight", "dbias") else 1)
        assert_matches(fast.all()[name].astype(np.float64), expected, bound, kernel=f"{op} {name}")
    return fast


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("op", [TRAINING, FIXED], ids=["training", "fixed"])
def test_channels_and_planes_of_every_size(op, shape):
    fast = assert_close(op, inputs(op, shape))
    assert (fast.kernels["op"], fast.kernels["d.op.x.weight.bias"]) == ("batch_norm", "batch_norm_backward")


@pytest.mark.parametrize("op", [TRAINING, FIXED], ids=["training", "fixed"])
@pytest.mark.parametrize("wrt", [("x",), ("weight",), ("bias",), ("x", "bias"), ("weight", "bias")], ids=str)
def test_some_gradients_alone(op, wrt):
    assert_close(op, inputs(op, (2, 3, 4, 5)), wrt)


@pytest.mark.parametrize("op", [TRAINING, FIXED], ids=["training", "fixed"])
def test_without_weight_and_bias(op):
    assert_close(op, inputs(op, (2, 3, 4, 5)) | {"weight": None, "bias": None}, ("x",))


def test_a_mean_far_from_0_costs_no_digits_of_the_variance():
    """At 1000 deviations from 0 the mean of squares minus the square of the mean would lose all digits."""
    arrays = inputs(TRAINING, (4, 3, 64, 64), far=1000.0)
    found = run(TRAINING, arrays, executor="fast").results["batch_variance"]
    exact = arrays["x"].astype(np.float64).var((0, 2, 3))
    np.testing.assert_allclose(found, exact, rtol=1e-5)


@pytest.mark.parametrize("op", [TRAINING, FIXED], ids=["training", "fixed"])
@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_channel(op, special):
    arrays = inputs(op, (2, 3, 4, 5))
    arrays["x"][0, 1, 2, 2] = special
    dy = slope((2, 3, 4, 5))
    fast, reference = (run(op, arrays, dy, list(AFFINE), executor=executor) for executor in ("fast", "reference"))
    for name, expected in reference.all().items():
        np.testing.assert_array_equal(np.isnan(fast.all()[name]), np.isnan(expected))


@pytest.mark.parametrize("op", [TRAINING, FIXED], ids=["training", "fixed"])
def test_interpreted_as_compiled(op):
    arrays, dy = inputs(op, (2, W + 1, 3, 3)), slope((2, W + 1, 3, 3))
    found = run(op, arrays, dy, list(AFFINE), executor="fast").all()
    for name, array in interpreted(op, arrays, dy, AFFINE).items():
        np.testing.assert_allclose(array, found[name], rtol=1e-6, atol=1e-6)  # machine code may join · and +


def test_the_number_of_threads_changes_nothing():
    arrays, dy, before = inputs(TRAINING, (4, 20, 50, 50)), slope((4, 20, 50, 50)), threads.count()
    results = []
    try:
        for count in (1, 2, 3):
            threads.set_threads(count)
            results.append(run(TRAINING, arrays, dy, list(AFFINE), executor="fast").all())
    finally:
        threads.set_threads(before)
    for name, array in results[0].items():
        np.testing.assert_array_equal(results[1][name], array)
        np.testing.assert_array_equal(results[2][name], array)


def test_every_pixel_is_in_one_part():
    for shape in [(1, 1, 1, 1), (3, 5, 7, 11), (4, 3, 100, 100), (9, 70, 50, 50)]:
        for deal in (batch_norm.sum_parts, batch_norm.parts):
            parts, pixels, per_part = deal(image(shape))
            assert pixels == shape[0] * shape[2] * shape[3]
            assert (parts - 1) * per_part < pixels <= parts * per_part


def test_running_averages():
    arrays = {"running": np.float32([1, 2, 3]), "batch": np.float32([5, 6, 7]), "count": np.array(2)}
    for op, kernel in ((ops.RunningAverage(0.25, 2.0), "running_average"), (ops.RunningAverage(None), "reference")):
        fast, reference = (run(op, arrays, executor=executor) for executor in ("fast", "reference"))
        assert_matches(fast.results["y"], reference.results["y"], 1e-6, kernel=kernel)
        assert fast.kernels["op"] == kernel


def test_a_kernel_says_why_it_rejects():
    per_channel = (TensorType((3,)),) * 4
    for shape, dtype, reason in (((2, 3, 4), "float32", "images or rows"), ((2, 3), "float64", "float64")):
        types = (TensorType(shape, dtype), *(TensorType(t.shape, dtype) for t in per_channel))
        assert reason in dict(ops.choose(FIXED, types).rejected)["batch_norm"]
