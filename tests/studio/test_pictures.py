"""Pictures as the page names them."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import pellucid as pel
from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.studio.messages.base import Drawing, Sample, Upload
from pellucid.studio.pictures import pixels
from pellucid.studio.tensors import to_tensor


def drawing(values):
    return Drawing(kind="drawing", values=to_tensor(np.asarray(values, np.float32)))


def test_a_drawing_comes_back_number_for_number():
    values = np.random.default_rng(0).random((1, 5, 7), np.float32)
    assert np.array_equal(pixels(drawing(values), None), values)


def test_a_sample_is_the_test_picture_of_that_number():
    _, test = pel.datasets.load("fashion-mnist-mini")
    found = pixels(Sample(kind="sample", data="fashion-mnist-mini", index=17), None)
    assert np.array_equal(found, test.images[17])


def test_an_upload_is_the_users_picture():
    picture = Image.new("RGB", (4, 3), (9, 8, 7))
    studio = SimpleNamespace(uploads=SimpleNamespace(image={"abc": picture}.__getitem__))
    found = pixels(Upload(kind="upload", id="abc"), studio)
    assert found.shape == (3, 3, 4)
    assert found[:, 0, 0].tolist() == [9, 8, 7]


@pytest.mark.parametrize(
    ("picture", "error", "says"),
    [
        (drawing(np.full((1, 2, 2), 1.5)), ParameterError, "from 0, black, to 1, white"),
        (drawing(np.zeros((2, 2, 2))), ShapeError, "1 or 3 planes"),
        (drawing(np.zeros((1, 0, 2))), ShapeError, "1 or 3 planes"),
        (drawing(np.zeros((2, 2))), ShapeError, "must be any×any×any"),
        (
            Sample(kind="sample", data="/etc/passwd", index=0),
            DataError,
            "The name of a data set must be one of .*; got '/etc/passwd'",
        ),
        (Sample(kind="sample", data="fashion-mnist-mini", index=1000), DataError, "must be 0 to 999; got 1000"),
    ],
)
def test_what_is_no_picture_is_refused(picture, error, says):
    with pytest.raises(error, match=says):
        pixels(picture, None)
