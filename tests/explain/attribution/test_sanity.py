import json

import numpy as np
import pytest
import scipy.stats

from pellucid import nn
from pellucid.data import Preprocessing
from pellucid.data.registry import load
from pellucid.errors import ParameterError
from pellucid.explain.attribution.attribute import attribute
from pellucid.explain.attribution.sanity import SAME, Sanity, Stage, sanity, spearman
from pellucid.interop.pretrained import pretrained
from tests.explain.attribution.torch_twins import resnet18, small


@pytest.mark.parametrize("levels", [3, 1000])
def test_rank_correlation_is_scipys(levels: int) -> None:
    one, other = np.random.default_rng(0).integers(0, levels, (2, 12, 12)) / 7
    assert spearman(one, other) == pytest.approx(scipy.stats.spearmanr(one.ravel(), other.ravel()).statistic)
    assert spearman(one, one) == 1
    assert spearman(one, np.zeros((12, 12))) == 0


def test_a_gradient_asks_the_network_and_the_network_stays_as_it_is() -> None:
    net, _, image = small()
    before = net.state_dict()
    found = sanity(net, image, "gradient")

    assert [stage.layers for stage in found.stages] == [("fc2",), ("fc1",), ("conv2",), ("conv1",)]
    assert abs(found.stages[-1].correlation) < 0.4
    assert found.ignored == ()
    assert found.words[0].startswith("The map by Gradient depends on the network: once 'fc2' is random")
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())
    np.testing.assert_array_equal(found.attribution.map, attribute(net, image, method="gradient").map)


def test_a_map_of_the_picture_ignores_the_network() -> None:
    """Scores that are sums of all pixels, whatever the weights: input times gradient is the picture."""

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Linear(1, 2)

        def forward(self, x):
            return self.scale(x.mean((1, 2, 3)).reshape(x.shape[0], 1))

    image = np.random.default_rng(0).random((1, 8, 8), dtype=np.float32)
    found = sanity(Sum(), image, "gradient-times-input", 0)

    assert found.ignored == ("scale",)
    assert found.stages[0].correlation == 1
    assert found.words == (
        "On this image the map by Gradient × input ignores the network: with all weights random, its ranks still "
        "correlate 1.00 with before; it shows the picture.",
    )


def test_what_is_ignored_from_the_scores_on() -> None:
    net, _, image = small()
    attribution = attribute(net, image, method="guided-backprop")

    def checked(*correlations: float) -> Sanity:
        layers = ("fc2", "fc1"), ("conv2",), ("conv1",)
        stages = (Stage(*pair) for pair in zip(layers, [attribution.summary] * 3, correlations, strict=True))
        return Sanity(attribution, tuple(stages), 0)

    some = checked(0.9, 0.3, -0.2)
    assert some.ignored == ("fc2", "fc1")
    assert some.words == (
        "On this image the map by Guided backprop ignores what 'fc2' and 'fc1' learned: when that is random, its ranks "
        "still correlate 0.90 with before; it says little about the class.",
        "With all weights random they correlate −0.20.",
    )
    assert json.loads(json.dumps(some.as_dict()))["ignored"] == ["fc2", "fc1"]
    assert checked(0.9, 0.8, 0.7).words[0].startswith("On this image the map by Guided backprop ignores the network")
    assert checked(0.2, 0.8, 0.9).ignored == ()


def test_guided_backprop_ignores_the_last_layer_of_a_trained_network() -> None:
    net = pretrained("fashion")
    pictures = load("fashion-mnist-mini")[1].images[:4]
    inputs = Preprocessing.from_dict(net.metadata["preprocessing"]).normalise(pictures)
    guided, plain = (
        [sanity(net, image, method).stages[0].correlation for image in inputs]
        for method in ("guided-backprop", "gradient")
    )

    assert min(guided) > SAME
    assert max(plain) < SAME


def test_many_layers_become_random_in_few_stages() -> None:
    net, _, image = resnet18()
    seen: list[tuple[int, int]] = []
    found = sanity(net, image, "layer-cam", layer="layer3", stages=3, progress=lambda *done: seen.append(done))

    layers = [layer for stage in found.stages for layer in stage.layers]
    assert seen == [(0, 3), (1, 3), (2, 3)]
    assert (len(layers), len(set(layers)), layers[0], layers[-1]) == (41, 41, "fc", "conv1")
    assert all(stage.summary.shape == (64, 64) for stage in found.stages)


def test_the_same_seed_gives_the_same() -> None:
    net, _, image = small()
    one, same, other = (sanity(net, image, "smooth-grad", samples=3, seed=seed) for seed in (1, 1, 2))
    assert [stage.correlation for stage in one.stages] == [stage.correlation for stage in same.stages]
    assert [stage.correlation for stage in one.stages] != [stage.correlation for stage in other.stages]


def test_what_cannot_be_checked() -> None:
    net, _, image = small()
    with pytest.raises(ParameterError, match="The 'stages' parameter of sanity must be an integer of at least 1"):
        sanity(net, image, stages=0)

    class Plain(nn.Module):
        def forward(self, x):
            return x.mean((2, 3))

    with pytest.raises(ParameterError, match="needs weights to make random; the network has none"):
        sanity(Plain(), image, "gradient")


def test_a_map_without_ranks_gets_no_verdict() -> None:
    net, _, image = small()
    net.conv1.bias.data[:] = -100  # dead ReLUs
    found = sanity(net, image, "gradient")

    assert found.stages == found.ignored == ()
    assert found.words == (
        "Whether the map by Gradient depends on the network cannot be said: it is of one magnitude everywhere and has "
        "no ranks to compare.",
    )
    assert json.loads(json.dumps(found.as_dict()))["stages"] == []
    assert spearman(np.zeros(0), np.zeros(0)) == 0


def test_weights_that_are_all_the_same_become_random_too() -> None:
    net = nn.Sequential({"flatten": nn.Flatten(), "fc1": nn.Linear(64, 30), "relu": nn.ReLU(), "fc2": nn.Linear(30, 2)})
    random = np.random.default_rng(0)
    net.fc1.weight.data[:] = random.standard_normal((30, 64))
    net.fc2.weight.data[:] = 0.01
    net.fc2.bias.data[:] = 0
    found = sanity(net, random.random((1, 8, 8), dtype=np.float32), "gradient", 0)

    assert found.stages[0].layers == ("fc2",)
    assert found.stages[0].correlation < 0.9  # with the same weights, it would be 1
    assert found.stages[0].summary.std() > 5 * found.attribution.summary.std()  # 0.01 has become 1/√30 = 0.18
