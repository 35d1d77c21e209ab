"""Networks trained alike; the long test trains those of the lessons and looks at quarter turns."""

import json

import numpy as np
import pytest

import pellucid as pel
from pellucid import nn, zoo
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.shifts.conditions import CONDITIONS
from pellucid.explain.shifts.remedies import REMEDIES, Remedy, compare_remedies
from pellucid.explain.shifts.shift import shift
from pellucid.train.callbacks import Callback
from tests.explain.shifts.test_shift import toy

TURNS = CONDITIONS[:1]
SMALL = (Remedy("plain", "tiny", "none", "as it is"), Remedy("turned", "tiny", "rotate=90", "on pictures turned"))


class Counting(Callback):
    def __init__(self):
        self.epochs = 0

    def epoch(self, progress, record):
        self.epochs += 1


def test_remedies_are_trained_by_the_recipe_of_the_train_command():
    data = toy(60)
    found = compare_remedies(data, data, remedies=SMALL, epochs=2, seed=4, conditions=TURNS)
    assert [one.remedy.name for one in found.tried] == ["plain", "turned"]
    for remedy in SMALL:
        nn.manual_seed(4)
        net = zoo.build("tiny", input=(1, 12, 12), classes=3)
        optimizer = pel.optim.SGD(0.05, 0.9, 5e-4, nesterov=True)
        recipe = {"optimizer": optimizer, "schedule": "one-cycle", "augment": remedy.augment, "seed": 4}
        pel.fit(net, data, epochs=2, progress=False, **recipe)
        assert found[remedy.name].as_dict() == shift(net, data, conditions=TURNS, seed=4).as_dict()


def test_whoever_watches_hears_of_every_training_and_measurement():
    data, listeners, heard = toy(), {}, []

    def watch(remedy):
        listeners[remedy.name] = Counting()
        return [listeners[remedy.name]]

    compare_remedies(
        data, data, remedies=SMALL, epochs=3, conditions=TURNS, watch=watch, progress=lambda *done: heard.append(done)
    )
    assert {name: one.epochs for name, one in listeners.items()} == {"plain": 3, "turned": 3}
    assert heard == 2 * [(done, 25) for done in range(1, 26)]


def test_the_comparison_is_json():
    found = compare_remedies(toy(), toy(), remedies=SMALL, epochs=1, conditions=TURNS)
    record = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert (record["data"], record["epochs"], found.length) == ("halves", 1, "1 epoch")
    assert [(one["name"], one["augment"]) for one in record["remedies"]] == [("plain", "none"), ("turned", "rotate=90")]
    assert record["remedies"][0]["record"]["curves"][0]["condition"] == "rotation"
    assert record["remedies"][0]["parameters"] == sum(
        p.data.size for p in zoo.build("tiny", input=(1, 12, 12), classes=3).parameters()
    )
    with pytest.raises(ParameterError, match="no remedy 'p4'; there are plain, turned"):
        found["p4"]


def test_pictures_that_a_network_cannot_take_are_refused():
    wide = toy()
    wide = type(wide).from_arrays(np.concatenate([wide.images] * 2, axis=3), wide.labels, name="wide")
    with pytest.raises(ShapeError, match="needs a square image; got 12 × 24"):
        compare_remedies(wide, wide, remedies=REMEDIES[-1:], epochs=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_group_network_recognises_turned_clothes_as_well_as_upright_ones_and_the_plain_one_does_not():
    train, test = pel.datasets.load("fashion-mnist-mini")
    found = compare_remedies(train, test, epochs=8, conditions=TURNS)
    angles = (90.0, 180.0, 270.0)
    upright = {name: found[name].accuracy for name in ("plain", "augmented", "BlurPool", "p4")}
    turned = {name: [found[name].curve("rotation").at(angle) for angle in angles] for name in upright}
    assert min(upright["plain"], upright["BlurPool"]) > 0.85
    assert upright["p4"] > 0.83
    assert max(abs(share - upright["p4"]) for share in turned["p4"]) <= 0.01
    assert max(turned["plain"] + turned["BlurPool"]) < 0.4
    assert min(turned["augmented"]) > upright["augmented"] - 0.05
    errors = {name: {layer.layer: layer.errors for layer in found[name].layers} for name in upright}
    assert errors["BlurPool"]["blur2"][0] < 0.6 * errors["plain"]["pool2"][0]
