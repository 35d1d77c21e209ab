from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from pellucid.data import augment, registry
from pellucid.data.augment import Augmentation, Brightness, Crop, Erase, Flip, Rotate, Shift, Transform, parse
from pellucid.errors import ParameterError
from pellucid.types import Array

EVERY = "flip,shift=2,rotate=10,crop=3,brightness=0.2,erase=0.1"
BYTES = np.random.default_rng(0).integers(1, 256, (40, 3, 9, 11), dtype=np.uint8)  # no black: black is what comes in
FLOATS = (BYTES / 255).astype(np.float32)


def applied(transform: Transform, images: Array = BYTES) -> Array:
    return Augmentation((transform,))(images, seed=1, epoch=2, batch=3)


@pytest.mark.parametrize("images", [BYTES, FLOATS], ids=["bytes", "floats"])
@pytest.mark.parametrize("text", [*EVERY.split(","), EVERY, "none"])
def test_shape_and_dtype_stay_and_the_given_images_are_not_touched(text: str, images: Array) -> None:
    before = images.copy()
    after = parse(text)(images, seed=0, epoch=0, batch=0)
    assert after.shape == images.shape
    assert after.dtype == images.dtype
    assert np.array_equal(images, before)
    assert np.array_equal(after, before) == (text == "none")


@pytest.mark.parametrize("text", EVERY.split(","))
def test_changes_follow_from_seed_epoch_and_batch_alone(text: str) -> None:
    transform = parse(text)
    first = transform(BYTES, seed=1, epoch=2, batch=3)
    assert np.array_equal(first, transform(BYTES, seed=1, epoch=2, batch=3))
    for other in ({"seed": 0}, {"epoch": 0}, {"batch": 0}):
        assert not np.array_equal(first, transform(BYTES, **{"seed": 1, "epoch": 2, "batch": 3, **other}))


@pytest.mark.parametrize("text", EVERY.split(","))
def test_images_are_changed_one_by_one(text: str) -> None:
    same = np.repeat(BYTES[:1], 64, axis=0)
    assert len(np.unique(parse(text)(same, seed=0, epoch=0, batch=0), axis=0)) > 1


def test_bytes_and_floats_are_changed_alike() -> None:
    for text in ("flip", "shift=2", "crop=3", "rotate=30"):
        for_bytes, for_floats = (parse(text)(images, seed=0, epoch=0, batch=0) for images in (BYTES, FLOATS))
        assert np.abs(for_bytes - 255 * for_floats).max() < 0.51


def test_flip_mirrors_about_half_and_twice_is_identity() -> None:
    flipped = applied(Flip())
    mirrored = (flipped == BYTES[..., ::-1]).all(axis=(1, 2, 3))
    kept = (flipped == BYTES).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 10 <= mirrored.sum() <= 30
    assert np.array_equal(applied(Flip(), flipped), BYTES)


def offsets_of(images: Array, moved: Array, reach: int, expected: Callable[[Array, int, int], Array]) -> set[Any]:
    """Return the moves found, one per image; each image must match one."""
    found = set()
    for before, after in zip(images, moved, strict=True):
        moves = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
        matching = [move for move in moves if np.array_equal(expected(before, *move), after)]
        assert len(matching) == 1
        found.add(matching[0])
    return found


def rolled_black(image: Array, dy: int, dx: int) -> Array:
    rolled = np.roll(image, (dy, dx), axis=(1, 2))
    height, width = image.shape[1:]
    outside = np.ones((height, width), bool)
    outside[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)] = False
    rolled[:, outside] = 0
    return rolled


def moved_mirror(image: Array, dy: int, dx: int) -> Array:
    return np.stack([ndimage.shift(channel, (dy, dx), order=0, mode="mirror") for channel in image])


def test_shift_rolls_and_fills_with_black() -> None:
    many = np.tile(BYTES, (10, 1, 1, 1))
    found = offsets_of(many, applied(Shift(2), many), 2, rolled_black)
    assert len(found) == 25


def test_crop_moves_and_mirrors_the_border() -> None:
    found = offsets_of(BYTES, applied(Crop(2)), 2, moved_mirror)
    assert len(found) > 15
    assert {dy for dy, _ in found} == {dx for _, dx in found} == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("turns", [-2, -1, 1, 2, 4])
def test_quarter_turns_of_a_square_are_exact(turns: int) -> None:
    square = BYTES[:, :, :9, :9]
    assert np.array_equal(augment.rotated(square, np.full(40, 90.0 * turns)), np.rot90(square, turns, axes=(2, 3)))


