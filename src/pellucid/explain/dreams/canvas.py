"""A picture as free numbers that can be changed by steps: pixels, or frequencies that are all equally loud.

Whatever the numbers are, the picture they stand for has pixels between black and white. The ideas are those of Olah,
Mordvintsev & Schubert, "Feature Visualization" (2017, https://distill.pub/2017/feature-visualization): neighbouring
pixels of natural pictures are much alike and their colours too, so steps along pixels that are independent of each
other lead to noise. Along frequencies, scaled by 1/f as natural pictures are, and colours that do not go together,
the same steps lead to shapes.
"""

import math

import numpy as np

from pellucid.errors import ParameterError
from pellucid.types import Array, Shape

PARAMETRISATIONS = ("frequency", "pixels")

_DARKEST = 1 / 512
"""Half a shade: as dark as a pixel can be made before its slope is lost; the brightest is 1 less this."""
_OPPONENTS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
"""Lightness, red against blue, green against magenta: colours of photos vary along these almost independently."""
_SPREAD = (1.0, 0.38, 0.10)
"""How much, as ratios; measured on scikit-image's photos astronaut, chelsea, coffee and rocket."""


class Canvas:
    """Numbers, and the picture that they stand for: σ(base + colours · plane), each pixel from 0 to 1.

    The plane is the numbers themselves, or what frequencies of those amplitudes add up to. Numbers that are all 0 give
    the ``middle`` colour.

    Parameters
    ----------
    shape
        Of the picture, (C, H, W).
    middle
        One number per channel, from 0 to 1.
    parametrisation
        "frequency" or "pixels".

    Raises
    ------
    ParameterError
        If there is no such parametrisation.

    Examples
    --------
    >>> canvas = Canvas((1, 2, 2), (0.5,), "frequency")
    >>> picture = np.array([[[[0.25, 0.5], [0.75, 0.5]]]])
    >>> canvas.picture(canvas.numbers(picture)).round(4).tolist()
    [[[[0.25, 0.5], [0.75, 0.5]]]]
    """

    def __init__(self, shape: Shape, middle: tuple[float, ...], parametrisation: str) -> None:
        if parametrisation not in PARAMETRISATIONS:
            raise ParameterError(
                f"The 'parametrisation' parameter of a dream must be {' or '.join(PARAMETRISATIONS)}; "
                f"got {parametrisation!r}."
            )
        channels, self._height, self._width = shape
        self._base = _logit(np.asarray(middle, np.float64))[:, None, None]  # (C, 1, 1)
        self._colours = (_OPPONENTS.T * _SPREAD if channels == 3 else np.eye(channels)).astype(np.float32)
        self._frequency = parametrisation == "frequency"
        self._loudness = _loudness(self._height, self._width)
        self.shape = (channels, self._height, self._width // 2 + 1, 2) if self._frequency else tuple(shape)
        """Of one picture's numbers; frequencies have a real and an imaginary part."""

    def numbers(self, pictures: Array) -> Array:
        """Return the numbers, float32 (N, …), of pictures (N, C, H, W) from 0 to 1."""
        logits = _logit(pictures.astype(np.float64)) - self._base
        plane: Array = np.einsum("dc,nchw->ndhw", np.linalg.inv(self._colours.astype(np.float64)), logits)
        if not self._frequency:
            return plane.astype(np.float32)
        spectrum = np.fft.rfft2(plane, norm="ortho") / self._loudness
        return _parts(spectrum)

    def picture(self, numbers: Array) -> Array:
        """Return the pictures, float32 (N, C, H, W) from 0 to 1, that numbers stand for."""
        logits = np.einsum("cd,ndhw->nchw", self._colours, self._plane(numbers)) + self._base
        pixels: Array = (1 / (1 + np.exp(-logits))).astype(np.float32)
        return pixels

    def pull_back(self, pictures: Array, slopes: Array) -> Array:
        """Return gradients by the numbers, from those by the pixels of the pictures that they stand for."""
        by_plane: Array = np.einsum("cd,nchw->ndhw", self._colours, slopes * pictures * (1 - pictures))
        if not self._frequency:
            return by_plane.astype(np.float32)
        spectrum = np.fft.rfft2(by_plane, norm="ortho") * (self._loudness * self._twins())
        return _parts(spectrum)

    def _plane(self, numbers: Array) -> Array:
        if not self._frequency:
            return numbers
        spectrum = (numbers[..., 0] + 1j * numbers[..., 1]) * self._loudness
        plane: Array = np.fft.irfft2(spectrum, s=(self._height, self._width), norm="ortho")
        return plane

    def _twins(self) -> Array:
        """How often each column of half a spectrum counts: twice, where the other half has its conjugate."""
        twins = np.full(self._width // 2 + 1, 2.0)
        twins[0] = 1
        if self._width % 2 == 0:
            twins[-1] = 1
        return twins


def _parts(spectrum: Array) -> Array:
    parts: Array = np.stack([spectrum.real, spectrum.imag], axis=-1).astype(np.float32)
    return parts


def _loudness(height: int, width: int) -> Array:
    """Return 1/f for every frequency of half a spectrum; the constant part counts as the lowest of the others."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    loudness: Array = 1 / np.maximum(frequency, 1 / max(height, width)) / math.sqrt(2)
    return loudness


def _logit(share: Array) -> Array:
    share = share.clip(_DARKEST, 1 - _DARKEST)
    logit: Array = np.log(share / (1 - share))
    return logit
