import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import reference as ref
from tests.reference.comparison import assert_close, by_torch, check
from tests.strategies import adaptive_pool2d_cases, pool2d_cases, quick


def torch_options(case):
    """Return a case's settings under PyTorch's names; its padding is symmetric."""
    options = dict(case.settings)
    options["kernel_size"] = options.pop("kernel")
    if "padding" in options:
        options["padding"] = tuple(before for before, _ in options["padding"])
    return options


def check_max_pool2d(case, x):
    expected, expected_indices = F.max_pool2d(torch.from_numpy(x), **torch_options(case), return_indices=True)
    y, indices = ref.max_pool2d(x, **case.settings)
    np.testing.assert_array_equal(y, expected.numpy())
    np.testing.assert_array_equal(indices, expected_indices.numpy())
    assert indices.dtype == np.int32
    dy = case.gradient(y)
    _, (expected_dx,) = by_torch(lambda t: F.max_pool2d(t, **torch_options(case)), [x], lambda _: dy)
    assert_close(ref.max_pool2d_backward(dy, indices, x.shape), expected_dx, terms=16)


@quick
@given(pool2d_cases(dilated=True))
def test_max_pool2d_is_pytorchs(case):
    check_max_pool2d(case, case.array("x"))


@quick
@given(pool2d_cases(dilated=True))
def test_the_first_of_equal_values_is_kept(case):
    check_max_pool2d(case, case.integers("x", -1, 1))


@quick
@given(pool2d_cases(dilated=True))
def test_nan_wins_and_minus_infinity_beats_the_border(case):
    check_max_pool2d(case, np.array([-np.inf, -np.inf, 0, np.nan])[case.integers("x", 0, 3).astype(int)])


@quick
@given(pool2d_cases(dilated=True, symmetric=False))
def test_max_pool2d_with_uneven_padding(case):
    x = case.array("x")
    options = dict(case.settings)
    padding = options.pop("padding")
    padded = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=-np.inf)
    expected = F.max_pool2d(
        torch.from_numpy(padded), options["kernel"], options["stride"], dilation=options["dilation"]
    )
    y, indices = ref.max_pool2d(x, **case.settings)
    np.testing.assert_array_equal(y, expected.numpy())
    flat = x.reshape(*x.shape[:2], -1)
    kept = np.take_along_axis(flat, indices.reshape(*y.shape[:2], -1), 2).reshape(y.shape)
    np.testing.assert_array_equal(kept, y)


def test_a_window_wholly_on_the_border_is_empty():
    x = np.ones((1, 1, 1, 1))
    y, indices = ref.max_pool2d(x, kernel=(1, 1), stride=(1, 1), padding=((0, 0), (1, 0)))
    np.testing.assert_array_equal(y, [[[[-np.inf, 1]]]])
    np.testing.assert_array_equal(indices, [[[[-1, 0]]]])
    np.testing.assert_array_equal(ref.max_pool2d_backward(np.full(y.shape, 5.0), indices, x.shape), [[[[5]]]])


@quick
@given(pool2d_cases(), st.booleans())
def test_avg_pool2d_is_pytorchs(case, count_include_pad):
    options = {**case.settings, "count_include_pad": count_include_pad}
    check(
        lambda x: F.avg_pool2d(x, **torch_options(case), count_include_pad=count_include_pad),
        lambda x: ref.avg_pool2d(x, **options),
        lambda dy, _: [ref.avg_pool2d_backward(dy, case.shapes["x"], **options)],
        [case.array("x")],
        case.gradient,
        terms=16,
    )


@quick
@given(pool2d_cases(symmetric=False))
def test_avg_pool2d_with_uneven_padding(case):
    padding, kernel, stride = (case.settings[name] for name in ("padding", "kernel", "stride"))
    check(
        lambda x: F.avg_pool2d(F.pad(x, (*padding[1], *padding[0])), kernel, stride),
        lambda x: ref.avg_pool2d(x, **case.settings),
        lambda dy, _: [ref.avg_pool2d_backward(dy, case.shapes["x"], **case.settings)],
        [case.array("x")],
        case.gradient,
        terms=16,
    )


def test_avg_pool2d_of_integers_is_exact():
    x = np.arange(48, dtype="float32").reshape(1, 1, 6, 8)
    y = ref.avg_pool2d(x, kernel=(2, 4), stride=(2, 4))
    expected = [[[[x[0, 0, i : i + 2, j : j + 4].sum() / 8 for j in (0, 4)] for i in (0, 2, 4)]]]
    np.testing.assert_array_equal(y, expected)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("norm", [1, 2, 3, 1.5, 4.0])
@pytest.mark.parametrize("signed", [False, True])
@quick
@given(pool2d_cases(padded=False))
def test_lp_pool2d_is_pytorchs(norm, signed, case):
    x = case.array("x")
    # small sums make the root steep and any comparison loose: unsigned data stay away from 0
    x = x if signed else abs(x) + 0.5
    options = torch_options(case)
    y = ref.lp_pool2d(x, norm=norm, **case.settings)
    dy = case.gradient(y)
    expected, (expected_dx,) = by_torch(lambda t: F.lp_pool2d(t, norm, **options), [x], lambda _: dy)
    dx = ref.lp_pool2d_backward(dy, x, y, norm=norm, **case.settings)
    # a root of a difference of large terms: its error grows without bound as the sum nears 0
    tolerance = 1e-8 if signed else 1e-12
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(dx, expected_dx, rtol=tolerance, atol=tolerance)


def test_lp_pool2d_of_zeros_has_gradient_zero():
    x = np.zeros((1, 1, 2, 2))
    options = {"norm": 2, "kernel": (2, 2), "stride": (2, 2)}
    y = ref.lp_pool2d(x, **options)
    np.testing.assert_array_equal(ref.lp_pool2d_backward(np.ones((1, 1, 1, 1)), x, y, **options), x)


@quick
@given(adaptive_pool2d_cases())
def test_adaptive_avg_pool2d_is_pytorchs(case):
    check(
        lambda x: F.adaptive_avg_pool2d(x, **case.settings),
        lambda x: ref.adaptive_avg_pool2d(x, **case.settings),
        lambda dy, _: [ref.adaptive_avg_pool2d_backward(dy, case.shapes["x"], **case.settings)],
        [case.array("x")],
        case.gradient,
        terms=100,
    )
