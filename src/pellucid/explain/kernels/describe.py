"""A kernel in words and numbers: which it is, and what it does to pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.explain.gabor import GaborFit, fit_gabors
from pellucid.explain.kernels.matrices import checked_kernel, whole_numbers, write_number
from pellucid.explain.kernels.recognise import TOLERANCE, Match, recognise
from pellucid.explain.kernels.spectrum import Spectrum, measure
from pellucid.explain.numbers import number, percent
from pellucid.types import Array, Pair

_ROUNDING = 1e-9
_GABOR_SIZES = range(7, 16)
"""Rows of kernels to which a Gabor function is fitted; it fits smaller ones by chance, larger ones take seconds."""
_GABOR_R2 = 0.9
_MOSTLY = 0.8
"""Share from which a kernel is called by what most of it is."""

_SYMMETRIES: dict[str, Callable[[Array], Array]] = {
    "half turn": lambda values: np.rot90(values, 2),
    "quarter turn": np.rot90,
    "mirror left–right": np.fliplr,
    "mirror top–bottom": np.flipud,
    "mirror on the diagonal": np.transpose,
}


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a kernel (KH, KW).

    ``match`` is the kernel of the gallery that it is, ``gabor`` else the Gabor function that explains nine tenths of
    it; ``total`` the sum, ``magnitude`` the sum of absolute values, ``norm`` the root of the sum of squares.
    ``symmetry`` says for turns and mirrors whether they leave the kernel as it is (1), change its sign (−1), or
    neither (0); ``even`` is the share of its energy (sum of squares) that a half turn leaves as it is. A kernel of rank
    1 is ``column`` times ``row``; ``separable`` is the share of its energy that the nearest such kernel holds.
    ``bright`` is the bright side, in degrees counter-clockwise from the right, of the edges to which it answers most;
    None where no side is better than its opposite.
    """

    shape: Pair
    match: Match | None
    gabor: GaborFit | None
    total: float
    magnitude: float
    norm: float
    symmetry: dict[str, int]
    even: float
    rank: int
    separable: float
    column: tuple[float, ...] | None
    row: tuple[float, ...] | None
    bright: float | None
    spectrum: Spectrum

    @property
    def is_balanced(self) -> bool:
        """Whether flat areas are answered with 0, or nearly so."""
        return abs(self.total) <= TOLERANCE * self.magnitude

    def lines(self) -> list[tuple[str, str]]:
        """Return the description as pairs of a word and what is to be said about it."""
        if not self.norm:
            return [("kernel", "all zeros: it answers 0 to every picture")]
        lines = [("kernel", _who(self)), ("sum", _sum(self)), ("norm", number(self.norm))]
        lines += [("symmetry", _symmetry(self)), ("separable", _separable(self)), ("direction", _direction(self))]
        return [*lines, ("frequencies", _frequencies(self.spectrum))]

    def text(self) -> str:
        """Return the description as lines of text."""
        return "\n".join(f"{word:<12}{said}" for word, said in self.lines())

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "shape": list(self.shape),
            "match": None if self.match is None else self.match.as_dict(),
            "gabor": None if self.gabor is None else self.gabor.as_dict(),
            "sum": self.total,
            "magnitude": self.magnitude,
            "norm": self.norm,
            "symmetry": self.symmetry,
            "even": self.even,
            "rank": self.rank,
            "separable": self.separable,
            "column": None if self.column is None else list(self.column),
            "row": None if self.row is None else list(self.row),
            "bright": self.bright,
            "spectrum": self.spectrum.as_dict(),
            "text": dict(self.lines()),
        }


