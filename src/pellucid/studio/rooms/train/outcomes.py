"""What came of a run: its test, its mistakes, and two runs beside each other."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import zoo
from pellucid.analysis.summary import summary
from pellucid.data import registry
from pellucid.errors import DataError, PellucidError, TrainingError
from pellucid.nn.random import skip_init
from pellucid.studio.messages.train import (
    MOST_PICTURES,
    TrainComparison,
    TrainConfused,
    TrainConfusedAsked,
    TrainDifference,
    TrainFacts,
    TrainMistake,
    TrainPair,
    TrainResults,
    TrainRun,
)
from pellucid.studio.tensors import to_tensor
from pellucid.types import Array, Shape
from pellucid.views.findings import picture_of, uncertainty

if TYPE_CHECKING:
    from pellucid.data import Dataset
    from pellucid.studio.runs.records import Record
    from pellucid.studio.studio import Studio

_WORST = 12
"""Mistakes that are shown at first."""


def results(asked: TrainRun, studio: Studio) -> TrainResults:
    """Tell what the test at the end of a run found, with its surest mistakes."""
    record, found = _tested(asked.run, studio)
    test = _test_part(record)
    wrong = np.flatnonzero(np.not_equal(found["called"], found["truth"]))
    return TrainResults.model_construct(
        accuracy=found["accuracy"],
        uncertainty=uncertainty(found["accuracy"], len(test)),
        loss=found["loss"],
        images=len(test),
        classes=list(test.classes),
        per_class=list(found["per_class"].values()),
        confusion=found["confusion"],
        totals=[sum(row) for row in found["confusion"]],
        worst=_surest(wrong, found, test, _WORST),
    )


def confused(asked: TrainConfusedAsked, studio: Studio) -> TrainConfused:
    """Show the test images of one class that were called another, or that class itself."""
    record, found = _tested(asked.run, studio)
    truth, called = np.asarray(found["truth"]), np.asarray(found["called"])
    which = np.flatnonzero((truth == asked.truth) & (called == asked.called))
    pictures = _surest(which, found, _test_part(record), MOST_PICTURES)
    return TrainConfused.model_construct(pictures=pictures, count=len(which))


def compare(asked: TrainPair, studio: Studio) -> TrainComparison:
    """Set two runs beside each other: what was different, and what came of it."""
    first, second = studio.runs.record(asked.first), studio.runs.record(asked.second)
    ours, theirs = first.settings.as_dict(), second.settings.as_dict()
    ours["network"], theirs["network"] = first.settings.called, second.settings.called
    return TrainComparison(
        differences=[
            TrainDifference(setting=name, first=_written(value), second=_written(theirs[name]))
            for name, value in ours.items()
            if value != theirs[name]
        ],
        first=_facts(first),
        second=_facts(second),
    )


def _tested(run: str, studio: Studio) -> tuple[Record, dict[str, Any]]:
    record = studio.runs.record(run)
    found = record.results()
    if found is None:
        remedy = "; continue it, or end it" if record.state != "finished" else "; run pellucid train --resume on it"
        raise TrainingError(f"The run '{run}' must have been tested to show results; it was not{remedy}.")
    return record, found


@lru_cache(maxsize=2)
def _test_set(data: str) -> Dataset:
    return registry.load(data)[1]


def _test_part(record: Record) -> Dataset:
    """Return the test images of a run. Raises DataError where they are not those that it was tested on."""
    test, found = _test_set(record.settings.data), record.results()
    if found is None or found["truth"] != test.labels.tolist():
        raise DataError(
            f"The test images of '{record.settings.data}' must be those that the run '{record.name}' was tested on; "
            "they have changed since."
        )
    return test


def _surest(indices: Array, found: dict[str, Any], test: Dataset, most: int) -> list[TrainMistake]:
    sure = np.asarray(found["sure"])[indices]
    chosen = indices[np.argsort(-sure, kind="stable")[:most]]
    return [
        TrainMistake.model_construct(
            index=int(index),
            truth=found["truth"][index],
            called=found["called"][index],
            sure=found["sure"][index],
            pixels=to_tensor(_unit(test, int(index))),
        )
        for index in chosen
    ]


def _unit(test: Dataset, index: int) -> Array:
    """Return a test image, float32 from 0 to 1."""
    return picture_of(test, index).astype(np.float32) / 255


def _facts(record: Record) -> TrainFacts:
    found, points = record.results(), record.points()
    parameters, macs = _account_of(record)
    return TrainFacts(
        parameters=parameters,
        macs=macs,
        seconds=points[-1]["seconds"] if points else None,
        accuracy=found["accuracy"] if found else None,
        uncertainty=uncertainty(found["accuracy"], len(found["truth"])) if found else None,
        loss=found["loss"] if found else None,
    )


def _account_of(record: Record) -> tuple[int | None, int | None]:
    """Count parameters and multiply-adds."""
    try:
        test = _test_set(record.settings.data)
        return account(record.settings.network, test.images.shape[1:], len(test.classes))
    except PellucidError:  # the data are gone
        return None, None


@lru_cache(maxsize=256)
def account(network: str, shape: Shape, classes: int) -> tuple[int, int]:
    """Count a network's parameters and multiply-adds for images (C, H, W) and so many classes."""
    with skip_init():
        found = summary(zoo.build(network, input=shape, classes=classes), shape)
    return found.parameters, found.macs


def _written(value: Any) -> str:
    return "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
