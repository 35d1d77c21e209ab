"""Convolve → ReLU → pool, step by step: what a player shows, as a pure function of a trace and a step.

>>> bar = [[0, 0, 9, 9, 0, 0]] * 6
>>> t = pipeline(bar, [[1, 0, -1]] * 3)
>>> len(scene(t)), frame(t, 1).sentence
(37, 'Row 0, column 0: 0·1 + 0·0 + 9·(−1) + 0·1 + 0·0 + 9·(−1) + 0·1 + 0·0 + 9·(−1) = −27.')
>>> frame(t, 36).maps["pool"]
((0.0, 27.0), (0.0, 27.0))
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Unpack

from pellucid.errors import ParameterError
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
from pellucid.explain.steps.layers import POOLS, Settings, plane, run
from pellucid.explain.steps.records import Frame, Grid, Lit, Move, Phase, Scene, Shown, Work
from pellucid.explain.trace import Trace
from pellucid.nn.settings import is_integer
from pellucid.types import Pair

__all__ = [
    "POOLS",
    "Frame",
    "Grid",
    "Lit",
    "Move",
    "Phase",
    "Scene",
    "Slopes",
    "Work",
    "frame",
    "moves",
    "pipeline",
    "scene",
    "slopes",
]

LARGEST_IMAGE, LARGEST_KERNEL = 16, 7

_FORWARD = ("conv", "relu", "pool")
_BACKWARD: dict[str, Callable[[Chain, Slopes, Pair], tuple[Work, str]]] = {
    "d_relu": d_relu_step,
    "d_conv": d_conv_step,
    "d_kernel": d_kernel_step,
    "d_bias": d_bias_step,
    "d_image": d_image_step,
}


def pipeline(image: Any, kernel: Any, *, bias: float = 0.0, **settings: Unpack[Settings]) -> Trace:
    """Run convolve → ReLU → pool on an image (H, W) of at most 16×16 and a kernel of at most 7×7, in float64.

    The settings are those of :class:`~pellucid.explain.steps.layers.Settings`. Raises ShapeError where image or kernel
    are too large or do not fit, ParameterError where a setting breaks its rule.
    """
    pixels = plane(image, "image", LARGEST_IMAGE)
    weights = plane(kernel, "kernel", LARGEST_KERNEL)
    offset = plane([[bias]], "bias", 1)[0]
    return run(pixels[None], weights[None, None], offset, **settings)


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
    _, stage = _read(trace, slopes)
    if not is_integer(step) or not 0 <= step < len(stage):
        raise ParameterError(f"The 'step' parameter of frame must be 0 to {len(stage) - 1}; got {step!r}.")
    (move,) = moves(trace, range(step, step + 1), slopes)
    return Frame(
        step, move.phase, move.work, {grid.name: _shown(grid, step, stage) for grid in stage.grids}, move.sentence
    )


def moves(trace: Trace, steps: range, slopes: Slopes | None = None) -> list[Move]:
    """Return what some of the steps do, without the maps; steps that there are not are left out.

    >>> [move.sentence for move in moves(pipeline([[1, -2]], [[1]], pool="none"), range(3, 9))]
    ['Row 0, column 0: 1 is positive and stays.', 'Row 0, column 1: −2 is negative, so ReLU makes it 0.']
    """
    chain, stage = _read(trace, slopes)
    return [_move(chain, stage, slopes, step) for step in steps if 0 <= step < len(stage)]


def _move(chain: Chain, stage: Scene, slopes: Slopes | None, step: int) -> Move:
    phase = next(phase for phase in reversed(stage.phases) if phase.first <= step)
    if phase.name == "start":
        return Move(phase.name, None, _opening(stage))
    if phase.name == "back":
        assert slopes is not None
        return Move(phase.name, None, back_sentence(slopes))
    row, column = divmod(step - phase.first, stage.grid(phase.name).size[1])
    return Move(phase.name, *_work(chain, slopes, phase.name, (row, column)))


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
