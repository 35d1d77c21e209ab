"""Digits laid out as MNIST's are."""

import numpy as np
import pytest
from scipy import ndimage

import pellucid as pel
from pellucid.data import Preprocessing
from pellucid.data.handwriting import as_mnist
from pellucid.errors import ShapeError


def blob(height, width, top, left, side=120):
    drawing = np.zeros((side, side), np.uint8)
    drawing[top : top + height, left : left + width] = 255
    return drawing


@pytest.mark.parametrize("box", [(60, 20, 5, 90), (20, 60, 95, 3), (100, 100, 10, 10), (7, 7, 50, 60)])
def test_the_longer_side_is_20_pixels_and_the_mass_in_the_middle(box):
    found = as_mnist(blob(*box))[0]
    rows, columns = (np.flatnonzero((found > 127).any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert np.allclose(ndimage.center_of_mass(found), 13.5, atol=0.51)


def test_where_and_how_large_a_digit_is_drawn_does_not_matter():
    stroke = np.zeros((200, 200), np.uint8)
    stroke[40:120, 60:70], stroke[110:120, 60:110] = 255, 255
    moved = np.roll(stroke, (50, -30), (0, 1))
    assert np.array_equal(as_mnist(stroke), as_mnist(moved))
    larger = np.kron(stroke, np.ones((2, 2), np.uint8))
    apart = abs(as_mnist(larger).astype(int) - as_mnist(stroke))
    assert apart.max() <= 1


def test_lopsided_ink_stays_inside():
    drawing = blob(100, 4, 0, 0)
    drawing[:8, :100] = 255  # nearly all mass is above and to the left
    found = as_mnist(drawing)
    assert found.shape == (1, 28, 28)
    assert (found > 127).sum() > 30


def test_nothing_drawn_is_black():
    assert not as_mnist(np.zeros((50, 50), np.uint8)).any()
    assert not as_mnist(np.full((50, 50), 20, np.uint8)).any()  # faint dust is no ink


def test_a_bar_is_a_one_to_the_shipped_network():
    net = pel.pretrained("digits")
    drawing = np.zeros((112, 112), np.uint8)
    drawing[15:95, 52:62] = 255
    preprocessing = Preprocessing.from_dict(net.metadata["preprocessing"])
    seen = pel.trace(net, preprocessing.normalise(as_mnist(drawing)))
    assert seen["fc2"].largest == (1,)


@pytest.mark.parametrize(
    "drawing", [np.zeros((3, 9, 9), np.uint8), np.zeros((9, 9), np.float32), np.zeros(9, np.uint8)]
)
def test_what_is_no_drawing_is_refused(drawing):
    with pytest.raises(ShapeError, match="must be uint8"):
        as_mnist(drawing)
