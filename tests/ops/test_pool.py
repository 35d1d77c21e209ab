import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from tests.ops.running import check, exact, family
from tests.strategies import adaptive_pool2d_cases, pool2d_cases


def sides(padding):
    """Return ((top, bottom), (left, right)) in PyTorch's order."""
    return (*padding[1], *padding[0])


def alike(settings):
    """Return the settings with PyTorch's one number for both ends."""
    return {**settings, "padding": tuple(before for before, _ in settings["padding"])}


def torch_names(settings):
    return {{"kernel": "kernel_size"}.get(name, name): value for name, value in settings.items()}


def gradient_sums(op, inputs, dy, expected):
    """Maxima are exact; a cell's gradient is the sum of those of the windows that it won, at most one a tap."""
    taps = op.kernel[0] * op.kernel[1]
    return {"y": 0.0, "dx": taps * abs(expected["dx"]) + taps * abs(dy).max()}


# Whole numbers hold ties, which must be broken as PyTorch does.
numbers = st.sampled_from(("array", "integers"))


@family
@given(pool2d_cases(dilated=True), numbers)
def test_max_pool2d_is_pytorchs(case, kind):
    settings = torch_names(alike(case.settings))
    x = getattr(case, kind)("x")
    check(
        ops.MaxPool2d(**case.settings),
        {"x": x},
        lambda x: F.max_pool2d(x, **settings),
        case.gradient,
        bounds=gradient_sums,
    )


@st.composite
def disjoint_cases(draw):
    """Windows that tile the plane, for which there is a fast kernel."""
    case = draw(pool2d_cases(padded=False))
    case.settings["stride"] = case.settings["kernel"]
    return case


@family
@given(disjoint_cases(), numbers)
def test_max_pool2d_of_disjoint_windows_is_pytorchs(case, kind):
    settings = torch_names(case.settings)
    x = getattr(case, kind)("x")
    check(ops.MaxPool2d(**case.settings), {"x": x}, lambda x: F.max_pool2d(x, **settings), case.gradient, bounds=exact)


@family
@given(pool2d_cases(dilated=True, symmetric=False), numbers)
def test_max_pool2d_with_uneven_padding_is_pytorchs(case, kind):
    settings = torch_names({name: value for name, value in case.settings.items() if name != "padding"})

    def torch_function(x):
        return F.max_pool2d(F.pad(x, sides(case.settings["padding"]), value=-torch.inf), **settings)

    x = getattr(case, kind)("x")
    check(ops.MaxPool2d(**case.settings), {"x": x}, torch_function, case.gradient, bounds=gradient_sums)


@family
@given(pool2d_cases(), st.booleans())
def test_avg_pool2d_is_pytorchs(case, count_include_pad):
    settings = torch_names(alike(case.settings)) | {"count_include_pad": count_include_pad}
    op = ops.AvgPool2d(**case.settings, count_include_pad=count_include_pad)
    check(op, {"x": case.array("x")}, lambda x: F.avg_pool2d(x, **settings), case.gradient)


@family
@given(pool2d_cases(symmetric=False), st.booleans())
def test_avg_pool2d_with_uneven_padding_is_pytorchs(case, count_include_pad):
    settings = torch_names({name: value for name, value in case.settings.items() if name != "padding"})

    def torch_function(x):
        average = F.avg_pool2d(F.pad(x, sides(case.settings["padding"])), **settings)
        if count_include_pad:
            return average
        real = F.avg_pool2d(F.pad(torch.ones_like(x), sides(case.settings["padding"])), **settings)
        return average / real

    op = ops.AvgPool2d(**case.settings, count_include_pad=count_include_pad)
    check(op, {"x": case.array("x")}, torch_function, case.gradient)


@family
@given(pool2d_cases(padded=False), st.sampled_from((1, 2, 3, 1.5)))
def test_lp_pool2d_is_pytorchs(case, norm):
    settings = torch_names(case.settings)
    x = abs(case.array("x")) + 0.1  # a negative sum has no root; at 0 the slope is infinite

    def bounds(op, inputs, dy, expected):
        """Each of xᵖ, the sum, the root and the slope (x/y)^(p − 1) rounds a few times per unit of p."""
        taps = op.kernel[0] * op.kernel[1]
        return {"y": (taps + 16) * expected["y"], "dx": 4 * (taps + 16) * abs(dy).max() * taps}

    check(
        ops.LPPool2d(norm, **case.settings),
        {"x": x},
        lambda x: F.lp_pool2d(x, norm, **settings),
        case.gradient,
        bounds=bounds,
    )


@family
@given(adaptive_pool2d_cases())
def test_adaptive_avg_pool2d_is_pytorchs(case):
    op = ops.AdaptiveAvgPool2d(**case.settings)
    check(op, {"x": case.array("x")}, lambda x: F.adaptive_avg_pool2d(x, **case.settings), case.gradient)


def test_the_indices_of_maxima_are_pytorchs():
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 7))
    op = ops.MaxPool2d(kernel=(3, 2), stride=(2, 2), padding=((1, 1), (0, 0)), ceil_mode=True)
    _, indices = op.reference(x)
    _, expected = F.max_pool2d(torch.from_numpy(x), (3, 2), (2, 2), (1, 0), ceil_mode=True, return_indices=True)
    np.testing.assert_array_equal(indices, expected.numpy())
