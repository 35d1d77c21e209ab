import numpy as np
import pytest
import torch
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import check
from tests.strategies import broadcast_cases, quick, reduction_cases


@quick
@given(broadcast_cases())
def test_add_is_pytorchs(case):
    a, b = case.array("a"), case.array("b")
    check(
        torch.add,
        ref.add,
        lambda dy, _: ref.add_backward(dy, a.shape, b.shape),
        (a, b),
        case.gradient,
        terms=625,
    )


@quick
@given(broadcast_cases())
def test_multiply_is_pytorchs(case):
    a, b = case.array("a"), case.array("b")
    check(
        torch.mul,
        ref.multiply,
        lambda dy, _: ref.multiply_backward(dy, a, b),
        (a, b),
        case.gradient,
        terms=625,
    )


@pytest.mark.parametrize(
    ("torch_function", "forward", "backward"),
    [(torch.sum, ref.total, ref.total_backward), (torch.mean, ref.mean, ref.mean_backward)],
    ids=["total", "mean"],
)
@quick
@given(reduction_cases())
def test_reduction_is_pytorchs(torch_function, forward, backward, case):
    check(
        lambda x: torch_function(x, dim=case.settings["axes"], keepdim=case.settings["keepdims"]),
        lambda x: forward(x, **case.settings),
        lambda dy, _: [backward(dy, case.shapes["x"], **case.settings)],
        [case.array("x")],
        case.gradient,
        terms=625,
    )


@quick
@given(broadcast_cases())
def test_integers_are_exact(case):
    a, b = case.integers("a", dtype="float32"), case.integers("b", dtype="float32")
    product = ref.multiply(a, b)
    np.testing.assert_array_equal(product, a.astype(int) * b.astype(int))
    # with dy = 1 everywhere, Σ da·a = Σ db·b = Σ a·b
    for gradient, side in zip(ref.multiply_backward(np.ones_like(product), a, b), (a, b), strict=True):
        assert (gradient * side).sum() == product.sum()
