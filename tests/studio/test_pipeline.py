"""The pipeline's maps are PyTorch's, its cells add up, and what channels add is what the filter sums."""

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
from pellucid.studio.messages.base import Tensor
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_array, to_tensor
from pellucid.types import Array

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 9, (3, 10, 9)).astype(np.float32)
FILTERS = RNG.integers(-3, 4, (4, 3, 3, 3))
BORDERS = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def told(name: str, asked: Any, studio: Studio) -> Any:
    """Answer as the page gets it: as JSON."""
    return json.loads(answer(f"pipeline.{name}", asked, studio).model_dump_json())


def array(tensor: Any) -> Array:
    found = Tensor.model_validate(tensor)
    return to_array(found, *found.shape)


def setting(image: Array = RGB, filters: Array = FILTERS, **changes: Any) -> dict[str, Any]:
    biases = [0.0] * len(filters)
    return {"image": to_tensor(image).model_dump(), "filters": filters.tolist(), "biases": biases, **changes}


@pytest.mark.parametrize("border", BORDERS)
def test_all_maps_are_pytorchs(border: str, studio: Studio) -> None:
    asked = setting(padding=2, border=border, stride=2, biases=[1, -2, 3, 0], pool_size=3, pool_stride=1)
    maps = told("maps", {"setting": asked, "filter": 1}, studio)
    padded = F.pad(torch.tensor(RGB)[None], (2, 2, 2, 2), mode=BORDERS[border])
    conv = F.conv2d(padded, torch.tensor(FILTERS, dtype=torch.float32), torch.tensor([1.0, -2, 3, 0]), stride=2)

    assert np.array_equal(array(maps["bordered"]), padded[0])
    assert np.array_equal(array(maps["conv"]), conv[0])
    assert np.array_equal(array(maps["relu"]), F.relu(conv)[0])
    assert np.array_equal(array(maps["pool"]), F.max_pool2d(F.relu(conv), 3, 1)[0])
    assert maps["border_note"] == f"padding 2, {border}"


def test_the_channels_of_a_picture_are_summed(studio: Studio) -> None:
    maps = told("maps", {"setting": setting(biases=[5, 5, 5, 5]), "filter": 2}, studio)
    each = [
        F.conv2d(torch.tensor(RGB[c])[None, None], torch.tensor(FILTERS[2, c])[None, None].float()) for c in (0, 1, 2)
    ]

    assert np.array_equal(array(maps["shares"]), torch.cat(each)[:, 0])
    assert np.array_equal(array(maps["shares"]).sum(axis=0) + 5, array(maps["conv"])[2])


def test_sizes_and_counts_are_told(studio: Studio) -> None:
    maps = told("maps", {"setting": setting(stride=2, pool="none"), "filter": 0}, studio)

    assert maps["formulas"] == [["parameters", "4·(3·3·3 + 1) = 112"], ["multiply-adds", "4·4·4·3·3·3 = 1,728"]]
    assert maps["conv_windows"]["notes"] == ["rows ⌊(10 − 3 + 2·0)/2⌋ + 1 = 4", "columns ⌊(9 − 3 + 2·0)/2⌋ + 1 = 4"]
    assert maps["conv_windows"]["rows"] == [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7, 8]]
    assert maps["conv_windows"]["unseen"] == [[9, x] for x in range(9)]
    assert maps["pool"] is maps["pool_windows"] is None


@pytest.mark.parametrize("flip", [False, True])
def test_a_cell_adds_up_over_its_channels(flip: bool, studio: Studio) -> None:
    asked = setting(flip=flip, biases=[2, 2, 2, 2])
    cell = told("cell", {"setting": asked, "layer": "conv", "channel": 3, "y": 4, "x": 1}, studio)
    weights = FILTERS[3, :, ::-1, ::-1] if flip else FILTERS[3]

    for channel, part in enumerate(cell["parts"]):
        patch = RGB[channel, 4:7, 1:4]
        assert part["channel"] == channel
        assert part["patch"] == patch.tolist()
        assert part["weights"] == weights[channel].tolist()
        assert part["products"] == (patch * weights[channel]).tolist()
        assert part["total"] == (patch * weights[channel]).sum()
    assert cell["value"] == cell["total"] == (RGB[:, 4:7, 1:4] * weights).sum() + 2
    assert cell["box"] == [4, 1, 7, 4]


