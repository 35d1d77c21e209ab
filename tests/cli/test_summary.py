import json
from pathlib import Path

import numpy as np
import pytest

import pellucid as pel
from pellucid.analysis.counting import Counting
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


def test_what_is_counted_can_be_chosen(command: Command) -> None:
    _, plain, _ = command("summary", "tiny", "--json")
    _, chosen, _ = command("summary", "tiny", "--flops", "--bias", "--norm", "--activation", "--batch", "3", "--json")
    counting = Counting("flops", bias=True, norm=True, activation=True)

    assert json.loads(chosen) == pel.summary(pel.zoo.build("tiny"), (1, 28, 28), batch=3, counting=counting).as_dict()
    assert json.loads(chosen)["totals"]["operations"] > 6 * json.loads(plain)["totals"]["operations"]
    _, table, _ = command("summary", "tiny", "--flops")
    assert "FLOPs" in table


def test_formulas_have_the_numbers_put_in(command: Command) -> None:
    _, out, _ = command("summary", "pooled28", "--formula")
    _, record, _ = command("summary", "pooled28", "--formula", "--json")

    assert "  parameters     32·(32·3·3 + 1) = 9,248\n" in out
    conv = json.loads(record)["layers"][0]
    assert conv["formulas"]["size"] == "⌊(28 + 2·1 − 3) / 1⌋ + 1 = 28"


def test_markdown_and_html(command: Command) -> None:
    found = pel.summary(pel.zoo.build("tiny"), (1, 28, 28))

    assert command("summary", "tiny", "--markdown") == (0, found.markdown() + "\n", "")
    assert command("summary", "tiny", "--html") == (0, found.html() + "\n", "")
    status, _, err = command("summary", "tiny", "--html", "--json")
    assert status == 2
    assert "give one" in err


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("alexnet", 61_100_840), ("vgg16", 138_357_544), ("googlenet", 6_624_904), ("squeezenet1-0", 1_248_424),
        ("resnet18", 11_689_512), ("resnet50", 25_557_032), ("resnext50-32x4d", 25_028_904),
        ("densenet121", 7_978_856), ("mobilenet-v2", 3_504_872), ("efficientnet-b0", 5_288_548),
        ("convnext-tiny", 28_589_128),
    ],
)  # fmt: skip
def test_published_counts(command: Command, name: str, parameters: int) -> None:
    _, out, _ = command("summary", name, "--json")

    assert json.loads(out)["totals"]["parameters"] == parameters
