"""What the methods can be told, and what each of them gives back."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pellucid.data import Preprocessing
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.attribution.score import Score
from pellucid.nn.settings import is_integer
from pellucid.types import Array, Pair

Baseline: TypeAlias = str | float | Array

BASELINES = ("black", "mean", "blurred")
MOST_STEPS = 1600
"""Of integrated gradients; where even these do not suffice, the record says by how much they miss."""
_BLUR = 10
"""The blurred baseline's σ is this part of the longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The parameters of :func:`~pellucid.explain.attribution.attribute.attribute`, checked."""

    baseline: Array
    layer: str | None
    steps: int
    tolerance: float
    samples: int
    noise: float
    window: Pair
    stride: Pair
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a method found: the map, and what it says about it.

    Class activation maps also give the ``cells`` (h, w) before what is negative among them was cut off, and the
    ``weights`` of the layer's channels, None where every cell has its own.
    """

    map: Array
    layer: str | None = None
    baseline: float | None = None
    steps: int | None = None
    error: float | None = None
    cells: Array | None = None
    weights: Array | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its function, and the settings that it takes.

    ``blank`` says why its map is 0 everywhere though the score has a gradient at the image, ``has_all_it_needs`` that
    it can be computed of every network.
    """

    compute: Callable[[Score, Settings], Found]
    takes: tuple[str, ...] = ()
    blank: str = ""
    has_all_it_needs: bool = True


def checked(score: Score, given: Mapping[str, Any], seed: int) -> Settings:
    """Return the settings, by default where they are None. Raises ParameterError or ShapeError where one cannot be."""
    some = {name: value for name, value in given.items() if value is not None}
    layer = some.get("layer")
    if layer is not None and not isinstance(layer, str):
        raise ParameterError(f"The 'layer' parameter of attribute must be a layer's name; got {layer!r}.")
    window, stride = _window_of(score, some.get("window"), some.get("stride"))
    return Settings(
        baseline=baseline_of(score, some.get("baseline", "black")),
        layer=layer,
        steps=_integer("steps", some.get("steps", 50), 1, MOST_STEPS),
        tolerance=_share("tolerance", some.get("tolerance", 0.01)),
        samples=_integer("samples", some.get("samples", 50), 1),
        noise=_share("noise", some.get("noise", 0.15), sys.float_info.max),
        window=window,
        stride=stride,
        seed=_integer("seed", seed, 0),
    )


def _integer(name: str, value: Any, least: int, most: float = math.inf) -> int:
    if not is_integer(value) or not least <= value <= most:
        rule = f"an integer of at least {least}" if most == math.inf else f"an integer from {least} to {most}"
        raise ParameterError(f"The '{name}' parameter of attribute must be {rule}; got {value!r}.")
    return int(value)


def _share(name: str, value: Any, most: float = math.inf) -> float:
    is_number = is_integer(value) or isinstance(value, float | np.floating)
    if not is_number or not 0 <= value <= most:
        rule = "a number of at least 0" if most == math.inf else "a finite number of at least 0"
        raise ParameterError(f"The '{name}' parameter of attribute must be {rule}; got {value!r}.")
    return float(value)


def baseline_of(score: Score, baseline: Baseline) -> Array:
    """Return a baseline as an image (C, H, W) like the score's own.

    "black" is the input of a black picture, 0 where the network does not say how pictures become inputs; "mean" each
    channel's mean in the image; "blurred" the image, blurred; numbers and arrays stand for themselves. Raises
    ParameterError or ShapeError where it is none of them.
    """
    image = score.image
    if isinstance(baseline, str):
        if baseline not in BASELINES:
            listed = ", ".join(repr(name) for name in BASELINES)
            raise ParameterError(f"The 'baseline' parameter must be one of {listed}, a number or an array; "
                                 f"got {baseline!r}.")  # fmt: skip
        return _named(score, baseline).astype(image.dtype)
    try:
        array = np.asarray(baseline, image.dtype)
    except (TypeError, ValueError):
        raise ParameterError(
            f"The 'baseline' parameter must be a name, a number or an array; got {baseline!r:.60}."
        ) from None
    if array.shape not in ((), image.shape):
        raise ShapeError(f"The 'baseline' parameter must be a number or of shape {image.shape}; got {array.shape}.")
    if not np.isfinite(array).all():
        raise ParameterError("The 'baseline' parameter must be finite; got NaN or infinity.")
    return np.broadcast_to(array, image.shape)


def _named(score: Score, baseline: str) -> Array:
    image = score.image
    if baseline == "mean":
        return np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), image.shape)
    if baseline == "blurred":
        height, width = image.shape[1:]
        sigma = max(height, width) / _BLUR
        return np.asarray(_blur(height, sigma) @ image @ _blur(width, sigma).T)
    if "preprocessing" not in score.net.metadata:
        return np.zeros_like(image)
    preprocessing = Preprocessing.from_dict(score.net.metadata["preprocessing"])
    return preprocessing.normalise(np.zeros(image.shape, np.uint8))


def _blur(size: int, sigma: float) -> Array:
    """Return the matrix that blurs a line of pixels: the nearer one is, the more it counts; all add up to 1."""
    places = np.arange(size)
    weights = np.exp(-((places[:, None] - places) ** 2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _window_of(score: Score, window: Any, stride: Any) -> tuple[Pair, Pair]:
    """Return the occluding window's size and stride; by default an eighth of the image's sides, and half of that.

    Raises ParameterError where the window does not lie in the image or the stride would leave pixels out.
    """
    image = score.image.shape[1:]
    size = _pair("window", window) if window is not None else (max(1, image[0] // 8), max(1, image[1] // 8))
    if size[0] > image[0] or size[1] > image[1]:
        raise ParameterError(f"The 'window' parameter must lie in the {image[0]} × {image[1]} pixels; got {window}.")
    step = _pair("stride", stride) if stride is not None else (max(1, size[0] // 2), max(1, size[1] // 2))
    if step[0] > size[0] or step[1] > size[1]:
        raise ParameterError(f"The 'stride' parameter must be at most the window, {size}, or pixels are left out; "
                             f"got {stride}.")  # fmt: skip
    return size, step


def _pair(name: str, value: Any) -> Pair:
    pair = (value, value) if is_integer(value) else value
    if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(is_integer(n) and n >= 1 for n in pair):
        raise ParameterError(f"The '{name}' parameter must be one or two numbers of at least 1; got {value!r}.")
    return int(pair[0]), int(pair[1])