def test_cells_of_relu_and_pool(studio: Studio) -> None:
    image = np.float32([[[1, -2, 3, 0], [4, 0, -1, 2]]])
    asked = setting(image, np.array([[[[1]]]]))
    relu = told("cell", {"setting": asked, "layer": "relu", "channel": 0, "y": 0, "x": 1}, studio)
    pool = told("cell", {"setting": asked, "layer": "pool", "channel": 0, "y": 0, "x": 0}, studio)

    assert (relu["parts"][0]["patch"], relu["parts"][0]["weights"], relu["value"]) == ([[-2]], [[0]], 0)
    assert pool["parts"][0]["patch"] == [[1, 0], [4, 0]]
    assert pool["parts"][0]["weights"] == [[0, 0], [1, 0]]
    assert (pool["value"], pool["box"]) == (4, [0, 0, 2, 2])


def test_an_upload_becomes_small(studio: Studio, tmp_path: Path) -> None:
    photo = np.zeros((64, 96, 3), np.uint8)
    photo[:, 48:] = (255, 102, 0)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    kept = studio.uploads.keep("photo.png", (tmp_path / "photo.png").read_bytes())
    found = told("picture", {"picture": {"kind": "upload", "id": kept.id}}, studio)
    image = array(found["image"])

    assert (image.shape, found["size"]) == ((3, 21, 32), [64, 96])
    assert np.array_equal(image[:, 3, 2], [0, 0, 0])
    assert np.allclose(image[:, 3, 30], [1, 0.4, 0])


def test_a_sample_is_that_of_the_data_set(studio: Studio) -> None:
    from pellucid.data import registry

    sample = {"kind": "sample", "data": "fashion-mnist-mini", "index": 7}
    found = told("picture", {"picture": sample}, studio)
    given = registry.load("fashion-mnist-mini")[1].images[7]

    assert np.allclose(array(found["image"]), given / 255 if given.max() > 1 else given)


def test_the_choices_hold_what_is_at_hand(studio: Studio) -> None:
    choices = told("choices", {}, studio)
    patterns = {one["name"]: array(one["image"]) for one in choices["patterns"]}

    assert ["fashion-mnist-mini", 1000] in choices["samples"]
    assert patterns["bar"].shape == (1, 6, 6)
    assert patterns["colour-bars"][:, 0, ::3].tolist() == [[9, 0, 0, 9], [0, 9, 0, 9], [0, 0, 9, 9]]
    assert ["sobel-x", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]] in choices["kernels"]


def test_two_kernels_are_one_until_relu_stands_between(studio: Studio) -> None:
    image, first, second = RGB[0], np.array([[1, 0, -1]] * 3), np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    asked = {"image": to_tensor(image).model_dump(), "first": first.tolist(), "second": second.tolist()}
    found = told("collapse", asked, studio)
    between = F.conv2d(torch.tensor(image)[None, None], torch.tensor(first)[None, None].float())
    in_turn, with_relu = (
        F.conv2d(x, torch.tensor(second)[None, None].float())[0, 0] for x in (between, F.relu(between))
    )

    assert np.array(found["composed"]).shape == (5, 5)
    assert np.array_equal(array(found["in_turn"]), in_turn)
    assert np.array_equal(array(found["at_once"]), in_turn)
    assert np.array_equal(array(found["with_relu"]), with_relu)
    assert np.array_equal(array(found["change"]), with_relu - in_turn)
    assert found["error"] == 0
    assert found["relu_difference"] == float(abs(with_relu - in_turn).max()) > 0


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"filters": FILTERS[:, :2].tolist()}, ShapeError, "for each of the 3 channels; got 2"),
        ({"biases": [0]}, ShapeError, "a bias for each of the 4 filters; got 1"),
        ({"image": to_tensor(np.zeros((1, 33, 5))).model_dump()}, ShapeError, "at most 3×32×32"),
        ({"filters": [[[[1]], [[1, 2]], [[1]]]], "biases": [0]}, ShapeError, "rows of one length"),
        ({"filters": []}, ShapeError, "not be empty"),
        ({"dilation": 9}, ShapeError, "does not fit"),
        ({"border": "mirror"}, ParameterError, "The 'setting.border' of pipeline.maps is not right"),
    ],
)
def test_what_cannot_be_is_said(change: Any, error: type[Exception], says: str, studio: Studio) -> None:
    with pytest.raises(error, match=says):
        answer("pipeline.maps", {"setting": setting() | change, "filter": 0}, studio)


def test_a_cell_and_a_filter_that_are_not_there(studio: Studio) -> None:
    with pytest.raises(ParameterError, match="'y' parameter of cell must be 0 to 7"):
        answer("pipeline.cell", {"setting": setting(), "layer": "conv", "channel": 0, "y": 8, "x": 0}, studio)
    with pytest.raises(ParameterError, match="'which' parameter of shares must be 0 to 3"):
        answer("pipeline.maps", {"setting": setting(), "filter": 6}, studio)
