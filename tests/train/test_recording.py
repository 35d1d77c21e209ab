"""The curve of the steps and the first filters, beside the training that they are of."""

import base64
import json
import math

import numpy as np
import pytest

import pellucid as pel
from pellucid.train.callbacks import Callback
from pellucid.train.recording import FILTERS, MOST_POINTS, STEPS, lines, moments
from pellucid.train.run import create, resume, start
from pellucid.train.settings import RunSettings


class Watch(Callback):
    """Remembers loss, accuracy and the first filters after each step."""

    def __init__(self, stop=None):
        self.stop, self.points = stop, []

    def begin(self, progress):
        self.sums = progress.loss_sum, progress.correct, progress.seen

    def step(self, progress):
        now = progress.loss_sum, progress.correct, progress.seen
        self.points.append(tuple(new - old for new, old in zip(now, self.sums, strict=True)))
        self.sums = now
        if progress.step == self.stop:
            raise RuntimeError("killed")

    def epoch(self, progress, record):
        self.sums = 0.0, 0, 0


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (60, 12, 12), dtype=np.uint8), np.arange(60) % 3
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:15], y_test=labels[:15])
    return RunSettings(network="tiny", data=str(path), epochs=3, batch_size=16, validation=0, checkpoint_steps=3)


@pytest.fixture(scope="module")
def watched(settings, tmp_path_factory):
    watch = Watch()
    return start(settings, tmp_path_factory.mktemp("runs") / "run", [watch]), watch


def decoded(record):
    return np.frombuffer(base64.b64decode(record["data"]), "<f4").reshape(record["shape"])


def test_each_step_is_a_point(watched):
    outcome, watch = watched
    points = lines(outcome.out / STEPS)
    assert [point["step"] for point in points] == list(range(1, 13))
    for point, (loss, correct, seen) in zip(points, watch.points, strict=True):
        assert point["loss"] == pytest.approx(loss / seen, abs=1e-6)
        assert point["accuracy"] == pytest.approx(correct / seen, abs=1e-6)
    weights = np.array([seen for *_, seen in watch.points])[:4] / 60
    epoch = sum(point["loss"] * weight for point, weight in zip(points, weights, strict=False))
    assert epoch == pytest.approx(outcome.history[0]["loss"], abs=1e-5)


def test_filters_from_the_first_weights_to_the_last(watched):
    outcome, _ = watched
    frames = lines(outcome.out / FILTERS)
    assert [frame["step"] for frame in frames] == [0, 1, 2, 4, 8, 12]
    assert {frame["layer"] for frame in frames} == {"conv1"}
    assert (decoded(frames[0]) == outcome.initial["conv1.weight"]).all()
    assert (decoded(frames[-1]) == outcome.net.state_dict()["conv1.weight"]).all()


def test_a_run_that_broke_goes_on_with_the_same_lines(watched, settings, tmp_path):
    outcome, _ = watched
    with pytest.raises(RuntimeError):
        start(settings, tmp_path / "run", [Watch(stop=8)])
    with (tmp_path / "run" / STEPS).open("a") as file:
        file.write('{"step": 9, "lo')  # what a kill left
    resume(tmp_path / "run")
    for name, keys in ((STEPS, ("step", "loss", "accuracy", "learning_rate")), (FILTERS, ("step", "shape", "data"))):
        expected, found = lines(outcome.out / name), lines(tmp_path / "run" / name)
        assert [[line[key] for key in keys] for line in found] == [[line[key] for key in keys] for line in expected]
    seconds = [line["seconds"] for line in lines(tmp_path / "run" / STEPS)]
    assert seconds == sorted(seconds)


def test_long_trainings_leave_few_lines(settings, tmp_path):
    arrays = np.zeros((700, 8, 8), np.uint8), np.arange(700) % 2
    np.savez(tmp_path / "many.npz", x_train=arrays[0], y_train=arrays[1], x_test=arrays[0][:2], y_test=arrays[1][:2])
    outcome = start(
        RunSettings(network="tiny", data=str(tmp_path / "many.npz"), epochs=1, batch_size=1, validation=0),
        tmp_path / "run",
    )
    steps = [point["step"] for point in lines(outcome.out / STEPS)]
    assert steps == list(range(2, 701, 2))
    assert len(steps) <= MOST_POINTS
    assert len(moments(1000, 5000)) < 60
    assert max(moments(10, 5000)) == 50_000


def test_the_results_are_those_of_the_model_file(watched):
    outcome, _ = watched
    found = json.loads((outcome.out / "results.json").read_text())
    scores = pel.load(outcome.out / "model.safetensors")(outcome.test.inputs())
    assert found["called"] == scores.argmax(axis=1).tolist()
    assert found["truth"] == outcome.test.labels.tolist()
    assert found["accuracy"] == np.mean(scores.argmax(axis=1) == outcome.test.labels)
    sure = [1 / sum(math.exp(other - row.max()) for other in row) for row in scores.astype(float)]
    assert found["sure"] == pytest.approx(sure, abs=1e-4)


def test_a_created_run_begins_when_it_is_resumed(watched, settings, tmp_path):
    outcome, _ = watched
    create(settings, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "waiting"
    resume(tmp_path / "run")
    model = (outcome.out / "model.safetensors").read_bytes()
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == model
