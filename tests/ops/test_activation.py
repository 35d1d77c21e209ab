import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import ops
from tests.ops.running import check, family, relative
from tests.strategies import Case, elementwise_cases, seeds, shapes, softmax_cases

ACTIVATIONS = {
    "relu": (ops.ReLU(), F.relu),
    "leaky_relu": (ops.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
    "relu6": (ops.ReLU6(), F.relu6),
    "elu": (ops.ELU(1.5), lambda x: F.elu(x, 1.5)),
    "sigmoid": (ops.Sigmoid(), F.sigmoid),
    "tanh": (ops.Tanh(), F.tanh),
    "silu": (ops.SiLU(), F.silu),
    "gelu": (ops.GELU(), F.gelu),
    "gelu by tanh": (ops.GELU("tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "hardswish": (ops.Hardswish(), F.hardswish),
    # PyTorch's own gradient multiplies by 1/6 in float32, whatever the dtype
    "hardsigmoid": (ops.Hardsigmoid(), lambda x: F.relu6(x + 3) / 6),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=60, deadline=None)
@given(case=elementwise_cases(), whole=st.booleans())
def test_activations_are_pytorchs(name, case, whole):
    """Whole numbers and their halves hold every kink: −3, 0, 3 and 6."""
    op, torch_function = ACTIVATIONS[name]
    x = case.integers("x", -12, 12) / 2 if whole else 3 * case.array("x")
    # a formula of about ten roundings; its terms reach x² = 100 before they cancel
    check(op, {"x": x}, torch_function, case.gradient, bounds=relative(32, scale=100))


@st.composite
def prelu_cases(draw):
    """One slope for all channels, or one for each."""
    shape = draw(shapes())
    channels = shape[1] if len(shape) > 1 else 1
    return Case({"x": shape, "weight": (draw(st.sampled_from((1, channels))),)}, {}, draw(seeds))


@family
@given(prelu_cases(), st.sampled_from(("array", "integers")))
def test_prelu_is_pytorchs(case, kind):
    inputs = {"x": getattr(case, kind)("x"), "weight": case.array("weight")}
    # the slope's gradient is a sum over all cells
    check(
        ops.PReLU(), inputs, F.prelu, case.gradient, wrt=("x", "weight"), bounds=relative(4 + inputs["x"].size, scale=8)
    )


@pytest.mark.parametrize(("op", "function"), [(ops.Softmax, F.softmax), (ops.LogSoftmax, F.log_softmax)])
@family
@given(case=softmax_cases(), spread=st.sampled_from((1, 30, 1000)))
def test_softmax_is_pytorchs(op, function, case, spread):
    """Scores up to thousands, whose exponentials would overflow."""
    axis = case.settings["axis"] % len(case.shapes["x"])
    x = spread * case.array("x")
    # exp turns the rounding of x − max, of size spread, into a relative error
    check(op(axis), {"x": x}, lambda x: function(x, axis), case.gradient, bounds=relative(16 * (1 + spread)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_infinities_and_nan_are_pytorchs(name):
    op, torch_function = ACTIVATIONS[name]
    x = np.array([np.inf, -np.inf, np.nan, 1e30, -1e30, 0.0, -0.0])
    check(op, {"x": x}, torch_function, np.ones_like, wrt=(), bounds=relative(8))
