"""Gabor functions fitted to filters: how far learned filters look like those of the visual cortex.

A Gabor function is a wave under a Gaussian. Jones & Palmer (1987, J. Neurophysiology 58, 1233) fitted it to the
receptive fields of simple cells; first layers of trained networks are said to look alike. With 9 numbers to choose, it
fits part of any noise as well, so an R² says something only beside that of random filters of the same size.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.types import Array, Pair

PARAMETERS = 9
"""Numbers that a Gabor function has to choose."""

_STARTS, _ROUGH, _FINE = 24, 12, 80
"""Starts of each filter, steps from each of them, and steps from the best two."""
_SETTLED, _PATIENCE = 1e-9, 5
"""What R² must still gain somewhere, and the steps without it after which no more are taken."""
_CHUNK = 128
"""Filters fitted at once: the work space is some tens of megabytes."""
_FLAT = 1e-6
"""A filter whose spread is below this share of its size is constant but for rounding."""


@dataclass(frozen=True, slots=True)
class Gabor:
    """A·exp(−(x'² + γ²y'²) / 2σ²)·cos(2πx'/λ + φ) + c, x' lying along the wave and y' across.

    The middle of the Gaussian is ``x`` cells to the right of the filter's middle and ``y`` below it. ``angle`` is the
    direction of the wave, in degrees counter-clockwise, 0 to 180, and ``phase`` is in degrees, −180 to 180. Above 1,
    γ makes the Gaussian longer along the wave than across.
    """

    amplitude: float
    x: float
    y: float
    sigma: float
    gamma: float
    angle: float
    wavelength: float
    phase: float
    offset: float

    def draw(self, height: int, width: int) -> Array:
        """Return the function's values on a filter's cells, float64 (height, width).

        >>> Gabor(2, 0, 0, 1, 1, 0, 4, 0, 0).draw(1, 3).round(3).tolist()
        [[0.0, 2.0, 0.0]]
        """
        across = self.sigma / self.gamma
        numbers = (self.x, -self.y, self.sigma, across, math.radians(self.angle), self.wavelength)
        ((cosine, sine),) = _waves(_Shape(*np.array(numbers)[:, None, None]), *_places(height, width))
        phase = math.radians(self.phase)
        drawn: Array = self.amplitude * (math.cos(phase) * cosine - math.sin(phase) * sine) + self.offset
        return drawn.reshape(height, width)


@dataclass(frozen=True, slots=True)
class GaborFit:
    """The Gabor function nearest to a filter, and R², the share of the filter's variance that it explains.

    ``r2`` is NaN for a constant filter, which has none.
    """

    gabor: Gabor
    r2: float

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values; R² is None for a constant filter."""
        return {"r2": None if math.isnan(self.r2) else self.r2, **asdict(self.gabor)}


def fit_gabors(filters: Array) -> list[GaborFit]:
    """Fit a Gabor function to each filter (N, KH, KW) by least squares.

    The Gaussian's middle lies inside the filter, its deviations σ and σ/γ between half a cell and twice the filter's
    longer side, the wavelength between 2 cells and four times that side. For given values of these and of the angle,
    amplitude, phase and offset follow from linear equations (variable projection, Golub & Pereyra 1973); a grid of
    functions gives starts, which Levenberg–Marquardt steps refine.

    Raises
    ------
    ShapeError
        If the filters are not (N, KH, KW).
    ParameterError
        If a filter has no more numbers than the function has parameters, such as 3×3: every such filter is fitted.
    DataError
        If a number is NaN or infinite.

    Examples
    --------
    >>> drawn = Gabor(1, 0.5, 0, 2, 1, angle=30, wavelength=5, phase=60, offset=0.1).draw(7, 7)
    >>> (found,) = fit_gabors(drawn[None])
    >>> round(found.r2, 6), round(found.gabor.angle, 3), round(found.gabor.wavelength, 3)
    (1.0, 30.0, 5.0)
    """
    filters = np.asarray(filters, np.float64)
    if filters.ndim != 3:
        raise ShapeError(f"The filters must be (N, KH, KW); got shape {filters.shape}; choose one input channel.")
    count, height, width = filters.shape
    check_size((height, width))
    if not np.isfinite(filters).all():
        raise DataError("The numbers of the filters must be finite; got NaN or infinity.")
    found: list[GaborFit] = []
    for start in range(0, count, _CHUNK):
        found += _fit(filters[start : start + _CHUNK].reshape(-1, height * width), height, width)
    return found


def check_size(size: Pair) -> None:
    """Raise ParameterError where filters are too small for a Gabor function to say anything."""
    height, width = size
    if height * width <= PARAMETERS:
        raise ParameterError(
            f"A Gabor function has {PARAMETERS} parameters, so filters must have more numbers than that to be fitted; "
            f"got {height}×{width}; choose a layer with filters of 5×5 or more."
        )


def random_r2(size: Pair, count: int = 256, seed: int = 0) -> Array:
    """Return R² of Gabor functions fitted to random filters (KH, KW), normally distributed: what chance achieves.

    >>> bool(np.median(random_r2((9, 9), 32)) < np.median(random_r2((5, 5), 32)) < 0.9)
    True
    """
    drawn = np.random.default_rng(seed).standard_normal((count, *size))
    return np.array([fit.r2 for fit in fit_gabors(drawn)])


def principal_planes(weights: Array) -> tuple[Array, Array, Array]:
    """Write each filter (C, KH, KW) as one plane times a direction among its channels, as far as that goes.

    Takes (O, C, KH, KW); returns planes (O, KH, KW), directions (O, C) of length 1 whose sum is not negative, and the
    share (O,) of the filter's sum of squares that this holds: the first singular vectors of (C, KH·KW).

    >>> planes, directions, shares = principal_planes(np.array([[[[1.0, 2.0]], [[2.0, 4.0]]]]))
    >>> directions.round(3).tolist(), shares.round(3).tolist()
    ([[0.447, 0.894]], [1.0])
    """
    count, channels, height, width = weights.shape
    flat = weights.reshape(count, channels, height * width).astype(np.float64)
    if channels == 1:
        return flat.reshape(count, height, width), np.ones((count, 1)), np.ones(count)
    left, lengths, right = np.linalg.svd(flat, full_matrices=False)
    signs = np.where(left[:, :, 0].sum(axis=1) < 0, -1.0, 1.0)[:, None]
    planes = (right[:, 0] * signs * lengths[:, :1]).reshape(count, height, width)
    squares = lengths**2
    total = squares.sum(axis=1)
    shares = np.divide(squares[:, 0], total, out=np.ones(count), where=total > 0)
    return planes, left[:, :, 0] * signs, shares


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is not linear in P Gabor functions, each (P, 1); y points up, ``along`` and ``across`` are deviations."""

    x: Array
    y: Array
    along: Array
    across: Array
    theta: Array
    wavelength: Array

    @classmethod
    def of(cls, values: Array) -> _Shape:
        """Take the columns of (P, 6), in which deviations and wavelength stand as logarithms."""
        x, y, along, across, theta, wavelength = values.T[:, :, None]
        return cls(x, y, np.exp(along), np.exp(across), theta, np.exp(wavelength))


def _places(height: int, width: int) -> tuple[Array, Array]:
    """Return how far a filter's cells lie above its middle and to the right, each (KH·KW,)."""
    rows, columns = np.indices((height, width), np.float64)
    return (height - 1) / 2 - rows.ravel(), columns.ravel() - (width - 1) / 2


def _turned(shape: _Shape, ys: Array, xs: Array) -> tuple[Array, Array]:
    """Return how far cells lie along the wave and across, (P, n)."""
    dx, dy, cos, sin = xs - shape.x, ys - shape.y, np.cos(shape.theta), np.sin(shape.theta)
    return dx * cos + dy * sin, dy * cos - dx * sin


def _waves(shape: _Shape, ys: Array, xs: Array) -> Array:
    """Return the cosine and the sine under the Gaussian, (P, 2, n)."""
    along, across = _turned(shape, ys, xs)
    bell = np.exp(-((along / shape.along) ** 2 + (across / shape.across) ** 2) / 2)
    angle = 2 * np.pi / shape.wavelength * along
    return np.stack([bell * np.cos(angle), bell * np.sin(angle)], 1)


def _bounds(height: int, width: int) -> tuple[Array, Array]:
    """Return the lowest and highest values of x, y, log σ, log σ/γ, θ, log λ."""
    side = max(height, width)
    low = [-width / 2, -height / 2, math.log(0.5), math.log(0.5), -math.inf, math.log(2)]
    high = [width / 2, height / 2, math.log(2 * side), math.log(2 * side), math.inf, math.log(4 * side)]
    return np.array(low), np.array(high)


@lru_cache(8)
def _grid(height: int, width: int) -> tuple[Array, Array]:
    """Return where searches may start, (48, D, 6) by direction and wavelength, and what each spans, (48, D, 2, n)."""
    side = max(height, width)
    thetas, wavelengths = np.arange(8) * np.pi / 8, np.log(np.geomspace(2.2, 2 * side, 6))
    sigmas = np.log(np.geomspace(0.6, side / 2, 4))
    xs, ys = np.linspace(-0.35, 0.35, 5) * width, np.linspace(-0.35, 0.35, 5) * height
    axes = np.meshgrid(thetas, wavelengths, xs, ys, sigmas, sigmas, indexing="ij")
    theta, wavelength, x, y, along, across = (axis.reshape(48, -1) for axis in axes)
    starts = np.stack([x, y, along, across, theta, wavelength], -1)
    waves = _waves(_Shape.of(starts.reshape(-1, 6)), *_places(height, width))
    waves -= waves.mean(axis=2, keepdims=True)
    cosine, sine = waves[:, 0], waves[:, 1]
    _to_length_1(cosine)
    sine -= (sine * cosine).sum(axis=1, keepdims=True) * cosine  # at right angles, so that their shares add up
    _to_length_1(sine)
    return starts, waves.reshape(*starts.shape[:2], 2, -1)


def _to_length_1(waves: Array) -> None:
    """Scale (P, n) in place; what is 0 but for rounding, as a wave along a filter's only column is, becomes 0."""
    lengths = np.linalg.norm(waves, axis=1, keepdims=True)
    waves *= np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 1e-9)


