"""The shift lab's record, beside a loop that changes all pictures and asks the network."""

import json

import numpy as np
import pytest

from pellucid import nn, zoo
from pellucid.data import Dataset, randomness
from pellucid.errors import DataError, ParameterError
from pellucid.explain.shifts.conditions import CONDITIONS
from pellucid.explain.shifts.shift import shift
from pellucid.train.evaluate import evaluate


def toy(count=40, dtype=np.uint8):
    """Pictures of a bright left or right half, or of neither."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 3
    pictures = rng.integers(0, 80, (count, 1, 12, 12))
    pictures[labels == 0, ..., :6] += 150
    pictures[labels == 1, ..., 6:] += 150
    pictures = pictures.astype(np.uint8) if dtype == np.uint8 else (pictures / 255).astype(dtype)
    return Dataset.from_arrays(pictures, labels, classes=("left", "right", "none"), name="halves")


def network(classes=3):
    nn.manual_seed(0)
    return zoo.build("tiny", input=(1, 12, 12), classes=classes).eval()


def softmax(scores):
    powers = np.exp(scores.astype(float) - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_record_is_what_a_loop_finds(dtype):
    data, net = toy(dtype=dtype), network()
    record = shift(net, data, seed=3)
    assert [curve.condition for curve in record.curves] == [condition.name for condition in CONDITIONS]
    assert (record.network, record.data, record.images, record.measured) == ("tiny", "halves", 40, 40)
    assert record.accuracy == evaluate(net, data).accuracy
    for curve, condition in zip(record.curves, CONDITIONS, strict=True):
        assert curve.values == condition.values
        for value, accuracy, confidence in zip(curve.values, curve.accuracy, curve.confidence, strict=True):
            noise = randomness.generator(3, randomness.AUGMENT, 0)
            scores = net(data.preprocessing.normalise(condition.change(data.images, value, noise)))
            assert accuracy == (scores.argmax(axis=1) == data.labels).mean()
            truth = softmax(scores)[np.arange(40), data.labels].mean()
            assert confidence == pytest.approx(truth, abs=1e-6)
        if dtype == np.uint8:
            assert curve.at(curve.unchanged) == record.accuracy


def test_a_network_that_looks_at_halves_suffers_from_shifts_and_not_from_what_halves_bear():
    data = toy(120)
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    halves = np.zeros((3, 1, 12, 12))
    halves[0, ..., :6] = halves[1, ..., 6:] = 1
    net.load_state_dict({"1.weight": halves.reshape(3, -1) / 72, "1.bias": [0, 0, 0.5]})
    record = shift(net, data)
    assert record.accuracy == 1
    assert record.curve("rotation").at(180) < 0.4  # left is right
    assert record.curve("translation").at(-8) < 0.7
    assert record.curve("noise").at(0.1) == 1
    assert record.layers == record.poolings == ()


def test_chosen_pictures_follow_from_the_seed():
    data, net = toy(), network()
    some = [shift(net, data, conditions=CONDITIONS[-2:-1], images=16, seed=seed) for seed in (0, 0, 1)]
    assert some[0].as_dict() == some[1].as_dict()
    assert some[0].images == some[0].measured == 16
    assert some[0].confidence != some[2].confidence


def test_pictures_are_taken_in_parts(monkeypatch):
    data, net = toy(), network()
    quiet = [condition for condition in CONDITIONS if condition.name != "noise"]
    whole = shift(net, data, conditions=quiet)
    monkeypatch.setattr("pellucid.explain.shifts.shift._CHUNK", 16)
    heard = []
    parts = shift(net, data, conditions=quiet, progress=lambda *done: heard.append(done))
    for one, other in zip(whole.curves, parts.curves, strict=True):
        assert one.accuracy == other.accuracy
        np.testing.assert_allclose(one.confidence, other.confidence, rtol=1e-6)
    work = 3 * sum(len(condition.values) for condition in quiet)
    assert heard == [(done, work) for done in range(1, work + 1)]


def test_the_record_is_json():
    record = shift(network(), toy(), conditions=CONDITIONS[:2]).as_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["shifts"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert record["layers"][0]["layer"] == "conv1"
    assert len(record["layers"][0]["errors"]) == 8
    assert record["poolings"][0]["moved"] == [1, 2]


def test_what_does_not_fit_is_refused():
    data = toy()
    with pytest.raises(DataError, match=r"outputs of shape \(4,\), but data set 'halves' has 3 classes"):
        shift(network(classes=4), data)
    with pytest.raises(ParameterError, match=r"'images' parameter of shift must be an integer of at least 1; got 0"):
        shift(network(), data, images=0)
    normalised = Dataset.from_arrays(data.inputs(), data.labels, name="normalised")
    with pytest.raises(DataError, match=r"'normalised' must lie from 0 \(black\) to 1 \(white\) .*; got -"):
        shift(network(), normalised)


def test_what_was_not_tried_is_said():
    record = shift(network(), toy(), conditions=CONDITIONS[1:3])
    with pytest.raises(ParameterError, match=r"no curve of 'fog'; there are translation, scale"):
        record.curve("fog")
    with pytest.raises(ParameterError, match=r"The value of 'scale' must be one of 0\.5, 0\.6, .*; got 3"):
        record.curve("scale").at(3)
