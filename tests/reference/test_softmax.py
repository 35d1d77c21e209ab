import numpy as np
import pytest
import torch
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import assert_close, check
from tests.strategies import quick, softmax_cases

FUNCTIONS = {
    "softmax": (torch.softmax, ref.softmax, ref.softmax_backward),
    "log_softmax": (torch.log_softmax, ref.log_softmax, ref.log_softmax_backward),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@quick
@given(softmax_cases())
def test_softmax_is_pytorchs(name, case):
    torch_function, forward, backward = FUNCTIONS[name]
    axis = case.settings["axis"]
    check(
        lambda x: torch_function(x, axis),
        lambda x: forward(x, axis=axis),
        lambda dy, y: [backward(dy, y, axis=axis)],
        [5 * case.array("x")],
        case.gradient,
        terms=8,
        scale=5,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "x", [[1e4, -1e4, 0], [np.nan, 0, 1], [-np.inf, 0, 1], [np.inf, 0, 1], [-np.inf, -np.inf, -np.inf]]
)
def test_softmax_of_huge_and_non_finite_scores(name, x):
    torch_function, forward, _ = FUNCTIONS[name]
    x = np.array(x)
    assert_close(forward(x, axis=0), torch_function(torch.from_numpy(x), 0).numpy())
