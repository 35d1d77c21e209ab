"""The training room's questions, beside the files that they tell of."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import pellucid as pel
from pellucid.errors import ParameterError, TrainingError
from pellucid.studio.answers import answer
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_array
from pellucid.train import run as training
from pellucid.train.settings import RunSettings

BRIEFLY = RunSettings(network="tiny", epochs=2, batch_size=128, augment="none")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A studio with two finished runs of the command line, and one that was never begun."""
    folder = tmp_path_factory.mktemp("runs")
    training.start(BRIEFLY, folder / "20260101-120000-tiny")
    training.start(replace(BRIEFLY, augment="flip", epochs=1), folder / "20260102-120000-tiny")
    training.create(
        replace(BRIEFLY, network="1x28x28to10-conv4-relu-flatten-linear"), folder / "20260103-120000-design"
    )
    (folder / "notes").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "run.json").write_text("{")
    studio = Studio(folder)
    yield studio
    studio.close()


FIRST, SECOND, NEW = "20260101-120000-tiny", "20260102-120000-tiny", "20260103-120000-design"


def test_the_runs_of_the_command_line_are_listed(studio):
    found = answer("train.runs", {}, studio).runs
    assert [(run.run, run.state, run.network, run.epoch, run.epochs) for run in found] == [
        (NEW, "paused", "design", 0, 2),
        (SECOND, "finished", "tiny", 1, 1),
        (FIRST, "finished", "tiny", 2, 2),
    ]
    assert [run.tested for run in found] == [False, True, True]


def test_news_are_what_came_after_a_step(studio):
    everything = answer("train.news", {"run": FIRST}, studio)
    assert (everything.state, everything.step, everything.steps, everything.steps_per_epoch) == ("finished", 72, 72, 36)
    assert [point.step for point in everything.points] == list(range(1, 73))
    rest = answer("train.news", {"run": FIRST, "after": 70}, studio)
    assert rest.points == everything.points[70:]
    history = [json.loads(line) for line in (studio.folder / FIRST / "history.jsonl").read_text().splitlines()]
    assert [epoch.validation_accuracy for epoch in everything.history] == [
        line["validation_accuracy"] for line in history
    ]
    assert everything.accuracy == answer("train.results", {"run": FIRST}, studio).accuracy
    assert everything.frames == 72


def test_news_of_a_run_that_was_not_begun(studio):
    found = answer("train.news", {"run": NEW}, studio)
    assert (found.state, found.step, found.steps, found.points, found.can_conclude) == ("paused", 0, 72, [], False)
    assert found.settings.network == "1x28x28to10-conv4-relu-flatten-linear"
    with pytest.raises(TrainingError, match="must have been tested"):
        answer("train.results", {"run": NEW}, studio)


def test_the_filters_begin_with_the_first_weights_and_end_with_the_model(studio):
    found = answer("train.filters", {"run": FIRST}, studio)
    assert found.layer == "conv1"
    assert [frame.step for frame in found.frames] == [0, 1, 2, 4, 9, 18, 36, 72]
    assert [frame.epoch for frame in found.frames][-2:] == [1, 2]
    model = pel.load(studio.folder / FIRST / "model.safetensors").state_dict()["conv1.weight"]
    assert (to_array(found.frames[-1].weights, 4, 1, 3, 3) == model).all()
    assert [frame.step for frame in answer("train.filters", {"run": FIRST, "after": 18}, studio).frames] == [36, 72]


