"""Changes of pictures, beside PyTorch's sampling and SciPy's filters."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage

from pellucid.explain.shifts.conditions import CONDITIONS, moved

BY_NAME = {condition.name: condition for condition in CONDITIONS}
SHAPES = [(3, 1, 28, 28), (2, 3, 9, 12), (1, 1, 1, 1)]


def pictures(*shape, dtype="float32"):
    drawn = np.random.default_rng([*shape]).random(shape, np.float32)
    return drawn if dtype == "float32" else np.rint(255 * drawn).astype(np.uint8)


def changed(name, images, value, seed=0):
    return BY_NAME[name].change(images, value, np.random.default_rng(seed))


def sampled(images, matrix):
    """PyTorch's bilinear sampling, black outside; ``matrix`` takes places of the result to places of the picture."""
    n, channels, height, wide = images.shape
    grid = F.affine_grid(
        torch.from_numpy(matrix).double().expand(n, 2, 3), [n, channels, height, wide], align_corners=False
    )
    found = F.grid_sample(torch.from_numpy(images).double(), grid, "bilinear", "zeros", align_corners=False)
    return found.numpy()


def rotation(degrees, height, wide):
    """In PyTorch's units, in which the sides are 2 long: x to the right, y down."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[cosine, -sine * height / wide, 0], [sine * wide / height, cosine, 0]])


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shape_and_dtype_stay_and_so_do_pictures_at_the_unchanged_value(condition, dtype, shape):
    images = pictures(*shape, dtype=dtype)
    kept = images.copy()
    assert condition.unchanged in condition.values
    for value in condition.values:
        found = changed(condition.name, images, value)
        assert (found.shape, found.dtype) == (images.shape, images.dtype)
        assert found.max() <= (255 if dtype == "uint8" else 1)
        assert found.min() >= 0
    np.testing.assert_array_equal(images, kept)
    still = changed(condition.name, images, condition.unchanged)
    np.testing.assert_allclose(still, images, rtol=0, atol=0 if dtype == "uint8" else 1e-6)


@pytest.mark.parametrize("shape", SHAPES[:2])
@pytest.mark.parametrize("degrees", BY_NAME["rotation"].values)
def test_rotation_is_pytorchs(degrees, shape):
    images = pictures(*shape)
    expected = sampled(images, rotation(degrees, *shape[2:]))
    np.testing.assert_allclose(changed("rotation", images, degrees), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("quarters", range(5))
def test_quarter_turns_are_exact(quarters):
    images = pictures(2, 3, 28, 28, dtype="uint8")
    expected = np.rot90(images, quarters, (2, 3))
    np.testing.assert_array_equal(changed("rotation", images, 90 * quarters), expected)


@pytest.mark.parametrize("shape", SHAPES[:2])
@pytest.mark.parametrize("factor", BY_NAME["scale"].values)
def test_scaling_is_pytorchs(factor, shape):
    images = pictures(*shape)
    expected = sampled(images, np.array([[1 / factor, 0, 0], [0, 1 / factor, 0]]))
    np.testing.assert_allclose(changed("scale", images, factor), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("columns", [-30, -12, -8, -1, 0, 1, 5, 12, 30])
def test_translation_is_scipys(columns):
    images = pictures(2, 3, 9, 12)
    expected = ndimage.shift(images, (0, 0, 0, columns), order=0)
    np.testing.assert_array_equal(moved(images, columns), expected)
    np.testing.assert_array_equal(changed("translation", images, float(columns)), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma", BY_NAME["blur"].values)
def test_blur_is_scipys(sigma, shape):
    images = pictures(*shape)
    expected = ndimage.gaussian_filter(images.astype(float), (0, 0, sigma, sigma), mode="constant", truncate=4)
    np.testing.assert_allclose(changed("blur", images, sigma), expected, rtol=0, atol=1e-6)


def test_light_is_changed_as_the_formulas_say_and_stops_at_black_and_white():
    image = np.array([0, 0.2, 0.6, 1], np.float32).reshape(1, 1, 2, 2)  # of mean 0.45
    expected = {
        ("brightness", 0.5): [0, 0.1, 0.3, 0.5],
        ("brightness", 2.0): [0, 0.4, 1, 1],
        ("contrast", 0.5): [0.225, 0.325, 0.525, 0.725],
        ("contrast", 2.0): [0, 0, 0.75, 1],
        ("inversion", 0.5): [0.5, 0.5, 0.5, 0.5],
        ("inversion", 1.0): [1, 0.8, 0.4, 0],
    }
    for (name, value), light in expected.items():
        np.testing.assert_allclose(changed(name, image, value).ravel(), light, rtol=0, atol=1e-6)
        as_bytes = changed(name, np.rint(255 * image).astype(np.uint8), value).ravel()
        np.testing.assert_allclose(as_bytes, 255 * np.array(light), rtol=0, atol=0.51)


def test_a_picture_has_a_mean_of_its_own():
    images = np.stack([np.zeros((1, 4, 4)), np.ones((1, 4, 4))]).astype(np.float32)
    np.testing.assert_array_equal(changed("contrast", images, 0.2), images)


def test_noise_is_the_same_pattern_for_every_deviation_and_another_for_another_seed():
    images = np.full((4, 1, 50, 50), 0.5, np.float32)
    weak, strong = (changed("noise", images, sigma) - 0.5 for sigma in (0.05, 0.1))
    np.testing.assert_allclose(strong, 2 * weak, atol=1e-6)
    assert strong.std() == pytest.approx(0.1, rel=0.03)  # 10,000 numbers: the estimate is within 1 % two times in three
    assert (changed("noise", images, 0.1, seed=1) - 0.5 != strong).any()
