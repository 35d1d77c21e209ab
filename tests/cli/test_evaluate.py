import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from pellucid.data import registry
from pellucid.train.evaluate import evaluate
from tests.cli.conftest import Command


def evaluated(command: Command, *arguments: object) -> dict:
    status, out, err = command("evaluate", *arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_json_is_the_evaluation_of_the_runs_own_data(trained: Path, images: Path, command: Command) -> None:
    found = evaluated(command, trained)
    expected = evaluate(pel.load(trained / "model.safetensors"), registry.load(images)[1]).as_dict()

    assert list(found) == ["accuracy", "loss", "per_class", "confusion"]
    assert found == json.loads(json.dumps(expected))


def test_a_model_file_and_a_run_are_the_same(trained: Path, images: Path, command: Command) -> None:
    assert evaluated(command, trained / "model.safetensors", "--data", images) == evaluated(command, trained)


def test_table_has_every_class(trained: Path, command: Command) -> None:
    status, out, _ = command("evaluate", trained)

    assert status == 0
    for name in ("dark", "light", "striped", "all"):
        assert name in out
    assert max(map(len, out.splitlines())) <= 80


def test_pictures_of_another_size_are_resized(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    for path in images.rglob("*.png"):
        target = tmp_path / path.relative_to(images)
        target.parent.mkdir(exist_ok=True)
        Image.open(path).resize((16, 16), Image.Resampling.NEAREST).save(target)

    assert evaluated(command, trained, "--data", tmp_path)["accuracy"] == evaluated(command, trained)["accuracy"]


def test_classes_are_matched_by_name(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    for name in ("light", "striped"):  # "dark" is missing, so that the numbers of the others differ
        (tmp_path / name).symlink_to(images / name)
    found = evaluated(command, trained, "--data", tmp_path)

    assert found["per_class"]["dark"] is None
    assert found["accuracy"] > 0.9


def test_unnamed_classes_are_matched_by_number(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    train, test = registry.load(images)
    arrays = {"x_train": train.images, "y_train": train.labels, "x_test": test.images, "y_test": test.labels}
    np.savez(tmp_path / "same.npz", **arrays)

    assert evaluated(command, trained, "--data", tmp_path / "same.npz") == evaluated(command, trained)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("fashion-mnist-mini", "takes images of 1×8×8; those of 'fashion-mnist-mini' are 1×28×28"),
        ("nonsense", "A data set must be one of"),
    ],
)
def test_data_that_do_not_fit_are_refused(trained: Path, command: Command, data: str, reason: str) -> None:
    status, out, err = command("evaluate", trained, "--data", data)

    assert (status, out) == (1, "")
    assert reason in err


def test_unknown_classes_are_refused(trained: Path, images: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "dark").symlink_to(images / "dark")
    (tmp_path / "dotted").symlink_to(images / "striped")
    status, _, err = command("evaluate", trained, "--data", tmp_path)

    assert status == 1
    assert "must be among those of the network (dark, light, striped); got dotted" in err


def test_a_model_that_knows_no_data_asks_for_some(tmp_path: Path, images: Path, command: Command) -> None:
    net = pel.zoo.build("tiny")
    pel.save(net, tmp_path / "net.safetensors")

    assert "choose a data set with --data" in command("evaluate", tmp_path / "net.safetensors")[2]
    assert "must say how images are prepared" in command("evaluate", tmp_path / "net.safetensors", "--data", images)[2]


def test_a_folder_without_a_model_is_refused(tmp_path: Path, command: Command) -> None:
    status, _, err = command("evaluate", tmp_path)

    assert status == 1
    assert "there is no model.safetensors in it" in err
