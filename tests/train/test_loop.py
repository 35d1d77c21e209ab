"""The loop: repeatable, resumable after any step, honest about NaN."""

from dataclasses import replace

import numpy as np
import pytest

import pellucid as pel
from pellucid import nn
from pellucid.data.augment import parse
from pellucid.data.dataset import Dataset
from pellucid.errors import DataError, FileError, ParameterError, TrainingError
from pellucid.train.callbacks import Callback
from pellucid.train.checkpoint import Checkpoint, restore
from pellucid.train.loop import Recipe, Trainer
from pellucid.train.optim import SGD, Adam
from pellucid.train.schedules import OneCycle


def dataset(n=50, classes=3, seed=0):
    """Images whose class is the brightest third of their rows."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    labels[:classes] = range(classes)
    images = rng.integers(0, 80, (n, 1, 6, 6), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label : 2 * label + 2] += 150
    return Dataset.from_arrays(images, labels)


def network():
    nn.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(144, 3),
    )


RECIPE = Recipe(epochs=3, batch_size=16, schedule=OneCycle(), augment=parse("shift=1,brightness=0.1"), seed=5)


def trainer(recipe=RECIPE, validation=None, callbacks=(), optimizer=None):
    return Trainer(network(), optimizer or Adam(0.01), recipe, dataset(), validation, callbacks)


def assert_same_state(a, b):
    for (name, left), right in zip(a.net.arrays().items(), b.net.arrays().values(), strict=True):
        assert left.tobytes() == right.tobytes(), name
    for name, left in a.optimizer.state_arrays().items():
        assert left.tobytes() == b.optimizer.state_arrays()[name].tobytes(), name


class StopAt(Callback):
    """Ends training after a step, as a kill would, with whatever the last checkpoint holds."""

    def __init__(self, step):
        self.at = step

    def step(self, progress):
        if progress.step == self.at:
            raise RuntimeError("killed")


@pytest.mark.parametrize("step", [1, 3, 4, 5, 8, 11])  # 4 steps an epoch: within, at the end of, and after epochs
def test_resumed_anywhere_it_ends_bit_for_bit_the_same(tmp_path, step):
    straight = trainer(validation=dataset(20, seed=1))
    straight.run()
    path = tmp_path / "checkpoint.safetensors"
    killed = trainer(validation=dataset(20, seed=1))
    killed.callbacks = [Checkpoint(killed, path, steps=1, seconds=None), StopAt(step)]
    with pytest.raises(RuntimeError, match="killed"):
        killed.run()
    resumed = trainer(validation=dataset(20, seed=1))
    restore(resumed, path)
    assert resumed.progress.step == step
    resumed.run()
    assert_same_state(straight, resumed)
    times = {"images_per_second", "seconds"}
    for left, right in zip(straight.history, resumed.history, strict=True):
        assert {k: v for k, v in left.items() if k not in times} == {k: v for k, v in right.items() if k not in times}


def test_it_learns():
    nn.manual_seed(0)
    net = network()
    history = pel.fit(net, dataset(200), validation=dataset(60, seed=1), epochs=8, optimizer=Adam(0.01), progress=False)
    assert history[-1]["validation_accuracy"] > 0.95
    assert [record["epoch"] for record in history] == list(range(1, 9))
    assert not net.training


def test_an_interrupt_writes_a_checkpoint_after_the_step(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    straight, stopped = trainer(), trainer()
    straight.run()

    class Interrupt(Callback):
        def step(self, progress):
            stopped.interrupted = stopped.interrupted or progress.step == 6

    stopped.callbacks = [Interrupt(), Checkpoint(stopped, path, steps=None, seconds=None)]
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = trainer()
    restore(resumed, path)
    assert resumed.progress.step == 6
    resumed.run()
    assert_same_state(straight, resumed)


def test_early_stopping_restores_the_best_weights(tmp_path):
    validation = dataset(30, seed=1)
    recipe = Recipe(epochs=40, batch_size=16, early_stopping=2)
    stopped = Trainer(network(), SGD(0.5), recipe, dataset(), validation)
    history = stopped.run()
    losses = [record["validation_loss"] for record in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 1 + 2 < 40
    from pellucid.train.evaluate import score

    assert score(stopped.net, validation, recipe.loss)[0] == losses[best]


@pytest.mark.parametrize("lr", [1e30, 1e4])
def test_nan_stops_naming_step_and_layer(lr):
    nn.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(64, 16), nn.Linear(16, 3))
    diverging = Trainer(net, SGD(lr), Recipe(epochs=9, batch_size=16), dataset())
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingError, match=r"stopped at step \d+ \(epoch \d\): the (output|gradient) of layer '\w+'"),
    ):
        diverging.run()


def test_nan_in_a_layers_weights_names_that_layer():
    broken = trainer()
    broken.net[5].weight.data[0, 0] = np.nan
    with pytest.raises(TrainingError, match=r"step 1 .*the output of layer '5' holds NaN"):
        broken.run()


def test_labels_beyond_the_networks_outputs_are_refused():
    images = np.zeros((8, 1, 6, 6), np.float32)
    with pytest.raises(DataError, match="from 0 to 2, the network's outputs; got 0 to 3"):
        pel.fit(network(), (images, np.arange(8) % 4), progress=False)
    with pytest.raises(DataError, match="got -1 to 1"):
        pel.fit(network(), (images, np.arange(8) % 3 - 1), progress=False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.zeros((4, 1, 6, 6), np.uint8), np.zeros(4, int)), "must be floating point; got uint8"),
        ((np.zeros((4, 1, 6, 6), np.float32), np.zeros(3, int)), r"as many targets as inputs"),
        ((np.zeros((0, 1, 6, 6), np.float32), np.zeros(0, int)), "at least one"),
        ((np.full((4, 1, 6, 6), np.nan, np.float32), np.zeros(4, int)), "input 0 holds NaN"),
        ("images", "must be a data set or a pair"),
    ],
)
def test_bad_arrays_are_refused(data, message):
    with pytest.raises(DataError, match=message):
        pel.fit(network(), data, progress=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "'epochs' parameter must be an integer of at least 1; got 0"),
        ({"epochs": 1, "batch_size": 0}, "'batch_size'"),
        ({"epochs": 1, "seed": -1}, "'seed'"),
        ({"epochs": 1, "seed": 2**64}, "'seed' parameter must be below 2⁶⁴; got 18446744073709551616"),
        ({"epochs": 1, "clip_norm": 0.0}, "'clip_norm' parameter must be above 0"),
        ({"epochs": 1, "early_stopping": 0}, "'early_stopping'"),
    ],
)
def test_bad_recipes_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        Recipe(**settings)


def test_early_stopping_needs_validation():
    with pytest.raises(ParameterError, match="needs validation data"):
        trainer(recipe=Recipe(epochs=1, early_stopping=1))


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    one = trainer()
    Checkpoint(one, path, None, None).write()
    other = Trainer(nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), Adam(0.01), RECIPE, dataset())
    with pytest.raises(TrainingError, match="of another training"):
        restore(other, path)
    with pytest.raises(FileError, match="There is no checkpoint file"):
        restore(other, tmp_path / "none")


@pytest.mark.parametrize(
    ("change", "data"),
    [({"batch_size": 8}, dataset()), ({"seed": 1}, dataset()), ({}, dataset(40)), ({}, dataset(seed=9))],
)
def test_a_checkpoint_of_other_batches_is_refused(tmp_path, change, data):
    path = tmp_path / "c.safetensors"
    Checkpoint(trainer(), path, None, None).write()
    other = Trainer(network(), SGD(0.05, momentum=0.9), replace(RECIPE, **change), data)
    with pytest.raises(TrainingError, match=r"of another training: it has .*'images': 50.*, this one "):
        restore(other, path)


def test_an_optimiser_is_no_name():
    with pytest.raises(ParameterError, match=r"'optimizer' parameter of fit must be an optimiser, such as"):
        pel.fit(network(), dataset(), optimizer="adam", progress=False)


def test_fit_goes_on_from_its_checkpoint(tmp_path):
    path = tmp_path / "fit.safetensors"
    straight, halved = network(), network()
    data = dataset()
    pel.fit(straight, data, epochs=4, optimizer=SGD(0.05, momentum=0.9), progress=False)
    pel.fit(halved, data, epochs=2, optimizer=SGD(0.05, momentum=0.9), checkpoint=path, progress=False)
    history = pel.fit(network(), data, epochs=4, optimizer=SGD(0.05, momentum=0.9), checkpoint=path, progress=False)
    assert [record["epoch"] for record in history] == [1, 2, 3, 4]
