"""A blank map says why, in every case that can be constructed."""

import numpy as np
import pytest

from pellucid import nn
from pellucid.explain.attribution.attribute import attribute
from pellucid.types import Array

IMAGE = np.float32([[[1, 2, 3, 0], [0, 1, 2, 1], [3, 1, 0, 2], [1, 1, 2, 2]]])
ONE = [[[[1]]], [[[2]]]]
"""Weights of a 1×1 convolution that shows the image twice, once doubled."""


def network(scores: list[float], bias: float = 0, activation: type[nn.Module] = nn.ReLU) -> nn.Module:
    """Two maps that repeat the image, and classes that sum map 0, map 1 with these weights, or their opposites."""
    net = nn.Sequential(
        {
            "conv": nn.Conv2d(1, 2, 1),
            "relu": activation(),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(32, 2),
        }
    )
    weights = np.repeat(np.float32(scores), 16)
    state = {"conv.weight": ONE, "conv.bias": [bias, bias], "fc.weight": [weights, -weights], "fc.bias": [0, 0]}
    net.load_state_dict(state)
    return net


def why(net: nn.Module, method: str, image: Array = IMAGE, **settings: object) -> str:
    found = attribute(net, image, 0, method, **settings)
    assert not found.map.any()
    (blank,) = [words for words in found.words if words.startswith("The map is blank")]
    return blank.removeprefix("The map is blank: ")


def test_all_gradients_negative() -> None:
    said = why(network([-1, -2]), "grad-cam", layer="relu")
    assert said == (
        "none of the 2 maps of 'relu' has a gradient that is positive in the mean: what it found speaks against "
        "class 0, and ReLU left nothing."
    )
    assert why(network([-1, -2]), "layer-cam", layer="relu") == (
        "in 'relu' no gradient is positive where its maps are, so ReLU left nothing."
    )


def test_more_against_than_for() -> None:
    assert why(network([1, -2]), "grad-cam", layer="relu") == (
        "in every cell of 'relu' the maps that speak against class 0 (1 of 2) outweigh those for it, and ReLU left "
        "nothing."
    )


@pytest.mark.parametrize("method", ["gradient", "smooth-grad", "integrated-gradients", "guided-backprop", "occlusion"])
def test_dead_relus(method: str) -> None:
    assert why(network([1, 2], bias=-100), method) == (
        "no gradient passes ReLU 'relu': all 32 numbers before it are at most 0 (dead ReLUs)."
    )


def test_dead_relus_leave_no_map() -> None:
    assert why(network([1, 2], bias=-100), "grad-cam") == "every number of 'relu' is 0 for this image."


def test_relus_dead_where_it_matters() -> None:
    net = network([1, 0])
    net.conv.bias.data[:] = (-100, 1)
    said = why(net, "gradient")
    assert said == (
        "no gradient passes ReLU 'relu': 16 of its 32 numbers are cut off, among them all that the score depends on."
    )


def test_relus_of_two_ends() -> None:
    net = network([1, 2], activation=nn.ReLU6)
    net.conv.bias.data[:] = (-100, 100)
    assert why(net, "gradient") == (
        "no gradient passes ReLU6 'relu': all 32 numbers before it are at most 0 (dead ReLUs), or 6 and more."
    )


def test_no_gradient_behind_a_layer_reaches_it() -> None:
    net = nn.Sequential(
        {"conv": nn.Conv2d(1, 1, 1), "flatten": nn.Flatten(), "fc": nn.Linear(16, 2), "last": nn.ReLU()}
    )
    net.fc.bias.data[:] = -1000
    assert why(net, "grad-cam", layer="conv") == (
        "no gradient passes ReLU 'last': all 2 numbers before it are at most 0 (dead ReLUs)."
    )


def test_saturation() -> None:
    said = why(network([1, 2], bias=100, activation=nn.Sigmoid), "gradient")
    assert said == "no gradient passes Sigmoid 'relu': it is saturated, its numbers lie between 1 and 1."


def test_only_negative_gradients_reach_what_is_guided() -> None:
    net = network([-1, -2])
    assert attribute(net, IMAGE, 0, "gradient").map.any()
    assert why(net, "guided-backprop") == (
        "no gradient passes ReLU 'relu': where it is open all gradients that reach it are negative, and only positive "
        "ones may pass."
    )


def test_weights_of_zero() -> None:
    assert why(network([0, 0]), "gradient") == "no gradient passes Linear 'fc': all its weights are 0."


def test_a_score_of_nothing() -> None:
    class Constant(nn.Module):
        def forward(self, x):
            return (x.flatten(1) * 0.0).sum(1, keepdim=True)

    assert why(Constant(), "gradient") == (
        "no gradient passes Multiply 'multiply': what goes back through it is 0, or cancels."
    )


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion"])
def test_an_image_that_is_the_baseline(method: str) -> None:
    expected = "the image equals the baseline, so there is nothing that the score could come from."
    assert why(network([1, 2]), method, baseline=IMAGE) == expected
    assert why(network([1, 2]), method, np.zeros_like(IMAGE)) == expected


def test_an_image_of_zeros() -> None:
    assert why(network([1, 2]), "gradient-times-input", np.zeros_like(IMAGE)) == (
        "the image is 0 everywhere, and so is every product with it."
    )


