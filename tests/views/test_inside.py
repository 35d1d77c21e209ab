"""A convolution's cell as grids for the report."""

import numpy as np

import pellucid.nn as nn
from pellucid.explain.trace import Trace
from pellucid.views import inside


def spoilt(weights: np.ndarray, image: np.ndarray) -> Trace:
    """Trace a network of one convolution on numbers that a picture cannot have."""
    net = nn.Sequential({"conv": nn.Conv2d(*weights.shape[1::-1], weights.shape[2:], bias=False)})
    return Trace(net.graph((1, *image.shape)), {"x": image[None].astype(np.float32), "conv.weight": weights})


def test_the_channels_that_contribute_most_are_shown() -> None:
    weights = np.float32([1, -9, 2, 8, 7]).reshape(1, 5, 1, 1)
    found = inside.written(spoilt(weights, np.ones((5, 1, 1))).cell("conv", 0, 0, 0))

    assert [(channel, total) for channel, *_, total in found.channels] == [(1, "−9"), (3, "8"), (4, "7")]
    assert (found.left_out, found.sum, found.bias, found.preactivation) == (2, "9", "0", "9")
    assert [grid.rows for _, _, grid, _, _ in found.channels] == [
        [[("−9.00", "w-10")]],
        [[("8.00", "w9")]],
        [[("7.00", "w8")]],
    ]


def test_nan_and_infinity_have_no_shade() -> None:
    image = np.array([[[np.nan, np.inf, 2.0, -1.0]]])
    found = inside.written(spoilt(np.ones((1, 1, 1, 4), np.float32), image).cell("conv", 0, 0, 0))

    ((_, patch, *_),) = found.channels
    assert patch.rows == [[("nan", "a0"), ("inf", "a0"), ("2.00", "a10"), ("−1.00", "a-5")]]
