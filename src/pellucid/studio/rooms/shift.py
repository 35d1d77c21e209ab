"""The answers of the shift lab."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.data import Dataset
from pellucid.errors import ParameterError
from pellucid.explain.shifts.conditions import CONDITIONS
from pellucid.explain.shifts.equivariance import SHIFTS, equivariance
from pellucid.explain.shifts.shift import shift
from pellucid.interop.target import load_test_set
from pellucid.studio.background import Tell
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.shift import (
    ShiftCurve,
    ShiftCurveAsked,
    ShiftCurveStanding,
    ShiftLayer,
    ShiftLayers,
    ShiftLayersAsked,
    ShiftLayersStanding,
    ShiftPooling,
    ShiftRemedies,
)
from pellucid.studio.pictures import test_part
from pellucid.studio.studio import Studio

if TYPE_CHECKING:
    from pellucid.studio.networks import Opened

IMAGES = 500
"""Pictures of which a curve is made: a share of them is right to about two in a hundred."""
_MEASURED = 32
"""Pictures on which layers are measured."""
_REMEDIES = Path(__file__).parents[1] / "remedies.json"
"""``pellucid shift --remedies --json``, its curves alone."""


def curve(asked: ShiftCurveAsked, studio: Studio) -> ShiftCurveStanding:
    """Measure accuracy against one kind of change."""
    opened = studio.networks.open(asked.target)
    condition = next((one for one in CONDITIONS if one.name == asked.condition), None)
    if condition is None:
        names = ", ".join(one.name for one in CONDITIONS)
        raise ParameterError(f"There is no change {asked.condition!r}; there are {names}.")

    def work(tell: Tell) -> ShiftCurve:
        record = shift(opened.net, _test_set(opened, asked.data), conditions=[condition], images=IMAGES, progress=tell)
        found = record.curves[0]
        return ShiftCurve(
            condition=found.condition,
            unit=found.unit,
            unchanged=found.unchanged,
            values=list(found.values),
            accuracy=list(found.accuracy),
            confidence=list(found.confidence),
            images=record.images,
        )

    standing = studio.background.ask(("curve", opened.key, asked.data, asked.condition), work)
    return ShiftCurveStanding(done=standing.done, of=standing.of, result=standing.result)


def layers(asked: ShiftLayersAsked, studio: Studio) -> ShiftLayersStanding:
    """Measure how far each layer follows a shift."""
    opened = studio.networks.open(asked.target)

    def work(tell: Tell) -> ShiftLayers:
        tell(0, 1)
        images = _test_set(opened, asked.data).inputs(slice(0, _MEASURED))
        found, poolings = equivariance(opened.net, images)
        return ShiftLayers(
            shifts=list(SHIFTS),
            layers=[
                ShiftLayer(layer=one.layer, op=one.op, jump=float(one.jump), errors=list(one.errors)) for one in found
            ],
            poolings=[
                ShiftPooling(
                    layer=one.layer,
                    side=one.side,
                    stride=one.stride,
                    live=list(one.live),
                    entering=list(one.entering),
                )
                for one in poolings
            ],
            images=len(images),
        )

    standing = studio.background.ask(("layers", opened.key, asked.data), work)
    return ShiftLayersStanding(done=standing.done, of=standing.of, result=standing.result)


def remedies(asked: Nothing, studio: Studio) -> ShiftRemedies:
    """Tell what was measured of networks that were trained in other ways."""
    return _remedies()


@cache
def _remedies() -> ShiftRemedies:
    return ShiftRemedies.model_validate_json(_REMEDIES.read_bytes())


def _test_set(opened: Opened, data: str) -> Dataset:
    """Return a data set's test part in a network's own order of classes; only data sets known by name."""
    test_part(data)
    return load_test_set(opened.net, data)
