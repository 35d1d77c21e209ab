import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import assert_close, by_torch, check
from tests.strategies import (
    channel_norm_cases,
    group_norm_cases,
    layer_norm_cases,
    local_response_norm_cases,
    quick,
)

# Two equal values have variance 0 and are divided by √eps, the least of which is √1e-5: x̂ magnifies rounding
# errors by at most 1/√1e-5 = 316, and its gradient does so once more.
MAGNIFIED = 316.0


def inputs_of(case):
    return [case.array(name) for name in ("x", "weight", "bias")]


@quick
@given(channel_norm_cases())
def test_batch_norm_is_pytorchs(case):
    x, weight, bias = inputs_of(case)
    eps = case.settings["eps"]
    _, mean, variance = ref.batch_norm(x, weight, bias, eps=eps)
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    assert_close(mean, x.mean(axes), terms=x.size)
    assert_close(variance, x.var(axes), terms=x.size)
    check(
        lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True, eps=eps),
        lambda *arrays: ref.batch_norm(*arrays, eps=eps)[0],
        lambda dy, _: ref.batch_norm_backward(dy, x, weight, mean, variance, eps=eps),
        (x, weight, bias),
        case.gradient,
        terms=x.size,
        scale=MAGNIFIED,
    )


@quick
@given(channel_norm_cases())
def test_running_statistics_are_pytorchs(case):
    x, mean, variance = case.array("x"), case.array("running_mean"), abs(case.array("running_variance"))
    expected_mean, expected_variance = torch.from_numpy(mean.copy()), torch.from_numpy(variance.copy())
    F.batch_norm(torch.from_numpy(x), expected_mean, expected_variance, training=True, momentum=0.3)
    _, batch_mean, batch_variance = ref.batch_norm(x, None, None, eps=1e-5)
    count = x.size / x.shape[1]
    kept_mean = ref.running_average(mean, batch_mean, momentum=0.3)
    kept_variance = ref.running_average(variance, batch_variance, momentum=0.3, scale=count / (count - 1))
    assert_close(kept_mean, expected_mean.numpy(), terms=x.size)
    assert_close(kept_variance, expected_variance.numpy(), terms=x.size)


@quick
@given(channel_norm_cases())
def test_batch_norm_inference_is_pytorchs(case):
    x, weight, bias = inputs_of(case)
    eps, mean, variance = (
        case.settings["eps"],
        case.array("running_mean"),
        abs(case.array("running_variance")),
    )
    statistics = torch.from_numpy(mean), torch.from_numpy(variance)
    check(
        lambda x, weight, bias: F.batch_norm(x, *statistics, weight, bias, eps=eps),
        lambda x, weight, bias: ref.batch_norm_inference(x, weight, bias, mean, variance, eps=eps),
        lambda dy, _: ref.batch_norm_inference_backward(dy, x, weight, mean, variance, eps=eps),
        (x, weight, bias),
        case.gradient,
        terms=x.size,
        scale=MAGNIFIED,
    )


@quick
@given(layer_norm_cases())
def test_layer_norm_is_pytorchs(case):
    x, weight, bias = inputs_of(case)
    check(
        lambda x, weight, bias: F.layer_norm(x, weight.shape, weight, bias, eps=case.settings["eps"]),
        lambda *arrays: ref.layer_norm(*arrays, **case.settings),
        lambda dy, _: ref.layer_norm_backward(dy, x, weight, **case.settings),
        (x, weight, bias),
        case.gradient,
        terms=x.size,
        scale=MAGNIFIED,
    )


