"""Which kernel of the gallery is this? Up to scale, sign, turns and a mirror."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.explain.kernels.gallery import GALLERY, kernel, read_kernel
from pellucid.explain.kernels.makers import finest_turn, turned
from pellucid.explain.kernels.matrices import write_number
from pellucid.explain.numbers import number
from pellucid.types import Array, Pair

TOLERANCE = 0.05
"""How far a kernel may be from a known one, as a share of its norm, and still be called by its name."""

_ROUNDING = 1e-6
_LARGEST = 31
"""Rows of kernels whose sigma is looked for; the fit of larger ones would take seconds."""


@dataclass(frozen=True, slots=True)
class Match:
    """A kernel is ``scale`` times a kernel of the gallery, mirrored left to right if so, then turned.

    ``name`` is as `read_kernel` reads it; ``turn`` is in degrees, counter-clockwise; ``error`` is the norm of what is
    left over, as a share of the kernel's; ``also`` tells what else the kernel may be called, equally well.
    """

    name: str
    scale: float
    turn: int
    mirrored: bool
    error: float
    also: tuple[str, ...] = ()

    def text(self) -> str:
        """Tell which kernel it is.

        >>> Match("sobel-x", 3.0, 90, False, 0.0).text()
        '3 × sobel-x, turned by 90°'
        """
        words = self.name if abs(self.scale - 1) <= _ROUNDING else f"{write_number(self.scale)} × {self.name}"
        words += ", mirrored" if self.mirrored else ""
        words += f", {'and ' if self.mirrored else ''}turned by {self.turn}°" if self.turn else ""
        return words + (f", within {number(100 * self.error, 2)} %" if self.error > _ROUNDING else "")

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "also": list(self.also), "text": self.text()}


@dataclass(frozen=True, slots=True)
class _Template:
    """A kernel of the gallery, of norm 1, in one of its positions; the rank is its name's place in the gallery."""

    name: str
    rank: int
    turn: int
    mirrored: bool
    values: Array
    norm: float

    @property
    def steps(self) -> int:
        """How much was done to it."""
        return 4 * self.mirrored + bool(self.turn) + bool(self.turn % 90) + 2 * (":" in self.name)


def recognise(values: Array) -> Match | None:
    """Return which kernel of the gallery a kernel (KH, KW) is, or None where none is within 5 % of its norm.

    Among those that fit equally well it is the one with the least done to it.

    >>> recognise(np.array([[3, 6, 3], [0, 0, 0], [-3, -6, -3]])).text()
    '−3 × sobel-y'
    """
    values = _unframed(np.asarray(values, np.float64))
    norm = float(np.linalg.norm(values))
    if not norm:
        return None
    found = _matches(values / norm, norm, _templates(values.shape))
    if not found or found[0][1].error > _ROUNDING:
        fitted = _matches(values / norm, norm, _with_sigma(values))
        # A sigma that was free to be chosen fits noise, too: it must do much better than none.
        found = fitted if fitted and (not found or fitted[0][1].error < found[0][1].error / 2) else found
    if not found:
        return None
    limit = 1.05 * found[0][1].error + _ROUNDING
    alike = sorted((item for item in found if item[1].error <= limit), key=lambda item: item[0])
    best = alike[0][1]
    others = [match for _, match in alike[1:] if match.name != best.name and not (match.turn or match.mirrored)]
    also = tuple(dict.fromkeys(match.text() for match in others if ":" not in match.name))
    return Match(best.name, best.scale, best.turn, best.mirrored, best.error, also)


def _matches(unit: Array, norm: float, templates: tuple[_Template, ...]) -> list[tuple[tuple[int, int], Match]]:
    """Return what is within the tolerance, the nearest first, each after how little it says."""
    found = []
    for template in templates:
        likeness = float((unit * template.values).sum())
        error = float(np.linalg.norm(unit - likeness * template.values))
        if error <= TOLERANCE:
            scale = norm * likeness / template.norm
            match = Match(template.name, scale, template.turn, template.mirrored, error)
            found.append(((2 * template.steps + (scale < 0), template.rank), match))
    return sorted(found, key=lambda item: item[1].error)


@lru_cache(16)
def _templates(shape: Pair) -> tuple[_Template, ...]:
    """Return every kernel of the gallery that has this size, in all its positions that differ."""
    if shape == (1, 1):
        return (_Template("identity", 0, 0, False, np.ones(shape), 1.0),)
    return tuple(template for name in _of_size(shape) for template in _positions(name))


def _of_size(shape: Pair) -> Iterator[str]:
    """Name the kernels of a size: as they are, or by their size where that is a parameter."""
    square = shape[0] == shape[1] and shape[0] % 2 == 1
    for name, entry in GALLERY.items():
        if kernel(name).shape == shape:
            yield name
        elif square and "size" in entry.parameters:
            yield f"{name}:size={shape[0]}"


def _positions(name: str) -> list[_Template]:
    """Return a kernel turned and mirrored, without those that are an earlier one but for the sign."""
    values = read_kernel(name)
    norm = float(np.linalg.norm(values))
    rank = list(GALLERY).index(name.partition(":")[0])
    found: list[_Template] = []
    if not norm:
        return found
    for mirrored in (False, True):
        base = values[:, ::-1] if mirrored else values
        for turn in range(0, 360, finest_turn(values)):
            unit = turned(base, turn) / norm
            if all(abs(abs((unit * other.values).sum()) - 1) > _ROUNDING for other in found):
                found.append(_Template(name, rank, turn, mirrored, unit, norm))
    return found


def _with_sigma(values: Array) -> tuple[_Template, ...]:
    """Return the kernels made of a Gaussian that come nearest, each with its sigma."""
    size = values.shape[0]
    if values.shape != (size, size) or size % 2 == 0 or not 3 <= size <= _LARGEST:
        return ()
    steps = np.arange(size) - size // 2
    angle = math.degrees(math.atan2(-float((values * steps[:, None]).sum()), float((values * steps).sum()))) % 360
    names = (f"{name}:size={size}" for name in ("gaussian-blur", "unsharp", "log"))
    return tuple(
        _positions(_sharpest(values, name))[0]
        for name in (*names, f"gaussian-derivative:size={size},angle={angle:.1f}")
    )


def _sharpest(values: Array, name: str) -> str:
    """Complete a kernel's name with the sigma that brings it nearest to the values."""

    def unlike(sigma: float) -> float:
        drawn = read_kernel(f"{name},sigma={sigma}")
        return -abs(float((drawn * values).sum())) / float(np.linalg.norm(drawn))

    return f"{name},sigma={_least(unlike, 0.3, values.shape[0] / 2):.2f}"


def _least(loss: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function is smallest: the best of a grid, then golden sections around it (Kiefer 1953)."""
    grid = np.geomspace(low, high, 25)
    best = int(np.argmin([loss(value) for value in grid]))
    a, b = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 24)])
    golden = (5**0.5 - 1) / 2
    for _ in range(24):
        left, right = b - golden * (b - a), a + golden * (b - a)
        a, b = (a, right) if loss(left) < loss(right) else (left, b)
    return (a + b) / 2


def _unframed(values: Array) -> Array:
    """Take away a frame of zeros, which changes nothing."""
    while min(values.shape) > 2 and values.any():
        inner = values[1:-1, 1:-1]
        if np.count_nonzero(inner) < np.count_nonzero(values):
            break
        values = inner
    return values
