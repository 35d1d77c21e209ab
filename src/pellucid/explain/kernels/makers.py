"""How the kernels of the gallery are made: fixed numbers, turned where asked, and formulas.

Sizes are odd, angles degrees counter-clockwise as seen on the picture, sigmas and wavelengths pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pellucid.explain.kernels.matrices import parse_rows
from pellucid.types import Array

Maker: TypeAlias = Callable[..., Array]

_RING = ((0, 0, 0, 1, 2, 2, 2, 1), (0, 1, 2, 2, 2, 1, 0, 0))
"""Rows and columns of the outer cells of a 3×3 kernel, clockwise."""

HAT = "0 0 -1 0 0; 0 -1 -2 -1 0; -1 -2 16 -2 -1; 0 -1 -2 -1 0; 0 0 -1 0 0"
"""A Laplacian of a Gaussian in whole numbers, turned upside down: the "Mexican hat"."""


def fixed(rows: str) -> Maker:
    """Return a maker of a kernel that looks the same from all sides."""
    return lambda: parse_rows(rows, "kernel")


@dataclass(frozen=True, slots=True)
class Directed:
    """Makes a kernel of fixed numbers that may be turned."""

    rows: str

    def __call__(self, angle: float = 0) -> Array:
        """Return the kernel, turned by a multiple of its finest turn."""
        return turned(parse_rows(self.rows, "kernel"), angle)

    @property
    def finest_turn(self) -> int:
        """Degrees of which its angle must be a multiple."""
        return finest_turn(self())


def finest_turn(values: Array) -> int:
    """Return by how many degrees a kernel can be turned without new numbers."""
    return 45 if values.shape == (3, 3) else 90


def turned(values: Array, angle: float) -> Array:
    """Turn a kernel counter-clockwise: by multiples of 90°, of 45° if it is 3×3 (its ring then moves on by a cell).

    >>> turned(np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]), 45)
    array([[ 0, -1, -2],
           [ 1,  0, -1],
           [ 2,  1,  0]])
    """
    if angle // finest_turn(values) % 2 and finest_turn(values) == 45:
        values = values.copy()
        values[_RING] = np.roll(values[_RING], -1)
    return np.rot90(values, int(angle // 90)).copy()


def identity(size: int = 3) -> Array:
    """One in the middle, zeros around."""
    values = np.zeros((size, size))
    values[size // 2, size // 2] = 1
    return values


def box_blur(size: int = 3) -> Array:
    """Return the mean of all cells."""
    return np.full((size, size), 1 / size**2)


def gaussian_blur(size: int | None = None, sigma: float | None = None) -> Array:
    """Sample a Gaussian; without a sigma take a row of Pascal's triangle, nearly one of σ² = (size − 1) / 4."""
    if sigma is not None:
        bell = _bell(size or _reach(sigma), sigma)
        return np.asarray(bell / bell.sum())
    last = (size or 3) - 1
    row = np.array([math.comb(last, index) / 2**last for index in range(last + 1)])
    return np.outer(row, row)


def motion_blur(size: int = 9, angle: float = 0) -> Array:
    """Average ``size`` points a pixel apart on a line; each is shared among the four cells around it."""
    reach = size // 2
    values = np.zeros((size + 2, size + 2))
    for step in range(-reach, reach + 1):
        x = round(step * math.cos(math.radians(angle)), 9) + reach + 1
        y = round(-step * math.sin(math.radians(angle)), 9) + reach + 1
        row, column = int(y), int(x)
        down, right = y - row, x - column
        values[row : row + 2, column : column + 2] += np.outer((1 - down, down), (1 - right, right))
    return values[1:-1, 1:-1] / size


def unsharp(size: int | None = None, sigma: float | None = None) -> Array:
    """Add to the picture what its Gaussian blur takes away."""
    blur = gaussian_blur(size, sigma) if sigma is not None else gaussian_blur(size or 5)
    return 2 * identity(len(blur)) - blur


def gaussian_derivative(size: int | None = None, sigma: float = 1, angle: float = 0) -> Array:
    """Return the slope of a Gaussian: what grows along the angle is answered with its growth per pixel."""
    size = size or _reach(sigma)
    along, bell = _along(size, angle), _bell(size, sigma)
    values = along * bell
    ramp = float((values * along).sum())  # the answer to a picture that grows by 1 per pixel
    return np.asarray(values / ramp) if ramp else values


def log(size: int | None = None, sigma: float = 1) -> Array:
    """Sample (r² − 2σ²) / σ⁴ times a Gaussian, less its mean, so that flat areas are answered with 0."""
    size = size or _reach(sigma)
    x, y = _grid(size)
    bell = _bell(size, sigma)
    values = (x**2 + y**2 - 2 * sigma**2) / sigma**4 * bell / bell.sum()
    return np.asarray(values - values.mean())


def gabor(
    size: int | None = None,
    angle: float = 0,
    sigma: float | None = None,
    wavelength: float = 4,
    phase: float = 0,
) -> Array:
    """Multiply a cosine that runs along the angle by a Gaussian of volume 1 (Daugman 1985).

    The sigma left out is 0.56 wavelengths, which is a band of one octave; the size left out holds two sigmas to each
    side.
    """
    sigma = sigma or 0.56 * wavelength
    size = size or _reach(sigma, 2)
    wave = np.cos(2 * math.pi * _along(size, angle) / wavelength + math.radians(phase))
    return np.asarray(wave * _bell(size, sigma) / (2 * math.pi * sigma**2))


def _reach(sigma: float, sigmas: float = 4) -> int:
    """Return the size that holds so many sigmas to each side, rounded as SciPy does."""
    return 2 * int(sigmas * sigma + 0.5) + 1


def _grid(size: int) -> tuple[Array, Array]:
    """Return how far each cell lies to the right of the middle, and how far above."""
    steps = np.arange(size) - size // 2.0
    return steps[None, :], -steps[:, None]


def _along(size: int, angle: float) -> Array:
    x, y = _grid(size)
    return np.asarray(x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle)))


def _bell(size: int, sigma: float) -> Array:
    x, y = _grid(size)
    return np.asarray(np.exp(-(x**2 + y**2) / (2 * sigma**2)))
