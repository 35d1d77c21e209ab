"""Dreams: what they reach, that they can be had again, and what they refuse."""

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.data import Preprocessing
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.dreams.dream import Settings, dream, dreams
from pellucid.explain.dreams.goals import class_goals, goal

STILL = {"jitter": 0, "rotation": 0, "zoom": 0, "tv": 0, "decay": 0}


@pytest.fixture(scope="module")
def net() -> nn.Module:
    pel.manual_seed(1)
    layers = {"conv": nn.Conv2d(1, 4, 3, padding=1), "relu": nn.ReLU(), "pool": nn.MaxPool2d(2)}
    net = nn.Sequential({**layers, "flatten": nn.Flatten(), "fc": nn.Linear(144, 3)})
    net.metadata |= {"input": [1, 12, 12], "preprocessing": Preprocessing((12, 12), 1, (0.3,), (0.25,)).as_dict()}
    return net


@pytest.mark.parametrize("parametrisation", ["frequency", "pixels"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_linear_network_sees_the_signs_of_its_weights(channels: int, parametrisation: str) -> None:
    weights = np.random.default_rng(0).choice([-2.0, -1.0, 1.0, 3.0], (1, channels * 20)).astype(np.float32)
    net = nn.Sequential(nn.Flatten(), nn.Linear(channels * 20, 1, bias=False))
    net.load_state_dict({"1.weight": weights})
    colours = Preprocessing((5, 4), channels, (0.5, 0.4, 0.3)[:channels], (0.5, 0.25, 0.125)[:channels])
    net.metadata |= {"input": [channels, 5, 4], "preprocessing": colours.as_dict()}

    found = dream(net, target=0, parametrisation=parametrisation, rate=0.5, steps=600, **STILL)

    best = 255 * (weights.reshape(channels, 5, 4) > 0).astype(np.uint8)
    largest = float(weights.ravel() @ colours.normalise(best).ravel())
    if channels == 1:
        np.testing.assert_array_equal(found.picture, best)
    else:  # colours are not independent numbers, so a weak weight may be left behind by its pixel's strong ones
        assert np.mean((found.picture > 127) == (best > 127)) > 0.95
    assert 0.9 * largest < found.score <= largest * (1 + 1e-6)


@pytest.mark.parametrize("wanted", [("conv",), ("conv", 1), ("conv", 1, (4, 7)), ("relu", 2), ("fc", 0), ("pool", 2)])
def test_scores_rise(net: nn.Module, wanted: tuple) -> None:
    found = dream(net, *wanted, steps=40)

    assert found.score > found.start
    assert len(found.scores) == 40
    assert not found.is_stuck


def test_the_score_is_the_engines_for_the_picture(net: nn.Module) -> None:
    found = dream(net, target=1, steps=10)
    preprocessing = Preprocessing.from_dict(net.metadata["preprocessing"])

    assert (found.picture.dtype, found.picture.shape) == (np.uint8, (1, 12, 12))
    np.testing.assert_array_equal(found.input, preprocessing.normalise(found.picture))
    assert found.score == pytest.approx(float(net(found.input[None])[0, 1]), rel=1e-5)


def test_the_seed_decides(net: nn.Module) -> None:
    one, same, other = (dream(net, "conv", 0, steps=12, seed=seed) for seed in (5, 5, 6))

    np.testing.assert_array_equal(one.picture, same.picture)
    assert one.scores == same.scores
    assert (one.picture != other.picture).any()


def test_a_dream_is_the_same_alone_and_among_others(net: nn.Module) -> None:
    goals = [goal(net, "conv", channel) for channel in (2, 0, 3) * 6]  # more than are made at once
    settings = Settings(steps=8)
    together, alone = dreams(net, goals, settings), dreams(net, goals[1:2], settings)[0]

    assert [one.goal for one in together] == goals
    for index in (1, 16):
        np.testing.assert_allclose(together[index].picture.astype(int), alone.picture, atol=1)
        assert together[index].score == pytest.approx(alone.score, rel=1e-2)


def test_statistics_of_a_batch_do_not_mix_dreams() -> None:
    pel.manual_seed(0)
    layers = {"conv": nn.Conv2d(1, 4, 3), "norm": nn.BatchNorm2d(4, track_running_stats=False), "relu": nn.ReLU()}
    net = nn.Sequential({**layers, "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(4, 2)})
    net.metadata |= {"input": [1, 12, 12], "preprocessing": Preprocessing((12, 12), 1, (0.3,), (0.25,)).as_dict()}
    pictures = np.random.default_rng(0).integers(0, 256, (3, 1, 12, 12), np.uint8)
    together = dreams(net, class_goals(net), Settings(steps=8), compare=pictures)

    net.eval()
    for index, one in enumerate(together):
        np.testing.assert_array_equal(one.picture, dream(net, target=index, steps=8).picture)
        assert one.score == pytest.approx(float(net(one.input[None])[0, index]), rel=1e-5)
        inputs = Preprocessing.from_dict(net.metadata["preprocessing"]).normalise(pictures)
        assert one.best == pytest.approx(max(float(net(each[None])[0, index]) for each in inputs), rel=1e-5)


def test_without_steps_a_dream_is_its_start(net: nn.Module) -> None:
    start = np.random.default_rng(0).integers(0, 256, (1, 12, 12), np.uint8)
    for parametrisation in ("frequency", "pixels"):
        found = dream(net, "conv", 0, start=start, steps=0, parametrisation=parametrisation)
        np.testing.assert_array_equal(found.picture, start)
        assert found.score == found.start


def test_a_picture_at_the_start_stays_recognisable(net: nn.Module) -> None:
    start = np.full((1, 12, 12), 60, np.uint8)
    start[0, 3:9, 3:9] = 200
    found = dream(net, "conv", start=start, steps=30)

    assert 0 < abs(found.picture.astype(int) - start).mean() < 60
    assert found.score > found.start


def test_other_pictures_are_measured_beside(net: nn.Module) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (70, 1, 12, 12), np.uint8)
    found = dreams(net, class_goals(net), Settings(steps=1), compare=pictures)
    logits = net(Preprocessing.from_dict(net.metadata["preprocessing"]).normalise(pictures))

    np.testing.assert_allclose([one.best for one in found], logits.max(axis=0), rtol=1e-4)
    np.testing.assert_allclose([one.mean for one in found], logits.mean(axis=0), rtol=1e-3, atol=1e-5)


def test_behind_a_dead_relu_a_dream_is_stuck() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 1), "relu": nn.ReLU()})
    net.load_state_dict({"conv.weight": np.ones((1, 1, 1, 1)), "conv.bias": [-3]})
    net.metadata |= {"input": [1, 4, 4], "preprocessing": Preprocessing((4, 4), 1, (0.5,), (0.1,)).as_dict()}

    assert dream(net, "relu", 0, steps=3).is_stuck
    assert dream(net, "conv", 0, rate=0.3, steps=60).score > 1  # what comes before the ReLU shows the way


