import numpy as np
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import ops
from tests.ops.running import check, family
from tests.strategies import linear_cases


@family
@given(linear_cases(), st.booleans())
def test_linear_is_pytorchs(case, with_bias):
    inputs = {"x": case.array("x"), "weight": case.array("weight"), "bias": case.array("bias") if with_bias else None}
    wrt = [name for name, array in inputs.items() if array is not None]
    check(ops.Linear(), inputs, F.linear, case.gradient, wrt=wrt)


def test_no_rows_at_all():
    inputs = {"x": np.zeros((0, 3)), "weight": np.ones((2, 3)), "bias": np.ones(2)}
    check(ops.Linear(), inputs, F.linear, np.ones_like, wrt=list(inputs))
