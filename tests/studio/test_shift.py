"""The shift lab: what it tells is what the library measures."""

import numpy as np
import pytest

import pellucid as pel
from pellucid.errors import DataError, ParameterError
from pellucid.explain.shifts.conditions import CONDITIONS
from pellucid.explain.shifts.equivariance import equivariance
from pellucid.studio.answers import answer
from pellucid.studio.rooms import shift as room
from pellucid.studio.studio import Studio
from tests.studio.told import finished

DATA = "fashion-mnist-mini"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return Studio(tmp_path_factory.mktemp("studio"))


def test_a_curve_is_that_of_the_library(studio, monkeypatch):
    monkeypatch.setattr(room, "IMAGES", 60)
    told = finished("shift.curve", {"target": "fashion", "data": DATA, "condition": "translation"}, studio)
    condition = next(one for one in CONDITIONS if one.name == "translation")
    _, test = pel.datasets.load(DATA)
    wanted = pel.shift(pel.pretrained("fashion"), test, conditions=[condition], images=60).curves[0]
    assert (told.values, told.accuracy, told.confidence) == (
        list(wanted.values), list(wanted.accuracy), list(wanted.confidence),
    )  # fmt: skip
    assert (told.images, told.unchanged, told.unit) == (60, 0, "px")


def test_layers_follow_or_do_not(studio):
    told = finished("shift.layers", {"target": "fashion", "data": DATA}, studio)
    net = pel.pretrained("fashion")
    _, test = pel.datasets.load(DATA)
    preprocessing = pel.data.Preprocessing.from_dict(net.metadata["preprocessing"])
    layers, poolings = equivariance(net, preprocessing.normalise(test.images[: told.images]))
    assert [layer.errors for layer in told.layers] == [list(layer.errors) for layer in layers]
    by_name = {layer.layer: layer for layer in told.layers}
    assert max(by_name["conv1"].errors) < 1e-5
    assert [error > 0.1 for error in by_name["pool1"].errors] == [True, False] * 4
    assert [pooling.live for pooling in told.poolings] == [list(pooling.live) for pooling in poolings]


def test_remedies_are_those_measured_and_told(studio):
    told = answer("shift.remedies", {}, studio)
    accuracy = {remedy.name: remedy.accuracy for remedy in told.remedies}
    assert accuracy == {"plain": 0.891, "augmented": 0.706, "BlurPool": 0.884, "p4": 0.87}  # as in docs/lens.md
    assert (told.data, told.epochs, told.seed) == (DATA, 8, 0)
    turned = {remedy.name: remedy.curves[0] for remedy in told.remedies}
    assert turned["plain"].condition == "rotation"
    assert np.mean(turned["augmented"].accuracy[:24]) == pytest.approx(0.703, abs=2e-3)
    assert turned["p4"].accuracy[6] == accuracy["p4"]  # a quarter turn


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"data": DATA, "condition": "magic"}, ParameterError, "There is no change 'magic'"),
        ({"data": "/etc", "condition": "scale"}, DataError, "The name of a data set must be one of .*; got '/etc'"),
        ({"data": DATA, "condition": "scale", "target": "digits"}, DataError, "classes of data set"),
        ({"data": DATA, "condition": "scale", "target": "tiny"}, DataError, "must say how images are prepared"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(studio, asked, error, says):
    with pytest.raises(error, match=says):
        finished("shift.curve", {"target": "fashion"} | asked, studio)
