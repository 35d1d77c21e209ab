"""Convolution, ReLU and pooling as a network in float64, run on an image that a person drew."""

from dataclasses import replace
from typing import Any, TypedDict, Unpack

import numpy as np

from pellucid import nn
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.trace import Trace, trace
from pellucid.nn.random import skip_init
from pellucid.types import Array, Pair

POOLS = ("max", "average", "none")
LARGEST_PADDED, LARGEST_NUMBER = 40, 1e9


class Settings(TypedDict, total=False):
    """What may be set of the layers; each has its usual value where it is left out.

    ``padding`` is a number of cells, a pair, "valid", "same" or "full"; ``border`` what stands there: "zeros",
    "replicate", "reflect" or "circular". ``flip`` turns the kernels by 180° first, which makes the convolution of
    mathematics of the cross-correlation of frameworks. ``pool`` is "max", "average" or "none"; the windows of the
    pooling lie ``pool_size`` apart where no ``pool_stride`` is given, and with ``ceil`` the last may hang over the end.
    """

    stride: Any
    padding: Any
    border: str
    dilation: Any
    flip: bool
    pool: str
    pool_size: Any
    pool_stride: Any
    ceil: bool


def run(
    image: Array, filters: Array, biases: Array, largest: int = LARGEST_PADDED, **settings: Unpack[Settings]
) -> Trace:
    """Trace an image (C, H, W) through layers "conv", "relu" and, unless there is none, "pool".

    ``filters`` are (O, C, KH, KW), or (C, 1, KH, KW) to give each channel its own; ``largest`` limits the rows and
    columns of the image with its border. Raises ShapeError where they do not fit, ParameterError where a setting breaks
    its rule.

    >>> t = run(np.ones((2, 3, 3)), np.ones((1, 2, 2, 2)), np.zeros(1), pool="none")
    >>> t["relu"].output.tolist()
    [[[8.0, 8.0], [8.0, 8.0]]]
    """
    with skip_init():
        net = _network(image.shape[0], filters.shape, **settings).double()
    net.load_state_dict({"conv.weight": filters, "conv.bias": biases})
    _check_padded((image.shape[1], image.shape[2]), net[0].op.padding, largest)
    return trace(net, image)


def _network(
    channels: int,
    shape: tuple[int, ...],
    *,
    stride: Any = 1,
    padding: Any = 0,
    border: str = "zeros",
    dilation: Any = 1,
    flip: bool = False,
    pool: str = "max",
    pool_size: Any = 2,
    pool_stride: Any = None,
    ceil: bool = False,
) -> nn.Sequential:
    if pool not in POOLS:
        raise ParameterError(f"The 'pool' parameter of the steps must be one of {', '.join(POOLS)}; got {pool!r}.")
    out, of_each, *size = shape
    conv = nn.Conv2d(channels, out, size, stride, padding, dilation, channels // of_each, padding_mode=border)
    conv.op = replace(conv.op, flip=flip)
    layers: dict[str, nn.Module] = {"conv": conv, "relu": nn.ReLU()}
    if pool != "none":
        kind = nn.MaxPool2d if pool == "max" else nn.AvgPool2d
        layers["pool"] = kind(pool_size, pool_stride, ceil_mode=ceil)
    return nn.Sequential(layers)


def plane(values: Any, what: str, largest: int) -> Array:
    """Return rows of numbers as float64 (H, W), of at most ``largest`` rows and columns, within ±1e9.

    Raises ShapeError or ParameterError where they are something else; ``what`` names them.
    """
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ShapeError(
            f"The {what} of the steps must be rows of numbers, all of one length; got {values!r:.60}."
        ) from None
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(f"The {what} of the steps must be rows of numbers, (H, W); got the shape {array.shape}.")
    if max(array.shape) > largest:
        raise ShapeError(
            f"The {what} of the steps must have 1×1 to {largest}×{largest} numbers; got "
            f"{array.shape[0]}×{array.shape[1]}; use a smaller {what}."
        )
    check_numbers(array, what)
    return array


def check_numbers(array: Array, what: str) -> None:
    """Raise ParameterError where a number is beyond ±1e9, or none."""
    if not (abs(array) <= LARGEST_NUMBER).all():  # NaN compares false
        worst = array[~(abs(array) <= LARGEST_NUMBER)][0]
        raise ParameterError(f"The {what} of the steps must hold numbers within ±1e9; got {worst:g}.")


def _check_padded(size: Pair, padding: Any, largest: int) -> None:
    padded = [extent + sum(sides) for extent, sides in zip(size, padding, strict=True)]
    if max(padded) > largest:
        raise ShapeError(
            f"The image with its border must have at most {largest}×{largest} cells; got "
            f"{'×'.join(map(str, padded))}; use less padding or dilation."
        )
