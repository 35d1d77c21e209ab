"""Training in processes of its own: stopped, killed and taken up again, the weights are the same to the bit."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import FileError, ParameterError, ShapeError, TrainingError
from pellucid.studio.runs import Runs
from pellucid.studio.runs.records import LOG
from pellucid.train import run as training
from pellucid.train.lock import is_held
from pellucid.train.recording import FILTERS, STEPS, lines
from pellucid.train.settings import RunSettings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals, locks and /proc")
PATIENCE = 120


def until(condition):
    """Wait for a condition that another process brings about, and return what it gives."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
    return found


def state(runs, name, *states):
    return until(lambda: next((one for one in states if runs.record(name).state == one), None))


def begun(runs, name, step):
    """Wait until a run has done so many steps."""
    until(lambda: any(point["step"] >= step for point in runs.record(name).points()))


def worker(runs, name):
    """Return the process that trains a run."""
    assert runs._worker is not None
    assert runs._worker[0] == name
    return runs._worker[1].process


def idle(runs, settings):
    """Make a run that waits for nobody."""
    training.create(settings, runs.folder / "mine")
    return "mine"


def weights(runs, name):
    return (runs.folder / name / training.MODEL).read_bytes()


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (80, 12, 12), dtype=np.uint8), np.arange(80) % 3
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:15], y_test=labels[:15])
    long = {"epochs": 30, "batch_size": 4, "checkpoint_steps": 7, "checkpoint_seconds": None}
    return RunSettings(network="tiny", data=str(path), augment="shift=1", optimizer="adam", learning_rate=0.01, **long)


@pytest.fixture(scope="module")
def undisturbed(settings, tmp_path_factory):
    """The bytes of the model that one process trained in one go."""
    return (training.start(settings, tmp_path_factory.mktemp("runs") / "run").out / training.MODEL).read_bytes()


@pytest.fixture
def runs(tmp_path):
    runs = Runs(tmp_path / "runs")
    yield runs
    runs.close()


def test_a_run_is_trained_and_tested(runs, settings, undisturbed):
    name = runs.start(replace(settings, seed=0))
    assert state(runs, name, "finished")
    assert weights(runs, name) == undisturbed
    record = runs.record(name)
    assert record.results()["accuracy"] == training.resume(record.path).evaluation.accuracy
    assert not (record.path / "worker.log").exists()


def test_paused_and_resumed_it_ends_with_the_same_weights(runs, settings, undisturbed):
    name = runs.start(settings)
    begun(runs, name, 20)
    process = worker(runs, name)
    runs.pause(name)
    assert state(runs, name, "paused", "finished") == "paused"
    assert process.wait() == 0
    runs.resume(name)
    assert state(runs, name, "finished", "interrupted") == "finished"
    assert weights(runs, name) == undisturbed


def test_killed_and_resumed_it_ends_with_the_same_weights(runs, settings, undisturbed):
    name = runs.start(settings)
    begun(runs, name, 20)
    os.kill(worker(runs, name).pid, signal.SIGKILL)
    assert state(runs, name, "interrupted", "finished") == "interrupted"
    runs.resume(name)
    assert state(runs, name, "finished", "interrupted") == "finished"
    assert weights(runs, name) == undisturbed


def test_nothing_trains_when_the_studio_has_closed(runs, settings, undisturbed):
    name, next_one = runs.start(settings), runs.start(settings)
    begun(runs, name, 20)
    process = worker(runs, name)
    runs.close()
    assert process.returncode == 0
    assert {runs.record(each).state for each in (name, next_one)} == {"paused"}
    with pytest.raises(TrainingError, match="is closing"):
        runs.resume(name)
    reopened = Runs(runs.folder)
    reopened.resume(name)
    assert state(reopened, name, "finished", "interrupted") == "finished"
    assert weights(reopened, name) == undisturbed
    reopened.close()


