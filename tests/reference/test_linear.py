import numpy as np
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import check
from tests.strategies import linear_cases, quick


def gradients(x, weight):
    return lambda dy, _: (
        ref.linear_backward_data(dy, weight),
        ref.linear_backward_weight(dy, x),
        ref.linear_backward_bias(dy),
    )


@quick
@given(linear_cases())
def test_linear_is_pytorchs(case):
    x, weight, bias = (case.array(name) for name in ("x", "weight", "bias"))
    check(F.linear, ref.linear, gradients(x, weight), (x, weight, bias), case.gradient, terms=x.size)


@quick
@given(linear_cases())
def test_linear_of_integers_is_exact(case):
    x, weight, bias = (case.integers(name, dtype="float32") for name in ("x", "weight", "bias"))
    expected = (x.astype(int)[..., None, :] * weight.astype(int)).sum(-1) + bias.astype(int)
    np.testing.assert_array_equal(ref.linear(x, weight, bias), expected)
    dy = np.rint(case.gradient(expected.astype("float32")))
    dx, dweight, dbias = gradients(x, weight)(dy, None)
    rows, drows = x.reshape(-1, x.shape[-1]).astype(int), dy.reshape(-1, dy.shape[-1]).astype(int)
    np.testing.assert_array_equal(dx, (drows @ weight.astype(int)).reshape(x.shape))
    np.testing.assert_array_equal(dweight, sum(np.outer(d, row) for d, row in zip(drows, rows, strict=True)))
    np.testing.assert_array_equal(dbias, drows.sum(0))
