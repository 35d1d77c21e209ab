"""Real ``kill -9`` at random instants: the resumed run ends with the same bytes."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

SETTINGS = ["--net", "tiny", "--epochs", "4", "--batch-size", "16", "--augment", "flip,shift=1,erase=0.2"]
SETTINGS += ["--early-stopping", "3", "--checkpoint-steps", "2", "--optimizer", "adamw", "--lr", "0.003"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small data set in Keras's form: noisy squares in one of four corners."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 400), ("test", 80)):
        labels = np.arange(count) % 4
        images = rng.integers(0, 90, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[14 * (label // 2) :, 14 * (label % 2) :][:10, :10] += 120
        arrays |= {f"x_{part}": images, f"y_{part}": labels}
    path = tmp_path_factory.mktemp("data") / "corners.npz"
    np.savez(path, **arrays)
    return path


def pellucid(*arguments):
    command = [sys.executable, "-m", "pellucid", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def start(out, data):
    return pellucid("train", *SETTINGS, "--data", data, "--out", out)


def resume(out, data):
    """Go on, or start anew where the kill came before anything was written."""
    return pellucid("train", "--resume", out) if (out / "run.json").exists() else start(out, data)


def killed_until_done(out, data, pauses):
    """Kill after each of these times until one is longer than what is left to do; return how many kills there were."""
    process, kills = start(out, data), 0
    for pause in pauses:
        try:
            process.wait(timeout=pause)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
        process = resume(out, data)
    finish(process)
    return kills


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    """The bytes of a run that nobody killed, and how long the quicker of two took: a busy moment may delay one."""
    times = []
    for name in ("first", "undisturbed"):  # the first may have to compile the engine
        out = tmp_path_factory.mktemp("runs") / name
        began = time.monotonic()
        finish(start(out, data))
        times.append(time.monotonic() - began)
    return (out / "model.safetensors").read_bytes(), min(times)


def test_two_kills(undisturbed, data, tmp_path):
    expected, seconds = undisturbed
    assert killed_until_done(tmp_path / "run", data, [seconds * 0.5, seconds * 0.6]) >= 1
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == expected


@pytest.mark.long
def test_twenty_random_kills(undisturbed, data, tmp_path):
    expected, seconds = undisturbed
    rng = np.random.default_rng()
    kills = runs = 0
    while kills < 20:
        out = tmp_path / f"run{runs}"
        kills += killed_until_done(out, data, rng.uniform(0.3, 0.95, 100) * seconds)
        runs += 1
        assert (out / "model.safetensors").read_bytes() == expected
    print(f"{kills} kills in {runs} runs; every final file was identical")
