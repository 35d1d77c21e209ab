"""The stepper's answers are those of the worked example, of PyTorch, and of the frames that Python draws."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pellucid.errors import ParameterError, ShapeError
from pellucid.studio.answers import answer
from pellucid.studio.studio import Studio

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text(encoding="utf-8"))
BAR = next(example for example in GOLDEN["examples"] if example["id"] == "bar-conv-relu-pool")
LESSON = {"image": BAR["image"], "kernel": BAR["kernel"]}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def told(name: str, asked: Any, studio: Studio) -> Any:
    """Answer as the page gets it: as JSON."""
    return json.loads(answer(f"stepper.{name}", asked, studio).model_dump_json())


def grid(scene: Any, name: str) -> Any:
    return next(grid for grid in scene["grids"] if grid["name"] == name)


def test_the_lesson_ends_as_it_should(studio: Studio) -> None:
    scene = told("scene", {"setting": LESSON, "near": 0}, studio)

    assert grid(scene, "conv")["values"] == BAR["conv"]
    assert grid(scene, "relu")["values"] == BAR["relu"]
    assert grid(scene, "pool")["values"] == [[0, 27], [0, 27]]
    assert scene["kernel"] == "vertical-edge"
    assert [(phase["name"], phase["first"], phase["count"]) for phase in scene["phases"]] == [
        ("start", 0, 1),
        ("conv", 1, 16),
        ("relu", 17, 16),
        ("pool", 33, 4),
    ]
    assert len(scene["moves"]) == len(scene["durations"]) == 37


def test_every_step_of_the_lesson_adds_up(studio: Studio) -> None:
    scene = told("scene", {"setting": LESSON, "near": 0}, studio)
    image = np.array(BAR["image"])
    works = [move["work"] for move in scene["moves"] if move["phase"] == "conv"]

    for work in works:
        y, x = work["target"]
        products = image[y : y + 3, x : x + 3] * np.array(BAR["kernel"])
        assert work["products"] == products.tolist()
        assert work["value"] == products.sum() == BAR["conv"][y][x]
        assert work["lit"][0]["cells"][4] == [y + 1, x + 1]
    assert scene["moves"][17]["sentence"] == "Row 0, column 0: −18 is negative, so ReLU makes it 0."


def test_long_scenes_come_in_parts(studio: Studio) -> None:
    setting = {"image": np.eye(16).tolist(), "kernel": [[1, 2], [3, 4]], "padding": "full", "backward": True}
    scene = told("scene", {"setting": setting, "near": 700}, studio)
    part = told("moves", {"setting": setting, "near": 130}, studio)

    assert scene["first"] == 640
    assert (part["first"], len(part["moves"])) == (128, 64)
    y, x = part["moves"][0]["work"]["target"]
    assert (y, x) == divmod(128 - 1, 17)
    padded = np.pad(np.eye(16), 1)
    assert part["moves"][0]["work"]["value"] == (padded[y : y + 2, x : x + 2] * [[1, 2], [3, 4]]).sum()


def test_a_scene_that_became_shorter_shows_its_last_steps(studio: Studio) -> None:
    scene = told("scene", {"setting": {"image": [[1]], "kernel": [[2]], "pool": "none"}, "near": 900}, studio)

    assert (scene["first"], len(scene["moves"])) == (0, 3)


def test_the_way_back_is_pytorchs(studio: Studio) -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.integers(-4, 9, (7, 6)), rng.integers(-3, 4, (3, 2))
    setting = {
        "image": image.tolist(),
        "kernel": kernel.tolist(),
        "stride": 2,
        "padding": 1,
        "border": "replicate",
        "bias": 1,
        "pool": "average",
        "backward": True,
    }
    scene = told("scene", {"setting": setting, "near": 0}, studio)
    pixels, weight = (torch.tensor(a[None, None], dtype=torch.float64, requires_grad=True) for a in (image, kernel))
    padded = F.pad(pixels, (1, 1, 1, 1), mode="replicate")
    result = F.avg_pool2d(F.relu(F.conv2d(padded, weight, torch.ones(1, dtype=torch.float64), stride=2)), 2)
    result.sum().backward()

    assert grid(scene, "pool")["values"] == result[0, 0].tolist()
    assert grid(scene, "d_kernel")["values"] == pytest.approx(weight.grad.numpy()[0, 0])
    assert grid(scene, "d_image")["values"] == pytest.approx(pixels.grad.numpy()[0, 0])
    assert grid(scene, "image")["border"] == [[1, 1], [1, 1]]


def test_gradients_of_one_cell(studio: Studio) -> None:
    scene = told("scene", {"setting": {**LESSON, "backward": True, "start": [0, 1]}, "near": 0}, studio)

    assert grid(scene, "d_pool")["values"] == [[0, 1], [0, 0]]
    assert np.array(grid(scene, "d_conv")["values"]).sum() == 1


@pytest.mark.parametrize("kind", ["gif", "png", "svg", "html"])
def test_the_steps_as_a_file(kind: str, studio: Studio) -> None:
    setting = {"image": [[1, 2], [3, 4]], "kernel": [[1]]}
    found = told("save", {"setting": setting, "format": kind}, studio)
    data = base64.b64decode(found["data"])

    assert found["name"] == f"steps.{kind}"
    if kind == "gif":
        assert Image.open(io.BytesIO(data)).n_frames == 1 + 4 + 4 + 1  # type: ignore[attr-defined]
    elif kind == "png":
        assert Image.open(io.BytesIO(data)).width > 100
    else:
        assert b"<svg" in data
        assert (kind == "html") == data.lstrip().lower().startswith(b"<!doctype html>")


def test_the_first_choices_are_the_lesson(studio: Studio) -> None:
    choices = told("choices", {}, studio)
    images, kernels = ({one["name"]: one["values"] for one in choices[kind]} for kind in ("images", "kernels"))

    assert images["bar"] == BAR["image"]
    assert kernels["vertical-edge"] == BAR["kernel"]
    assert kernels["sobel-x"] == GOLDEN["kernels"]["sobel-x"]
    assert all(len(rows) <= 7 for rows in kernels.values())


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"kernel": [[1, 2], [3]]}, ShapeError, "all of one length"),
        ({"kernel": []}, ShapeError, "got the shape"),
        ({"image": [[1]], "kernel": [[1, 1]]}, ShapeError, "does not fit"),
        ({"dilation": 3}, ShapeError, "does not fit"),
        ({"stride": 0}, ParameterError, "The 'setting.stride' of stepper.scene is not right"),
        ({"image": [[1e12]]}, ParameterError, "less than or equal to 1000000000"),
        ({"backward": True, "start": [5, 0]}, ParameterError, "must be .row, column. on the last map"),
    ],
)
def test_what_cannot_be_is_said(change: Any, error: type[Exception], says: str, studio: Studio) -> None:
    with pytest.raises(error, match=says):
        answer("stepper.scene", {"setting": LESSON | change, "near": 0}, studio)
