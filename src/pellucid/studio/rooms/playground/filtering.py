"""Maps of drawings, many at a time: where hundreds of people draw, one convolution serves all with the same kernels.

A map does not depend, in any bit, on which drawings it is computed with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import ParameterError, PellucidError, ShapeError
from pellucid.explain.kernels.ranking import Response, strongest_first
from pellucid.nn.functional import conv2d
from pellucid.studio.messages import playground as messages
from pellucid.studio.messages.base import Tensor
from pellucid.studio.tensors import to_array, to_kernel, to_tensor
from pellucid.types import Array, Pair, Shape

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio


@dataclass(frozen=True, eq=False)
class _Bank:
    """Kernels: those of one size as weights (K, 1, KH, KW) with their numbers, and the norm of each."""

    weights: tuple[tuple[list[int], Array], ...]
    norms: tuple[float, ...]


def maps_together(
    asked: Sequence[messages.PlaygroundMapsAsked], studio: "Studio"
) -> list[messages.PlaygroundMaps | PellucidError]:
    """Answer many questions for maps; in the place of an answer that there cannot be, stands its error."""
    told: dict[int, messages.PlaygroundMaps | PellucidError] = {}
    alike: dict[tuple[_Bank, str, bool, Shape], list[tuple[int, Array]]] = {}
    for number, one in enumerate(asked):
        try:
            drawing = drawing_of(one.drawing)
            bank = _bank(tuple((tuple(kernel.shape), kernel.data) for kernel in one.kernels))
        except PellucidError as error:
            told[number] = error
        else:
            alike.setdefault((bank, one.border, one.flip, drawing.shape), []).append((number, drawing))
    for (bank, border, flip, _), group in alike.items():
        drawings = np.stack([drawing for _, drawing in group])[:, None]  # (N, 1, H, W)
        for (number, _), found in zip(group, _filtered(drawings, bank, border, flip), strict=True):
            told[number] = _told(found, bank.norms)
    return [told[number] for number in range(len(asked))]


def _filtered(drawings: Array, bank: _Bank, border: str, flip: bool) -> Array:
    """Return the maps (N, K, H, W) of drawings (N, 1, H, W)."""
    found = np.empty((len(drawings), len(bank.norms), *drawings.shape[2:]), np.float32)
    for start, end in pairwise(_stops(len(drawings))):
        for numbers, weight in bank.weights:
            maps = conv2d(drawings[start:end], weight, padding="same", border=border, flip=flip)
            found[start:end, numbers] = maps.reshape(end - start, len(numbers), *drawings.shape[2:])
    return found


def _stops(count: int) -> list[int]:
    """Split a number into powers of two, since each number of drawings needs a plan of its own.

    >>> _stops(13)
    [0, 8, 12, 13]
    """
    stops = [0]
    while stops[-1] < count:
        stops.append(stops[-1] + (1 << (count - stops[-1]).bit_length() - 1))
    return stops


def _told(maps: Array, norms: Sequence[float]) -> messages.PlaygroundMaps:
    found = [Response.of(str(i), map_, norm) for i, (map_, norm) in enumerate(zip(maps, norms, strict=True))]
    return messages.PlaygroundMaps.model_construct(
        maps=to_tensor(maps),
        responses=[
            messages.PlaygroundResponse.model_construct(energy=one.energy, largest=one.largest, smallest=one.smallest)
            for one in found
        ],
        order=[int(one.name) for one in strongest_first(found)],
    )


def drawing_of(given: Tensor) -> Array:
    """Return a drawing (H, W). Raises ShapeError or ParameterError where it is none."""
    drawing = to_array(given, None, None)
    if not all(8 <= side <= messages.LARGEST for side in drawing.shape):
        height, width = drawing.shape
        raise ShapeError(f"The drawing must have 8 to {messages.LARGEST} rows and columns; got {height}×{width}.")
    if drawing.min() < 0 or drawing.max() > 1:
        raise ParameterError("The numbers of the drawing must be from 0, black, to 1, white.")
    return drawing


@lru_cache(256)
def _bank(texts: tuple[tuple[Shape, str], ...]) -> _Bank:
    """Read kernels; they seldom change from stroke to stroke."""
    kernels = [to_kernel(Tensor.model_construct(shape=list(shape), data=data)) for shape, data in texts]
    sizes: dict[Pair, list[int]] = {}
    for number, kernel in enumerate(kernels):
        sizes.setdefault(kernel.shape, []).append(number)
    weights = tuple((numbers, np.stack([kernels[n] for n in numbers])[:, None]) for numbers in sizes.values())
    return _Bank(weights, tuple(float(np.linalg.norm(kernel)) for kernel in kernels))
