import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given

from pellucid import ops
from tests.ops.running import by_torch, check, family, run
from tests.strategies import channel_norm_cases, group_norm_cases, layer_norm_cases, local_response_norm_cases

AFFINE = ("x", "weight", "bias")


def normalised(axes_of, eps):
    """Bound the error of x̂ = (x − mean) · inverse and its gradient, over sets of n cells.

    Rounding in the mean moves x̂ by n · epsilon · max|x| · inverse, and in the variance by a relative n · epsilon
    · (max|x| · inverse)². With a = 1 + max|x| · inverse that is n · a² in units of epsilon for x̂, which a slope dx̂
    multiplies by at most inverse · a · |dx̂| on the way back; the 8 is for the steps of the formula.
    """

    def bounds(op, inputs, dy, expected):
        x = inputs["x"].astype("float64")
        axes = axes_of(x)
        inverse = float((1 / np.sqrt(x.var(axes) + eps)).max(initial=0))
        amplified = 1 + float(abs(x).max(initial=0)) * inverse
        weight = max(1.0, float(abs(inputs["weight"]).max(initial=0)))
        bias = float(abs(inputs["bias"]).max(initial=0))
        unit = 8 * (x.size + 4) * amplified**2
        slope = float(abs(dy).max(initial=0))
        return {
            "y": unit * weight + bias,
            "dx": unit * amplified * inverse * weight * slope,
            "dweight": unit * slope * x.size,
            "dbias": x.size * slope * x.size,
        }

    return bounds


def channels(x):
    return tuple(axis for axis in range(x.ndim) if axis != 1)


@family
@given(channel_norm_cases())
def test_batch_norm_in_training_is_pytorchs(case):
    eps = case.settings["eps"]
    inputs = {name: case.array(name) for name in AFFINE} | {"mean": None, "variance": None}
    check(
        ops.BatchNorm(eps, training=True),
        inputs,
        lambda x, weight, bias, *_: F.batch_norm(x, None, None, weight, bias, training=True, eps=eps),
        case.gradient,
        wrt=AFFINE,
        bounds=normalised(channels, eps),
    )


@family
@given(channel_norm_cases())
def test_batch_norm_in_evaluation_is_pytorchs(case):
    eps = case.settings["eps"]
    inputs = {name: case.array(name) for name in AFFINE}
    inputs |= {"mean": case.array("running_mean"), "variance": abs(case.array("running_variance"))}

    def bounds(op, inputs, dy, expected):
        inverse = float((1 / np.sqrt(inputs["variance"] + eps)).max())
        size = float(abs(inputs["x"]).max()) + float(abs(inputs["mean"]).max())
        weight = 1 + float(abs(inputs["weight"]).max())
        slope, cells = float(abs(dy).max()), dy.size
        return {
            "y": 16 * (size * inverse * weight + abs(expected["y"])),
            "dx": 16 * slope * weight * inverse,
            "dweight": (cells + 16) * cells * slope * size * inverse,
            "dbias": cells * cells * slope,
        }

    check(
        ops.BatchNorm(eps),
        inputs,
        lambda x, weight, bias, mean, variance: F.batch_norm(x, mean, variance, weight, bias, eps=eps),
        case.gradient,
        wrt=AFFINE,
        bounds=bounds,
    )


@family
@given(layer_norm_cases())
def test_layer_norm_is_pytorchs(case):
    shape, eps = case.shapes["weight"], case.settings["eps"]
    check(
        ops.LayerNorm(**case.settings),
        {name: case.array(name) for name in AFFINE},
        lambda x, weight, bias: F.layer_norm(x, shape, weight, bias, eps),
        case.gradient,
        wrt=AFFINE,
        bounds=normalised(lambda x: tuple(range(x.ndim - len(shape), x.ndim)), eps),
    )


@family
@given(group_norm_cases())
def test_group_norm_is_pytorchs(case):
    groups, eps = case.settings["groups"], case.settings["eps"]

    def bounds(op, inputs, dy, expected):
        n = len(inputs["x"])
        by_group = inputs | {"x": inputs["x"].reshape(n, groups, -1)}
        return normalised(lambda x: (2,), eps)(op, by_group, dy, expected)

    check(
        ops.GroupNorm(**case.settings),
        {name: case.array(name) for name in AFFINE},
        lambda x, weight, bias: F.group_norm(x, groups, weight, bias, eps),
        case.gradient,
        wrt=AFFINE,
        bounds=bounds,
    )


@family
@given(local_response_norm_cases())
def test_local_response_norm_is_pytorchs(case):
    def bounds(op, inputs, dy, expected):
        x, slope = float(abs(inputs["x"]).max()), float(abs(dy).max())
        unit = 16 * (op.size + 4)  # b ≥ k ≥ 1, so every factor is at most that of its numerator
        return {"y": unit * x, "dx": unit * slope * (1 + 2 * op.alpha * op.beta * x * x)}

    check(
        ops.LocalResponseNorm(**case.settings),
        {"x": case.array("x")},
        lambda x: F.local_response_norm(x, **case.settings),
        case.gradient,
        bounds=bounds,
    )


def test_without_weight_and_bias_the_norms_only_normalise():
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    for op, inputs, torch_function in (
        (ops.LayerNorm(1), 3, lambda x, *_: F.layer_norm(x, (5,))),
        (ops.GroupNorm(2), 3, lambda x, *_: F.group_norm(x, 2)),
        (ops.BatchNorm(training=True), 5, lambda x, *_: F.batch_norm(x, None, None, training=True)),
    ):
        arrays = dict.fromkeys(op.arguments[:inputs]) | {"x": x}
        expected = by_torch(torch_function, arrays, np.cos, ("x",))
        found = run(op, arrays, np.cos(expected["y"]), ("x",))
        np.testing.assert_allclose(found.results["y"], expected["y"], atol=1e-13)
        np.testing.assert_allclose(found.gradients["x"], expected["dx"], atol=1e-13)


def test_batch_norm_also_returns_the_statistics_of_the_batch():
    x = np.random.default_rng(1).standard_normal((3, 4, 5)).astype("float32")
    results = run(ops.BatchNorm(training=True), dict.fromkeys(ops.BatchNorm.arguments) | {"x": x}).results
    np.testing.assert_allclose(results["batch_mean"], x.mean((0, 2)), atol=1e-6)
    np.testing.assert_allclose(results["batch_variance"], x.var((0, 2)), atol=1e-6)


@torch.no_grad()
def test_running_average_is_what_batch_norm_of_pytorch_remembers():
    generator = np.random.default_rng(2)
    x, mean = generator.standard_normal((3, 2, 4)), generator.standard_normal(2)
    for momentum, count in ((0.1, 7), (1.0, 7), (0.0, 7), (None, 7)):
        layer = torch.nn.BatchNorm1d(2, momentum=momentum).double()
        layer.running_mean.copy_(torch.from_numpy(mean))
        layer.num_batches_tracked.fill_(count - 1)
        layer(torch.from_numpy(x))
        inputs = {"running": mean, "batch": x.mean((0, 2)), "count": np.array(count)}
        found = run(ops.RunningAverage(momentum), inputs).results["y"]
        np.testing.assert_allclose(found, layer.running_mean.numpy(), rtol=1e-14)
