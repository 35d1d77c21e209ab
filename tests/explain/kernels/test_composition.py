import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

import pellucid as pel
from pellucid import nn
from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.explain.kernels.composition import collapse, compose, flip, merge
from pellucid.explain.kernels.drawings import card
from pellucid.explain.kernels.gallery import NAMES, kernel
from tests.strategies import pairs, quick, seeds


@quick
@given(pairs(1, 5), pairs(1, 5), seeds)
def test_the_composed_kernel_is_both_in_turn(one: tuple[int, int], other: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second, image = (random.standard_normal(shape) for shape in (one, other, (12, 13)))
    in_turn = signal.correlate2d(signal.correlate2d(image, first, "valid"), second, "valid")
    convolved = signal.convolve2d(signal.convolve2d(image, first, "valid"), second, "valid")

    np.testing.assert_allclose(signal.correlate2d(image, compose(first, second), "valid"), in_turn, atol=1e-10)
    np.testing.assert_allclose(signal.convolve2d(image, compose(first, second), "valid"), convolved, atol=1e-10)
    np.testing.assert_allclose(compose(first, second), compose(second, first), atol=1e-12)


@quick
@given(pairs(1, 4), pairs(1, 4), st.tuples(*[st.integers(1, 4)] * 3), seeds)
def test_channels_are_composed_too(
    one: tuple[int, int], other: tuple[int, int], channels: tuple[int, int, int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    inputs, between, outputs = channels
    first, second = random.standard_normal((between, inputs, *one)), random.standard_normal((outputs, between, *other))
    image = torch.tensor(random.standard_normal((2, inputs, 11, 12)))
    twice = torch.conv2d(torch.conv2d(image, torch.tensor(first)), torch.tensor(second))

    np.testing.assert_allclose(torch.conv2d(image, torch.tensor(compose(first, second))), twice, atol=1e-9)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"stride": 2, "padding": 1}, {}),
        ({"stride": (2, 3), "dilation": 2}, {"stride": 2, "dilation": (1, 2)}),
        ({"groups": 3, "bias": False}, {"groups": 2}),
        ({"padding": 2, "padding_mode": "reflect", "groups": 3}, {"bias": False, "groups": 6}),
        ({"bias": False}, {"bias": False, "stride": 3}),
    ],
)
def test_layers_merge_with_their_strides_dilations_groups_and_biases(one: dict, other: dict) -> None:
    torch.manual_seed(0)
    first, second = torch.nn.Conv2d(3, 6, (3, 2), **one), torch.nn.Conv2d(6, 12, (2, 3), **other)
    ours = nn.Conv2d(3, 6, (3, 2), **one), nn.Conv2d(6, 12, (2, 3), **other)
    for layer, theirs in zip(ours, (first, second), strict=True):
        layer.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    image = torch.randn(2, 3, 31, 37)
    merged = merge(*ours)

    np.testing.assert_allclose(merged(image.numpy()), second(first(image)).detach(), atol=2e-6)
    assert (merged.bias is None) == (first.bias is None and second.bias is None)


def test_merging_draws_no_random_numbers() -> None:
    layers = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3)
    pel.manual_seed(5)
    merge(*layers)
    after = nn.Conv2d(1, 1, 3).weight.data
    pel.manual_seed(5)

    np.testing.assert_array_equal(after, nn.Conv2d(1, 1, 3).weight.data)