def test_rotation_agrees_with_scipy() -> None:
    angles = np.linspace(-180, 180, 40)
    ours = augment.rotated(FLOATS, angles)
    for image, angle, turned in zip(FLOATS, angles, ours, strict=True):
        theirs = ndimage.rotate(image, angle, axes=(2, 1), reshape=False, order=1, mode="grid-constant")
        assert np.allclose(turned, theirs, atol=1e-5)


def test_no_turn_is_identity_to_the_last_pixel() -> None:
    assert np.array_equal(augment.rotated(BYTES, np.zeros(40)), BYTES)


def test_rotate_stays_within_its_degrees() -> None:
    dot = np.zeros((400, 1, 41, 41), np.float32)
    dot[:, 0, 20, 38] = 1  # 18 to the right of the centre
    turned = applied(Rotate(30), dot)
    y = (turned[:, 0] * (20 - np.arange(41))[:, None]).sum(axis=(1, 2)) / turned.sum(axis=(1, 2, 3))
    angles = np.rad2deg(np.arcsin(y / 18))
    assert abs(angles).max() < 31
    assert angles.min() < -25
    assert angles.max() > 25


def test_brightness_scales_within_its_amount_and_stops_at_white() -> None:
    factors = (applied(Brightness(0.3), FLOATS) / FLOATS).reshape(40, -1)
    assert np.allclose(factors, factors[:, :1], atol=1e-5)
    assert 0.7 <= factors.min() < 0.8
    assert 1.2 < factors.max() <= 1.3
    white = np.full((50, 1, 2, 2), 255, np.uint8)
    assert applied(Brightness(0.5), white).max() == 255
    assert applied(Brightness(0.5), white).min() >= 127


def test_erase_puts_the_mean_into_one_rectangle_of_half_the_images() -> None:
    images = np.random.default_rng(0).random((200, 3, 40, 30), np.float32)
    erased = applied(Erase(0.2), images)
    changed = (erased != images).any(axis=1)
    touched = changed.any(axis=(1, 2))
    assert 70 <= touched.sum() <= 130
    for image, after, hole in zip(images[touched], erased[touched], changed[touched], strict=True):
        rows, columns = hole.any(axis=1).sum(), hole.any(axis=0).sum()
        assert hole.sum() == rows * columns
        assert abs(rows * columns - 0.2 * 1200) < 0.5 * (rows + columns)
        assert 0.4 <= rows / columns <= 2.2
        assert np.allclose(after[:, hole], image.mean(axis=(1, 2))[:, None], atol=1e-5)


def test_erasing_everything_fits() -> None:
    assert (applied(Erase(1), FLOATS).std(axis=(2, 3)).min(axis=1) < 0.3).all()


def test_every_transform_works_on_one_pixel() -> None:
    pixel = np.full((4, 1, 1, 1), 100, np.uint8)
    assert parse(EVERY)(pixel, seed=0, epoch=0, batch=0).shape == (4, 1, 1, 1)


def test_augmented_clothes_still_look_like_themselves() -> None:
    images = registry.load("fashion-mnist-mini")[0].images[:200]
    changed = parse("flip,shift=1,rotate=5")(images, seed=0, epoch=0, batch=0)
    upright, turned = images.astype(float), changed.astype(float)
    likeness = [
        max(np.corrcoef(a.ravel(), b.ravel())[0, 1], np.corrcoef(a[..., ::-1].ravel(), b.ravel())[0, 1])
        for a, b in zip(upright, turned, strict=True)
    ]
    assert np.median(likeness) > 0.8


@pytest.mark.parametrize("text", [EVERY, "none", "flip", "rotate=7.5", "shift=1,shift=2"])
def test_the_text_of_an_augmentation_is_what_parse_reads(text: str) -> None:
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spin", "An augmentation must be one of flip, shift, rotate, crop, brightness, erase; got 'spin'"),
        ("flip,", "must be one of flip, .*; got ''"),
        ("flip=2", "The augmentation 'flip' must be written just 'flip'; got 'flip=2'"),
        ("shift", "The augmentation 'shift' must be written shift=NUMBER; got 'shift'"),
        ("shift=", "The augmentation 'shift' must have a number; got ''"),
        ("shift=x", "The augmentation 'shift' must have a number; got 'x'"),
        ("shift=0", "'shift' must have a whole number of pixels, at least 1; got 0"),
        ("crop=1.5", r"'crop' must have a whole number of pixels, at least 1; got 1\.5"),
        ("shift=inf", "'shift' must have a whole number of pixels, at least 1; got inf"),
        ("rotate=200", "'rotate' must have a number above 0, at most 180; got 200"),
        ("rotate=nan", "'rotate' must have a number above 0, at most 180; got nan"),
        ("brightness=-1", "'brightness' must have a number above 0, at most 1; got -1"),
        ("erase=2", "'erase' must have a number above 0, at most 1; got 2"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse(text)