def test_results_are_those_of_the_test_set(studio):
    _, test = pel.datasets.load("fashion-mnist-mini")
    scores = pel.load(studio.folder / FIRST / "model.safetensors")(test.inputs())
    called = scores.argmax(axis=1)
    found = answer("train.results", {"run": FIRST}, studio)
    assert found.accuracy == np.mean(called == test.labels)
    assert found.classes == list(test.classes)
    assert found.confusion[6][0] == np.sum((test.labels == 6) & (called == 0))
    assert np.sum(found.confusion) == found.images == len(test)
    assert found.totals == np.bincount(test.labels).tolist()
    assert len(found.worst) == 12
    assert all(one.truth == test.labels[one.index] and one.called == called[one.index] for one in found.worst)
    wrong = called != test.labels
    exact = scores.astype(np.float64)
    chances = np.exp(exact - exact.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    assert found.worst[0].sure == pytest.approx(chances.max(axis=1)[wrong].max(), abs=1e-4)


def test_the_pictures_of_a_cell_of_the_matrix(studio):
    _, test = pel.datasets.load("fashion-mnist-mini")
    confusion = answer("train.results", {"run": FIRST}, studio).confusion
    found = answer("train.confused", {"run": FIRST, "truth": 6, "called": 0}, studio)
    assert found.count == confusion[6][0] > 0
    for one in found.pictures:
        assert (one.truth, one.called) == (6, 0)
        expected = test.images[one.index].astype(np.float32) / 255
        np.testing.assert_allclose(to_array(one.pixels, 1, 28, 28), expected, atol=1e-6)
    assert answer("train.confused", {"run": FIRST, "truth": 6, "called": 99}, studio).count == 0


def test_two_runs_compared(studio):
    found = answer("train.compare", {"first": FIRST, "second": SECOND}, studio)
    assert {(one.setting, one.first, one.second) for one in found.differences} == {
        ("augment", "none", "flip"),
        ("epochs", "2", "1"),
    }
    assert found.first.parameters == found.second.parameters == 4266
    assert found.first.macs == pel.summary(pel.zoo.build("tiny"), (1, 28, 28)).macs
    assert found.first.accuracy == answer("train.results", {"run": FIRST}, studio).accuracy
    new = answer("train.compare", {"first": FIRST, "second": NEW}, studio).second
    assert (new.parameters, new.accuracy, new.seconds) == (4 * 10 + 10 * (4 * 26 * 26 + 1), None, None)


def test_what_can_be_chosen(studio):
    found = answer("train.choices", {}, studio)
    by_name = {network.name: network for network in found.networks}
    assert by_name["pooled28"].parameters == by_name["pooled28-strided"].parameters == 430_890
    assert by_name["pooled28-gap"].parameters == 28_714
    assert [network.small for network in found.networks] == sorted((n.small for n in found.networks), reverse=True)
    assert by_name["tiny"].small
    assert not by_name["vgg16"].small
    mini = next(data for data in found.data if data.name == "fashion-mnist-mini")
    assert (mini.here, mini.pictures, mini.shape, len(mini.classes)) == (True, 5000, [1, 28, 28], 10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"network": "none"},
        {"network": "/etc/passwd"},
        {"network": "1x28x28to10-nonsense"},
        {"network": "alexnet"},
        {"data": "/etc"},
        {"data": "none"},
        {"epochs": 0},
        {"learning_rate": 0},
        {"augment": "sparkle"},
        {"optimizer": "none"},
        {"seed": -1},
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(studio, wrong):
    before = sorted(studio.folder.iterdir())
    with pytest.raises((ParameterError, pel.PellucidError)):
        answer("train.start", wrong, studio)
    assert sorted(studio.folder.iterdir()) == before


@pytest.mark.parametrize("question", ["news", "filters", "results", "resume", "pause", "conclude", "delete"])
def test_a_run_that_there_is_not(studio, question):
    for name in ("none", "../runs", "notes", ""):
        with pytest.raises(ParameterError, match="There is no run"):
            answer(f"train.{question}", {"run": name}, studio)


def test_results_of_other_test_images_are_not_shown(studio):
    shutil.copytree(studio.folder / FIRST, studio.folder / "20250101-000000-old")
    path = studio.folder / "20250101-000000-old" / "results.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | {"truth": found["truth"][::-1]}))
    with pytest.raises(pel.PellucidError, match="they have changed since"):
        answer("train.results", {"run": "20250101-000000-old"}, studio)
    answer("train.delete", {"run": "20250101-000000-old"}, studio)
    assert not path.parent.exists()
