import math

import numpy as np
import pytest
from scipy.optimize import least_squares

import pellucid as pel
from pellucid.explain.gabor import Gabor, fit_gabors, principal_planes, random_r2

CLEAR = (
    Gabor(1.0, 0.0, 0.0, 1.8, 1.0, 0.0, 5.0, 0.0, 0.0),
    Gabor(0.3, -0.7, 0.4, 1.5, 0.7, 35.0, 4.0, 100.0, 0.2),
    Gabor(2.0, 0.5, -1.0, 1.4, 1.2, 120.0, 6.0, -60.0, -1.0),
    Gabor(5.0, 0.2, 0.1, 2.0, 0.8, 90.0, 3.5, 45.0, 3.0),
)


def drawn(gabor: Gabor, height: int, width: int) -> np.ndarray:
    """The formula, cell by cell."""
    cells = np.zeros((height, width))
    turned = math.radians(gabor.angle)
    for row in range(height):
        for column in range(width):
            right = column - (width - 1) / 2 - gabor.x
            up = (height - 1) / 2 - row + gabor.y
            along = right * math.cos(turned) + up * math.sin(turned)
            across = up * math.cos(turned) - right * math.sin(turned)
            bell = math.exp(-(along**2 + gabor.gamma**2 * across**2) / (2 * gabor.sigma**2))
            wave = math.cos(2 * math.pi * along / gabor.wavelength + math.radians(gabor.phase))
            cells[row, column] = gabor.amplitude * bell * wave + gabor.offset
    return cells


def noisy(count: int, share: float, size: int = 7) -> np.ndarray:
    """Gabor functions, with noise of a share of their deviation."""
    rng = np.random.default_rng(3)
    clean = np.stack([CLEAR[index % len(CLEAR)].draw(size, size) for index in range(count)])
    spread = clean.std(axis=(1, 2), keepdims=True)
    return clean + share * spread * rng.standard_normal(clean.shape)


@pytest.mark.parametrize("size", [(7, 7), (5, 9), (6, 4)])
def test_a_function_is_drawn_as_its_formula_says(size: tuple[int, int]) -> None:
    for gabor in CLEAR:
        np.testing.assert_allclose(gabor.draw(*size), drawn(gabor, *size), atol=1e-12)


def test_an_angle_of_45_degrees_runs_from_lower_left_to_upper_right() -> None:
    values = Gabor(1, 0, 0, 9, 1, 45, 8, 0, 0).draw(7, 7)

    np.testing.assert_allclose(np.diagonal(values), values[3, 3], rtol=0.3)  # along the crest
    assert np.diagonal(values[::-1]).min() < 0 < np.diagonal(values).min()  # along the wave


@pytest.mark.parametrize("size", [(7, 7), (11, 11), (9, 7)])
def test_known_functions_are_found(size: tuple[int, int]) -> None:
    for gabor, fit in zip(CLEAR, fit_gabors(np.stack([gabor.draw(*size) for gabor in CLEAR])), strict=True):
        assert fit.r2 > 0.999999
        turn = (fit.gabor.angle - gabor.angle + 90) % 180 - 90
        assert turn == pytest.approx(0, abs=0.01)
        for name in ("amplitude", "x", "y", "sigma", "gamma", "wavelength", "offset"):
            assert getattr(fit.gabor, name) == pytest.approx(getattr(gabor, name), abs=2e-3)
        assert fit.gabor.amplitude > 0
        np.testing.assert_allclose(fit.gabor.draw(*size), gabor.draw(*size), atol=1e-3)


def test_many_functions_of_all_kinds_are_explained() -> None:
    rng = np.random.default_rng(0)
    for size in (5, 7):
        made = [
            Gabor(
                rng.uniform(0.5, 2), *rng.uniform(-size / 5, size / 5, 2), rng.uniform(0.8, size / 3),
                rng.uniform(0.6, 1.5), rng.uniform(0, 180), rng.uniform(3, 1.5 * size), rng.uniform(-180, 180), 0.3,
            )
            for _ in range(24)
        ]  # fmt: skip
        assert min(fit.r2 for fit in fit_gabors(np.stack([one.draw(size, size) for one in made]))) > 0.999


def test_r2_is_that_of_the_function_that_is_returned() -> None:
    filters = noisy(8, 0.5)
    for values, fit in zip(filters, fit_gabors(filters), strict=True):
        left = ((values - fit.gabor.draw(7, 7)) ** 2).sum()
        assert fit.r2 == pytest.approx(1 - left / ((values - values.mean()) ** 2).sum(), abs=1e-9)


def test_noise_costs_what_it_adds() -> None:
    for share in (0.1, 0.3):
        expected = 1 / (1 + share**2)
        found = [fit.r2 for fit in fit_gabors(noisy(12, share))]
        assert np.median(found) == pytest.approx(expected, abs=0.3 * share)
        assert min(found) > expected - 0.1


