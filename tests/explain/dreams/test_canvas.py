"""Numbers as pictures and back; gradients against PyTorch's."""

import numpy as np
import pytest
import torch

from pellucid.errors import ParameterError
from pellucid.explain.dreams.canvas import PARAMETRISATIONS, Canvas

SHAPES = [(1, 6, 6), (3, 5, 8), (3, 8, 5), (1, 1, 4), (1, 7, 1)]


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_comes_back(shape: tuple[int, ...], parametrisation: str) -> None:
    pictures = np.random.default_rng(0).uniform(0.02, 0.98, (2, *shape)).astype(np.float32)
    canvas = Canvas(shape, (0.4,) * shape[0], parametrisation)
    numbers = canvas.numbers(pictures)

    assert numbers.shape == (2, *canvas.shape)
    assert numbers.dtype == np.float32
    np.testing.assert_allclose(canvas.picture(numbers), pictures, atol=1e-5)


def test_every_shade_comes_back() -> None:
    shades = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    for parametrisation in PARAMETRISATIONS:
        canvas = Canvas((1, 16, 16), (0.5,), parametrisation)
        again = np.rint(255 * canvas.picture(canvas.numbers(shades / 255)))
        np.testing.assert_array_equal(again, shades)


@pytest.mark.parametrize("parametrisation", PARAMETRISATIONS)
def test_nothing_is_the_middle_colour(parametrisation: str) -> None:
    canvas = Canvas((3, 4, 6), (0.25, 0.5, 0.75), parametrisation)
    picture = canvas.picture(np.zeros((1, *canvas.shape), np.float32))

    np.testing.assert_allclose(picture[0, :, 2, 3], (0.25, 0.5, 0.75), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_by_frequencies_are_pytorchs(shape: tuple[int, ...]) -> None:
    channels, height, width = shape
    generator = np.random.default_rng(1)
    canvas = Canvas(shape, (0.3,) * channels, "frequency")
    numbers = generator.standard_normal((2, *canvas.shape)).astype(np.float32)
    slopes = generator.standard_normal((2, *shape)).astype(np.float32)

    free = torch.from_numpy(numbers.astype(np.float64)).requires_grad_()
    f = np.sqrt(np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(width) ** 2)
    loudness = torch.from_numpy(np.sqrt(0.5) / np.maximum(f, 1 / max(height, width)))
    plane = torch.fft.irfft2(torch.view_as_complex(free) * loudness, s=(height, width), norm="ortho")
    colours = np.eye(1)
    if channels == 3:
        axes = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]])
        colours = (axes / np.linalg.norm(axes, axis=1, keepdims=True)).T * (1, 0.38, 0.1)
    logits = torch.einsum("cd,ndhw->nchw", torch.from_numpy(colours), plane) + np.log(0.3 / 0.7)
    picture = torch.sigmoid(logits)
    (picture * torch.from_numpy(slopes)).sum().backward()

    np.testing.assert_allclose(canvas.picture(numbers), picture.detach(), atol=1e-5)
    np.testing.assert_allclose(canvas.pull_back(canvas.picture(numbers), slopes), free.grad, rtol=1e-3, atol=1e-4)


def test_an_unknown_parametrisation_is_refused() -> None:
    with pytest.raises(ParameterError, match="must be frequency or pixels; got 'wavelets'"):
        Canvas((1, 4, 4), (0.5,), "wavelets")
