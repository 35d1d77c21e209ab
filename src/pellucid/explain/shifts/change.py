"""One picture changed in several ways at once, as a hand does it that moves, turns and dims it."""

from dataclasses import dataclass

import numpy as np

from pellucid.data.augment import resampled
from pellucid.explain.shifts.conditions import CONDITIONS
from pellucid.types import Array

_LIGHT = ("blur", "contrast", "brightness", "inversion", "noise")
"""The conditions that come after the picture was moved, in their order."""


@dataclass(frozen=True)
class Change:
    """How a picture is changed; each number is one of :data:`pellucid.explain.shifts.conditions.CONDITIONS`.

    The picture is scaled and turned anticlockwise about its middle and moved by ``right`` and ``down`` pixels, all by
    one resampling, bilinear where it falls between pixels, black where nothing was; then blurred, and so on in the
    fields' order.
    """

    right: float = 0.0
    down: float = 0.0
    rotation: float = 0.0
    scale: float = 1.0
    blur: float = 0.0
    contrast: float = 1.0
    brightness: float = 1.0
    inversion: float = 0.0
    noise: float = 0.0

    def __call__(self, pictures: Array, seed: int = 0) -> Array:
        """Return changed pictures, uint8 (N, C, H, W); ``seed`` fixes the noise.

        >>> picture = np.zeros((1, 1, 3, 3), np.uint8)
        >>> picture[0, 0, 0, 0] = 200
        >>> Change(right=1, down=2, brightness=0.5)(picture)[0, 0].tolist()
        [[0, 0, 0], [0, 0, 0], [0, 100, 0]]
        """
        units = self._placed(pictures).astype(np.float32) / 255
        conditions = {condition.name: condition for condition in CONDITIONS}
        for name in _LIGHT:
            value, condition = getattr(self, name), conditions[name]
            if value != condition.unchanged:
                units = condition.change(units, value, np.random.default_rng(seed))
        changed: Array = np.rint(255 * units).astype(np.uint8)
        return changed

    def _placed(self, pictures: Array) -> Array:
        if (self.right, self.down, self.rotation, self.scale) == (0, 0, 0, 1):
            return pictures
        height, wide = pictures.shape[2:]
        y = np.arange(height)[:, None] - (height - 1) / 2 - self.down
        x = np.arange(wide) - (wide - 1) / 2 - self.right
        angle = np.deg2rad(self.rotation)
        rows = (np.cos(angle) * y + np.sin(angle) * x) / self.scale + (height - 1) / 2
        columns = (np.cos(angle) * x - np.sin(angle) * y) / self.scale + (wide - 1) / 2
        return resampled(pictures, rows[None], columns[None])
