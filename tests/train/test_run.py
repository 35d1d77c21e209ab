"""Runs on disk: what is written, refused, resumed."""

import json
import shutil

import numpy as np
import pytest

import pellucid as pel
from pellucid.errors import DataError, FileError, TrainingError
from pellucid.interop import tensors
from pellucid.train.callbacks import Callback
from pellucid.train.lock import holding
from pellucid.train.run import conclude, create, resume, start
from pellucid.train.settings import RunSettings


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = rng.integers(0, 90, (60, 12, 12), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 * label : 4 * label + 4] += 120
    path = tmp_path_factory.mktemp("data") / "rows.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:15], y_test=labels[:15])
    return RunSettings(network="tiny", data=str(path), epochs=3, batch_size=16, augment="shift=1")


@pytest.fixture(scope="module")
def outcome(settings, tmp_path_factory):
    return start(settings, tmp_path_factory.mktemp("runs") / "done")


def test_what_a_run_leaves(outcome, settings):
    left = ["filters.jsonl", "history.jsonl", "model.safetensors", "results.json", "run.json", "steps.jsonl"]
    assert sorted(path.name for path in outcome.out.iterdir()) == left
    record = json.loads((outcome.out / "run.json").read_text())
    assert record["status"] == "finished"
    assert RunSettings.from_dict(record["settings"]) == settings
    assert set(record["machine"]["versions"]) >= {"python", "numpy", "pellucid"}
    lines = [json.loads(line) for line in (outcome.out / "history.jsonl").read_text().splitlines()]
    assert lines == outcome.history
    assert [line["epoch"] for line in lines] == [1, 2, 3]


def test_the_model_file_is_the_network(outcome):
    net = pel.load(outcome.out / "model.safetensors")
    inputs = outcome.test.inputs()
    assert (net(inputs) == outcome.net(inputs)).all()
    assert net.metadata["classes"] == list(outcome.test.classes)
    assert outcome.initial["conv1.weight"].shape == (4, 1, 3, 3)
    assert (outcome.initial["conv1.weight"] != outcome.net.state_dict()["conv1.weight"]).any()


def test_a_finished_run_is_only_evaluated_again(outcome):
    before = (outcome.out / "model.safetensors").read_bytes()
    again = resume(outcome.out)
    assert again.evaluation.as_dict() == outcome.evaluation.as_dict()
    assert again.history == outcome.history
    assert (again.initial["fc.weight"] == outcome.initial["fc.weight"]).all()
    assert (outcome.out / "model.safetensors").read_bytes() == before


class Fails(Callback):
    def step(self, progress):
        if progress.step == 5:
            raise RuntimeError("killed")


