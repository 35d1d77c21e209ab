"""What a kernel does to waves: its frequency response."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.types import Array

FREQUENCIES = np.linspace(-0.5, 0.5, 129)
"""Cycles per pixel, from the finest stripes that pixels can hold (1 up, 1 down) through 0 to the same again."""

_LITTLE = 0.05
"""Share of the sum of magnitudes below which flat areas count as stopped; also by how much they may fall short of
the largest gain and still be said to pass best."""
_ALIKE = 0.9
"""Share of the largest gain that all waves keep where a kernel is said to let all through."""
_FINEST = 0.45
"""Cycles per pixel, along rows or columns, from which the finest waves begin."""
_PREFERENCE = 0.1
"""How lopsided a response must be before the kernel is said to prefer a direction; 1 is a single direction."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A kernel's frequency response in a few numbers.

    ``kind`` is "all-pass", "low-pass", "band-pass", "high-pass", "boost" (flat areas pass, finer waves are made
    stronger) or "none"; ``gain`` is that of flat areas, without its sign; ``peak`` is the largest gain, of waves of
    ``frequency`` cycles per pixel along ``angle``. ``direction`` is the angle along which the kernel lets most
    variation through, and ``preference``, 0 to 1, how much more than across. Angles are degrees, counter-clockwise,
    below 180, and None where no angle is preferred.
    """

    kind: str
    gain: float
    peak: float
    frequency: float
    angle: float | None
    direction: float | None
    preference: float

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def frequency_response(kernel: Array) -> Array:
    """Return the gain of waves, float64 (129, 129): the absolute discrete-time Fourier transform of a kernel (KH, KW).

    Both axes run over ``FREQUENCIES``, rows downwards and columns to the right; flat areas are in the middle.

    >>> gains = frequency_response(np.array([[-1, 0, 1]]))
    >>> gains[64, [64, 96, 128]].round(6).tolist()  # of 0, 1/4 and 1/2 cycles per pixel along the row
    [0.0, 2.0, 0.0]
    """
    values = np.asarray(kernel, np.float64)
    down, right = (np.exp(-2j * math.pi * np.outer(FREQUENCIES, np.arange(extent))) for extent in values.shape)
    gains: Array = np.abs(down @ values @ right.T)
    return gains


def measure(kernel: Array) -> Spectrum:
    """Sum a kernel's frequency response up.

    >>> found = measure(np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]))
    >>> found.kind, found.peak, found.frequency, found.direction
    ('band-pass', 8.0, 0.25, 0.0)
    """
    gains = frequency_response(kernel)
    magnitude, peak = float(np.abs(kernel).sum()), float(gains.max())
    gain = abs(float(np.sum(kernel, dtype=np.float64)))
    gain = gain if gain > 1e-9 * magnitude else 0.0
    if not peak:
        return Spectrum("none", 0.0, 0.0, 0.0, None, None, 0.0)
    # A gain and that of the opposite frequency are one; of those that are equal but for rounding, the lowest counts.
    places = np.argwhere(gains >= peak * (1 - 1e-9)) - len(FREQUENCIES) // 2
    lengths = (places**2).sum(axis=1)
    lowest = places[lengths == lengths.min()]
    y, x = (float(place) / (len(FREQUENCIES) - 1) for place in (-lowest[0, 0], lowest[0, 1]))
    direction, preference = _direction(gains)
    return Spectrum(
        _kind(gain / peak, gain > _LITTLE * magnitude, float(gains.min()) / peak, max(abs(x), abs(y))),
        gain,
        float(f"{peak:.12g}"),
        math.hypot(x, y),
        math.degrees(math.atan2(y, x)) % 180 if len(lowest) == 2 else None,
        direction,
        preference,
    )


def _kind(flat: float, passes_flat: bool, least: float, place: float) -> str:
    """Name a response by two gains as shares of the largest, of flat areas and the least, and the largest's place."""
    if least >= _ALIKE:
        return "all-pass"
    if flat >= 1 - _LITTLE:
        return "low-pass"
    if passes_flat:
        return "boost"
    return "high-pass" if place >= _FINEST else "band-pass"


def _direction(gains: Array) -> tuple[float | None, float]:
    """Return the angle along which most energy passes, of waves as common as in nature, by 1/f (Field 1987)."""
    ends = np.where(abs(FREQUENCIES) == 0.5, 0.5, 1.0)  # the two ends are one frequency
    x, y = FREQUENCIES[None, :], -FREQUENCIES[:, None]
    squares = x * x + y * y
    energy = np.divide(gains**2 * np.outer(ends, ends), squares**2, out=np.zeros_like(gains), where=squares > 0)
    xx, yy, xy = (float((energy * term).sum()) for term in (x * x, y * y, x * y))
    preference = math.hypot(xx - yy, 2 * xy) / (xx + yy) if xx + yy else 0.0
    if preference < _PREFERENCE:
        return None, preference
    return round(math.degrees(math.atan2(2 * xy, xx - yy)) / 2, 6) % 180, preference
