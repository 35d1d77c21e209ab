"""A kernel, what is known of it, and what it makes of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.explain.kernels.describe import Description, describe
from pellucid.explain.kernels.matrices import FLOAT32_RANGE, checked_kernel, checked_picture
from pellucid.explain.kernels.spectrum import frequency_response
from pellucid.nn.functional import conv2d
from pellucid.types import Array


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A kernel (KH, KW) by a name, its description and gains, and the picture (H, W) with the kernel's answer to it."""

    name: str
    kernel: Array
    description: Description
    gains: Array
    picture: Array
    answer: Array

    @property
    def is_signed(self) -> bool:
        """Whether the answer is one of signs, 0 in flat areas, and no picture of its own."""
        return self.description.is_balanced or self.description.total < 0


def exhibit(name: str, kernel: Any, picture: Any) -> Exhibit:
    """Describe a kernel (KH, KW) and apply it to a picture (H, W).

    >>> shown = exhibit("difference", [[-1, 1]], [[0, 1, 1]])
    >>> shown.answer.tolist(), shown.is_signed
    ([[1.0, 0.0, 0.0]], True)
    """
    values, image = checked_kernel(kernel, most=FLOAT32_RANGE), checked_picture(picture)
    return Exhibit(name, values, describe(values), frequency_response(values), image, answer(image, values))


def answer(picture: Array, kernel: Array) -> Array:
    """Apply a kernel (KH, KW) to a picture (H, W), or to several (N, 1, H, W); the border is repeated outwards."""
    map_: Array = conv2d(picture, kernel.astype(np.float32), padding="same", border="replicate")
    return map_
