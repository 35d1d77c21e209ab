import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import check
from tests.strategies import pad_cases, quick

NUMPY_MODE = {"zeros": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}


@quick
@given(pad_cases())
def test_pad_is_pytorchs(case):
    padding, mode = case.settings["padding"], case.settings["mode"]
    check(
        lambda x: F.pad(x, (*padding[3], *padding[2]), mode="constant" if mode == "zeros" else mode),
        lambda x: ref.pad(x, padding, mode=mode),
        lambda dy, _: [ref.pad_backward(dy, case.shapes["x"], padding, mode=mode)],
        [case.array("x")],
        case.gradient,
        terms=16,
    )


@quick
@given(pad_cases())
def test_pad_is_numpys_bit_for_bit(case):
    x = case.array("x")
    expected = np.pad(x, case.settings["padding"], NUMPY_MODE[case.settings["mode"]])
    np.testing.assert_array_equal(ref.pad(x, **case.settings), expected)


@pytest.mark.parametrize("mode", NUMPY_MODE)
def test_every_axis_of_any_rank_can_be_padded(mode):
    x = np.arange(24.0).reshape(2, 3, 4)
    padding = [(1, 0), (2, 1), (0, 3)]
    np.testing.assert_array_equal(ref.pad(x, padding, mode=mode), np.pad(x, padding, NUMPY_MODE[mode]))


def test_value_fills_the_border():
    np.testing.assert_array_equal(ref.pad(np.array([1.0]), [(1, 1)], value=-np.inf), [-np.inf, 1, -np.inf])


@quick
@given(pad_cases())
def test_backward_is_the_exact_adjoint(case):
    x = case.integers("x")
    y = ref.pad(x, **case.settings)
    dy = np.rint(4 * case.gradient(y))
    dx = ref.pad_backward(dy, x.shape, case.settings["padding"], mode=case.settings["mode"])
    assert (dx * x).sum() == (dy * y).sum()