def _starts(filters: Array, height: int, width: int) -> Array:
    """Return (N, 24, 6): the best start of each direction and wavelength, of these the best half."""
    starts, spanning = _grid(height, width)
    chosen = []
    for wave, place in zip(spanning, starts, strict=True):
        explained = (np.tensordot(filters, wave, (1, 2)) ** 2).sum(axis=2)  # (N, D)
        best = explained.argmax(axis=1)
        chosen.append((explained[np.arange(len(filters)), best], place[best]))
    explained = np.stack([value for value, _ in chosen], 1)  # (N, 48)
    order = np.argsort(-explained, axis=1, kind="stable")[:, :_STARTS]
    return np.take_along_axis(np.stack([place for _, place in chosen], 1), order[:, :, None], 1)


def _fit(filters: Array, height: int, width: int) -> list[GaborFit]:
    """Fit filters (N, n)."""
    sizes = abs(filters).max(axis=1, keepdims=True)
    filters = filters / np.where(sizes > 0, sizes, 1.0)  # squares of huge and of tiny numbers are no numbers
    means = filters.mean(axis=1, keepdims=True)
    centred = filters - means
    spread = np.linalg.norm(centred, axis=1)
    flat = spread <= _FLAT * np.linalg.norm(filters, axis=1)
    targets = centred / np.where(flat, 1.0, spread)[:, None]  # variance 1: a loss is 1 − R²
    starts = _starts(targets, height, width)
    found = starts.reshape(-1, 6)
    found, losses = _refine(targets.repeat(_STARTS, 0), found, height, width, _ROUGH)
    best = losses.reshape(-1, _STARTS).argsort(axis=1, kind="stable")[:, :2]
    found = np.take_along_axis(found.reshape(-1, _STARTS, 6), best[:, :, None], 1).reshape(-1, 6)
    found, losses = _refine(targets.repeat(2, 0), found, height, width, _FINE)
    index = losses.reshape(-1, 2).argmin(axis=1) + 2 * np.arange(len(filters))
    shape = _Shape.of(found[index])
    waves = _waves(shape, *_places(height, width))
    weights, _ = _project(targets, waves - waves.mean(axis=2, keepdims=True))
    weights *= spread[:, None]
    offsets = (means[:, 0] - (weights * waves.mean(axis=2)).sum(axis=1)) * sizes[:, 0]
    weights, means = weights * sizes, means * sizes
    return [
        GaborFit(_constant(mean), math.nan) if is_flat else GaborFit(_gabor(values, pair, offset), 1 - loss)
        for values, pair, offset, loss, is_flat, mean in zip(
            found[index], weights, offsets.tolist(), losses[index].tolist(), flat, means[:, 0].tolist(), strict=True
        )
    ]


