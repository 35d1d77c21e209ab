"""Average pooling, resizing and padding by one kernel, against the reference."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.kernels.host import host
from pellucid.types import TensorType
from tests.comparison import EPSILON, assert_matches
from tests.ops.running import run

from .lowered import interpreted

W = host().width
CHANNELS = sorted({1, W - 1, W, W + 1, 2 * W + 1, 4 * W, 9 * W + 1})
PADDED = ((1, 1), (1, 1))
EXACT = [
    ops.AvgPool2d((2, 2), (2, 2)),
    ops.AvgPool2d((2, 4), (1, 2), ceil_mode=True),
    ops.AvgPool2d((1, 1), (1, 1)),
    ops.AdaptiveAvgPool2d((2, 2)),
    ops.AdaptiveAvgPool2d((9, 8)),
    ops.Resize((8, 8)),
    ops.Resize((3, 2)),
    ops.Resize((8, 8), "bilinear"),
    *(ops.Pad(((0, 0), (0, 0), (2, 1), (0, 3)), mode) for mode in ("zeros", "replicate", "reflect", "circular")),
    ops.Pad(((0, 0), (0, 0), (0, 2), (1, 0)), value=-1.5),
]
"""On small whole numbers and planes of 4×4 these are exact: every weight is a power of two."""
ROUNDED = [
    ops.AvgPool2d((3, 3), (1, 2), PADDED),
    ops.AvgPool2d((3, 2), (2, 3), PADDED, ceil_mode=True, count_include_pad=False),
    ops.AdaptiveAvgPool2d((1, 1)),
    ops.AdaptiveAvgPool2d((3, 5)),
    ops.Resize((11, 5), "bilinear"),
    ops.Resize((5, 9), "bilinear", align_corners=True),
]
KERNELS = {
    "AvgPool2d": "avg_pool2d",
    "AdaptiveAvgPool2d": "adaptive_avg_pool2d",
    "Resize": "resize",
    "Pad": "pad_images",
}


def whole(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(-3, 4, shape).astype(np.float32)


def both(op, x, dy=None):
    dy = whole(*op.reference(x)[0].shape, seed=1) if dy is None else dy
    return [run(op, {"x": x}, dy, ["x"], executor=executor) for executor in ("fast", "reference")]


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("op", EXACT, ids=str)
def test_small_whole_numbers_come_out_exactly(op, channels):
    fast, reference = both(op, whole(2, channels, 4, 4))
    for name, expected in reference.all().items():
        assert_matches(fast.all()[name], expected, kernel=f"{op} {name}")
    kernel = KERNELS[op.kind]
    assert (fast.kernels["op"], fast.kernels["d.op.x"]) == (kernel, f"{kernel}_backward")


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 1, 7), (2, W + 1, 5, 3), (1, 2, 9, 8)])
@pytest.mark.parametrize("op", [*EXACT[4:-1], *ROUNDED], ids=str)
def test_real_numbers_come_out_within_the_rounding_of_a_sum(op, shape):
    """Each of n weighted terms is rounded a few times: n · ε · the sum of their sizes bounds both ways of adding."""
    if op.kind == "Pad" and op.mode in ("reflect", "circular") and min(shape[2:]) < 4:
        return  # the border is wider than the image
    if op.kind == "AvgPool2d" and min(shape[2:]) < 2:
        return  # no window fits
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    dy = np.random.default_rng(3).standard_normal(op.reference(x)[0].shape).astype(np.float32)
    fast, reference = both(op, x, dy)
    _, sizes = both(op, abs(x), abs(dy))
    terms = max(x.size, dy.size) + 8
    for name, expected in reference.all().items():
        assert_matches(
            fast.all()[name], expected, terms * EPSILON["float32"] * sizes.all()[name], kernel=f"{op} {name}"
        )


@pytest.mark.parametrize("op", [ops.AvgPool2d((3, 3), (3, 3)), ops.AdaptiveAvgPool2d((1, 1))], ids=str)
def test_the_average_of_equal_numbers_is_that_number(op):
    x = np.full((2, 3, 9, 9), 0.7, np.float32) * np.float32(2) ** np.arange(3, dtype=np.float32)[:, None, None]
    y = run(op, {"x": np.round(x)}, executor="fast").results["y"]
    np.testing.assert_array_equal(y, np.broadcast_to(np.round(x)[:, :, :1, :1], y.shape))


@pytest.mark.parametrize("op", [*EXACT, *ROUNDED], ids=str)
def test_nan_and_infinity_go_where_they_go_in_the_reference(op):
    x = whole(2, 3, 4, 4)
    for seed, special in enumerate((np.nan, np.inf)):
        np.copyto(x, special, where=np.random.default_rng(seed).random(x.shape) < 0.1)
    (y,) = op.infer(TensorType.of(x))
    dy = np.where(np.random.default_rng(5).random(y.shape) < 0.1, np.inf, 1).astype(np.float32)
    fast, reference = both(op, x, dy)
    for name in ("y", "dx"):
        found, expected = fast.all()[name], reference.all()[name]
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))


def test_one_pixel_of_a_large_plane_is_computed_by_channels():
    x = whole(1, 5 * W + 3, 60, 70)
    fast, reference = both(ops.AdaptiveAvgPool2d((1, 1)), x)
    np.testing.assert_array_equal(fast.results["y"], reference.results["y"])


@pytest.mark.parametrize("op", [EXACT[1], EXACT[7], EXACT[-1]], ids=str)
def test_interpreted_as_compiled(op):
    x = whole(2, W + 1, 4, 4)
    dy = whole(*op.reference(x)[0].shape, seed=1)
    found = run(op, {"x": x}, dy, ["x"], executor="fast").all()
    for name, array in interpreted(op, {"x": x}, dy, ["x"]).items():
        np.testing.assert_array_equal(array, found[name])


@pytest.mark.parametrize(
    ("op", "type_", "kernel", "reason"),
    [
        (ops.Pad(((0, 0), (1, 0), (0, 0), (0, 0))), TensorType((1, 1, 4, 4)), "pad_images", "rows and columns only"),
        (ops.Pad(((0, 0), (1, 0))), TensorType((1, 1)), "pad_images", "takes images"),
        (ops.Resize((3, 3)), TensorType((1, 1, 4, 4), "float64"), "resize", "float64"),
        (ops.AvgPool2d((2, 2), (2, 2)), TensorType((1, 0, 4, 4)), "avg_pool2d", "not empty"),
    ],
)
def test_a_kernel_says_why_it_rejects(op, type_, kernel, reason):
    assert reason in dict(ops.choose(op, (type_,)).rejected)[kernel]
