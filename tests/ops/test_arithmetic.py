import pytest
import torch
from hypothesis import given

from pellucid import ops
from tests.ops.running import check, family
from tests.strategies import broadcast_cases, reduction_cases

SIDES = ("a", "b")


@pytest.mark.parametrize(("op", "function"), [(ops.Add(), torch.add), (ops.Multiply(), torch.mul)])
@family
@given(case=broadcast_cases())
def test_sums_and_products_are_pytorchs(op, function, case):
    check(op, {name: case.array(name) for name in SIDES}, function, case.gradient, wrt=SIDES)


@pytest.mark.parametrize(("op", "function"), [(ops.Sum, torch.sum), (ops.Mean, torch.mean)])
@family
@given(case=reduction_cases())
def test_reductions_are_pytorchs(op, function, case):
    x = case.array("x")
    axes = tuple(axis % x.ndim for axis in case.settings["axes"])
    keepdims = case.settings["keepdims"]
    check(op(axes, keepdims), {"x": x}, lambda x: function(x, axes, keepdim=keepdims), case.gradient)