def test_a_run_that_broke_goes_on(outcome, settings, tmp_path):
    with pytest.raises(RuntimeError):
        start(settings, tmp_path / "run", [Fails()])
    assert not (tmp_path / "run" / "model.safetensors").exists()
    resume(tmp_path / "run")
    expected = (outcome.out / "model.safetensors").read_bytes()
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == expected
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_what_a_killed_process_was_writing_is_removed(settings, tmp_path):
    with pytest.raises(RuntimeError):
        start(settings, tmp_path, [Fails()])
    (tmp_path / ".checkpoint.safetensors.a1b2c3d4").write_bytes(b"half")
    (tmp_path / ".mine").write_text("kept")
    resume(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".mine",
        "filters.jsonl",
        "history.jsonl",
        "model.safetensors",
        "results.json",
        "run.json",
        "steps.jsonl",
    ]


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "model.safetensors"])
def test_what_is_left_of_another_run_is_not_taken_for_ones_own(settings, tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(TrainingError, match="already holds a run"):
        start(settings, tmp_path)
    assert (tmp_path / name).read_bytes() == b"x"


@pytest.mark.parametrize("text", ["", "5\n", "{}\n"])
def test_a_damaged_history(outcome, tmp_path, text):
    shutil.copytree(outcome.out, tmp_path / "run")
    (tmp_path / "run" / "history.jsonl").write_text(text)
    with pytest.raises(FileError, match="must hold a record for each epoch"):
        resume(tmp_path / "run")


def test_a_folder_with_a_run_is_not_overwritten(outcome, settings):
    with pytest.raises(TrainingError, match="already holds a run; resume it with --resume"):
        start(settings, outcome.out)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(TrainingError, match="holds no run to resume"):
        resume(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"settings": {}}', "[" * 100_000])
def test_a_damaged_record(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(pel.PellucidError):
        resume(tmp_path)


def test_a_damaged_checkpoint(settings, tmp_path):
    with pytest.raises(RuntimeError):
        start(settings, tmp_path / "run", [Fails()])
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(FileError, match="not a readable safetensors file"):
        resume(tmp_path / "run")


def test_nothing_is_written_where_data_are_missing(tmp_path):
    with pytest.raises((DataError, FileError)):
        start(RunSettings(data=str(tmp_path / "none")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_is_written_where_no_image_can_be_held_back(tmp_path):
    images, labels = np.zeros((2, 12, 12), np.uint8), np.array([0, 1])
    np.savez(tmp_path / "pair.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    with pytest.raises(DataError, match="two images or more"):
        start(RunSettings(network="tiny", data=str(tmp_path / "pair.npz")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_made(settings):
    with pytest.raises(FileError, match="cannot be made"):
        start(settings, "/proc/run")


class Interrupts(Callback):
    def step(self, progress):
        if progress.step == 5:
            raise KeyboardInterrupt


def record_of(out):
    return json.loads((out / "run.json").read_text())


def test_the_record_says_why_a_run_did_not_end(settings, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        start(settings, tmp_path / "stopped", [Interrupts()])
    assert record_of(tmp_path / "stopped")["status"] == "paused"
    steep = RunSettings(**{**settings.as_dict(), "learning_rate": 1e30, "schedule": "constant"})
    with pytest.raises(TrainingError) as caught:
        start(steep, tmp_path / "steep")
    assert record_of(tmp_path / "steep") | {"status": "failed", "reason": str(caught.value)} == record_of(
        tmp_path / "steep"
    )


def test_a_finished_run_stays_finished_whatever_happens_to_its_files(outcome, tmp_path):
    shutil.copytree(outcome.out, tmp_path / "run")
    (tmp_path / "run" / "history.jsonl").unlink()
    with pytest.raises(FileError):
        resume(tmp_path / "run")
    assert record_of(tmp_path / "run")["status"] == "finished"


def test_a_stopped_run_is_concluded_where_it_is(settings, tmp_path):
    every_step = RunSettings(**{**settings.as_dict(), "checkpoint_steps": 1})
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        start(every_step, out, [Interrupts()])
    arrays, about = tensors.read(out / "checkpoint.safetensors", "checkpoint")
    outcome = conclude(out)
    assert [(line["epoch"], line["step"]) for line in outcome.history] == [(1, 4), (2, about["step"])]
    assert (outcome.net.state_dict()["fc.weight"] == arrays["net/fc.weight"]).all()
    assert (pel.load(out / "model.safetensors").state_dict()["fc.weight"] == arrays["net/fc.weight"]).all()
    assert record_of(out)["status"] == "finished"
    assert resume(out).evaluation.as_dict() == outcome.evaluation.as_dict()
    with pytest.raises(TrainingError, match="is finished: there is nothing to conclude"):
        conclude(out)


def test_nothing_is_concluded_from_nothing(settings, tmp_path):
    create(settings, tmp_path / "run")
    with pytest.raises(TrainingError, match="has not learned anything yet"):
        conclude(tmp_path / "run")


def test_two_processes_do_not_train_in_one_folder(settings, tmp_path):
    create(settings, tmp_path / "run")
    with holding(tmp_path / "run"), pytest.raises(TrainingError, match="by another process"):
        resume(tmp_path / "run")
    assert record_of(tmp_path / "run")["status"] == "waiting"


def test_a_listing_is_trained_as_a_network_of_the_zoo_is(settings, tmp_path):
    listing = "1x28x28to10-conv4.p1-relu-pool2-flatten-linear"
    outcome = start(RunSettings(**{**settings.as_dict(), "network": listing}), tmp_path / "run")
    assert outcome.settings.called == "design"
    assert outcome.net(np.zeros((1, 1, 12, 12), np.float32)).shape == (1, 3)  # fitted to the data
    assert (tmp_path / "run" / "filters.jsonl").read_text().count('"layer": "conv"') == 6
    again = pel.load(tmp_path / "run" / "model.safetensors")
    assert (again.state_dict()["fc.weight"] == outcome.net.state_dict()["fc.weight"]).all()
