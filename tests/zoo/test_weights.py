import math

import numpy as np
import pytest

from pellucid import nn
from pellucid.nn.random import skip_init
from pellucid.zoo import weights


@pytest.fixture
def net():
    nn.manual_seed(0)
    with skip_init():
        return nn.Sequential(
            nn.Conv2d(32, 64, 3), nn.Conv2d(64, 64, (5, 3), groups=4), nn.BatchNorm2d(64), nn.Linear(300, 200)
        )


def assert_drawn(array, std, shape):
    """Compare the deviation, which some ten thousand values show to a few per cent, and the distribution's tails."""
    assert array.shape == shape
    assert array.dtype == np.float32
    assert array.std() == pytest.approx(std, rel=0.03)
    assert abs(array.mean()) < 0.04 * std


@pytest.mark.parametrize(("fan", "first", "second"), [("out", 64 * 9, 64 * 15), ("in", 32 * 9, 16 * 15)])
def test_kernels_as_he_draws_them(net, fan, first, second):
    weights.he(net, fan=fan)

    assert_drawn(net[0].weight.data, math.sqrt(2 / first), (64, 32, 3, 3))
    assert_drawn(net[1].weight.data, math.sqrt(2 / second), (64, 16, 5, 3))
    assert_drawn(net[3].weight.data, 1 / math.sqrt(3 * 300), (200, 300))
    assert np.abs(net[3].weight.data).max() <= 1 / math.sqrt(300)
    assert np.abs(net[0].weight.data).max() > 3 * math.sqrt(2 / first)  # a normal distribution has tails


def test_dense_weights_of_a_given_size(net):
    weights.he(net, dense=0.01)

    assert_drawn(net[3].weight.data, 0.01, (200, 300))
    assert np.abs(net[3].weight.data).max() > 0.03


def test_one_deviation_for_all(net):
    weights.normal(net, 0.02)

    for layer in (net[0], net[1], net[3]):
        assert_drawn(layer.weight.data, 0.02, layer.weight.shape)


def test_the_rest_stays(net):
    weights.he(net)

    assert not any(layer.bias.data.any() for layer in net)
    assert (net[2].weight.data == 1).all()
