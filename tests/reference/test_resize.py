import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import check
from tests.strategies import quick, resize_cases


@quick
@given(resize_cases())
def test_resize_nearest_is_pytorchs(case):
    check(
        lambda x: F.interpolate(x, size=case.settings["size"], mode="nearest"),
        lambda x: ref.resize_nearest(x, **case.settings),
        lambda dy, _: [ref.resize_nearest_backward(dy, case.shapes["x"], **case.settings)],
        [case.array("x")],
        case.gradient,
        terms=400,
    )


def test_resize_nearest_picks_pytorchs_float32_indices():
    # at most sizes the rounding of the quotient is of no account; at 2 → 82, for one, it is
    for old in range(1, 100, 7):
        x = np.arange(old, dtype="float32").reshape(1, 1, 1, old)
        for new in [*range(1, 60, 4), 82, 164, 224]:
            expected = F.interpolate(torch.from_numpy(x), size=(1, new), mode="nearest").numpy()
            np.testing.assert_array_equal(ref.resize_nearest(x, size=(1, new)), expected)


@pytest.mark.parametrize("align_corners", [False, True])
@quick
@given(resize_cases())
def test_resize_bilinear_is_pytorchs(align_corners, case):
    options = {**case.settings, "align_corners": align_corners}
    check(
        lambda x: F.interpolate(x, mode="bilinear", **options),
        lambda x: ref.resize_bilinear(x, **options),
        lambda dy, _: [ref.resize_bilinear_backward(dy, case.shapes["x"], **options)],
        [case.array("x")],
        case.gradient,
        terms=400,
    )


def test_doubling_and_halving_are_exact():
    x = np.arange(12, dtype="float32").reshape(1, 1, 3, 4)
    np.testing.assert_array_equal(ref.resize_nearest(x, size=(6, 8)), x.repeat(2, 2).repeat(2, 3))
    halved = ref.resize_bilinear(x[:, :, :2], size=(1, 2), align_corners=False)
    np.testing.assert_array_equal(halved, [[[[2.5, 4.5]]]])
