"""Convolve → ReLU → pool on several channels with several filters: all maps at once, and what each channel adds."""

from typing import Any, Unpack

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.steps.layers import Settings, check_numbers, run
from pellucid.explain.trace import Trace
from pellucid.types import Array

LARGEST_IMAGE, LARGEST_PADDED, LARGEST_KERNEL, MOST_CHANNELS, MOST_FILTERS = 32, 64, 7, 3, 8


def stack(image: Any, filters: Any, biases: Any, **settings: Unpack[Settings]) -> Trace:
    """Run an image (C, H, W) of at most 3×32×32 through at most 8 filters (O, C, KH, KW), ReLU and pooling, in float64.

    The settings are those of :class:`~pellucid.explain.steps.layers.Settings`. Raises ShapeError where something is
    too large or does not fit, ParameterError where a setting breaks its rule.

    >>> t = stack(np.ones((3, 4, 4)), np.ones((2, 3, 3, 3)), [0, -20])
    >>> t["conv"].output[:, 0, 0].tolist(), t["pool"].shape
    ([27.0, 7.0], (2, 1, 1))
    """
    pixels, weights, offsets = _checked(image, filters, biases)
    return run(pixels, weights, offsets, LARGEST_PADDED, **settings)


def shares(image: Any, filters: Any, which: int, **settings: Unpack[Settings]) -> Array:
    """Return what each channel of the image adds to the map of one filter, (C, H', W'); their sum lacks the bias.

    Raises ParameterError where there is no such filter; else as `stack` does.

    >>> shares([[[1]], [[10]]], [[[[2]], [[3]]]], 0, pool="none").tolist()
    [[[2.0]], [[30.0]]]
    """
    pixels, weights, _ = _checked(image, filters, np.zeros(len(filters)))
    if not 0 <= which < len(weights):
        raise ParameterError(f"The 'which' parameter of shares must be 0 to {len(weights) - 1}; got {which}.")
    without: Settings = {**settings, "pool": "none"}
    found = run(pixels, weights[which][:, None], np.zeros(len(pixels)), LARGEST_PADDED, **without)  # a filter for each
    result: Array = found["conv"].output
    return result


def _checked(image: Any, filters: Any, biases: Any) -> tuple[Array, Array, Array]:
    pixels, weights, offsets = (
        _numbers(values, what, axes)
        for values, what, axes in ((image, "image", 3), (filters, "filters", 4), (biases, "biases", 1))
    )
    if pixels.shape[0] > MOST_CHANNELS or max(pixels.shape[1:]) > LARGEST_IMAGE:
        raise ShapeError(f"The image must be at most {MOST_CHANNELS}×32×32 (C×H×W); got {_size(pixels)}.")
    if weights.shape[0] > MOST_FILTERS or max(weights.shape[2:]) > LARGEST_KERNEL:
        raise ShapeError(f"There may be {MOST_FILTERS} filters of 7×7 at most; got {_size(weights)} (O×C×KH×KW).")
    if weights.shape[1] != pixels.shape[0]:
        raise ShapeError(
            f"Each filter must have a kernel for each of the {pixels.shape[0]} channels; got {weights.shape[1]}."
        )
    if offsets.shape[0] != weights.shape[0]:
        raise ShapeError(f"There must be a bias for each of the {weights.shape[0]} filters; got {offsets.shape[0]}.")
    return pixels, weights, offsets


def _numbers(values: Any, what: str, axes: int) -> Array:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ShapeError(f"The {what} must be numbers on {axes} axes, rows of one length; got other values.") from None
    if array.ndim != axes or not array.size:
        raise ShapeError(f"The {what} must have {axes} axes and not be empty; got the shape {array.shape}.")
    check_numbers(array, what)
    return array


def _size(array: Array) -> str:
    return "×".join(map(str, array.shape))
