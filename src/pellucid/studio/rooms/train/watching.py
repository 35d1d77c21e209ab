"""How a run stands: its curve, its pace, its first filters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pellucid.data import registry
from pellucid.errors import PellucidError
from pellucid.studio.messages.base import Tensor
from pellucid.studio.messages.train import (
    TrainEpoch,
    TrainFrame,
    TrainFrames,
    TrainNews,
    TrainNewsAsked,
    TrainPoint,
    TrainSettings,
)
from pellucid.train.recording import FILTERS, lines

if TYPE_CHECKING:
    from pellucid.studio.runs.records import Record
    from pellucid.studio.studio import Studio
    from pellucid.train.settings import RunSettings

_RECENT = 20
"""Points whose pace says how long the rest will take."""


def news(asked: TrainNewsAsked, studio: Studio) -> TrainNews:
    """Tell how a run stands, and what its curve has gained after a step."""
    record = studio.runs.record(asked.run)
    points, history = record.points(), record.history()
    last = points[-1] if points else {"step": 0, "seconds": 0.0}
    per_epoch = _steps_per_epoch(record)
    steps = per_epoch * record.settings.epochs
    results = record.results()
    frames = lines(record.path / FILTERS)
    return TrainNews.model_construct(
        run=record.name,
        state=record.state,
        reason=record.reason,
        settings=_settings(record.settings),
        name=record.settings.called,
        created=record.created,
        step=max(last["step"], history[-1]["step"] if history else 0),
        steps=steps,
        steps_per_epoch=per_epoch,
        points=[_point(point) for point in points if point["step"] > asked.after],
        history=[_epoch(line) for line in history],
        seconds=last["seconds"],
        seconds_left=_seconds_left(points, steps) if record.state == "training" else None,
        images_per_second=_images_per_second(points, record.settings.batch_size),
        accuracy=results["accuracy"] if results else None,
        can_conclude=record.can_conclude,
        frames=frames[-1]["step"] if frames else 0,
    )


def filters(asked: TrainNewsAsked, studio: Studio) -> TrainFrames:
    """Return the first filters as they were after some steps."""
    record = studio.runs.record(asked.run)
    frames, per_epoch = lines(record.path / FILTERS), _steps_per_epoch(record)
    return TrainFrames.model_construct(
        layer=frames[0]["layer"] if frames else "",
        frames=[
            TrainFrame.model_construct(
                step=frame["step"],
                epoch=frame["step"] / max(1, per_epoch),
                weights=Tensor.model_construct(shape=frame["shape"], data=frame["data"]),
            )
            for frame in frames
            if frame["step"] > asked.after or asked.after == 0
        ],
    )


def _settings(settings: RunSettings) -> TrainSettings:
    """Return what the page's form has of a run's settings; those of the command line may go beyond its limits."""
    values = settings.as_dict()
    return TrainSettings.model_construct(**{name: values[name] for name in TrainSettings.model_fields})


def _point(point: dict[str, Any]) -> TrainPoint:
    return TrainPoint.model_construct(**{name: point[name] for name in TrainPoint.model_fields})


def _epoch(line: dict[str, Any]) -> TrainEpoch:
    return TrainEpoch.model_construct(**{name: line.get(name) for name in TrainEpoch.model_fields})


def _steps_per_epoch(record: Record) -> int:
    """How many steps an epoch has: known from the first one's end, or from the training images."""
    history, settings = record.history(), record.settings
    if len(history) > 1:
        return int(history[0]["step"])
    counted = _counted(settings.data, settings.validation, settings.seed, settings.batch_size)
    return counted or (int(history[0]["step"]) if history else 0)


@lru_cache(maxsize=64)
def _counted(data: str, validation: float, seed: int, batch_size: int) -> int:
    try:
        train = registry.load(data)[0]
        images = len(train.split(validation, seed)[0]) if validation else len(train)
    except PellucidError:  # they are gone; the run cannot go on then, but what it did can be looked at
        return 0
    return -(-images // batch_size)


def _seconds_left(points: list[dict[str, Any]], steps: int) -> float | None:
    recent = points[-_RECENT:]
    if len(recent) < 2:
        return None
    done, took = recent[-1]["step"] - recent[0]["step"], recent[-1]["seconds"] - recent[0]["seconds"]
    return float(max(0, steps - recent[-1]["step"]) * took / done)


def _images_per_second(points: list[dict[str, Any]], batch_size: int) -> float | None:
    recent = points[-_RECENT:]
    took = recent[-1]["seconds"] - recent[0]["seconds"] if recent else 0.0
    return (recent[-1]["step"] - recent[0]["step"]) * batch_size / took if took > 0 else None