def describe(kernel: Array) -> Description:
    """Describe a kernel (KH, KW): which of the gallery it is, or else what it does, found from its numbers.

    It is called by a known name, even or odd, where what differs is at most 5 % of its norm. Raises ShapeError where it
    is no matrix, ParameterError where its numbers are not finite, or beyond 1e±100.

    >>> print(describe([[3, 0, -3], [6, 0, -6], [3, 0, -3]]).text())
    kernel      −3 × sobel-x
    sum         0: flat areas become 0
    norm        10.39
    symmetry    odd: sign changed by half turn, mirror left–right; unchanged by mirror top–bottom
    separable   yes: column (3, 6, 3) × row (1, 0, −1)
    direction   answers to vertical edges, most where the bright side is on the left
    frequencies band-pass: gain 0 for flat areas, at most 24, at 0.25 cycles per pixel along 0°
    """
    values = checked_kernel(kernel)
    norm = float(np.linalg.norm(values))
    lengths = np.linalg.svd(values, compute_uv=False)
    rank = int((lengths > 1e-6 * lengths[0]).sum()) if norm else 0
    column, row = _factors(values) if rank == 1 else (None, None)
    match = recognise(values)
    total, magnitude = float(values.sum()), float(abs(values).sum())
    return Description(
        shape=(values.shape[0], values.shape[1]),
        match=match,
        gabor=_gabor(values) if match is None and norm else None,
        total=0.0 if abs(total) <= _ROUNDING * magnitude else total,
        magnitude=magnitude,
        norm=norm,
        symmetry={name: _sign(values, turn(values), norm) for name, turn in _SYMMETRIES.items()},
        even=float(((values + values[::-1, ::-1]) ** 2).sum()) / (4 * norm**2) if norm else 0.0,
        rank=rank,
        separable=float(lengths[0] ** 2 / (lengths**2).sum()) if norm else 0.0,
        column=column,
        row=row,
        bright=_bright(values),
        spectrum=measure(values),
    )


def is_balanced(kernel: Array) -> bool:
    """Whether a kernel answers 0 to flat areas, or nearly so: its sum is at most 5 % of the sum of its magnitudes."""
    return abs(float(kernel.sum())) <= TOLERANCE * float(abs(kernel).sum())


def _sign(values: Array, changed: Array, norm: float) -> int:
    if not norm or changed.shape != values.shape:
        return 0
    for sign in (1, -1):
        if float(np.linalg.norm(values - sign * changed)) / 2 <= TOLERANCE * norm:
            return sign
    return 0


