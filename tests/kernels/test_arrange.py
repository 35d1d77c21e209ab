"""Copies and transpositions around the edges of their squares."""

import numpy as np
import pytest

from pellucid.kernels import arrange, pointwise
from pellucid.kernels.host import host
from pellucid.kernels.program import image

from .compiled import both

W = host().width
CHANNELS = [1, 3, W - 1, W, W + 1, 2 * W, 2 * W + 1]
CELLS = [(1, 1), (1, 3), (2, W // 2), (1, W + 1), (3, W), (7, 7)]
GAP = 5
"""Floats between the rows of one image and those of the next."""


def arguments(call, arrays):
    """Take the place of each buffer in a call by an array."""
    body, parts, *given = call
    return body, parts, [next((a for b, a in arrays if b is item), item) for item in given]


@pytest.mark.parametrize("cells", CELLS, ids=str)
@pytest.mark.parametrize("channels", CHANNELS)
def test_images_to_rows_and_back(channels, cells):
    x = np.arange(2 * channels * cells[0] * cells[1], dtype=np.float32).reshape(2, channels, *cells)
    buffer, rows = image(x.shape), image((2, x[0].size))
    stored = np.full(buffer.stored, np.nan, np.float32)
    buffer.view(stored)[...] = x
    flat = np.full((2, x[0].size + GAP), np.nan, np.float32)
    body, parts, given = arguments(arrange.to_rows(buffer, rows, flat.shape[1]), [(buffer, stored), (rows, flat)])
    for _, after in both(body, *given, parts=parts):
        np.testing.assert_array_equal(after[:, :-GAP], x.reshape(2, -1))
        assert np.isnan(after[:, -GAP:]).all()
    flat[:, :-GAP] = x.reshape(2, -1)
    empty = np.full(buffer.stored, np.nan, np.float32)
    body, parts, given = arguments(arrange.from_rows(rows, buffer, flat.shape[1]), [(buffer, empty), (rows, flat)])
    for _, after in both(body, *given, parts=parts):
        np.testing.assert_array_equal(buffer.view(after), x)


@pytest.mark.parametrize("length", [1, W - 1, W, W + 3, pointwise.PART + 7])
def test_runs_are_copied_and_nothing_else(length):
    source, target = image((3, length)), image((3, length + 9))
    numbers = np.arange(3 * (length + 2), dtype=np.float32)
    room = np.full(3 * (length + 4), np.nan, np.float32)
    call = arrange.run_call(source, target, 3, length, length + 2, length + 4, 1, 2)
    body, parts, given = arguments(call, [(source, numbers), (target, room)])
    for _, after in both(body, *given, parts=parts):
        rows = after.reshape(3, -1)
        np.testing.assert_array_equal(rows[:, 2:-2], numbers.reshape(3, -1)[:, 1:-1])
        assert np.isnan(rows[:, :2]).all()
        assert np.isnan(rows[:, -2:]).all()
