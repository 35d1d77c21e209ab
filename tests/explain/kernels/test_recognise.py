import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.explain.kernels.gallery import NAMES, kernel, read_kernel
from pellucid.explain.kernels.makers import turned
from pellucid.explain.kernels.recognise import TOLERANCE, Match, recognise
from tests.strategies import quick


def rebuilt(match: Match) -> np.ndarray:
    """Make the kernel that a match speaks of."""
    values = read_kernel(match.name)
    return match.scale * turned(values[:, ::-1] if match.mirrored else values, match.turn)


@quick
@given(st.sampled_from(NAMES), st.floats(0.01, 100), st.booleans(), st.integers(0, 7), st.booleans())
def test_every_kernel_is_known_whatever_its_scale_sign_turn_or_mirror(
    name: str, scale: float, negative: bool, eighths: int, mirrored: bool
) -> None:
    values = kernel(name) * (-scale if negative else scale)
    values = values[::-1] if mirrored else values
    values = turned(values, 45 * eighths if len(values) == 3 else 90 * eighths)
    found = recognise(values)

    assert found is not None
    assert found.error < 1e-6
    if found.name != "identity":
        np.testing.assert_allclose(rebuilt(found), values, atol=1e-9 * scale * abs(kernel(name)).max())


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_as_it_stands_is_called_by_its_own_name(name: str) -> None:
    found = recognise(kernel(name))

    assert found is not None
    assert (found.scale, found.turn, found.mirrored) == (pytest.approx(1), 0, False)
    assert name == found.name or name in found.also


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("-1 -1 -1; 0 0 0; 1 1 1", "prewitt-y"),  # lessons call it Sobel's
        ("3 0 -3; 6 0 -6; 3 0 -3", "−3 × sobel-x"),
        ("0 1/2 1; -1/2 0 1/2; -1 -1/2 0", "1/2 × sobel-x, turned by 45°"),
        ("5", "5 × identity"),
        ("0 0 0; 0 -1 0; 0 0 0", "−1 × identity"),
        ("1 1 1 1 1; 1 1 1 1 1; 1 1 1 1 1; 1 1 1 1 1; 1 1 1 1 1", "25 × box-blur:size=5"),
        ("1 0 1; 0 -4 0; 1 0 1", "laplacian, turned by 45°"),
        ("0 0 0 0 0; 0 1 2 1 0; 0 2 4 2 0; 0 1 2 1 0; 0 0 0 0 0", "16 × gaussian-blur"),
        ("0 1 2; -1 1 1; -2 -1 0", "emboss, turned by 90°"),
    ],
)
def test_the_name_that_says_most_is_given(rows: str, text: str) -> None:
    found = recognise(read_kernel(rows))
    assert found is not None
    assert found.text() == text


def test_other_names_are_told_too() -> None:
    found = recognise(kernel("prewitt-y"))
    assert found is not None
    assert found.also == ("horizontal-edge-upward", "−1 × horizontal-edge")
    assert found.as_dict()["also"] == ["horizontal-edge-upward", "−1 × horizontal-edge"]


@pytest.mark.parametrize(
    "text",
    [
        "gaussian-blur:size=9,sigma=1.7",
        "unsharp:size=9,sigma=1.3",
        "log:size=13,sigma=1.6",
        "gaussian-derivative:size=11,sigma=1.4,angle=35",
    ],
)
def test_sigmas_and_angles_are_found(text: str) -> None:
    found = recognise(2 * read_kernel(text))

    assert found is not None
    assert found.scale == pytest.approx(2, rel=0.02)
    settings = dict(part.split("=") for part in found.name.split(":")[1].split(","))
    wanted = dict(part.split("=") for part in text.split(":")[1].split(","))
    assert found.name.split(":")[0] == text.split(":")[0]
    for key, value in wanted.items():
        assert float(settings[key]) == pytest.approx(float(value), rel=0.02)


@pytest.mark.parametrize("name", ["sobel-x", "laplacian-diagonal", "emboss", "gabor", "log", "gaussian-blur"])
def test_noise_up_to_the_tolerance_is_forgiven_and_told(name: str) -> None:
    values = kernel(name)
    noise = np.random.default_rng(1).standard_normal(values.shape)
    noise *= np.linalg.norm(values) / np.linalg.norm(noise)
    near, far = recognise(values + 0.9 * TOLERANCE * noise), recognise(values + 0.3 * noise)

    assert near is not None
    assert near.name == name
    assert 0.5 * TOLERANCE < near.error <= TOLERANCE
    assert f"within {100 * near.error:.2g} %" in near.text()
    assert far is None


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.zeros((1, 1)), np.array([[1.0, 2.0, 4.0]]), np.ones((2, 2))])
def test_what_is_in_no_gallery_has_no_name(values: np.ndarray) -> None:
    assert recognise(values) is None


def test_random_kernels_have_no_name() -> None:
    random = np.random.default_rng(2)
    for size in (3, 4, 5, 7):
        for _ in range(10):
            assert recognise(random.standard_normal((size, size))) is None
