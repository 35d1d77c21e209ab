import json
from pathlib import Path

import numpy as np
import pytest

import pellucid as pel
from pellucid.nn import random
from tests.cli.conftest import Command


def test_json_is_the_summary_of_python(command: Command) -> None:
    status, out, _ = command("summary", "pooled28", "--json")

    assert status == 0
    assert json.loads(out) == pel.summary(pel.zoo.build("pooled28"), (1, 28, 28)).as_dict()


@pytest.mark.parametrize("name", pel.zoo.names())
def test_every_network_fits_80_columns(command: Command, name: str) -> None:
    status, out, err = command("summary", name)

    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80


def test_no_weights_are_drawn(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random._State, "generator", None)
    status, _, err = command("summary", "resnet18")

    assert (status, err) == (0, "")


def test_another_input(command: Command) -> None:
    _, out, _ = command("summary", "tiny", "--input", "3, 40,24", "--json")

    assert json.loads(out)["input"] == [3, 40, 24]
    assert json.loads(out)["layers"][0]["output"] == [4, 40, 24]


def test_runs_and_model_files(trained: Path, command: Command) -> None:
    _, of_run, _ = command("summary", trained, "--json")
    _, of_file, _ = command("summary", trained / "model.safetensors", "--json")

    assert json.loads(of_run) == json.loads(of_file)
    assert json.loads(of_run)["input"] == [1, 8, 8]
    assert next(layer["name"] for layer in json.loads(of_run)["layers"]) == "conv1"


def test_a_model_that_does_not_fit_the_input_names_the_layer(trained: Path, command: Command) -> None:
    status, _, err = command("summary", trained, "--input", "3,8,8")

    assert status == 1
    assert "'conv1' needs 1 channels" in err


@pytest.mark.parametrize(
    "metadata",
    [{"input": 5}, {"input": [1, 28]}, {"input": [1, 28, -1]}, {"classes": "abc"}, {"classes": [1, 2]}, {"data": 7}],
)
def test_a_model_that_says_nonsense_of_itself_is_refused(tmp_path: Path, metadata: dict, command: Command) -> None:
    net = pel.zoo.build("tiny")
    net(np.zeros((1, 1, 28, 28), np.float32))
    pel.save(net, tmp_path / "net.safetensors", metadata)
    status, out, err = command("summary", tmp_path / "net.safetensors")

    assert (status, out) == (1, "")
    assert f"is damaged: its '{next(iter(metadata))}' cannot be" in err
