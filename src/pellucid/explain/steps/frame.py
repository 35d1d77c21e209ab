"""Convolve → ReLU → pool, step by step: what a player shows, as a pure function of a trace and a step.

>>> bar = [[0, 0, 9, 9, 0, 0]] * 6
>>> t = pipeline(bar, [[1, 0, -1]] * 3)
>>> len(scene(t)), frame(t, 1).sentence
(37, 'Row 0, column 0: 0·1 + 0·0 + 9·(−1) + 0·1 + 0·0 + 9·(−1) + 0·1 + 0·0 + 9·(−1) = −27.')
>>> frame(t, 36).maps["pool"]
((0.0, 27.0), (0.0, 27.0))
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid import nn
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.steps.backward import (
    Slopes,
    back_sentence,
    d_bias_step,
    d_conv_step,
    d_image_step,
    d_kernel_step,
    d_relu_step,
    gradient_grids,
    slopes,
)
from pellucid.explain.steps.chain import Chain
from pellucid.explain.steps.forward import conv_step, pool_step, relu_step
from pellucid.explain.steps.records import Frame, Grid, Lit, Phase, Scene, Shown, Work
from pellucid.explain.trace import Trace, trace
from pellucid.nn.random import skip_init
from pellucid.nn.settings import is_integer
from pellucid.types import Array, Pair

__all__ = ["POOLS", "Frame", "Grid", "Lit", "Phase", "Scene", "Slopes", "Work", "frame", "pipeline", "scene", "slopes"]

POOLS = ("max", "average", "none")
LARGEST_IMAGE, LARGEST_KERNEL, LARGEST_PADDED, LARGEST_NUMBER = 16, 7, 40, 1e9

_FORWARD = ("conv", "relu", "pool")
_BACKWARD: dict[str, Callable[[Chain, Slopes, Pair], tuple[Work, str]]] = {
    "d_relu": d_relu_step,
    "d_conv": d_conv_step,
    "d_kernel": d_kernel_step,
    "d_bias": d_bias_step,
    "d_image": d_image_step,
}


def pipeline(
    image: Any,
    kernel: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    border: str = "zeros",
    dilation: Any = 1,
    flip: bool = False,
    bias: float = 0.0,
    pool: str = "max",
    pool_size: Any = 2,
    pool_stride: Any = None,
    ceil: bool = False,
) -> Trace:
    """Run convolve → ReLU → pool on an image (H, W) of at most 16×16 and a kernel of at most 7×7, in float64.

    ``padding`` is a number of cells, a pair, "valid", "same" or "full"; ``flip`` turns the kernel by 180° first, which
    makes the convolution of mathematics of the cross-correlation of frameworks. ``pool`` is "max", "average" or
    "none". Raises ShapeError where image or kernel are too large or do not fit, ParameterError where a setting breaks
    its rule.
    """
    pixels = _numbers(image, "image", LARGEST_IMAGE)
    weights = _numbers(kernel, "kernel", LARGEST_KERNEL)
    offset = _numbers([[bias]], "bias", 1)[0]
    if pool not in POOLS:
        raise ParameterError(f"The 'pool' parameter of the steps must be one of {', '.join(POOLS)}; got {pool!r}.")
    with skip_init():
        conv = nn.Conv2d(1, 1, weights.shape, stride, padding, dilation, padding_mode=border)
        conv.op = replace(conv.op, flip=flip)
        layers: dict[str, nn.Module] = {"conv": conv, "relu": nn.ReLU()}
        if pool == "max":
            layers["pool"] = nn.MaxPool2d(pool_size, pool_stride, ceil_mode=ceil)
        elif pool == "average":
            layers["pool"] = nn.AvgPool2d(pool_size, pool_stride, ceil_mode=ceil)
        net = nn.Sequential(layers).double()
    net.load_state_dict({"conv.weight": weights[None, None], "conv.bias": offset})
    _check_padded(pixels.shape, conv.op.padding)
    return trace(net, pixels[None])


def scene(trace: Trace, slopes: Slopes | None = None) -> Scene:
    """Return the maps of a trace of convolve → ReLU → pool, and the phases of its steps; with slopes also the way back.

    Raises ParameterError where the trace is of something else.
    """
    return _read(trace, slopes)[1]


def frame(trace: Trace, step: int, slopes: Slopes | None = None) -> Frame:
    """Return what one step does and what all maps hold after it.

    The same trace and step give an equal frame, whatever was asked for before. Step 0 is the empty stage. Raises
    ParameterError where there is no such step.
    """
    chain, stage = _read(trace, slopes)
    if not is_integer(step) or not 0 <= step < len(stage):
        raise ParameterError(f"The 'step' parameter of frame must be 0 to {len(stage) - 1}; got {step!r}.")
    phase = next(phase for phase in reversed(stage.phases) if phase.first <= step)
    maps = {grid.name: _shown(grid, step, stage) for grid in stage.grids}
    if phase.name == "start":
        return Frame(step, phase.name, None, maps, _opening(stage))
    if phase.name == "back":
        assert slopes is not None
        return Frame(step, phase.name, None, maps, back_sentence(slopes))
    index = step - phase.first
    row, column = divmod(index, stage.grid(phase.name).size[1])
    work, sentence = _work(chain, slopes, phase.name, (row, column))
    return Frame(step, phase.name, work, maps, sentence)


def _work(chain: Chain, slopes: Slopes | None, phase: str, target: Pair) -> tuple[Work, str]:
    if phase in _BACKWARD:
        assert slopes is not None
        return _BACKWARD[phase](chain, slopes, target)
    return {"conv": conv_step, "relu": relu_step, "pool": pool_step}[phase](chain, target)


@lru_cache(8)
def _read(trace: Trace, slopes: Slopes | None) -> tuple[Chain, Scene]:
    chain = Chain.of(trace)
    grids = [*chain.grids(), *(gradient_grids(chain, slopes) if slopes is not None else ())]
    return chain, Scene(tuple(grids), tuple(_phases(grids)))


def _phases(grids: list[Grid]) -> Iterator[Phase]:
    """Yield a phase for every map that is filled, one step for each cell, in the order in which they are filled."""
    names = [grid.name for grid in grids]
    cells = {grid.name: grid.size[0] * grid.size[1] for grid in grids}
    last = "d_pool" if "d_pool" in names else "d_relu"  # given, not filled
    order = ["start", *(name for name in _FORWARD if name in names)]
    if last in names:
        order += ["back", *(name for name in _BACKWARD if name != last)]
    first = 0
    for name in order:
        yield Phase(name, first, cells.get(name, 1))
        first += cells.get(name, 1)


def _shown(grid: Grid, step: int, stage: Scene) -> Shown:
    """Return what a map holds after a step: all, if it is given, else as many cells as steps have filled."""
    phase = next((phase for phase in stage.phases if phase.name == grid.name), None)
    if phase is None:
        turn = next((phase.first for phase in stage.phases if phase.name == "back"), 0)
        filled = 0 if grid.name.startswith("d_") and step < turn else grid.size[0] * grid.size[1]
    else:
        filled = step - phase.first + 1
    width = grid.size[1]
    return tuple(
        row if (y + 1) * width <= filled else tuple(v if y * width + x < filled else None for x, v in enumerate(row))
        for y, row in enumerate(grid.values)
    )


def _opening(stage: Scene) -> str:
    """Say what will happen, and how often the window fits."""
    (rows, columns), (high, wide) = stage.grid("image").inner, stage.grid("kernel").size
    down, across = stage.grid("conv").size
    return (
        f"The {high}×{wide} window of the kernel has {down}×{across} places on the {rows}×{columns} image"
        f"{'' if stage.grid('image').size == (rows, columns) else ' and its border'}."
    )


def _numbers(values: Any, what: str, largest: int) -> Array:
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
    if not (abs(array) <= LARGEST_NUMBER).all():  # NaN compares false
        worst = array[~(abs(array) <= LARGEST_NUMBER)][0]
        raise ParameterError(f"The {what} of the steps must hold numbers within ±1e9; got {worst:g}.")
    return array


def _check_padded(size: Pair, padding: Any) -> None:
    padded = [extent + sum(sides) for extent, sides in zip(size, padding, strict=True)]
    if max(padded) > LARGEST_PADDED:
        raise ShapeError(
            f"The image with its border must have at most {LARGEST_PADDED}×{LARGEST_PADDED} cells; got "
            f"{'×'.join(map(str, padded))}; use less padding or dilation."
        )
