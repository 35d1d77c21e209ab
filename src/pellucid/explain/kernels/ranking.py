"""Which kernel answers most to a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.describe import is_balanced
from pellucid.explain.kernels.exhibits import answer
from pellucid.explain.kernels.gallery import GALLERY, read_kernel
from pellucid.explain.kernels.matrices import checked_kernel, checked_picture
from pellucid.types import Array

_ALIKE = 1e-4
"""Energies that differ by less, as a share of the largest, count as equal, since rounding alone makes some differ."""


@dataclass(frozen=True, slots=True)
class Response:
    """How strongly a kernel of norm 1 answers: the mean square of its map, its largest and its smallest number."""

    name: str
    energy: float
    largest: float
    smallest: float

    @classmethod
    def of(cls, name: str, map_: Array, norm: float) -> Response:
        """Measure the map of a kernel of any norm; one that is all zeros answers nothing.

        >>> Response.of("x", np.array([[0.0, -4.0]]), norm=2.0)
        Response(name='x', energy=2.0, largest=0.0, smallest=-2.0)
        """
        scale = norm or 1.0
        numbers = map_.ravel().astype(np.float64)
        energy = float(numbers @ numbers) / numbers.size / scale**2
        return cls(name, energy, float(map_.max()) / scale, float(map_.min()) / scale)

    @property
    def peak(self) -> float:
        """Largest magnitude."""
        return max(self.largest, -self.smallest)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def rank(image: Any, kernels: Mapping[str, Any]) -> list[Response]:
    """Return which of some kernels (KH, KW) answers most to an image (H, W) or (C, H, W), the strongest first.

    Each kernel is divided by its norm first, so that none wins by large numbers; each channel is filtered alone, its
    border repeated. Of equal energies, the higher peak comes first. Integers of 8 and 16 bits are read as 0 to 1.
    Raises ShapeError where image or kernels have another shape, DataError where the image is not of finite numbers,
    ParameterError where there is no kernel, one is all zeros, or its numbers are not finite.

    >>> picture = np.zeros((9, 9))
    >>> picture[4] = 1  # a horizontal line
    >>> [found.name for found in rank(picture, {"x": [[-1, 0, 1]], "y": [[-1], [0], [1]]})]
    ['y', 'x']
    """
    channels = checked_picture(image)
    if channels.ndim not in (2, 3) or not channels.size:
        raise ShapeError(f"The image must be (H, W) or (C, H, W), not empty; got shape {channels.shape}.")
    if not kernels:
        raise ParameterError("There must be at least one kernel to rank; got none.")
    channels = channels.reshape(-1, 1, *channels.shape[-2:])
    found = []
    for name, kernel in kernels.items():
        values = checked_kernel(kernel, f"kernel '{name}'")
        norm = float(np.linalg.norm(values))
        if not norm:
            raise ParameterError(f"The kernel '{name}' must not be all zeros, which answer nothing.")
        found.append(Response.of(name, answer(channels, values / norm), 1.0))
    return strongest_first(found)


def strongest_first(found: Sequence[Response]) -> list[Response]:
    """Sort responses by their energy, equal ones by their peak, and those that are equal in both stay as they are."""
    energy = _ALIKE * max(response.energy for response in found) or 1.0
    peak = _ALIKE * max(response.peak for response in found) or 1.0
    return sorted(found, key=lambda one: (-round(one.energy / energy), -round(one.peak / peak)))


def detectors() -> dict[str, Array]:
    """Return the gallery's kernels that answer nothing to flat areas, as names for `read_kernel` and kernels.

    Formulas with an angle are there at four angles; of kernels that differ only in scale or sign, the first stands
    for all.
    """
    found: dict[str, Array] = {}
    for entry in GALLERY.values():
        is_formula = {"sigma", "angle"} <= set(entry.parameters)
        for name in [f"{entry.name}:angle={angle}" for angle in (0, 45, 90, 135)] if is_formula else [entry.name]:
            values = read_kernel(name)
            if is_balanced(values) and not any(_is_same(values, other) for other in found.values()):
                found[name] = values
    return found


def _is_same(one: Array, other: Array) -> bool:
    """Whether two kernels differ only in scale or sign."""
    if one.shape != other.shape:
        return False
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return abs(float((one * other).sum())) > (1 - 1e-9) * lengths