@quick
@given(pairs(1, 5), seeds)
def test_sliding_the_flipped_kernel_is_convolution(shape: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    image, values = random.standard_normal((9, 10)).astype("float32"), random.standard_normal(shape).astype("float32")
    expected = signal.convolve2d(image, values, "valid")

    np.testing.assert_allclose(pel.conv2d(image, flip(values)), expected, atol=1e-5)
    np.testing.assert_allclose(pel.conv2d(image, values, flip=True), expected, atol=1e-5)
    np.testing.assert_array_equal(flip(flip(values)), values)


def test_weights_of_layers_are_flipped_in_their_planes() -> None:
    weight = np.arange(24).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(flip(weight)[1, 2], [[23, 22], [21, 20]])


@pytest.mark.parametrize("second", ["sobel-y", "laplacian", "emboss", "gabor"])
def test_two_are_one_on_a_picture_until_a_relu_stands_between(second: str) -> None:
    found = collapse(card(), kernel("sobel-x"), kernel(second))
    first = signal.correlate2d(card(), kernel("sobel-x"), "valid")
    with_relu = signal.correlate2d(first.clip(0), kernel(second), "valid")

    assert found.error < 2e-6 * found.largest
    np.testing.assert_allclose(found.with_relu, with_relu, atol=1e-4)
    assert found.relu_difference == pytest.approx(abs(found.in_turn - with_relu).max(), rel=1e-4)
    assert found.relu_difference > 0.1 * found.largest
    assert 0.05 < found.relu_cells < 1
    assert "no single kernel does that" in found.text()
    np.testing.assert_array_equal(found.as_dict()["composed"], found.composed)


def test_a_relu_after_a_blur_changes_nothing() -> None:
    found = collapse(card(), kernel("gaussian-blur"), kernel("laplacian"))
    assert (found.relu_difference, found.relu_cells) == (0, 0)
    assert "changes nothing here" in found.text()


def test_whole_numbers_are_composed_exactly() -> None:
    picture = np.random.default_rng(0).integers(0, 9, (20, 20))
    for name in set(NAMES) - {"gaussian-derivative", "log", "gabor", "box-blur", "motion-blur"}:
        scale = 256 if name == "unsharp" else 16
        assert collapse(picture, scale * kernel(name), kernel("sharpen")).error == 0


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: compose([1], [[1]]), "The first kernel must be"),
        (lambda: compose([[1]], [[[[1]]]]), "must both be"),
        (lambda: compose(np.ones((2, 1, 3, 3)), np.ones((1, 3, 3, 3))), "must both be"),
        (lambda: compose([[]], [[1]]), "not empty"),
        (
            lambda: collapse(np.ones((4, 9)), np.ones((3, 3)), np.ones((3, 3))),
            "at least as large as the composed kernel",
        ),
        (lambda: compose([[1], [1, 2]], [[1]]), "The first kernel must be an array of numbers"),
        (lambda: collapse(np.ones((3, 9, 9)), [[1]], [[1]]), r"got shape \(3, 9, 9\)"),
        (lambda: merge(nn.Conv2d(1, 2, 3), nn.Conv2d(3, 1, 3)), "the 2 channels that the first gives; it takes 3"),
    ],
)
def test_what_does_not_fit_is_refused(call: object, reason: str) -> None:
    with pytest.raises(ShapeError, match=reason):
        call()  # type: ignore[operator]


def test_a_second_layer_that_pads_cannot_be_merged() -> None:
    with pytest.raises(ParameterError, match="'padding' parameter of the second Conv2d must be 0"):
        merge(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3, padding=1))


def test_nothing_is_said_of_a_picture_that_is_no_number() -> None:
    with pytest.raises(DataError, match="picture's numbers must be finite"):
        collapse(np.full((9, 9), np.nan), kernel("sobel-x"), kernel("sobel-y"))
    with pytest.raises(ParameterError, match="numbers of the second kernel must be finite"):
        collapse(card(), kernel("sobel-x"), [[np.inf]])
    with pytest.raises(ParameterError, match="must be numbers of float32; scale one of them down"):
        collapse(1e14 * card(), 1e14 * kernel("sobel-x"), 1e14 * kernel("sobel-y"))


def test_bytes_of_a_picture_are_shares() -> None:
    grey = (255 * card()).round().astype(np.uint8)
    found = collapse(grey, kernel("sobel-x"), kernel("sobel-y"))
    np.testing.assert_array_equal(found.picture, grey.astype(np.float32) / np.float32(255))
