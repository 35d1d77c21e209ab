import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.describe import describe
from pellucid.explain.kernels.gallery import NAMES, kernel, read_kernel
from tests.strategies import pairs, quick


@st.composite
def whole_kernels(draw: st.DrawFn) -> np.ndarray:
    rows, columns = draw(pairs(1, 6))
    numbers = st.lists(st.integers(-3, 3), min_size=columns, max_size=columns)
    return np.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), float)


@quick
@given(whole_kernels())
def test_rank_and_factors_are_those_of_linear_algebra(values: np.ndarray) -> None:
    found = describe(values)

    assert found.rank == np.linalg.matrix_rank(values)
    assert (found.column is None) == (found.rank != 1)
    if found.column is not None:
        np.testing.assert_allclose(np.outer(found.column, found.row), values, atol=1e-12)
    if values.any():
        lengths = np.linalg.svd(values, compute_uv=False)
        assert found.separable == pytest.approx(lengths[0] ** 2 / (values**2).sum())


@quick
@given(whole_kernels())
def test_every_kernel_can_be_described(values: np.ndarray) -> None:
    found = describe(values)

    assert (found.total, found.magnitude, found.shape) == (values.sum(), abs(values).sum(), values.shape)
    assert found.norm == pytest.approx(np.linalg.norm(values))
    assert (found.symmetry["half turn"] == 1) == (values.any() and np.array_equal(values, values[::-1, ::-1]))
    assert (found.symmetry["mirror left–right"] == -1) == (values.any() and np.array_equal(values, -values[:, ::-1]))
    assert (found.symmetry["quarter turn"] == 1) == (values.any() and np.array_equal(values, np.rot90(values)))
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["text"] == dict(found.lines())
    assert found.text().count("\n") == len(found.lines()) - 1


def test_shares_of_even_and_odd_add_up() -> None:
    random = np.random.default_rng(0).standard_normal((5, 4))
    even, odd = random + random[::-1, ::-1], random - random[::-1, ::-1]

    assert describe(even).even == pytest.approx(1)
    assert describe(odd).even == pytest.approx(0)
    assert describe(random).even == pytest.approx((even**2).sum() / (4 * (random**2).sum()))


@pytest.mark.parametrize("angle", [0, 20, 90, 135, 250, 301])
def test_the_bright_side_of_edges_is_found(angle: float) -> None:
    turn = np.radians(angle)
    steered = np.cos(turn) * kernel("sobel-x") - np.sin(turn) * kernel("sobel-y")

    assert describe(steered).bright == pytest.approx(angle)
    assert describe(kernel("gaussian-derivative", angle=angle, sigma=1.5)).bright == pytest.approx(angle, abs=0.5)
    assert describe(-steered).bright == pytest.approx((angle + 180) % 360)


@pytest.mark.parametrize("name", ["laplacian", "vertical-line", "gaussian-blur", "gabor", "identity", "blob"])
def test_even_kernels_have_no_bright_side(name: str) -> None:
    assert describe(kernel(name)).bright is None


@pytest.mark.parametrize(
    ("text", "word", "said"),
    [
        ("sobel-x", "direction", "answers to vertical edges, most where the bright side is on the right"),
        ("vertical-edge", "direction", "answers to vertical edges, most where the bright side is on the left"),
        ("horizontal-edge", "direction", "answers to horizontal edges, most where the bright side is at the top"),
        (
            "diagonal-edge",
            "direction",
            "answers to diagonal (45°) edges, most where the bright side is on the upper left",
        ),
        ("horizontal-line", "direction", "answers to horizontal lines and stripes"),
        ("gabor:angle=30", "direction", "answers to slanted (120°) lines and stripes"),
        ("laplacian", "direction", "none preferred"),
        ("motion-blur", "direction", "keeps horizontal edges best"),
        ("-1 0 1", "direction", "answers to vertical edges, most where the bright side is on the right"),
        ("sobel-y", "separable", "yes: column (−1, 0, 1) × row (1, 2, 1)"),
        ("scharr-y", "separable", "yes: column (−1, 0, 1) × row (3, 10, 3)"),
        ("gaussian-blur", "separable", "yes: column (1, 2, 1) ÷ 16 × row (1, 2, 1)"),
        ("laplacian-diagonal", "separable", "no: of rank 2; a column × a row holds 93.3 % of its energy"),
        ("blob", "sum", "0: flat areas become 0"),
        ("sharpen", "sum", "1: flat areas keep their brightness"),
        ("1 2; 3 4", "sum", "10: flat areas become 10 times as bright"),
        ("-1 -1", "sum", "−2: flat areas turn negative"),
        ("1 -1; 1 -0.99", "sum", "0.01, nearly 0 beside magnitudes of 3.99: flat areas nearly vanish"),
        ("identity", "symmetry", "even: unchanged by all turns and mirrors"),
        ("0 0", "kernel", "all zeros: it answers 0 to every picture"),
        ("1 2; 3 4", "symmetry", "neither even nor odd (83 % of its energy is even)"),
        ("prewitt-y", "kernel", "prewitt-y; also horizontal-edge-upward, −1 × horizontal-edge"),
    ],
)
def test_descriptions_in_words(text: str, word: str, said: str) -> None:
    assert dict(describe(read_kernel(text)).lines())[word] == said


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("all-pass", ["identity"]),
        ("low-pass", ["box-blur", "gaussian-blur", "motion-blur"]),
        ("band-pass", ["sobel-x", "prewitt-y", "scharr-x", "gaussian-derivative", "log", "gabor", "blob"]),
        ("high-pass", ["laplacian", "laplacian-diagonal", "vertical-line"]),
        ("boost", ["sharpen", "sharpen-diagonal", "unsharp", "emboss"]),
    ],
)
def test_kernels_are_sorted_by_the_waves_they_pass(kind: str, names: list[str]) -> None:
    for name in names:
        assert describe(kernel(name)).spectrum.kind == kind
        assert describe(-7 * kernel(name)).spectrum.kind == kind