def test_a_map_that_is_not_blank_says_where_it_lies() -> None:
    image = np.zeros((1, 4, 4), np.float32)
    image[0, 1:3, 2] = 5
    image[0, 3, 0] = -2
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    net.load_state_dict({"1.weight": np.ones((2, 16)), "1.bias": [1, 0]})
    words = attribute(net, image).words

    assert words[0] == "The score of class 0 is 9; its probability by softmax is 73.1 %."
    assert words[1] == "100 % of the positive attribution lies in rows 1–2, column 2."
    assert words[2] == "100 % of the negative attribution lies in row 3, column 0."
    assert words[3].startswith("The map adds up to 8; the score rises from 1 to 9, by 8: ")


def test_the_class_asked_for_and_the_likeliest() -> None:
    net = network([1, 2])
    net.metadata["classes"] = ["cat", "dog"]
    found = attribute(net, IMAGE, "dog", "gradient")

    assert (found.target, found.name) == (1, "dog")
    assert found.words[0].startswith("The score of 'dog' (class 1) is −")
    assert found.words[1] == "The network takes the image for 'cat' (class 0)."


def test_a_softmax_at_the_end_is_left_out_and_said_to_be_saturated() -> None:
    plain = network([1, 2])
    net = nn.Sequential({**dict(plain.named_children()), "softmax": nn.Softmax(1)})
    found, without = attribute(net, IMAGE, 0, "gradient"), attribute(plain, IMAGE, 0, "gradient")

    np.testing.assert_array_equal(found.map, without.map)
    assert (found.score, found.probability) == (without.score, 1.0)
    assert found.words[1] == (
        "The network ends in a softmax; the score is the number before it. The softmax is saturated: by its result "
        "hardly any gradient would be left."
    )


def test_other_activations_than_relu_are_not_guided() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.GELU(), nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    assert attribute(net, IMAGE, 0, "guided-backprop").words[-1] == "1 ReLU is guided; GELU keeps its own gradient."


def linear(*weights: list[float]) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(len(weights[0]), len(weights), bias=False))
    net.load_state_dict({"1.weight": weights})
    return net


@pytest.mark.parametrize(
    ("method", "settings", "expected"),
    [
        ("gradient-times-input", {}, "the gradient is 0 wherever the image differs from 0."),
        ("occlusion", {"window": 1}, "hiding any window leaves the score as it is."),
        (
            "integrated-gradients",
            {},
            "on the way from the baseline, the gradient is 0 or cancels wherever the image differs from the baseline.",
        ),
    ],
)
def test_a_gradient_that_reaches_only_what_is_not_there(method: str, settings: dict, expected: str) -> None:
    assert why(linear([0, 1], [0, 2]), method, np.float32([[[5, 0]]]), **settings) == expected


def test_a_gradient_at_the_image_that_noise_takes_away() -> None:
    """The score is 1 − 100 Σ |x − v|, and 0 beyond: a needle beside whose point the image stands."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.ReLU())
    both, image = np.concatenate([np.eye(4), -np.eye(4)]), np.float32([[[0, 1], [2, 3]]])
    point = both @ (image.ravel() - 0.001)
    net.load_state_dict(
        {"1.weight": 100 * both, "1.bias": -100 * point, "3.weight": np.full((1, 8), -1), "3.bias": [1]}
    )
    assert attribute(net, image, 0, "gradient").map.any()
    assert why(net, "smooth-grad", image) == "the gradients of the noisy copies are 0, or cancel each other."


def test_score_cam_of_maps_that_are_no_masks() -> None:
    assert why(network([-1, 2]), "score-cam", np.full_like(IMAGE, 2), layer="relu") == (
        "every map of 'relu' is the same everywhere, so that none is a mask."
    )


def test_cams_of_negative_numbers() -> None:
    for method in ("grad-cam", "grad-cam++", "layer-cam", "score-cam"):
        net = network([1, 2], bias=-100)
        assert why(net, method, layer="conv") == (
            "in every cell of 'conv' its numbers, weighted, add up to 0 or less, and ReLU left nothing."
            if method == "score-cam"
            else "no gradient passes ReLU 'relu': all 32 numbers before it are at most 0 (dead ReLUs)."
        )


def test_weights_of_maps_that_are_0() -> None:
    net = network([1, 2])
    net.fc.weight.data[0] = np.tile([1, -1], 16)
    assert why(net, "grad-cam", layer="relu") == (
        "the maps of 'relu' weigh nothing: the gradients by each cancel in the mean."
    )
    assert why(network([-1, -2]), "grad-cam++", layer="relu") == (
        "the maps of 'relu' weigh nothing: no gradient by them is positive."
    )


class Shortcut(nn.Module):
    """A layer whose ReLU is dead, and a way around it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu, self.fc = nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Linear(16, 2)
        self.conv.bias.data[:] = -100

    def forward(self, x):
        return self.fc((x + self.relu(self.conv(x))).flatten(1))


def test_a_layer_that_the_gradient_goes_around() -> None:
    assert attribute(Shortcut(), IMAGE, 0, "gradient").map.any()
    assert why(Shortcut(), "grad-cam", layer="conv") == (
        "no gradient passes ReLU 'relu': all 16 numbers before it are at most 0 (dead ReLUs)."
    )


@pytest.mark.parametrize(
    ("weight", "bias", "expected"),
    [
        (-0.5, 3, "The map adds up to −1; the score falls from 3 to 2, by 1: apart by no more than rounding after 50"),
        (0, 3, "The map adds up to 0; the score stays at 3: apart by no more than rounding after 50 steps."),
    ],
)
def test_which_way_the_score_goes(weight: float, bias: float, expected: str) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    net.load_state_dict({"1.weight": [[weight], [0]], "1.bias": [bias, 0]})
    assert attribute(net, np.float32([[[2]]]), 0).words[-1].startswith(expected)