def test_scipy_finds_nothing_better() -> None:
    filters, rng = np.concatenate([noisy(3, 0.3), noisy(1, 30.0)]), np.random.default_rng(1)
    rows, columns = np.indices((7, 7)) - 3.0

    def misses(p: np.ndarray, values: np.ndarray) -> np.ndarray:
        right, up = columns - p[0], -rows - p[1]
        along, across = right * np.cos(p[4]) + up * np.sin(p[4]), up * np.cos(p[4]) - right * np.sin(p[4])
        bell = np.exp(-((along / p[2]) ** 2 + (across / p[3]) ** 2) / 2)
        angle = 2 * np.pi * along / p[5]
        return (bell * (p[6] * np.cos(angle) + p[7] * np.sin(angle)) + p[8] - values).ravel()

    low = [-3.5, -3.5, 0.5, 0.5, -10, 2, -np.inf, -np.inf, -np.inf]
    high = [3.5, 3.5, 14, 14, 10, 28, np.inf, np.inf, np.inf]
    for values, fit in zip(filters, fit_gabors(filters), strict=True):
        variance = ((values - values.mean()) ** 2).sum()
        for _ in range(4):
            start = [*rng.uniform(-2, 2, 2), *rng.uniform(0.7, 3, 2), rng.uniform(0, 3), rng.uniform(2.5, 10)]
            start += [*values.std() * rng.standard_normal(2), values.mean()]
            found = least_squares(misses, start, args=(values,), bounds=(low, high), max_nfev=100)
            assert fit.r2 > 1 - 2 * found.cost / variance - 1e-3


def test_random_filters_are_explained_less_than_gabor_functions() -> None:
    random = random_r2((7, 7), 48)

    assert random.shape == (48,)
    assert random.min() > 0
    assert np.median(random) < 0.4
    assert random.max() < min(fit.r2 for fit in fit_gabors(noisy(12, 0.3)))
    np.testing.assert_array_equal(random, random_r2((7, 7), 48))
    assert (random != random_r2((7, 7), 48, seed=1)).all()


def test_size_and_offset_of_a_filter_do_not_matter() -> None:
    filters = noisy(6, 1.0)
    plain, changed = fit_gabors(filters), fit_gabors(1e-6 * filters.astype(np.float32) + 1e-6)

    np.testing.assert_allclose([fit.r2 for fit in plain], [fit.r2 for fit in changed], atol=1e-3)


def test_constant_filters_have_nothing_to_explain() -> None:
    zero, flat, seen = fit_gabors(np.stack([np.zeros((5, 5)), np.full((5, 5), 0.1), np.eye(5)]))

    assert math.isnan(zero.r2)
    assert math.isnan(flat.r2)
    assert seen.r2 > 0.5
    assert zero.as_dict()["r2"] is None
    np.testing.assert_allclose(flat.gabor.draw(5, 5), 0.1)


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        (np.zeros((4, 3, 3)), pel.ParameterError, "has 9 parameters.*got 3×3; choose a layer with filters of 5×5 or"),
        (np.zeros((4, 1, 9)), pel.ParameterError, "got 1×9"),
        (np.zeros((4, 3, 7, 7)), pel.ShapeError, r"must be \(N, KH, KW\); got shape \(4, 3, 7, 7\)"),
        (np.full((1, 5, 5), np.nan), pel.DataError, "must be finite"),
    ],
)
def test_filters_that_cannot_be_fitted_are_refused(filters: np.ndarray, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        fit_gabors(filters)


def test_principal_planes_give_back_filters_of_one_colour() -> None:
    rng = np.random.default_rng(0)
    plane, colour = rng.standard_normal((7, 7)), np.array([0.6, 0.0, 0.8])
    pure = colour[:, None, None] * plane
    mixed = pure + 0.5 * rng.standard_normal((3, 7, 7))
    planes, directions, shares = principal_planes(np.stack([pure, -pure, mixed]).astype(np.float32))

    np.testing.assert_allclose(directions[:2], [colour, colour], atol=1e-6)
    np.testing.assert_allclose(planes[0], plane, atol=1e-5)
    np.testing.assert_allclose(planes[1], -plane, atol=1e-5)
    np.testing.assert_allclose(shares[:2], 1, atol=1e-6)
    left = mixed - directions[2][:, None, None] * planes[2]
    assert shares[2] == pytest.approx(1 - (left**2).sum() / (mixed**2).sum(), abs=1e-5)
    assert (directions.sum(axis=1) >= 0).all()


def test_one_channel_is_its_own_plane() -> None:
    weights = np.random.default_rng(0).standard_normal((2, 1, 5, 5))
    planes, directions, shares = principal_planes(weights)

    np.testing.assert_array_equal(planes, weights[:, 0])
    np.testing.assert_array_equal(directions, 1)
    np.testing.assert_array_equal(shares, 1)
    assert principal_planes(np.zeros((1, 3, 5, 5)))[2].tolist() == [1.0]


@pytest.mark.parametrize("size", [(11, 1), (1, 11), (2, 40), (3, 4)])
def test_narrow_filters_are_fitted(size: tuple[int, int]) -> None:
    wave = Gabor(1, 0.3, 0.2, 1.5, 1, 90 if size[1] == 1 else 0, 5, 40, 0.1).draw(*size)
    (fit,) = fit_gabors(wave[None])

    assert fit.r2 > 0.9999


@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e160, 1e300])
def test_the_scale_of_a_filter_does_not_matter(factor: float) -> None:
    plane = noisy(1, 0.3)
    (one,), (other,) = fit_gabors(plane), fit_gabors(factor * plane)

    assert other.r2 == pytest.approx(one.r2)
    assert other.gabor.amplitude == pytest.approx(factor * one.gabor.amplitude)
    assert other.gabor.offset == pytest.approx(factor * one.gabor.offset)
