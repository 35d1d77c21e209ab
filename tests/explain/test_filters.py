import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.filters import gabor_study, layer_filters
from pellucid.explain.gabor import Gabor


def test_filters_are_the_weights_of_the_first_convolution() -> None:
    net = pel.zoo.build("lenet5-rgb")
    found = layer_filters(net)
    weight = net.get_submodule("conv1").weight.data

    np.testing.assert_array_equal(found.weights, weight)
    assert (found.layer, found.first, found.groups, found.order) == ("conv1", True, 1, (0, 1, 2, 3, 4, 5))
    np.testing.assert_allclose(found.norms, np.sqrt((weight.astype(np.float64) ** 2).sum(axis=(1, 2, 3))))
    second = layer_filters(net, "conv2", [3, 1])
    assert (second.first, second.order, second.weights.shape) == (False, (3, 1), (16, 6, 5, 5))
    assert [one["filter"] for one in second.as_dict()["filters"]] == [3, 1]


def test_later_training_does_not_change_what_was_read() -> None:
    net = pel.zoo.build("tiny")
    found = layer_filters(net)
    before = found.weights.copy()
    net.get_submodule("conv1").weight.data *= 2

    np.testing.assert_array_equal(found.weights, before)


def test_a_network_that_does_not_say_its_input_is_told_it() -> None:
    net = nn.Sequential(nn.Conv2d(2, 4, 5, groups=2, bias=False))
    with pytest.raises(pel.ParameterError, match="does not say which images it takes; give 'shape'"):
        layer_filters(net)
    found = layer_filters(net, shape=(2, 8, 8))

    assert (found.groups, found.bias, found.weights.shape) == (2, None, (4, 1, 5, 5))
    net(np.zeros((1, 2, 9, 9), np.float32))  # it has seen one now
    assert layer_filters(net).layer == "0"


def test_only_convolutions_have_filters() -> None:
    net = pel.zoo.build("tiny")
    with pytest.raises(
        pel.ParameterError, match=r"'relu1' must be a convolution .*; it is ReLU; there are conv1, conv2"
    ):
        layer_filters(net, "relu1")
    with pytest.raises(pel.ParameterError, match=r"no layer 'conv7'; the nearest are conv[12], conv[12]"):
        layer_filters(net, "conv7")
    with pytest.raises(pel.ParameterError, match="The channels of 'conv1' must be among 0 to 3; got 9"):
        layer_filters(net, "conv1", [9])
    dense = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(pel.ParameterError, match="must have a convolution with weights of its own; there is none"):
        layer_filters(dense, shape=(1, 2, 2))


def test_gabor_functions_are_fitted_to_the_principal_plane_of_the_chosen_filters() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(3, 3, 7)})
    plane, colour = Gabor(1, 0.5, 0, 1.6, 1, 30, 5, 90, 0).draw(7, 7), np.array([0.5, -0.5, 0.8])
    net.get_submodule("conv").weight.data[1] = colour[:, None, None] * plane
    net.get_submodule("conv").weight.data[2] = 0
    study = gabor_study(layer_filters(net, filters=[1, 2], shape=(3, 9, 9)), np.array([0.2, 0.3, 0.4]))
    record = study.as_dict()

    assert study.r2[0] > 0.9999
    assert np.isnan(study.r2[1])
    assert study.median == study.r2[0]  # the constant filter does not count
    np.testing.assert_allclose(study.directions[0], colour / np.linalg.norm(colour), atol=1e-6)
    assert study.shares[0] == pytest.approx(1)
    assert record["random_median_r2"] == pytest.approx(0.3)
    assert record["fits"][0]["angle"] == pytest.approx(30, abs=0.1)
    assert record["fits"][1]["r2"] is None


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_broken_weights_are_named(name: str) -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 2, 3)})
    getattr(net.get_submodule("conv"), name).data[0] = np.nan
    with pytest.raises(pel.DataError, match="weights of 'conv' must be finite; got NaN or infinity"):
        layer_filters(net, shape=(1, 8, 8))
