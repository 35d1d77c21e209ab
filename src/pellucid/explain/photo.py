"""Filters of photos: one kernel on every colour, what comes out made visible; edges by magnitude and direction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.data.photos import Photo
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.gallery import kernel as by_name
from pellucid.explain.kernels.makers import turned
from pellucid.nn.filters import filter2d
from pellucid.types import Array

RESULTS = ("clip", "scale", "signed", "absolute")
PAIRS = ("sobel", "prewitt", "scharr")

_ONE = 0.01
"""How far a sum may be from 1 to leave a photo as bright as it is: kernels are often written with few digits."""
_BALANCED = 0.1
"""How far a sum may be from 0, as a share of the magnitudes: a Gabor kernel's is seldom quite 0."""
_SHOWN = 0.99
"""Share of the magnitudes within a scale: a few strong edges would leave all others pale."""
_BEYOND = 4
"""The largest magnitude is at most so many times the end of a scale: little noise must not fill it."""
_SAMPLE = 2**20
"""About how many magnitudes a scale is found from."""
_ROUNDING = 1e-6
"""What rounding may leave of a sum, as a share of white times the magnitudes of the kernel's numbers."""


@dataclass(frozen=True, eq=False)
class FilteredPhoto:
    """What a kernel makes of a photo.

    ``values`` is a picture of the photo's shape and type, but for a signed result: float32 (H, W), of the photo's
    brightness. ``low`` and ``high`` are the sums that became black and white, or the ends of the signed scale;
    ``extremes`` are the smallest and the largest sum, None for bytes that were cut off as they were computed.
    """

    values: Array
    result: str
    border: str
    low: float
    high: float
    extremes: tuple[float, float] | None = None
    alpha: Array | None = None
    profile: bytes | None = None

    @property
    def photo(self) -> Photo:
        """The picture as a photo; a signed result has no colours yet."""
        return Photo(self.values, self.alpha, self.profile)

    def as_dict(self) -> dict[str, Any]:
        """Return what was done, as JSON values."""
        return {
            "result": self.result,
            "border": self.border,
            "low": self.low,
            "high": self.high,
            "extremes": None if self.extremes is None else list(self.extremes),
        }


@dataclass(frozen=True, eq=False)
class Edges:
    """How fast a photo's brightness changes, float32 (H, W), and in which direction it grows, float32 (H, W).

    Directions are degrees from 0 to 360, counter-clockwise as seen: 0 is to the right, 90 upwards. Where nothing
    changes, the direction is 0 and means nothing. Pictures show magnitudes up to ``limit``.
    """

    magnitude: Array
    direction: Array
    pair: str
    border: str
    limit: float
    source: Photo

    @property
    def photo(self) -> Photo:
        """The magnitudes as a grey photo of the source's depth: 0 is black, ``limit`` and more are white."""
        return Photo(_stretched(self.magnitude.copy(), 0, self.limit, self.source), self.source.alpha)

    def as_dict(self) -> dict[str, Any]:
        """Return what was done, as JSON values."""
        return {"pair": self.pair, "border": self.border, "limit": self.limit, "largest": float(self.magnitude.max())}


def filter_photo(
    photo: Photo | Array, kernel: Any, *, border: str = "reflect", result: str | None = None
) -> FilteredPhoto:
    """Filter a photo, or an array (H, W) or (H, W, 3) of uint8 or uint16, by a kernel (KH, KW).

    Each colour is filtered alone, the kernel as it stands (see `pel.filter2d`, also for the borders); alpha is kept.
    The sums become a picture again: ``clip`` rounds them and cuts them off at black and white; ``scale`` makes the
    smallest black and the largest white; ``absolute`` makes 0 black and large magnitudes white; ``signed`` keeps the
    numbers of the brightness. By default what the kernel is made for, see `usual_result`. The photo goes on as its
    mirror image (``reflect``), since a dark frame or a repeated edge would be answered as if it were part of it.

    Raises ShapeError or ParameterError where photo, kernel, border or result are none.

    >>> filter_photo(np.array([[0, 90, 0]], np.uint8), [[1 / 3, 1 / 3, 1 / 3]]).values
    array([[60, 30, 60]], dtype=uint8)
    >>> filter_photo(np.array([[0, 90, 90]], np.uint8), [[-1, 0, 1]]).values
    array([[ 0., 90.,  0.]], dtype=float32)
    """
    photo, result = _checked(photo), usual_result(kernel) if result is None else result
    if result not in RESULTS:
        raise ParameterError(f"The 'result' parameter must be one of {', '.join(RESULTS)}; got {result!r}.")
    white = float(photo.white)
    rounding = _rounding(kernel, white)
    done = FilteredPhoto(photo.pixels, result, border, 0.0, white, None, photo.alpha, photo.profile)
    if result == "clip" and photo.pixels.dtype == np.uint8:
        return replace(done, values=filter2d(photo.pixels, kernel, border))
    if result == "signed":
        sums = _sums(photo.grey, kernel, border)
        limit = _limit(np.abs(sums), rounding, white)
        return replace(done, values=sums, low=-limit, high=limit, extremes=_extremes(sums), profile=None)
    sums = _sums(photo.pixels.astype(np.float32), kernel, border)
    extremes = _extremes(sums)
    low, high = (0.0, white)
    if result == "scale":
        low, high = extremes if extremes[1] - extremes[0] > rounding else (extremes[0], extremes[0])
    if result == "absolute":
        high = _limit(np.abs(sums, out=sums), rounding, white)
    return replace(done, values=_stretched(sums, low, high, photo), low=low, high=high, extremes=extremes)


