"""The stepper's answers: scenes, steps, files."""

from __future__ import annotations

import base64
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from pellucid.explain.kernels.gallery import GALLERY
from pellucid.explain.kernels.recognise import recognise
from pellucid.explain.steps import frame as steps
from pellucid.explain.steps.chain import rows_of
from pellucid.explain.steps.images import IMAGES
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.stepper import (
    MOVES,
    Layers,
    StepperAsked,
    StepperChoices,
    StepperFile,
    StepperGrid,
    StepperImage,
    StepperKernel,
    StepperLit,
    StepperMove,
    StepperMoves,
    StepperPhase,
    StepperSaving,
    StepperScene,
    StepperSetting,
    StepperWork,
)

if TYPE_CHECKING:
    from pellucid.explain.steps.layers import Settings
    from pellucid.explain.trace import Trace
    from pellucid.studio.studio import Studio

_KINDS = {"gif": "image/gif", "png": "image/png", "svg": "image/svg+xml", "html": "text/html"}


def scene(asked: StepperAsked, studio: Studio) -> StepperScene:
    """Return the maps of all steps, and what those about one step do."""
    from pellucid.views.stepper.save import description, durations

    trace, slopes = _run(asked.setting.model_dump_json())
    stage = steps.scene(trace, slopes)
    moves = _moves(trace, slopes, min(asked.near, len(stage) - 1))
    return StepperScene.model_construct(
        grids=[
            StepperGrid.model_construct(
                name=grid.name,
                title=grid.title,
                values=grid.values,
                border=grid.border,
                unseen=sorted(grid.unseen),
                notes=grid.notes,
            )
            for grid in stage.grids
        ],
        phases=[StepperPhase(name=phase.name, first=phase.first, count=phase.count) for phase in stage.phases],
        durations=durations(stage),
        kernel=known(tuple(map(tuple, asked.setting.kernel))),
        description=description(stage),
        first=moves.first,
        moves=moves.moves,
    )


def moves(asked: StepperAsked, studio: Studio) -> StepperMoves:
    """Return what the steps about one of them do."""
    return _moves(*_run(asked.setting.model_dump_json()), asked.near)


def save(asked: StepperSaving, studio: Studio) -> StepperFile:
    """Return the steps as a file."""
    from pellucid.views.stepper.save import save as write

    trace, slopes = _run(asked.setting.model_dump_json())
    with TemporaryDirectory() as folder:
        path = Path(folder, f"steps.{asked.format}")
        write(trace, path, slopes)
        data = base64.b64encode(path.read_bytes()).decode()
    return StepperFile.model_construct(name=path.name, kind=_KINDS[asked.format], data=data)


@cache
def _choices() -> StepperChoices:
    kernels = [(entry, entry.make()) for entry in GALLERY.values()]
    return StepperChoices(
        images=[StepperImage(name=name, values=rows_of(values)) for name, values in IMAGES.items()],
        kernels=[
            StepperKernel(name=entry.name, about=entry.about, values=rows_of(values))
            for entry, values in kernels
            if max(values.shape) <= steps.LARGEST_KERNEL
        ],
    )


def choices(asked: Nothing, studio: Studio) -> StepperChoices:
    """Return pictures and kernels to begin with."""
    return _choices()


def settings(layers: Layers) -> Settings:
    """Return the settings of convolution and pooling as Python's functions take them."""
    return {
        "stride": layers.stride,
        "padding": layers.padding,
        "border": layers.border,
        "dilation": layers.dilation,
        "flip": layers.flip,
        "pool": layers.pool,
        "pool_size": layers.pool_size,
        "pool_stride": layers.pool_stride,
        "ceil": layers.ceil,
    }


@lru_cache(8)
def _run(text: str) -> tuple[Trace, steps.Slopes | None]:
    """Trace a setting (as JSON: lists cannot be the key of a cache), and differentiate it if that is asked for."""
    setting = StepperSetting.model_validate_json(text)
    trace = steps.pipeline(setting.image, setting.kernel, bias=setting.bias, **settings(setting))
    return trace, steps.slopes(trace, setting.start) if setting.backward else None


@lru_cache(32)
def known(kernel: tuple[tuple[float, ...], ...]) -> str:
    """Return what a kernel is called; nothing where the gallery has none like it."""
    match = recognise(np.array(kernel))
    return "" if match is None else match.text()


def _moves(trace: Trace, slopes: steps.Slopes | None, near: int) -> StepperMoves:
    first = near // MOVES * MOVES
    found = steps.moves(trace, range(first, first + MOVES), slopes)
    return StepperMoves.model_construct(first=first, moves=[_move(move) for move in found])


def _move(move: steps.Move) -> StepperMove:
    work = None if move.work is None else _work(move.work)
    return StepperMove.model_construct(phase=move.phase, work=work, sentence=move.sentence)


def _work(work: steps.Work) -> StepperWork:
    return StepperWork.model_construct(
        grid=work.grid,
        target=work.target,
        lit=[StepperLit.model_construct(grid=lit.grid, cells=lit.cells) for lit in work.lit],
        patch=work.patch,
        weights=work.weights,
        products=work.products,
        bias=work.bias,
        total=work.total,
        value=work.value,
    )
