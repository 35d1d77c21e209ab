"""Several changes at once agree with the conditions they are made of."""

import numpy as np
import pytest

import pellucid as pel
from pellucid.data.augment import rotated
from pellucid.explain.shifts.change import Change
from pellucid.explain.shifts.conditions import CONDITIONS, moved

CONDITION = {condition.name: condition for condition in CONDITIONS}


@pytest.fixture(scope="module")
def pictures():
    _, test = pel.datasets.load("fashion-mnist-mini")
    return test.images[:4]


def test_no_change_leaves_every_byte(pictures):
    assert np.array_equal(Change()(pictures), pictures)


def test_whole_pixels_move_exactly(pictures):
    wanted = moved(np.swapaxes(moved(np.swapaxes(pictures, 2, 3), -2), 2, 3), 3)
    assert np.array_equal(Change(right=3, down=-2)(pictures), wanted)


def test_turning_is_what_the_curve_does(pictures):
    assert np.array_equal(Change(rotation=30)(pictures), rotated(pictures, np.full(4, 30.0)))


def test_a_quarter_turn_is_exact(pictures):
    assert np.array_equal(Change(rotation=90)(pictures), np.rot90(pictures, axes=(2, 3)))


@pytest.mark.parametrize("name", ["scale", "brightness", "contrast", "inversion", "blur"])
def test_one_change_alone_is_that_of_the_curve(pictures, name):
    condition = CONDITION[name]
    value = condition.values[2]
    wanted = condition.change(pictures, value, np.random.default_rng(0))
    found = Change(**{name: value})(pictures)
    assert abs(found.astype(int) - wanted).max() <= 1  # rounded to bytes at one place instead of another


def test_noise_is_the_same_for_the_same_seed(pictures):
    noisy = Change(noise=0.2)
    assert np.array_equal(noisy(pictures, 1), noisy(pictures, 1))
    assert not np.array_equal(noisy(pictures, 1), noisy(pictures, 2))


def test_turning_comes_before_moving():
    picture = np.zeros((1, 1, 5, 5), np.uint8)
    picture[0, 0, 2, 4] = 200  # to the right of the middle
    found = Change(rotation=90, right=1)(picture)[0, 0]
    assert found[0, 3] == 200  # above the middle, then one to the right
