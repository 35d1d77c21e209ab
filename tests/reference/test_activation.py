import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import EPSILON, assert_close, by_torch, check
from tests.strategies import elementwise_cases, quick

# name: PyTorch's function, forward, and backward from (dy, x, y)
ACTIVATIONS = {
    "relu": (F.relu, ref.relu, lambda dy, x, y: ref.relu_backward(dy, y)),
    "leaky_relu": (
        lambda x: F.leaky_relu(x, 0.1),
        lambda x: ref.leaky_relu(x, negative_slope=0.1),
        lambda dy, x, y: ref.leaky_relu_backward(dy, x, negative_slope=0.1),
    ),
    "relu6": (F.relu6, ref.relu6, lambda dy, x, y: ref.relu6_backward(dy, x)),
    "elu": (
        lambda x: F.elu(x, 1.5),
        lambda x: ref.elu(x, alpha=1.5),
        lambda dy, x, y: ref.elu_backward(dy, x, alpha=1.5),
    ),
    "sigmoid": (torch.sigmoid, ref.sigmoid, lambda dy, x, y: ref.sigmoid_backward(dy, y)),
    "tanh": (torch.tanh, ref.tanh, lambda dy, x, y: ref.tanh_backward(dy, y)),
    "silu": (F.silu, ref.silu, lambda dy, x, y: ref.silu_backward(dy, x)),
    "gelu": (
        F.gelu,
        lambda x: ref.gelu(x, approximate="none"),
        lambda dy, x, y: ref.gelu_backward(dy, x, approximate="none"),
    ),
    "gelu_tanh": (
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: ref.gelu(x, approximate="tanh"),
        lambda dy, x, y: ref.gelu_backward(dy, x, approximate="tanh"),
    ),
    "hardswish": (F.hardswish, ref.hardswish, lambda dy, x, y: ref.hardswish_backward(dy, x)),
    "hardsigmoid": (F.hardsigmoid, ref.hardsigmoid, lambda dy, x, y: ref.hardsigmoid_backward(dy, x)),
}
# PyTorch's gradient of the float64 hardsigmoid is dy times 1/6 rounded to float32
EXTRA_ROUNDING = {"hardsigmoid": 2.0**-24 / 2.0**-52}


def check_activation(name, x, dy):
    torch_function, forward, backward = ACTIVATIONS[name]
    expected, (expected_dx,) = by_torch(torch_function, [x], dy)
    y = forward(x)
    assert_close(y, expected)
    assert_close(backward(dy(y), x, y), expected_dx, terms=EXTRA_ROUNDING.get(name, 1))


@pytest.mark.parametrize("name", ACTIVATIONS)
@quick
@given(elementwise_cases())
def test_activation_is_pytorchs(name, case):
    check_activation(name, 3 * case.array("x"), case.gradient)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_at_its_kinks(name):
    check_activation(name, np.array([-3.0, -0.0, 0.0, 3.0, 6.0]), np.ones_like)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activation_of_nan_infinities_and_huge_values(name, dtype):
    torch_function, forward, _ = ACTIVATIONS[name]
    x = np.array([np.nan, np.inf, -np.inf, 1e4, -1e4, 1e30, -1e30], dtype)
    expected = torch_function(torch.from_numpy(x)).numpy()
    if (name, dtype) == ("gelu", "float32"):
        expected[1] = np.inf  # PyTorch's vectorised erf makes gelu(∞) NaN in float32, its scalar one ∞ as in float64
    y = forward(x)
    assert y.dtype == expected.dtype
    # huge beside tiny: each cell is compared with itself
    np.testing.assert_allclose(y, expected, rtol=16 * EPSILON[x.dtype])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_of_huge_values_does_not_warn(name):
    x = np.array([1e4, -1e4], "float32")
    check_activation(name, x, np.ones_like)


def test_gelu_keeps_its_digits_far_below_zero():
    # Φ(−10) = 7.619853024160527e-24 (tables of the normal distribution); 1 + erf would give 0
    y = ref.gelu(np.array([-10.0]), approximate="none")
    np.testing.assert_allclose(y, [-7.619853024160527e-23], rtol=1e-14)


@pytest.mark.parametrize("one_slope", [False, True])
@quick
@given(elementwise_cases())
def test_prelu_is_pytorchs(one_slope, case):
    x = case.array("x")
    channels = 1 if one_slope or x.ndim == 1 else x.shape[1]
    weight = np.linspace(-0.5, 0.5, channels + 1)[1:]
    check(
        F.prelu,
        ref.prelu,
        lambda dy, _: ref.prelu_backward(dy, x, weight),
        (x, weight),
        case.gradient,
        terms=x.size,
    )


def test_relu_of_integers_is_exact():
    x = np.arange(-3, 9, dtype="float32")
    np.testing.assert_array_equal(ref.relu(x), [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    np.testing.assert_array_equal(ref.relu6(x), [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6])