def usual_result(kernel: Any) -> str:
    """Return which result shows best what a kernel does, by its sum.

    Kernels that sum to 1 leave flat areas as they are: clip. Those that sum to 0 answer to changes, with a sign:
    signed. Others make a photo brighter or darker: scale.

    >>> usual_result([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]), usual_result([[-1, 1]]), usual_result([[1, 1]])
    ('clip', 'signed', 'scale')
    """
    numbers = np.asarray(kernel, np.float64)
    total = float(numbers.sum())
    if abs(total - 1) <= _ONE:
        return "clip"
    return "signed" if abs(total) <= _BALANCED * float(np.abs(numbers).sum()) else "scale"


def edges(photo: Photo | Array, pair: str = "sobel", *, border: str = "reflect") -> Edges:
    """Find edges by a pair of kernels of the gallery, one for growth to the right and one for growth upwards.

    ``pair`` is sobel, prewitt or scharr; magnitude = √(right² + up²), direction = the angle of (right, up). A photo in
    colours is taken by its brightness. Raises ShapeError or ParameterError as `filter_photo` does.

    >>> found = edges(np.array([[0, 0, 0], [0, 0, 0], [9, 9, 9]], np.uint8))
    >>> found.magnitude[1], found.direction[1]
    (array([36., 36., 36.], dtype=float32), array([270., 270., 270.], dtype=float32))
    """
    photo = _checked(photo)
    if pair not in PAIRS:
        raise ParameterError(f"The 'pair' parameter must be one of {', '.join(PAIRS)}; got {pair!r}.")
    grey, kernel = photo.grey, by_name(f"{pair}-x")
    right, up = _sums(grey, kernel, border), _sums(grey, turned(kernel, 90), border)
    direction = np.degrees(np.arctan2(up, right))
    direction[direction < 0] += 360
    direction[direction >= 360] = 0  # a negative angle next to 0 was rounded up
    magnitude = np.hypot(right, up)
    white = float(photo.white)
    return Edges(magnitude, direction, pair, border, _limit(magnitude, _rounding(kernel, white), white), photo)


def _checked(photo: Photo | Array) -> Photo:
    if isinstance(photo, Photo):
        return photo
    pixels = np.asarray(photo)
    is_shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if not is_shaped or not pixels.size or pixels.dtype not in (np.uint8, np.uint16):
        raise ShapeError(
            "The photo must be (H, W) or (H, W, 3), not empty, of uint8 or uint16; "
            f"got {pixels.dtype}{pixels.shape}; pel.filter2d takes float32."
        )
    return Photo(pixels)


def _sums(pixels: Array, kernel: Any, border: str) -> Array:
    sums = filter2d(pixels, kernel, border)
    if not np.isfinite(sums.sum(dtype=np.float64)):
        raise ParameterError("The kernel's numbers must be small enough for sums below 3e38; divide them.")
    return sums


def _extremes(sums: Array) -> tuple[float, float]:
    return float(sums.min()), float(sums.max())


def _rounding(kernel: Any, white: float) -> float:
    """Return how large a sum may be that should be 0."""
    return _ROUNDING * white * float(np.abs(np.asarray(kernel, np.float64)).sum())


def _limit(magnitudes: Array, rounding: float, white: float) -> float:
    """Return the end of a scale on which most magnitudes can be told apart; larger ones get its end.

    Where there is nothing but what rounding left, it is white: noise must not fill the scale.
    """
    some = magnitudes.ravel()[:: max(1, magnitudes.size // _SAMPLE)]
    limit = max(float(np.quantile(some, _SHOWN)), float(magnitudes.max()) / _BEYOND)
    return limit if limit > rounding else white


def _stretched(sums: Array, low: float, high: float, photo: Photo) -> Array:
    """Turn sums into pixels, ``low`` into black and ``high`` into white; changes ``sums``."""
    if low == high:  # one number everywhere
        sums[...] = photo.white / 2
    elif (low, high) != (0.0, float(photo.white)):
        sums -= low
        sums *= photo.white / (high - low)
    return np.rint(sums, out=sums).clip(0, photo.white, out=sums).astype(photo.pixels.dtype)
