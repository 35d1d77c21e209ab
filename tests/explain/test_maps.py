import json

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.maps import chosen_channels, feature_maps, stages
from tests.views.drawings import graph


@pytest.fixture
def net() -> nn.Module:
    pel.manual_seed(0)
    return pel.zoo.build("tiny")


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1, 28, 28)).astype(np.float32)


def test_maps_are_the_traces(net: nn.Module, image: np.ndarray) -> None:
    trace = pel.trace(net, image)
    conv, relu, fc = feature_maps(trace, ["conv1", "relu2", "fc"])

    for found, name in ((conv, "conv1"), (relu, "relu2"), (fc, "fc")):
        np.testing.assert_array_equal(found.values, trace[name].output)
        assert found.order == tuple(range(len(found.values)))
    assert (conv.layer, conv.op, conv.values.shape) == ("conv1", "Conv2d", (4, 28, 28))
    assert fc.values.shape == (10,)


def test_statistics_are_those_of_each_channel(net: nn.Module, image: np.ndarray) -> None:
    (found,) = feature_maps(pel.trace(net, image), ["relu1"], channels=[2, 0])
    record = found.as_dict()

    assert record["shape"] == [4, 28, 28]
    assert [one["channel"] for one in record["channels"]] == [2, 0]
    for one in record["channels"]:
        values = found.values[one["channel"]].astype(np.float64)
        expected = {"min": values.min(), "max": values.max(), "mean": values.mean(), "zeros": (values == 0).mean()}
        assert {name: one[name] for name in expected} == pytest.approx(expected)


def test_channels_can_come_by_mean_and_by_maximum(net: nn.Module, image: np.ndarray) -> None:
    trace = pel.trace(net, image)
    values = trace["conv2"].output
    for by, numbers in (("mean", values.mean(axis=(1, 2))), ("max", values.max(axis=(1, 2)))):
        (found,) = feature_maps(trace, ["conv2"], by=by)
        assert list(found.order) == np.argsort(-numbers, kind="stable").tolist()
    (some,) = feature_maps(trace, ["conv2"], channels=[1, 5, 3, 1], by="max")
    assert sorted(some.order) == [1, 3, 5]


def test_channels_of_zeros_are_dead_and_numbers_are_not() -> None:
    net = nn.Sequential({"relu": nn.ReLU(), "gap": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()})
    image = np.stack([np.full((3, 3), value, np.float32) for value in (-1, 2, -3)])
    relu, gap, flat = feature_maps(pel.trace(net, image), ["relu", "gap", "flatten"])

    assert relu.dead == (0, 2)
    assert relu.zeros.tolist() == [1, 0, 1]
    assert gap.values.tolist() == flat.values.tolist() == [0, 2, 0]  # maps of one cell are numbers
    assert gap.dead == ()


def test_images_with_channels_last_are_turned() -> None:
    class Last(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1) * 2.0

    net = nn.Sequential({"last": Last()})
    image = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
    (found,) = feature_maps(pel.trace(net, image), ["last"])

    np.testing.assert_array_equal(found.values, 2 * image)


def test_stages_are_where_convolutions_end() -> None:
    assert stages(graph("tiny")) == ["relu1", "relu2", "fc"]
    assert stages(graph("pooled28")) == ["relu1", "relu2", "relu3", "fc2"]
    blocks = ["layer1.1.relu2", "layer2.1.relu2", "layer3.1.relu2", "layer4.1.relu2"]
    assert stages(graph("resnet18")) == ["relu", *blocks, "fc"]
    # no stage inside a block that a shortcut goes around
    assert stages(graph("resnet50"))[1:4] == ["layer1.2.relu3", "layer2.3.relu3", "layer3.5.relu3"]
    assert stages(graph("googlenet"))[2:5] == [f"inception{name}.concatenate" for name in ("3b", "4e", "5b")]
    assert stages(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).graph((1, 1, 2, 2))) == ["1"]
    blurred = nn.Sequential({"blur": nn.MaxPool2d(2), "conv": nn.Conv2d(1, 2, 3)}).graph((1, 1, 8, 8))
    assert stages(blurred) == ["conv"]


def test_the_overview_shows_the_stages(net: nn.Module, image: np.ndarray) -> None:
    assert [found.layer for found in feature_maps(pel.trace(net, image))] == ["relu1", "relu2", "fc"]


def test_what_cannot_be_shown_is_refused(net: nn.Module, image: np.ndarray) -> None:
    trace = pel.trace(net, image)
    with pytest.raises(pel.ParameterError, match=r"no layer 'relu9'; the nearest are relu[12], relu[12]"):
        feature_maps(trace, ["relu9"])
    with pytest.raises(pel.ParameterError, match="The channels of 'relu1' must be among 0 to 3; got 4"):
        feature_maps(trace, ["relu1"], channels=[0, 4])
    with pytest.raises(pel.ParameterError, match="must be among 0 to 3; got none"):
        chosen_channels("relu1", 4, [])
    with pytest.raises(pel.ParameterError, match="'by' parameter of feature_maps must be one of index, mean, max"):
        feature_maps(trace, by="min")

    class Tokens(nn.Module):
        def forward(self, x):
            return x.flatten(2)

    tokens = pel.trace(nn.Sequential({"tokens": Tokens()}), np.zeros((2, 3, 4), np.float32))
    with pytest.raises(pel.ParameterError, match=r"'tokens.*' gives 2×12, which are neither maps .* nor a vector"):
        feature_maps(tokens, [next(iter(tokens)).name])


def test_broken_weights_are_named(net: nn.Module, image: np.ndarray) -> None:
    net.get_submodule("conv1").weight.data[0] = np.inf
    with pytest.raises(pel.DataError, match="results of 'relu1' must be finite"):
        feature_maps(pel.trace(net, image), ["relu1"])


def test_channels_may_be_an_array_and_must_be_whole(net: nn.Module, image: np.ndarray) -> None:
    (found,) = feature_maps(pel.trace(net, image), ["relu1"], np.array([2, 0]))

    assert json.loads(json.dumps(found.as_dict()))["channels"][0]["channel"] == 2
    for wrong in ([0.5], ["1"], [True]):
        with pytest.raises(pel.ParameterError, match="The channels of 'relu1' must be among 0 to 3; got"):
            chosen_channels("relu1", 4, wrong)