def _refine(targets: Array, values: Array, height: int, width: int, steps: int) -> tuple[Array, Array]:
    """Take Levenberg–Marquardt steps from (P, 6) inside the bounds; return where they end and the losses (P,)."""
    low, high = _bounds(height, width)
    places, eye = _places(height, width), np.eye(6)
    damping = np.full(len(values), 1e-2)
    values = np.clip(values, low, high)
    residuals, slopes = _residuals(targets, values, places)
    losses, idle = (residuals**2).sum(axis=1), 0
    for _ in range(steps):
        gradient = (slopes @ residuals[:, :, None])[:, :, 0]  # where to go
        stuck = ((values <= low) & (gradient < 0)) | ((values >= high) & (gradient > 0))
        free = np.where(stuck[:, :, None], 0.0, slopes)
        curvature = free @ free.transpose(0, 2, 1)
        scale = np.einsum("pii->pi", curvature)
        ridge = damping[:, None] * scale + 1e-9 * scale.max(axis=1, keepdims=True) + 1e-30
        step = np.linalg.solve(curvature + ridge[:, :, None] * eye, np.where(stuck, 0.0, gradient)[:, :, None])
        tried = np.clip(values + np.clip(step[:, :, 0], -1, 1), low, high)
        new_residuals, new_slopes = _residuals(targets, tried, places)
        new_losses = (new_residuals**2).sum(axis=1)
        better = new_losses < losses
        idle = 0 if (losses - new_losses).max() > _SETTLED else idle + 1
        if idle > _PATIENCE:
            break
        values = np.where(better[:, None], tried, values)
        residuals = np.where(better[:, None], new_residuals, residuals)
        slopes = np.where(better[:, None, None], new_slopes, slopes)
        losses = np.where(better, new_losses, losses)
        damping = np.clip(np.where(better, damping / 4, damping * 5), 1e-9, 1e9)
    return values, losses


