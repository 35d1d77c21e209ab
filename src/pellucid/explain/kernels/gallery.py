"""The gallery: kernels made by hand, by name.

All are written as convolutional layers use them: laid over the picture as they stand, not turned around first.
Angles are degrees, counter-clockwise as seen on the picture.
"""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import FileError, ParameterError, nearest
from pellucid.explain.kernels import makers
from pellucid.explain.kernels.makers import Directed, Maker, fixed
from pellucid.explain.kernels.matrices import FLOAT32_RANGE, checked_kernel, parse_lines, parse_rows
from pellucid.types import Array

MAX_SIZE = 255
"""Rows and columns of the largest kernel."""
MIN_SCALE, MAX_SCALE = 0.1, 30
"""Pixels of a sigma or wavelength; a Gaussian of the largest has 241 rows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A kernel of the gallery: its name, what it is for, and how to make it."""

    name: str
    about: str
    make: Maker

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the kernel takes."""
        return tuple(inspect.signature(self.make).parameters)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "about": self.about, "parameters": list(self.parameters)}


_ENTRIES = (
    Entry("identity", "leaves the picture as it is", makers.identity),
    Entry("vertical-edge", "answers where the left is brighter than the right", Directed("1 0 -1; 1 0 -1; 1 0 -1")),
    Entry("horizontal-edge", "answers where the top is brighter than the bottom", Directed("1 1 1; 0 0 0; -1 -1 -1")),
    Entry("diagonal-edge", "answers where the upper left is the brighter side", Directed("1 1 0; 1 0 -1; 0 -1 -1")),
    Entry(
        "antidiagonal-edge", "answers where the upper right is the brighter side", Directed("0 1 1; -1 0 1; -1 -1 0")
    ),
    Entry("sobel-x", "growth to the right, by 1-2-1 (Sobel, Feldman 1968)", Directed("-1 0 1; -2 0 2; -1 0 1")),
    Entry("sobel-y", "growth downwards, by 1-2-1 (Sobel, Feldman 1968)", Directed("-1 -2 -1; 0 0 0; 1 2 1")),
    Entry("prewitt-x", "growth to the right, by 1-1-1 (Prewitt 1970)", Directed("-1 0 1; -1 0 1; -1 0 1")),
    Entry(
        "prewitt-y",
        "growth downwards, by 1-1-1 (Prewitt 1970), not Sobel's",
        Directed("-1 -1 -1; 0 0 0; 1 1 1"),
    ),
    Entry(
        "horizontal-edge-upward",
        "answers where the bottom is brighter than the top: prewitt-y",
        Directed("-1 -1 -1; 0 0 0; 1 1 1"),
    ),
    Entry(
        "scharr-x", "growth to the right, nearly fair to all angles (Scharr 2000)", Directed("-3 0 3; -10 0 10; -3 0 3")
    ),
    Entry(
        "scharr-y", "growth downwards, nearly fair to all angles (Scharr 2000)", Directed("-3 -10 -3; 0 0 0; 3 10 3")
    ),
    Entry("gaussian-derivative", "growth along an angle, smoothed by a Gaussian", makers.gaussian_derivative),
    Entry("vertical-line", "answers to bright lines that stand upright", Directed("-1 2 -1; -1 2 -1; -1 2 -1")),
    Entry("horizontal-line", "answers to bright lines that lie flat", Directed("-1 -1 -1; 2 2 2; -1 -1 -1")),
    Entry("laplacian", "the four neighbours less the middle: edges on all sides", fixed("0 1 0; 1 -4 1; 0 1 0")),
    Entry("laplacian-diagonal", "all eight neighbours less the middle", fixed("1 1 1; 1 -8 1; 1 1 1")),
    Entry("log", "Laplacian of a Gaussian: dark spots of radius √2·sigma (Marr, Hildreth 1980)", makers.log),
    Entry("blob", "answers to bright spots: the middle less what surrounds it", fixed(makers.HAT)),
    Entry("gabor", "stripes of one wavelength and angle, as first layers learn them (Daugman 1985)", makers.gabor),
    Entry("sharpen", "the picture less its Laplacian", fixed("0 -1 0; -1 5 -1; 0 -1 0")),
    Entry(
        "sharpen-diagonal", "the picture less its Laplacian of eight neighbours", fixed("-1 -1 -1; -1 9 -1; -1 -1 -1")
    ),
    Entry("unsharp", "the picture, and once more what a Gaussian blur takes from it", makers.unsharp),
    Entry("emboss", "a relief, lit from the upper left", Directed("-2 -1 0; -1 1 1; 0 1 2")),
    Entry("box-blur", "mean of the cells", makers.box_blur),
    Entry("gaussian-blur", "mean of the cells, the nearer the heavier", makers.gaussian_blur),
    Entry("motion-blur", "mean along a line", makers.motion_blur),
)
GALLERY = {entry.name: entry for entry in _ENTRIES}
NAMES = tuple(GALLERY)


def kernel(
    name: str,
    *,
    size: int | None = None,
    angle: float | None = None,
    sigma: float | None = None,
    wavelength: float | None = None,
    phase: float | None = None,
) -> Array:
    """Return a kernel of the gallery, float64 (KH, KW).

    ``size`` is its number of rows and columns, odd; ``angle`` turns it, counter-clockwise, in degrees; ``sigma`` and
    ``wavelength`` are pixels; ``phase`` (degrees) makes a Gabor kernel even (0) or odd (90). Raises ParameterError
    for an unknown name, a parameter that the kernel lacks, or a value that cannot be.

    >>> kernel("sobel-x")
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]])
    >>> kernel("gabor", angle=30, wavelength=5).shape
    (13, 13)
    """
    entry = find(name)
    given = {"size": size, "angle": angle, "sigma": sigma, "wavelength": wavelength, "phase": phase}
    chosen = {key: _checked(entry, key, value) for key, value in given.items() if value is not None}
    return entry.make(**chosen)


def find(name: str) -> Entry:
    """Return the gallery's entry of a name. Raises ParameterError, with the nearest names, where there is none."""
    if not isinstance(name, str) or name not in GALLERY:
        raise ParameterError(f"There is no kernel '{name}'; {nearest(str(name).lower().replace('_', '-'), GALLERY)}.")
    return GALLERY[name]