@quick
@given(group_norm_cases())
def test_group_norm_is_pytorchs(case):
    x, weight, bias = inputs_of(case)
    groups, eps = case.settings["groups"], case.settings["eps"]
    check(
        lambda x, weight, bias: F.group_norm(x, groups, weight, bias, eps),
        lambda *arrays: ref.group_norm(*arrays, **case.settings),
        lambda dy, _: ref.group_norm_backward(dy, x, weight, **case.settings),
        (x, weight, bias),
        case.gradient,
        terms=x.size,
        scale=MAGNIFIED,
    )


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 2, 3, 5)])
def test_instance_norm_is_pytorchs(shape):
    generator = np.random.default_rng(1)
    x, weight, bias = (generator.standard_normal(s) for s in (shape, shape[1], shape[1]))
    check(
        lambda x, weight, bias: F.instance_norm(x, weight=weight, bias=bias, eps=1e-5),
        lambda *arrays: ref.instance_norm(*arrays, eps=1e-5),
        lambda dy, _: ref.instance_norm_backward(dy, x, weight, eps=1e-5),
        (x, weight, bias),
        np.cos,
        terms=x.size,
    )


@quick
@given(channel_norm_cases())
def test_none_stands_for_weight_one_and_bias_zero(case):
    x, eps = case.array("x"), case.settings["eps"]
    one, zero = np.ones(x.shape[1]), np.zeros(x.shape[1])
    y, mean, variance = ref.batch_norm(x, None, None, eps=eps)
    dy = case.gradient(y)
    np.testing.assert_array_equal(y, ref.batch_norm(x, one, zero, eps=eps)[0])
    for backward in (ref.batch_norm_backward, ref.batch_norm_inference_backward):
        absent = backward(dy, x, None, mean, variance, eps=eps)
        for actual, expected in zip(absent, backward(dy, x, one, mean, variance, eps=eps), strict=True):
            np.testing.assert_array_equal(actual, expected)
    for forward, backward, options in (
        (ref.group_norm, ref.group_norm_backward, {"groups": 1}),
        (ref.layer_norm, ref.layer_norm_backward, {"axes": x.ndim - 1}),
    ):
        trailing = np.ones(x.shape[1:]) if forward is ref.layer_norm else one
        np.testing.assert_array_equal(
            forward(x, None, None, **options, eps=eps), forward(x, trailing, 0 * trailing, **options, eps=eps)
        )
        absent, present = (backward(dy, x, weight, **options, eps=eps) for weight in (None, trailing))
        for actual, expected in zip(absent, present, strict=True):
            np.testing.assert_array_equal(actual, expected)


@quick
@given(local_response_norm_cases())
def test_local_response_norm_is_pytorchs(case):
    x = case.array("x")
    check(
        lambda x: F.local_response_norm(x, **case.settings),
        lambda x: ref.local_response_norm(x, **case.settings),
        lambda dy, _: [ref.local_response_norm_backward(dy, x, **case.settings)],
        [x],
        case.gradient,
        terms=16,
    )


def test_batch_norm_of_integers_is_exact():
    x = np.array([[1, 8], [3, 0], [1, 0], [3, 8]], "float32")  # variances 1 and 16
    y, mean, variance = ref.batch_norm(x, np.array([2, 4], "float32"), np.array([5, 6], "float32"), eps=0.0)
    np.testing.assert_array_equal(y, [[3, 10], [7, 2], [3, 2], [7, 10]])
    np.testing.assert_array_equal(mean, [2, 4])
    np.testing.assert_array_equal(variance, [1, 16])


def test_batch_norm_gradient_of_one_channel():
    # any dy that is constant or proportional to x̂ changes nothing: both are taken out by the normalisation
    x = np.array([[1.0], [3.0], [5.0], [7.0]])
    y, mean, variance = ref.batch_norm(x, None, None, eps=0.0)
    dx, dweight, dbias = ref.batch_norm_backward(2 + 3 * y, x, None, mean, variance, eps=0.0)
    np.testing.assert_allclose(dx, 0, atol=1e-14)
    np.testing.assert_allclose(dweight, [12])
    np.testing.assert_allclose(dbias, [8])


def test_the_comparison_catches_a_corrupted_gradient():
    # the comparison itself must notice a wrong gradient
    x = np.random.default_rng(2).standard_normal((4, 2))
    _, (dx,) = by_torch(lambda x: F.batch_norm(x, None, None, training=True), [x], np.cos)
    with pytest.raises(AssertionError):
        assert_close(dx + 1e-9, dx)
