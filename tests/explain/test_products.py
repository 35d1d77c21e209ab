"""A channel as the sum of what its inputs add, against SciPy and the layer itself."""

import numpy as np
import pytest
from scipy import signal

import pellucid as pel
import pellucid.nn as nn
from pellucid.errors import ParameterError
from pellucid.explain.products import channel_products


def traced(net, *shape):
    image = np.random.default_rng(1).standard_normal(shape, np.float32)
    return pel.trace(net, image)


def test_each_partial_map_is_its_input_correlated_with_its_kernel():
    pel.manual_seed(0)
    net = nn.Sequential({"conv": nn.Conv2d(3, 4, 3, padding=1)})
    trace = traced(net, 3, 9, 11)
    found = channel_products(trace, "conv", 2)
    weight = net.state_dict()["conv.weight"][2]
    for place in range(3):
        wanted = signal.correlate2d(trace.image[place], weight[place], "same")
        assert np.allclose(found.partials[place], wanted, atol=1e-5)
        assert np.array_equal(found.inputs[place], trace.image[place])
        assert np.array_equal(found.kernels[place], weight[place])
    assert found.source == next(iter(trace.graph.inputs))
    assert found.bias == pytest.approx(net.state_dict()["conv.bias"][2])


@pytest.mark.parametrize(
    "settings",
    [{}, {"stride": 2}, {"dilation": 2}, {"padding": 2}, {"padding": 1, "padding_mode": "reflect"}, {"groups": 4}],
)
def test_partial_maps_and_bias_add_up_to_the_engines_own_map(settings):
    pel.manual_seed(0)
    net = nn.Sequential({"conv": nn.Conv2d(8, 16, 3, **settings)})
    trace = traced(net, 8, 12, 12)
    found = channel_products(trace, "conv", 13)
    total = found.partials.sum(axis=0, dtype=np.float64) + found.bias
    assert np.allclose(total, trace["conv"].output[13], atol=1e-5)
    assert found.error == pytest.approx(abs(total - trace["conv"].output[13]).max())
    assert found.error < 1e-5
    groups = settings.get("groups", 1)
    assert found.channels == (range(6, 8) if groups == 4 else range(8))


def test_a_unit_behind_flattened_maps_is_a_kernel_as_large_as_they_are():
    pel.manual_seed(0)
    net = nn.Sequential({"pool": nn.MaxPool2d(2), "flatten": nn.Flatten(), "fc": nn.Linear(2 * 3 * 4, 5)})
    trace = traced(net, 2, 6, 8)
    found = channel_products(trace, "fc", 3)
    weight = net.state_dict()["fc.weight"][3].reshape(2, 3, 4)
    assert found.source == "pool"
    assert np.array_equal(found.kernels, weight)
    assert np.allclose(found.partials[:, 0, 0], (trace["pool"].output * weight).sum(axis=(1, 2)), atol=1e-5)
    assert found.output.shape == (1, 1)
    assert found.error < 1e-5


def test_inputs_that_change_the_map_most_come_first():
    net = nn.Sequential({"conv": nn.Conv2d(3, 1, 1, bias=False)})
    net.load_state_dict({"conv.weight": np.float32([[[[0.1]], [[-3]], [[2]]]])})
    found = channel_products(pel.trace(net, np.ones((3, 2, 2), np.float32)), "conv", 0)
    assert found.strongest == [1, 2, 0]


@pytest.mark.parametrize("layer", ["relu", "fc2"])
def test_other_layers_are_no_such_sum(layer):
    net = nn.Sequential({"relu": nn.ReLU(), "flatten": nn.Flatten(), "fc": nn.Linear(4, 3), "fc2": nn.Linear(3, 2)})
    assert channel_products(traced(net, 1, 2, 2), layer, 0) is None


def test_a_channel_that_is_not_there():
    net = nn.Sequential({"conv": nn.Conv2d(1, 2, 1)})
    with pytest.raises(ParameterError, match="channel of 'conv' must be 0 to 1; got 2"):
        channel_products(traced(net, 1, 2, 2), "conv", 2)
