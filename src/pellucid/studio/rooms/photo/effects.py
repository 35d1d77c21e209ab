"""What may be done to a photo: a kernel, perhaps mixed with the photo, or a pair that finds edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import TypeAlias

import numpy as np

from pellucid.data.photos import Photo
from pellucid.explain.kernels import gallery
from pellucid.explain.photo import Edges, FilteredPhoto, edges, filter_photo, usual_result
from pellucid.studio.messages.photo import PhotoEdges, PhotoNamed, PhotoTyped, PhotoWork
from pellucid.studio.tensors import to_kernel
from pellucid.types import Array

Effect: TypeAlias = PhotoNamed | PhotoTyped | PhotoEdges


@dataclass(frozen=True)
class Done:
    """What was made of a photo, by which kernel (None of edges), and how long the engine took.

    ``adjustable`` says whether a strength means anything: it does where the kernel's numbers sum to 1.
    """

    made: FilteredPhoto | Edges
    kernel: Array | None
    adjustable: bool
    seconds: float


def apply(photo: Photo, asked: PhotoWork) -> Done:
    """Do to a photo what is asked. Raises ParameterError or ShapeError where kernel or settings are none."""
    if isinstance(asked.effect, PhotoEdges):
        start = perf_counter()
        found = edges(photo, asked.effect.pair, border=asked.border)
        return Done(found, None, False, perf_counter() - start)
    kernel = _kernel(asked.effect)
    usual, mixed = usual_result(kernel), _mixed(kernel, asked.effect.strength)
    start = perf_counter()
    made = filter_photo(photo, mixed, border=asked.border, result=asked.result or usual)
    return Done(made, mixed, usual == "clip", perf_counter() - start)


def _kernel(effect: PhotoNamed | PhotoTyped) -> Array:
    if isinstance(effect, PhotoNamed):
        return gallery.kernel(effect.name, **effect.settings)  # type: ignore[arg-type]  # whole numbers may be floats
    return to_kernel(effect.kernel)


def _mixed(kernel: Array, strength: float) -> Array:
    """Mix a kernel with the one that leaves a photo as it is: what both together do is again a kernel's work."""
    if strength == 1:
        return kernel
    same = np.zeros(kernel.shape)
    same[(kernel.shape[0] - 1) // 2, (kernel.shape[1] - 1) // 2] = 1
    return np.asarray((1 - strength) * same + strength * kernel)


def called(effect: Effect) -> str:
    """Name an effect."""
    if isinstance(effect, PhotoEdges):
        return f"{effect.pair}-{effect.shows}"
    return effect.name if isinstance(effect, PhotoNamed) else "kernel"


def coloured(made: FilteredPhoto | Edges, effect: Effect) -> Array:
    """Return what was made as pixels, uint8 (H, W) or (H, W, 3)."""
    from pellucid.views.photos import directions
    from pellucid.views.scales import ACTIVATIONS, Scale

    if isinstance(made, Edges):
        if isinstance(effect, PhotoEdges) and effect.shows == "magnitude":
            return made.photo.pixels
        strength = np.clip(made.magnitude / np.float32(made.limit), 0, 1)[..., None]
        hues = directions()[np.rint(made.direction).astype(np.int16) % 360].astype(np.float32)
        return np.rint(255 + strength * (hues - 255)).astype(np.uint8)
    if made.result != "signed":
        return made.values
    scale = Scale(made.low, made.high, ACTIVATIONS)
    return np.asarray(_palette(ACTIVATIONS).take(scale.levels(made.values), axis=0))


@cache
def _palette(colours: str) -> Array:
    from pellucid.views.scales import palette

    return palette(colours)
