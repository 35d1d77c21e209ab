import numpy as np
import pytest
from hypothesis import given

from pellucid.explain.kernels.exhibits import answer
from pellucid.explain.kernels.gallery import kernel, read_kernel
from pellucid.explain.kernels.spectrum import FREQUENCIES, frequency_response, measure
from tests.strategies import pairs, quick, seeds


@quick
@given(pairs(1, 9), seeds)
def test_gains_are_those_of_the_fast_fourier_transform(shape: tuple[int, int], seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(shape)
    fast = np.fft.fftshift(abs(np.fft.fft2(values, (128, 128))))

    np.testing.assert_allclose(frequency_response(values)[:128, :128], fast, atol=1e-10)


@pytest.mark.parametrize("text", ["sobel-x", "gabor:angle=30", "emboss", "gaussian-blur:size=5"])
@pytest.mark.parametrize(("across", "down"), [(8, 0), (-16, 24), (5, -40)])
def test_a_wave_comes_out_with_its_gain(text: str, across: int, down: int) -> None:
    values = read_kernel(text)
    y, x = np.indices((256, 256))
    wave = np.cos(2 * np.pi * (x * across + y * down) / 128).astype(np.float32)
    inside = answer(wave, values)[64:192, 64:192]
    gain = frequency_response(values)[64 + down, 64 + across]

    assert np.sqrt(2 * np.mean(inside.astype(np.float64) ** 2)) == pytest.approx(gain, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("angle", [0, 30, 75, 120, 160])
def test_the_peak_of_a_gabor_kernel_is_its_wave(angle: float) -> None:
    found = measure(kernel("gabor", angle=angle, wavelength=5, sigma=3, size=21))

    assert found.kind == "band-pass"
    assert found.frequency == pytest.approx(1 / 5, abs=0.01)
    assert found.angle == pytest.approx(angle, abs=3)
    assert found.direction == pytest.approx(angle, abs=0.5)
    assert found.preference > 0.9


def test_what_looks_alike_from_all_sides_prefers_no_angle() -> None:
    for name in ("log", "laplacian", "gaussian-blur", "sharpen"):
        found = measure(kernel(name))
        assert (found.angle, found.direction) == (None, None)
        assert found.preference < 1e-9


def test_numbers_of_known_kernels() -> None:
    assert FREQUENCIES[[0, 64, 128]].tolist() == [-0.5, 0, 0.5]
    box = measure(kernel("box-blur"))
    assert (box.kind, box.gain, box.peak, box.frequency) == ("low-pass", pytest.approx(1), pytest.approx(1), 0)
    laplacian = measure(kernel("laplacian"))
    assert (laplacian.peak, laplacian.frequency) == (8, pytest.approx(np.sqrt(0.5)))
    nothing = measure(np.zeros((2, 3)))
    assert (nothing.kind, nothing.peak, nothing.direction) == ("none", 0, None)