def test_waves_under_a_gaussian_are_known_as_gabor_functions_and_noise_is_not() -> None:
    values = kernel("gabor", angle=70, wavelength=5, phase=60, size=13)
    noise = np.random.default_rng(3).standard_normal(values.shape)
    found = describe(values + 0.1 * noise * np.linalg.norm(values) / np.linalg.norm(noise))

    assert found.match is None
    assert found.gabor is not None
    assert found.gabor.gabor.wavelength == pytest.approx(5, rel=0.02)
    assert "a Gabor function of wavelength 5.0" in found.text() or "a Gabor function of wavelength 4.9" in found.text()
    assert "along 70°" in dict(found.lines())["kernel"]
    assert describe(noise).gabor is None


@pytest.mark.parametrize("name", NAMES)
def test_a_little_noise_changes_little(name: str) -> None:
    values = kernel(name)
    noise = np.random.default_rng(4).standard_normal(values.shape)
    clean, noisy = describe(values), describe(values + 0.01 * noise * np.linalg.norm(values) / np.linalg.norm(noise))

    assert noisy.match is not None
    assert clean.match is not None
    assert noisy.match.name.split(":")[0] == clean.match.name.split(":")[0]
    assert noisy.symmetry == clean.symmetry
    assert noisy.is_balanced == clean.is_balanced
    assert noisy.spectrum.kind == clean.spectrum.kind


@pytest.mark.parametrize("values", [[1, 2, 3], [[]], np.zeros((2, 3, 3)), 1.0])
def test_what_is_no_matrix_is_refused(values: object) -> None:
    with pytest.raises(ShapeError, match="The kernel must be"):
        describe(values)  # type: ignore[arg-type]


def test_numbers_must_be_finite() -> None:
    with pytest.raises(ParameterError, match="must be finite; got NaN or infinity"):
        describe(np.array([[1, np.nan]]))


@pytest.mark.parametrize("scale", [1e-99, 1e-20, 1e20, 1e99])
def test_a_kernel_is_what_it_is_at_every_scale(scale: float) -> None:
    values = kernel("sobel-x") + 0.01 * np.arange(9).reshape(3, 3)
    plain, scaled = describe(values), describe(scale * values)

    assert scaled.norm == pytest.approx(scale * plain.norm)
    assert scaled.spectrum.peak == pytest.approx(scale * plain.spectrum.peak, rel=1e-9)
    assert (scaled.match.name, scaled.match.error) == (plain.match.name, pytest.approx(plain.match.error))
    assert scaled.separable == pytest.approx(plain.separable)
    assert (scaled.symmetry, scaled.even) == (plain.symmetry, pytest.approx(plain.even))
    for found in (plain, scaled):
        lines = dict(found.lines())
        assert lines["direction"] == "answers to slanted (89°) edges, most where the bright side is at 359°"


@pytest.mark.parametrize("largest", [1e200, 1e308, 1e-320])
def test_numbers_whose_squares_no_number_can_hold_are_refused(largest: float) -> None:
    with pytest.raises(ParameterError, match=r"largest magnitude of the kernel must be from 1e-100 to 1e\+100, or 0"):
        describe(np.array([[largest, -largest]]))


@pytest.mark.parametrize("values", [[[1], [1, 2]], "sobel-x"])
def test_what_is_no_array_is_refused(values: object) -> None:
    with pytest.raises(ShapeError, match="The kernel must be an array of numbers"):
        describe(values)  # type: ignore[arg-type]


def test_nearly_all_is_not_said_to_be_all() -> None:
    said = dict(describe(np.outer([1, 2, 1], [1, 0, -1]) + 0.01 * np.eye(3)).lines())["separable"]
    assert said == "no: of rank 3; a column × a row holds over 99.9 % of its energy"