STUDIO = """
import json, sys
from pathlib import Path
from pellucid.studio.runs import Runs
from pellucid.train.settings import RunSettings
runs = Runs(Path(sys.argv[1]))
print(runs.start(RunSettings.from_dict(json.loads(sys.argv[2]))), runs._worker[1].process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_trains_when_the_studio_was_killed(runs, settings, signal_):
    command = [sys.executable, "-c", STUDIO, runs.folder, json.dumps(replace(settings, epochs=1000).as_dict())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as studio:
        name, process = studio.stdout.readline().split()
        begun(runs, name, 20)
        assert is_held(runs.folder / name)
        studio.send_signal(signal_)
    until(lambda: not is_held(runs.folder / name))
    until(lambda: not is_alive(int(process)))
    record = runs.record(name)
    assert record.state == "paused"
    assert record.can_conclude


def is_alive(process):
    """Tell whether a process computes: one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_command_line_goes_on_with_a_run_of_the_studio(runs, settings, undisturbed):
    name = runs.start(settings)
    begun(runs, name, 20)
    runs.pause(name)
    state(runs, name, "paused")
    training.resume(runs.folder / name)
    assert runs.record(name).state == "finished"
    assert weights(runs, name) == undisturbed


def test_one_at_a_time_the_others_wait(runs, settings):
    first, second, third = (runs.start(replace(settings, seed=seed)) for seed in range(3))
    assert runs.names() == [third, second, first]
    assert [runs.record(name).state for name in (second, third)] == ["waiting", "waiting"]
    runs.pause(second)
    assert runs.record(second).state == "paused"
    for name in (first, third):
        with pytest.raises(TrainingError, match="pause it first"):
            runs.delete(name)
    begun(runs, first, 1)
    runs.pause(first)
    begun(runs, third, 1)
    assert runs.record(first).state == "paused"


def test_a_run_that_is_ended_early_keeps_what_it_learned(runs, settings):
    name = runs.start(settings)
    begun(runs, name, 30)
    runs.conclude(name)
    state(runs, name, "finished")
    history = runs.record(name).history()
    assert history[-1]["step"] < settings.epochs * 18
    assert runs.record(name).results()["accuracy"] == training.resume(runs.folder / name).evaluation.accuracy
    for again in (runs.resume, runs.conclude):
        with pytest.raises(TrainingError, match="finished"):
            again(name)


def test_a_run_that_fails_says_why(runs, settings):
    name = runs.start(replace(settings, learning_rate=1e30, optimizer="sgd", schedule="constant"))
    state(runs, name, "failed")
    assert "lower the learning rate" in runs.record(name).reason


def test_what_does_not_fit_is_refused_and_leaves_nothing(runs, settings):
    with pytest.raises(ShapeError):
        runs.start(replace(settings, network="alexnet"))
    assert list(runs.folder.iterdir()) == []


def test_a_run_of_another_program_is_watched_and_left_alone(runs, settings):
    out = runs.folder / "mine"
    training.create(settings, out)
    with training.holding(out):
        assert runs.record("mine").state == "elsewhere"
        with pytest.raises(TrainingError, match="pause it first"):
            runs.resume("mine")
    assert runs.record("mine").state == "paused"


def test_deleting_leaves_what_the_run_did_not_write(runs, settings):
    for name in ("mine", "other"):
        training.create(settings, runs.folder / name)
    (runs.folder / "mine" / "notes.txt").write_text("kept")
    runs.delete("mine")
    runs.delete("other")
    assert [str(path.relative_to(runs.folder)) for path in sorted(runs.folder.rglob("*"))] == ["mine", "mine/notes.txt"]
    assert runs.names() == []


def test_a_folder_that_may_not_be_read_hides_no_other(runs, settings, monkeypatch):
    for name in ("mine", "others"):
        training.create(settings, runs.folder / name)
    is_file = Path.is_file

    def forbidden(path):
        if path.parent.name == "others":
            raise PermissionError
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", forbidden)
    assert runs.names() == ["mine"]
    with pytest.raises(ParameterError, match="There is no run"):
        runs.record("others")


