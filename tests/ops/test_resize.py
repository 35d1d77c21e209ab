import pytest
import torch.nn.functional as F
from hypothesis import given

from pellucid import ops
from tests.ops.running import check, family, sums_of_products
from tests.strategies import resize_cases

MODES = {
    "nearest": ({"mode": "nearest"}, {"mode": "nearest"}),
    "bilinear": ({"mode": "bilinear"}, {"mode": "bilinear", "align_corners": False}),
    "corners": ({"mode": "bilinear", "align_corners": True}, {"mode": "bilinear", "align_corners": True}),
}


def placed(op, inputs, dy, expected):
    """Like sums of products, whose weights t err by epsilon times the place, which is at most the old extent."""
    magnitudes = sums_of_products(op, inputs, dy, expected)
    place = max(inputs["x"].shape[2:])
    largest = {"y": abs(inputs["x"]).max(), "dx": abs(dy).max() * dy.shape[2] * dy.shape[3]}
    return {name: magnitudes[name] + 8 * place * largest[name] for name in magnitudes}


@pytest.mark.parametrize("mode", MODES)
@family
@given(case=resize_cases())
def test_resize_is_pytorchs(mode, case):
    ours, theirs = MODES[mode]
    size = case.settings["size"]
    check(
        ops.Resize(size, **ours),
        {"x": case.array("x")},
        lambda x: F.interpolate(x, size, **theirs),
        case.gradient,
        bounds=sums_of_products if mode == "nearest" else placed,
    )
