"""A kernel for each channel: three maps of products added up to one, and what a bias adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import nn
from pellucid.explain.numbers import factor, number
from pellucid.explain.trace import trace
from pellucid.types import Array, Pair

BIAS = 1
_PICTURE = np.array(
    [
        [[3, 0, 1, 2], [3, 1, 0, 2], [2, 3, 0, 1], [0, 3, 1, 1]],
        [[0, 1, 2, 0], [1, 1, 2, 3], [0, 2, 2, 3], [1, 0, 1, 3]],
        [[1, 1, 0, 0], [0, 2, 1, 0], [3, 2, 1, 1], [3, 3, 0, 1]],
    ],
    np.float32,
)
_KERNELS = np.array(
    [
        [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
        [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    ],
    np.float32,
)


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """A picture (3, 4, 4), the filter's kernels (3, 3, 3), its map (2, 2), and one cell of it written out.

    ``parts`` are what each channel adds to the cell, ``sum`` how they and the bias come to its number.
    """

    picture: Array
    kernels: Array
    map: Array
    parts: tuple[float, ...]
    sum: str


def channels(cell: Pair = (0, 0)) -> Channels:
    """Run one filter on a picture of three channels.

    >>> found = channels((1, 0))
    >>> found.sum, float(found.map[1, 0])
    ('4 + (−5) + 2 + 1 = 2', 2.0)
    """
    conv = nn.Conv2d(3, 1, 3)
    conv.load_state_dict({"weight": _KERNELS[None], "bias": np.array([BIAS], np.float32)})
    seen = trace(nn.Sequential({"conv": conv}), _PICTURE)
    map_ = seen["conv"].output[0]
    y, x = (min(max(place, 0), extent - 1) for place, extent in zip(cell, map_.shape, strict=True))
    found = seen.cell("conv", 0, y, x)
    parts = tuple(float(value) for value in found.products.sum(axis=(1, 2)))
    terms = [number(parts[0]), *(factor(value) for value in (*parts[1:], BIAS))]
    return Channels(_PICTURE, _KERNELS, map_, parts, f"{' + '.join(terms)} = {number(found.value)}")