@pytest.mark.parametrize("name", ["none", "..", "../runs", "a/b", "", "x" * 200])
def test_a_name_that_is_no_run(runs, settings, name):
    for folder in (runs.folder, runs.folder.parent, runs.folder / "a" / "b"):  # where such names could lead to
        training.create(settings, folder)
    for question in (runs.record, runs.resume, runs.pause, runs.conclude, runs.delete):
        with pytest.raises(ParameterError, match="There is no run"):
            question(name)


def test_a_link_to_a_folder_elsewhere_is_never_emptied(runs, settings, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    training.create(settings, elsewhere)
    runs.folder.mkdir()
    (runs.folder / "linked").symlink_to(elsewhere)
    with pytest.raises(FileError, match="got a link to one"):
        runs.delete("linked")
    assert (elsewhere / training.RUN).is_file()
    assert (runs.folder / "linked").is_symlink()


def test_a_log_that_is_a_link_is_replaced_and_not_followed(runs, settings, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("kept")
    name = idle(runs, settings)
    (runs.folder / name / LOG).symlink_to(precious)
    runs.resume(name)
    state(runs, name, "finished")
    assert precious.read_text() == "kept"


def test_a_run_that_cannot_be_begun_does_not_hold_up_the_next(runs, settings):
    first, broken, last = runs.start(replace(settings, epochs=1000)), runs.start(settings), runs.start(settings)
    (runs.folder / broken / LOG).mkdir()
    begun(runs, first, 1)
    runs.pause(first)
    begun(runs, last, 1)
    assert runs.record(broken).state == "paused"
    runs.pause(last)
    state(runs, last, "paused", "finished")
    with pytest.raises(FileError, match="cannot be begun"):
        runs.resume(broken)


def test_a_run_that_was_removed_while_it_ended_does_not_hold_up_the_next(runs, settings):
    first, last = runs.start(replace(settings, epochs=1000)), runs.start(settings)
    begun(runs, first, 1)
    process = worker(runs, first)
    runs.conclude(first)
    (runs.folder / first / training.RUN).write_text("damaged")
    process.kill()
    assert state(runs, last, "finished")


def test_what_another_program_trains_is_not_deleted(runs, settings):
    name = idle(runs, settings)
    with training.holding(runs.folder / name), pytest.raises(TrainingError):
        runs.delete(name)
    assert runs.record(name).state == "paused"


@pytest.mark.parametrize("name", [STEPS, FILTERS, LOG, training.HISTORY])
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(runs, settings, name):
    run = idle(runs, settings)
    os.mkfifo(runs.folder / run / name)
    record = runs.record(run)
    assert (record.points(), record.history(), record.state) == ([], [], "paused")


def test_damaged_lines_are_left_out(runs, settings):
    record = runs.record(idle(runs, settings))
    whole = {"step": 3, "loss": 1, "accuracy": 0.5, "learning_rate": 0.1, "seconds": 2.0}
    damaged = [{"step": 1}, {**whole, "loss": "x"}, {**whole, "seconds": None}, {**whole, "step": True}]
    (record.path / STEPS).write_text("".join(json.dumps(line) + "\n" for line in [*damaged, whole]))
    (record.path / FILTERS).write_text('{"step": 1}\n{"step": 2, "layer": "a", "shape": 3, "data": ""}\n')
    (record.path / training.HISTORY).write_text('{"step": 1, "epoch": "x", "loss": [], "accuracy": 1}\n')
    assert record.points() == [whole]
    assert lines(record.path / FILTERS) == record.history() == []


@pytest.mark.parametrize("change", [{"accuracy": "x"}, {"truth": 1}, {"per_class": []}, {"sure": None}])
def test_damaged_results_are_refused(runs, settings, change):
    record = replace(runs.record(idle(runs, settings)), state="finished")
    whole = {"accuracy": 1, "loss": 0.1, "per_class": {}, "confusion": [], "truth": [], "called": [], "sure": []}
    (record.path / training.RESULTS).write_text(json.dumps(whole))
    assert record.results() == whole
    (record.path / training.RESULTS).write_text(json.dumps(whole | change))
    with pytest.raises(FileError, match="is damaged"):
        record.results()
