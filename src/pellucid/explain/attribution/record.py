"""What an attribution says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.types import Array, Pair

TITLES = {
    "gradient": "Gradient",
    "gradient-times-input": "Gradient × input",
    "smooth-grad": "SmoothGrad",
    "integrated-gradients": "Integrated gradients",
    "guided-backprop": "Guided backprop",
    "occlusion": "Occlusion",
    "grad-cam": "Grad-CAM",
    "grad-cam++": "Grad-CAM++",
    "layer-cam": "Layer-CAM",
    "score-cam": "Score-CAM",
}
"""What the methods are called in sentences and pictures."""

_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Where:
    """Rows and columns, first and last, that hold ``share`` of what a map has of one sign."""

    rows: Pair
    columns: Pair
    share: float

    def __str__(self) -> str:
        (top, bottom), (left, right) = self.rows, self.columns
        rows = f"row {top}" if top == bottom else f"rows {top}–{bottom}"
        return f"{rows}, column {left}" if left == right else f"{rows}, columns {left}–{right}"


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """How much each pixel, or each cell of a layer, has to do with the score of a class.

    ``map`` is what the method gives, with its sign: (C, H, W) like the image; (H, W) for occlusion; (h, w), the cells
    of ``layer``, for class activation maps, which are never negative. ``summary`` (H, W) is the map on the image: its
    channels summed, or its cells interpolated. ``score`` is the class's number before any softmax or sigmoid at the
    end, ``probability`` what that end, or a softmax, makes of it, None where that means nothing; ``baseline`` the score
    of the baseline's picture where the method has one. ``steps`` were needed for integrated gradients, whose sum
    misses the difference of both scores by the share ``error``, 0 where it is rounding, None where they do not differ.
    ``words`` says it in sentences, and why a map is blank.
    """

    method: str
    map: Array
    summary: Array
    target: int
    name: str
    score: float
    probability: float | None
    layer: str | None = None
    baseline: float | None = None
    steps: int | None = None
    error: float | None = None
    words: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name of the method, as in a sentence."""
        return TITLES[self.method]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the arrays."""
        positive, negative = where(self.summary), where(-self.summary)
        return {
            "method": self.method,
            "target": self.target,
            "class": self.name,
            "score": self.score,
            "probability": self.probability,
            "layer": self.layer,
            "baseline": self.baseline,
            "steps": self.steps,
            "error": self.error,
            "sum": float(self.map.sum(dtype=np.float64)),
            "positive": positive and {"rows": positive.rows, "columns": positive.columns, "share": positive.share},
            "negative": negative and {"rows": negative.rows, "columns": negative.columns, "share": negative.share},
            "words": list(self.words),
        }


def where(values: Array) -> Where | None:
    """Return the rows and columns between which most of the positive numbers of a map (H, W) lie.

    A tenth of their sum is left out above them, below, left and right. None where nothing is positive.

    >>> where(np.array([[0, 0, 0], [0, 1, 2], [-5, 0, 0]]))
    Where(rows=(1, 1), columns=(1, 2), share=1.0)
    """
    positive = np.maximum(values, 0).astype(np.float64)
    if not positive.any():
        return None
    rows, columns = (_middle(positive.sum(axis=axis)) for axis in (1, 0))
    inside = positive[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1]
    return Where(rows, columns, float(inside.sum() / positive.sum()))


def _middle(sums: Array) -> Pair:
    """Return the first and last place between which 80 % lie, with as much outside on either side."""
    held = sums.cumsum() / sums.sum()
    outside = (1 - _SHARE) / 2
    first = int(np.searchsorted(held, outside, side="right"))
    last = int(np.searchsorted(held, 1 - outside))
    return first, min(max(first, last), len(sums) - 1)