def read_kernel(text: str) -> Array:
    """Return the kernel, float64 (KH, KW), that a text stands for.

    That is a name ("sobel-x"), a name with parameters ("gabor:size=11,angle=30"), a text file of rows (.txt, .csv), or
    the rows themselves ("1,0,-1; 2,0,-2; 1,0,-1"); in a file, a row is a line. Raises ParameterError where it is none
    of these, FileError where the file cannot be read.

    >>> read_kernel("motion-blur:size=3")
    array([[0.        , 0.        , 0.        ],
           [0.33333333, 0.33333333, 0.33333333],
           [0.        , 0.        , 0.        ]])
    """
    text = text.strip()
    if text.lower().endswith((".txt", ".csv")):
        return _checked_rows(parse_lines(_read_file(Path(text)), f"kernel in '{text}'"))
    if re.match(r"[A-Za-z_-]*[A-Za-z]", text):
        name, _, settings = text.partition(":")
        return kernel(name.strip(), **_settings(name.strip(), settings))
    return _checked_rows(parse_rows(text, "kernel"))


def _check_taken(entry: Entry, key: str) -> None:
    if key not in entry.parameters:
        takes = ", ".join(entry.parameters) or "none"
        raise ParameterError(f"The kernel {entry.name} has no parameter '{key}'; its parameters are: {takes}.")


def _checked(entry: Entry, key: str, value: float) -> float:
    _check_taken(entry, key)
    said = f"The '{key}' parameter of {entry.name} must be"
    if not math.isfinite(value):
        raise ParameterError(f"{said} a finite number; got {value}.")
    if key == "size":
        if value not in range(1, MAX_SIZE + 1, 2):
            raise ParameterError(f"{said} an odd whole number from 1 to {MAX_SIZE}; got {value:g}.")
        return int(value)
    if key in ("sigma", "wavelength") and not MIN_SCALE <= value <= MAX_SCALE:
        raise ParameterError(f"{said} from {MIN_SCALE} to {MAX_SCALE} pixels; got {value:g}.")
    if key == "angle" and isinstance(entry.make, Directed) and value % entry.make.finest_turn:
        raise ParameterError(f"{said} a multiple of {entry.make.finest_turn} degrees; got {value:g}.")
    return value


def _checked_rows(values: Array) -> Array:
    if max(values.shape) > MAX_SIZE:
        rows, columns = values.shape
        raise ParameterError(f"The kernel must have at most {MAX_SIZE} rows and columns; got {rows}×{columns}.")
    return checked_kernel(values, most=FLOAT32_RANGE)


def _settings(name: str, text: str) -> dict[str, Any]:
    """Read "size=11,angle=30"."""
    found: dict[str, Any] = {}
    for part in text.split(",") if text.strip() else ():
        key, _, value = (word.strip() for word in part.partition("="))
        _check_taken(find(name), key)
        if key in found:
            raise ParameterError(f"The '{key}' parameter of {name} must be given once; got it twice.")
        try:
            found[key] = float(value)
        except ValueError:
            raise ParameterError(f"The '{key}' parameter of {name} must be a number; got '{value}'.") from None
    return found


def _read_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read(MAX_SIZE * MAX_SIZE * 32)
    except UnicodeDecodeError:
        raise FileError(f"The kernel '{path}' must be a text file of rows of numbers; got something else.") from None
    except OSError as error:
        raise FileError(f"The kernel '{path}' must be a readable file; got: {error.strerror}.") from None