def _residuals(targets: Array, values: Array, places: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return what the best amplitude, phase and offset leave of the targets (P, n), and the slopes (P, 6, n).

    Slopes are those of the function for fixed amplitude and phase, less what these can make good (Kaufman 1975).
    """
    shape = _Shape.of(values)
    along, across = _turned(shape, *places)
    waves = _waves(shape, *places)
    means = waves.mean(axis=2, keepdims=True)
    weights, residuals = _project(targets, waves - means)
    a, b = weights[:, :1], weights[:, 1:]
    cosine, sine = waves[:, 0], waves[:, 1]
    height, change = a * cosine + b * sine, 2 * np.pi / shape.wavelength * (b * cosine - a * sine)
    by_along = change - height * along / shape.along**2
    by_across = -height * across / shape.across**2
    cos, sin = np.cos(shape.theta), np.sin(shape.theta)
    slopes = np.stack(
        [
            by_across * sin - by_along * cos,
            -by_along * sin - by_across * cos,
            height * (along / shape.along) ** 2,
            height * (across / shape.across) ** 2,
            by_along * across - by_across * along,
            -change * along,
        ],
        1,
    )
    slopes -= slopes.mean(axis=2, keepdims=True)
    return residuals, _without(slopes, waves - means)


def _project(targets: Array, waves: Array) -> tuple[Array, Array]:
    """Return the weights (P, 2) of the centred waves (P, 2, n) nearest to the targets (P, n), and what they leave."""
    weights = np.linalg.solve(_gram(waves), waves @ targets[:, :, None])[:, :, 0]
    return weights, targets - (weights[:, None] @ waves)[:, 0]


def _without(slopes: Array, waves: Array) -> Array:
    """Take out of the slopes (P, 6, n) what the waves can make."""
    cleared: Array = slopes - (slopes @ waves.transpose(0, 2, 1)) @ np.linalg.solve(_gram(waves), waves)
    return cleared


def _gram(waves: Array) -> Array:
    """Return the waves' inner products (P, 2, 2), kept from being singular where the two waves are alike."""
    gram = waves @ waves.transpose(0, 2, 1)
    ridge = 1e-9 * np.einsum("pii->p", gram)[:, None, None] + 1e-30
    kept: Array = gram + ridge * np.eye(2)
    return kept


def _gabor(values: Array, weights: Array, offset: float) -> Gabor:
    """Write a found function with a positive amplitude and a direction between 0 and 180 degrees."""
    x, y, along, across, theta, wavelength = values.tolist()
    a, b = weights.tolist()
    turns, phase = math.floor(theta / math.pi), math.degrees(math.atan2(-b, a))
    return Gabor(
        amplitude=math.hypot(a, b),
        x=x,
        y=-y,
        sigma=math.exp(along),
        gamma=math.exp(along - across),
        angle=math.degrees(theta - turns * math.pi),
        wavelength=math.exp(wavelength),
        phase=-phase if turns % 2 else phase,  # seen from behind, a wave runs backwards
        offset=offset,
    )


def _constant(value: float) -> Gabor:
    return Gabor(0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 2.0, 0.0, value)
