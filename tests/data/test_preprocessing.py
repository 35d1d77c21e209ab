import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.data import Preprocessing
from pellucid.errors import DataError, ParameterError, ShapeError

GREY = Preprocessing((4, 6), 1, (0.25,), (0.5,))
COLOUR = Preprocessing((4, 6), 3, (0.1, 0.2, 0.3), (0.5, 0.25, 1.0))


def test_normalise_is_the_formula_for_bytes_and_for_floats() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 6), dtype=np.uint8)
    mean, std = (np.array(values).reshape(3, 1, 1) for values in (COLOUR.mean, COLOUR.std))
    expected = (images / 255 - mean) / std
    assert COLOUR.normalise(images).dtype == np.float32
    assert np.allclose(COLOUR.normalise(images), expected, atol=1e-6)
    assert np.allclose(COLOUR.normalise(images / 255), expected, atol=1e-6)


@pytest.mark.parametrize("preprocessing", [GREY, COLOUR, Preprocessing((1, 1), 1, (0.2860,), (0.3530,))])
def test_denormalise_gives_every_byte_back(preprocessing: Preprocessing) -> None:
    pixels = np.broadcast_to(np.arange(256, dtype=np.uint8), (preprocessing.channels, 1, 256))
    assert np.array_equal(preprocessing.denormalise(preprocessing.normalise(pixels)), pixels)


def test_denormalise_clips_what_is_darker_than_black_or_lighter_than_white() -> None:
    assert GREY.denormalise(np.array([[[-9.0, 9.0]]])).tolist() == [[[0, 255]]]


def test_measured_ignores_the_layout_of_memory() -> None:
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 6, 3), dtype=np.uint8).transpose(0, 3, 1, 2)
    measured = Preprocessing.measured(images)
    assert np.allclose(measured.mean, (images / 255).mean(axis=(0, 2, 3)))
    assert np.allclose(measured.std, (images / 255).std(axis=(0, 2, 3)))


def test_measured_keeps_a_constant_channel_finite() -> None:
    assert Preprocessing.measured(np.full((2, 1, 3, 3), 7, np.uint8)).std == (1.0,)


def test_an_array_a_pillow_image_and_a_file_give_the_same_pixels(tmp_path: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 9, 7), dtype=np.uint8)
    picture = Image.fromarray(pixels.transpose(1, 2, 0).copy())
    picture.save(tmp_path / "x.png")
    from_array = COLOUR.to_array(pixels)
    assert from_array.shape == (3, 4, 6)
    assert np.array_equal(COLOUR.to_array(picture), from_array)
    assert np.array_equal(COLOUR.to_array(tmp_path / "x.png"), from_array)
    assert np.array_equal(COLOUR.to_array(str(tmp_path / "x.png")), from_array)


def test_an_image_of_the_right_size_is_left_alone() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6), dtype=np.uint8)
    assert np.array_equal(GREY.to_array(pixels), pixels[None])
    assert np.array_equal(COLOUR.to_array(pixels), np.stack([pixels] * 3))


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (40, 30))
    assert abs(int(GREY.to_array(stripes)[0, 2, 3]) - 127) < 10


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 5, 3), np.uint8), r"got uint8 \(5, 5, 3\); channels last\? array\.transpose\(2, 0, 1\)"),
        (np.zeros((5, 5)), r"One image must be uint8 .*; got float64 \(5, 5\)"),
        (np.zeros((0, 5), np.uint8), r"got uint8 \(0, 5\)"),
    ],
)
def test_other_arrays_are_refused(array: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        GREY.to_array(array)


def test_wrong_channels_are_refused_with_a_remedy() -> None:
    with pytest.raises(ShapeError, match=r"must have 3 channels on axis −3.*channels last\? images\.transpose"):
        COLOUR.normalise(np.zeros((2, 4, 6, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"must have 1 channels on axis −3, .*; got shape \(4, 6\)"):
        GREY.denormalise(np.zeros((4, 6)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 6), 1, (0.5,), (0.5,)), r"'size' parameter of Preprocessing must be \(height, width\).*got \(0, 6\)"),
        (((4,), 1, (0.5,), (0.5,)), "'size' parameter"),
        (((8001, 8000), 1, (0.5,), (0.5,)), "'size' parameter of Preprocessing must be at most 64 million pixels"),
        (((4, 6), 2, (0.5,), (0.5,)), "'channels' parameter of Preprocessing must be 1 or 3; got 2"),
        (((4, 6), 3, (0.5,), (0.5,)), "'mean' parameter of Preprocessing must hold 3 finite numbers"),
        (((4, 6), 1, (0.5,), (float("nan"),)), "'std' parameter of Preprocessing must hold 1 finite numbers"),
        (((4, 6), 1, (0.5,), (0.0,)), r"'std' parameter of Preprocessing must be above 0; got \(0\.0,\)"),
    ],
)
def test_values_that_break_their_rule_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Preprocessing(*arguments)


def test_json_round_trip() -> None:
    assert Preprocessing.from_dict(json.loads(json.dumps(COLOUR.as_dict()))) == COLOUR


@pytest.mark.parametrize(
    "change",
    [
        {"size": None},
        {"size": [4, "6"]},
        {"size": [4.0, 6.0]},
        {"channels": "1"},
        {"mean": ["x"]},
        {"mean": 3},
        {"std": [-1]},
        {"std": [10**400]},
    ],
)
def test_foreign_json_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="A preprocessing must have a size, channels, mean and std; got"):
        Preprocessing.from_dict({**GREY.as_dict(), **change})
    with pytest.raises(DataError, match="A preprocessing must have"):
        Preprocessing.from_dict({key: value for key, value in GREY.as_dict().items() if key not in change})
