"""Occlusion: hide a part of the image and see how far the score falls (Zeiler and Fergus 2014, arXiv:1311.2901)."""

from __future__ import annotations

import math

import numpy as np

from pellucid.explain.attribution.score import Score
from pellucid.explain.attribution.settings import Found, Settings
from pellucid.types import Array


def occlusion(score: Score, settings: Settings) -> Found:
    """Slide a window of the baseline over the image; each pixel gets the mean fall under the windows that hide it.

    The last windows hang over the border where the stride does not divide.
    """
    height, width = score.image.shape[1:]
    (rows, columns), (down, right) = settings.window, settings.stride
    across = math.ceil((width - columns) / right) + 1
    count = (math.ceil((height - rows) / down) + 1) * across

    def place(number: int) -> tuple[slice, slice]:
        top, left = number // across * down, number % across * right
        return slice(top, top + rows), slice(left, left + columns)

    def make(numbers: Array) -> Array:
        images = np.repeat(score.image[None], len(numbers), axis=0)
        for image, number in zip(images, numbers, strict=True):
            y, x = place(int(number))
            image[:, y, x] = settings.baseline[:, y, x]
        return images

    total, windows = np.zeros((height, width)), np.zeros((height, width))
    for number, hidden in enumerate(score.of(count, make)):
        y, x = place(number)
        total[y, x] += score.value - hidden
        windows[y, x] += 1
    start = float(score.of(1, lambda _: settings.baseline[None])[0])
    return Found(total / windows, baseline=start)
