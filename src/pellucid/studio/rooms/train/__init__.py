"""Training: begun, stopped, watched, and what came of it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pellucid import zoo
from pellucid.data import registry
from pellucid.errors import PellucidError
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.train import (
    TrainBrief,
    TrainChoices,
    TrainData,
    TrainNetwork,
    TrainRun,
    TrainRuns,
    TrainSettings,
)
from pellucid.studio.rooms.train.outcomes import account, compare, confused, results
from pellucid.studio.rooms.train.watching import filters, news
from pellucid.train.settings import RunSettings

if TYPE_CHECKING:
    from pellucid.studio.runs.records import Record
    from pellucid.studio.studio import Studio

__all__ = [
    "choices",
    "compare",
    "conclude",
    "confused",
    "delete",
    "filters",
    "news",
    "pause",
    "results",
    "resume",
    "runs",
    "start",
]

_SMALL = 600_000
"""Parameters up to which a network learns in minutes here."""
_SMALL_IMAGE = 64


def choices(asked: Nothing, studio: Studio) -> TrainChoices:
    """List the networks and the data sets."""
    return TrainChoices(networks=_networks(), data=_data_sets(), folder=str(studio.folder.resolve()))


def runs(asked: Nothing, studio: Studio) -> TrainRuns:
    """List the runs, the latest first; damaged ones are left out."""
    found = []
    for name in studio.runs.names():
        try:
            found.append(_brief(studio.runs.record(name)))
        except PellucidError:
            continue
    return TrainRuns(runs=found)


def start(asked: TrainSettings, studio: Studio) -> TrainRun:
    """Begin a run, or let it wait for its turn."""
    registry.info(asked.data)  # the command line takes paths, too
    return TrainRun(run=studio.runs.start(RunSettings(**asked.model_dump())))


def resume(asked: TrainRun, studio: Studio) -> TrainRun:
    """Take a run up where it was."""
    studio.runs.resume(asked.run)
    return asked


def pause(asked: TrainRun, studio: Studio) -> TrainRun:
    """Let a run stop after its next step."""
    studio.runs.pause(asked.run)
    return asked


def conclude(asked: TrainRun, studio: Studio) -> TrainRun:
    """End a run where it is, and test what it has learned."""
    studio.runs.conclude(asked.run)
    return asked


def delete(asked: TrainRun, studio: Studio) -> Nothing:
    """Remove a run."""
    studio.runs.delete(asked.run)
    return Nothing()


@lru_cache(maxsize=1)
def _networks() -> list[TrainNetwork]:
    found = []
    for name in zoo.names():
        image = zoo.usual_input(name)
        parameters = zoo.published_parameters(name) or account(name, image, zoo.usual_classes(name))[0]
        small = parameters <= _SMALL and max(image) <= _SMALL_IMAGE
        found.append(TrainNetwork(name=name, parameters=parameters, small=small))
    return sorted(found, key=lambda network: not network.small)


def _data_sets() -> list[TrainData]:
    return [
        TrainData(
            name=name,
            pictures=entry.train,
            shape=[entry.channels, *entry.size],
            classes=list(entry.classes),
            here=registry.find(name) is not None,
            command=f"pellucid data get {name}",
        )
        for name in registry.names()
        for entry in [registry.info(name)]
    ]


def _brief(record: Record) -> TrainBrief:
    history, found = record.history(), record.results()
    last = history[-1] if history else {}
    return TrainBrief.model_construct(
        run=record.name,
        state=record.state,
        network=record.settings.called,
        data=record.settings.data,
        augment=record.settings.augment,
        epoch=last.get("epoch", 0),
        epochs=record.settings.epochs,
        accuracy=found["accuracy"] if found else last.get("validation_accuracy"),
        tested=found is not None,
        created=record.created,
    )