def test_progress_is_told_over_all_pictures(net: nn.Module) -> None:
    told: list[tuple[int, int]] = []
    goals = [goal(net, "conv", 0)] * 17
    dreams(net, goals, Settings(steps=2), progress=lambda done, total: told.append((done, total)))

    assert told == [(16, 34), (32, 34), (33, 34), (34, 34)]


def test_as_json(net: nn.Module) -> None:
    record = dream(net, "conv", 1, (2, 3), steps=2, seed=4).as_dict()

    assert {key: record[key] for key in ("layer", "channel", "cell", "class", "best", "steps", "seed")} == {
        "layer": "conv", "channel": 1, "cell": [2, 3], "class": None, "best": None, "steps": 2, "seed": 4,
    }  # fmt: skip
    assert len(record["scores"]) == 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"steps": -1}, "The 'steps' parameter of a dream must be from 0 to 100000; got -1."),
        ({"rate": float("nan")}, "The 'rate' parameter of a dream must be from 0 to 10; got nan."),
        ({"zoom": 1.0}, "The 'zoom' parameter of a dream must be from 0 to 0.9; got 1.0."),
        ({"parametrisation": "wavelets"}, "must be frequency or pixels"),
        ({"steps": 1.5}, "The 'steps' parameter of a dream must be a whole number of at least 0; got 1.5."),
        ({"jitter": 2.5}, "The 'jitter' parameter of a dream must be a whole number of at least 0; got 2.5."),
        ({"seed": -1}, "The 'seed' parameter of a dream must be a whole number of at least 0; got -1."),
    ],
)
def test_settings_that_cannot_be_are_refused(net: nn.Module, settings: dict, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        dream(net, "conv", 0, **settings)


def test_what_does_not_fit_is_refused(net: nn.Module) -> None:
    with pytest.raises(ParameterError, match="give one of 'layer' and 'target'"):
        dream(net)
    with pytest.raises(
        ShapeError, match=r"must be uint8 \(1, 12, 12\), as the network takes it; got uint8 \(1, 9, 9\)"
    ):
        dream(net, "conv", start=np.zeros((1, 9, 9), np.uint8))
    with pytest.raises(ParameterError, match="must be of one layer"):
        dreams(net, [goal(net, "conv", 0), goal(net, "relu", 0)])
    silent = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    silent.metadata["input"] = [1, 2, 2]
    with pytest.raises(ParameterError, match="does not say how a picture becomes its input; give a 'preprocessing'"):
        dream(silent, target=0)
