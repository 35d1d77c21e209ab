"""Colour scales: which colour stands for which number.

Signed numbers get a diverging scale centred on zero, one pair of colours for activations and another for weights, so
that the two are never mistaken for each other; numbers that are never negative get cividis, pixels grey. All of them
can be told apart with any kind of colour vision, and in grey by their printed limits.
"""

from dataclasses import dataclass

import numpy as np

from pellucid.explain import numbers
from pellucid.types import Array

ACTIVATIONS, WEIGHTS, POSITIVE, BRIGHTNESS = "RdBu_r", "PuOr_r", "cividis", "gray"
LEVELS = 255
"""Shades of a scale; one more entry of a palette is left for "nothing here"."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from ``low`` to ``high``, as the colours of a Matplotlib colour map; beyond them, the end colours."""

    low: float
    high: float
    colours: str

    @property
    def signed(self) -> bool:
        """Whether zero lies in the middle."""
        return self.colours in (ACTIVATIONS, WEIGHTS)

    @property
    def marks(self) -> tuple[str, ...]:
        """What is written below its colours: the numbers at its ends, with their signs, and 0 between if signed.

        >>> signed(np.array([-0.12345]), WEIGHTS).marks, for_activations(np.array([3.0])).marks
        (('−0.123', '0', '+0.123'), ('0', '3'))
        """
        if self.signed:
            return numbers.signed(self.low), "0", numbers.signed(self.high)
        return "0", numbers.number(self.high, 3)

    def levels(self, values: Array) -> Array:
        """Return the shade, 0 to 254 (uint8), of each number; any shape.

        >>> signed(np.array([2.0]), WEIGHTS).levels(np.array([-2.0, 0.0, 1.0])).tolist()
        [0, 127, 190]
        """
        span = self.high - self.low
        share = (values - self.low) / span if span > 0 else np.full(values.shape, 0.5)
        return np.rint(np.clip(share, 0, 1) * (LEVELS - 1)).astype(np.uint8)


def signed(values: Array, colours: str) -> Scale:
    """Return a scale centred on zero that reaches the largest magnitude among the values."""
    limit = float(abs(values).max(initial=0.0))
    return Scale(-limit, limit, colours)


def for_activations(values: Array) -> Scale:
    """Return cividis from 0 where nothing is negative, else a scale centred on zero.

    >>> for_activations(np.array([0.0, 3.0]))
    Scale(low=0.0, high=3.0, colours='cividis')
    """
    if values.size and values.min() >= 0:
        return Scale(0.0, float(values.max()), POSITIVE)
    return signed(values, ACTIVATIONS)


def palette(colours: str) -> Array:
    """Return the colours of a scale's shades, uint8 (255, 3)."""
    import matplotlib

    shades = matplotlib.colormaps[colours](np.linspace(0, 1, LEVELS))[:, :3]
    rounded: Array = np.rint(255 * shades).astype(np.uint8)
    return rounded