def _factors(values: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Write a kernel of rank 1 as a column times a row; the row is of whole numbers if it can be, else at most 1."""
    row = values[np.argmax(abs(values).sum(axis=1))]
    row = np.where(abs(row) > _ROUNDING * abs(row).max(), row, 0)
    row = row / abs(row[row != 0]).min()
    whole = whole_numbers(row)
    row = row / abs(row).max() if whole is None else whole[0]
    row = -row if row.sum() < 0 else row
    column = values @ row / (row @ row)
    return tuple(column.tolist()), tuple(row.tolist())


def _bright(values: Array) -> float | None:
    """Return the direction of brightness that grows evenly to which the answer is largest."""
    rows, columns = (np.arange(extent) - (extent - 1) / 2 for extent in values.shape)
    odd = (values - values[::-1, ::-1]) / 2
    x, y = float((odd * columns).sum()), -float((odd * rows[:, None]).sum())
    reach = float((abs(values) * np.hypot(rows[:, None], columns)).sum())
    if math.hypot(x, y) <= 2 * TOLERANCE * reach:
        return None
    return round(math.degrees(math.atan2(y, x)), 6) % 360


def _gabor(values: Array) -> GaborFit | None:
    """Return the Gabor function that a kernel is, if it is one."""
    if not all(extent in _GABOR_SIZES for extent in values.shape):
        return None
    fit = fit_gabors(values[None])[0]
    is_wave = fit.gabor.wavelength <= max(values.shape)
    return fit if is_wave and fit.r2 >= _GABOR_R2 else None


def _who(found: Description) -> str:
    if found.match is not None:
        also = f"; also {', '.join(found.match.also)}" if found.match.also else ""
        return found.match.text() + also
    size = f"{found.shape[0]}×{found.shape[1]}"
    if found.gabor is not None:
        gabor = found.gabor.gabor
        return (
            f"{size}; a Gabor function of wavelength {number(gabor.wavelength, 3)} pixels along "
            f"{gabor.angle:.0f}° explains {percent(found.gabor.r2)} of it"
        )
    return f"{size}, not in the gallery"


def _sum(found: Description) -> str:
    total = write_number(found.total)
    if found.total == 0:
        return "0: flat areas become 0"
    if found.is_balanced:
        return f"{total}, nearly 0 beside magnitudes of {number(found.magnitude, 3)}: flat areas nearly vanish"
    if abs(found.total - 1) <= 1e-6:
        return "1: flat areas keep their brightness"
    if found.total < 0:
        return f"{total}: flat areas turn negative"
    return f"{total}: flat areas become {total} times as bright"


def _symmetry(found: Description) -> str:
    half = found.symmetry["half turn"]
    kind = {1: "even", -1: "odd", 0: f"neither even nor odd ({100 * found.even:.0f} % of its energy is even)"}[half]
    same, opposite = ([name for name, sign in found.symmetry.items() if sign == wanted] for wanted in (1, -1))
    if len(same) == len(_SYMMETRIES):
        return f"{kind}: unchanged by all turns and mirrors"
    clauses = [f"sign changed by {', '.join(opposite)}"] if opposite else []
    clauses += [f"unchanged by {', '.join(same)}"] if same else []
    return kind + (f": {'; '.join(clauses)}" if clauses else "")


def _separable(found: Description) -> str:
    if found.column is not None and found.row is not None:
        return f"yes: column {_vector(found.column)} × row {_vector(found.row)}"
    nearly = f"; a column × a row holds {percent(found.separable)} of its energy"
    return f"no: of rank {found.rank}{nearly}"


def _direction(found: Description) -> str:
    axis, is_detector = found.spectrum.direction, abs(found.total) <= _MOSTLY * found.magnitude / 2
    if found.bright is not None and is_detector:
        return f"answers to {_across(found.bright)} edges, most where the bright side is {_side(found.bright)}"
    if axis is None:
        return "none preferred"
    if is_detector:
        return f"answers to {_across(axis)} lines and {'stripes' if found.even >= _MOSTLY else 'edges'}"
    return f"keeps {_across(axis)} edges best"


def _frequencies(spectrum: Spectrum) -> str:
    along = "" if spectrum.angle is None else f" along {spectrum.angle:.0f}°"
    gain, peak = write_number(spectrum.gain), write_number(spectrum.peak)
    if spectrum.kind == "all-pass":
        return f"all-pass: gain {peak} for waves of all lengths"
    if spectrum.kind == "low-pass":
        return f"low-pass: gain {gain} for flat areas, less for finer waves"
    at = f"at {number(spectrum.frequency, 3)} cycles per pixel{along}"
    return f"{spectrum.kind}: gain {gain} for flat areas, at most {peak}, {at}"


def _across(direction: float) -> str:
    """Name lines that lie across a direction.

    >>> _across(0), _across(315), _across(10)
    ('vertical', 'diagonal (45°)', 'slanted (100°)')
    """
    angle = round(direction + 90) % 180
    if angle % 90 == 0:
        return "vertical" if angle else "horizontal"
    return f"{'slanted' if angle % 45 else 'diagonal'} ({angle}°)"


def _side(direction: float) -> str:
    """Name the side that lies in a direction.

    >>> _side(0), _side(135), _side(200)
    ('on the right', 'on the upper left', 'at 200°')
    """
    names = ("right", "upper right", "top", "upper left", "left", "lower left", "bottom", "lower right")
    index, rest = divmod(round(direction) % 360, 45)
    if rest:
        return f"at {round(direction) % 360}°"
    return f"{'at' if index in (2, 6) else 'on'} the {names[index]}"


def _vector(values: tuple[float, ...]) -> str:
    whole, divisor = whole_numbers(np.array(values), 999) or (np.array(values), 1)
    shown = [write_number(value) for value in whole.tolist()]
    over = f" ÷ {divisor}" if divisor > 1 else ""
    return f"({', '.join(shown if len(shown) < 8 else [*shown[:3], '…', *shown[-3:]])}){over}"
