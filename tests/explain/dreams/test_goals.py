"""Cells, channels, classes and layers as goals."""

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.gradients import Differentiable
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.dreams.goals import Goal, class_goal, class_goals, goal, measure


@pytest.fixture(scope="module")
def net() -> nn.Module:
    pel.manual_seed(0)
    layers = {"conv": nn.Conv2d(1, 4, 3), "relu": nn.ReLU(), "flatten": nn.Flatten(), "fc": nn.Linear(144, 3)}
    net = nn.Sequential({**layers, "softmax": nn.Softmax(dim=1)})
    net.metadata |= {"input": [1, 8, 8], "classes": ["cat", "dog", "7"]}
    return net


def test_names_and_kinds(net: nn.Module) -> None:
    assert str(goal(net, "conv")) == "conv"
    assert str(goal(net, "conv", 3)) == "conv, channel 3"
    assert str(goal(net, "conv", 3, (1, 5))) == "conv, channel 3, cell 1,5"
    assert str(class_goal(net, "dog")) == "dog"
    assert len({each.kind for each in (goal(net, "conv"), goal(net, "conv", 0), goal(net, "conv", 0, (0, 0)))}) == 3


def test_classes_are_the_logits_before_the_softmax(net: nn.Module) -> None:
    assert class_goals(net) == [Goal("fc", 0, None, "cat"), Goal("fc", 1, None, "dog"), Goal("fc", 2, None, "7")]
    assert class_goal(net, "7") == class_goal(net, 2) == class_goals(net)[2]


def test_scores_are_what_the_network_computes(net: nn.Module) -> None:
    images = np.random.default_rng(0).standard_normal((70, 1, 8, 8), dtype=np.float32)
    goals = [goal(net, "conv", 2, (1, 5)), goal(net, "conv", 2), goal(net, "conv")]
    scores = measure(Differentiable(net, (1, 8, 8), "conv"), goals, images)
    maps = [pel.trace(net, image)["conv"].output for image in images]

    np.testing.assert_allclose(scores[0], [values[2, 1, 5] for values in maps], rtol=1e-5)
    np.testing.assert_allclose(scores[1], [np.maximum(values[2], 0).mean() for values in maps], rtol=1e-5)
    np.testing.assert_allclose(scores[2], [np.mean(values**2) / 2 for values in maps], rtol=1e-5)


@pytest.mark.parametrize("wanted", [Goal("x"), Goal("x", 1), Goal("x", 1, (2, 0))])
def test_directions_are_the_gradients_of_the_scores(wanted: Goal) -> None:
    values = np.random.default_rng(1).standard_normal((2, 6, 6))
    direction = wanted.direction(values)
    for place in np.ndindex(values.shape):
        step = np.zeros_like(values)
        step[place] = 1e-6
        rise = (wanted.scores((values + step)[None]) - wanted.scores((values - step)[None]))[0] / 2e-6
        assert direction[place] == pytest.approx(rise, abs=1e-8)


def test_a_channel_that_is_nowhere_positive_climbs_where_it_is_nearest() -> None:
    values = -np.arange(1.0, 101.0).reshape(1, 10, 10)
    direction = Goal("x", 0).direction(values)

    assert np.count_nonzero(direction) == 10
    assert direction[0, 0].tolist() == [0.01] * 10


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("con",), "There is no layer 'con'; the nearest is conv."),
        (("conv", 4), "The channel of 'conv' must be 0 to 3; got 4."),
        (("conv", -1), "The channel of 'conv' must be 0 to 3; got -1."),
        (("conv", 1.5), "The channel of 'conv' must be 0 to 3; got 1.5."),
        (("conv", 0, (1,)), r"The cell must lie in the 6 × 6 cells of 'conv', as row and column; got \(1,\)"),
        (("conv", 0, (6, 0)), r"The cell must lie in the 6 × 6 cells of 'conv', as row and column; got \(6, 0\)"),
        (("fc", 0, (0, 0)), "The layer 'fc' has no rows and columns"),
        (("conv", None, (0, 0)), "A cell needs a channel of 'conv'"),
    ],
)
def test_what_is_not_there_is_refused(net: nn.Module, arguments: tuple, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        goal(net, *arguments)


def test_names_that_do_not_fit_are_left_out() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    net.metadata |= {"input": [1, 2, 2], "classes": ["cat", "dog", "hen"]}
    assert [each.label for each in class_goals(net)] == ["0", "1"]


def test_logits_are_found_behind_a_softmax_that_is_flattened_and_bad_names_are_numbers() -> None:
    behind = nn.Sequential({"fc": nn.Linear(4, 3), "share": nn.Softmax(1), "flat": nn.Flatten()})
    net = nn.Sequential({"flat": nn.Flatten(), "rest": behind})
    net.metadata |= {"input": [1, 2, 2], "classes": None}

    assert [(each.layer, each.label) for each in class_goals(net)] == [("rest.fc", name) for name in "012"]


def test_classes_that_are_not_there_are_refused(net: nn.Module) -> None:
    with pytest.raises(ParameterError, match="There is no class 'dogs'; the nearest is dog"):
        class_goal(net, "dogs")
    with pytest.raises(ParameterError, match="There is no class '3'; there are cat, dog, 7"):
        class_goal(net, 3)
    maps = nn.Conv2d(1, 2, 3)
    with pytest.raises(ParameterError, match="does not say which images it takes"):
        class_goals(maps)
    maps.metadata["input"] = [1, 8, 8]
    with pytest.raises(ShapeError, match=r"must give one score for each class; got shape \(2, 6, 6\)"):
        class_goals(maps)
