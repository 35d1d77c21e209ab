"""What takes longer: which pixels count, what excites a unit, which filters were learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pellucid.errors import DataError, ParameterError
from pellucid.studio.background import Tell
from pellucid.studio.messages.reasons import (
    InspectAttribution,
    InspectAttributionAsked,
    InspectAttributionStanding,
    InspectDream,
    InspectDreamAsked,
    InspectDreamStanding,
    InspectFilters,
    InspectFiltersAsked,
    InspectFiltersStanding,
    InspectGabor,
    InspectPatch,
    InspectPatches,
    InspectPatchesAsked,
    InspectPatchesStanding,
)
from pellucid.studio.pictures import test_part
from pellucid.studio.studio import Studio
from pellucid.studio.subjects import seen_by
from pellucid.studio.tensors import to_tensor
from pellucid.types import Array

if TYPE_CHECKING:
    from pellucid.data import Dataset
    from pellucid.explain.dreams.goals import Goal
    from pellucid.studio.networks import Opened

_COMPARED = 500
"""Pictures beside whose scores a dream stands."""
_SIDES = ((64, 400), (128, 160), (256, 64))
"""Steps of a dream by the image's longer side, so that it takes seconds; larger images get half of the last."""
_TOP = 9
"""Patches of a channel."""
_SHOWN = 64
"""Filters that are shown."""
_RANDOM = 64
"""Random filters beside which Gabor fits stand."""
_STAGES = 4
"""Of a sanity check."""


def attribution(asked: InspectAttributionAsked, studio: Studio) -> InspectAttributionStanding:
    """Tell which pixels a score comes from."""
    from pellucid.explain.attribution.attribute import attribute
    from pellucid.explain.attribution.sanity import sanity

    opened = studio.networks.open(asked.subject.target)
    seen = seen_by(opened, asked.subject, studio)
    image = opened.preprocessing.normalise(seen)

    def work(tell: Tell) -> InspectAttribution:
        tell(0, 1)
        if asked.sanity:
            checked = sanity(opened.net, image, asked.method, asked.index, stages=_STAGES, progress=tell)
            found, verdict = checked.attribution, list(checked.words)
        else:
            found, verdict = attribute(opened.net, image, asked.index, asked.method, progress=tell), []
        return InspectAttribution(
            map=to_tensor(found.summary), name=found.name, words=list(found.words), verdict=verdict
        )

    key = "attribution", opened.key, seen.tobytes(), asked.method, asked.index, asked.sanity
    standing = studio.background.ask(key, work)
    return InspectAttributionStanding(done=standing.done, of=standing.of, result=standing.result)


def dream(asked: InspectDreamAsked, studio: Studio) -> InspectDreamStanding:
    """Make the picture that excites a unit most."""
    from pellucid.explain.dreams.dream import Settings, dreams

    opened = studio.networks.open(asked.target)
    wanted = _goal(opened, asked)
    steps = next((steps for side, steps in _SIDES if max(opened.shape[1:]) <= side), _SIDES[-1][1] // 2)

    def work(tell: Tell) -> InspectDream:
        data, compare = _compared(opened)
        settings = Settings(steps=steps, seed=asked.seed)
        preprocessing = opened.preprocessing
        (made,) = dreams(opened.net, [wanted], settings, compare=compare, preprocessing=preprocessing, progress=tell)
        return InspectDream(
            picture=to_tensor(made.picture / np.float32(255)),
            score=made.score,
            start=made.start,
            best=made.best,
            data=data,
            scores=to_tensor(np.array(made.scores)),
            stuck=made.is_stuck,
            what=wanted.kind,
        )

    standing = studio.background.ask(("dream", opened.key, wanted, asked.seed), work)
    return InspectDreamStanding(done=standing.done, of=standing.of, result=standing.result)


def _goal(opened: Opened, asked: InspectDreamAsked) -> Goal:
    from pellucid.explain.dreams.goals import class_goals, goal

    if opened.classes:
        goals = class_goals(opened.net)
        if goals[0].layer == asked.layer and asked.channel < len(goals):
            return goals[asked.channel]
    cell = None if asked.y is None or asked.x is None else (asked.y, asked.x)
    return goal(opened.net, asked.layer, asked.channel, cell)


def _compared(opened: Opened) -> tuple[str | None, Array | None]:
    """Return pictures like those that a network was trained on, if there are any on this machine."""
    from pellucid.data import registry

    data = opened.net.metadata.get("data")
    if data not in registry.at_hand():
        return None, None
    images = test_part(data).images[:_COMPARED]
    fits = images.shape[1:] == opened.shape and images.dtype == np.uint8
    return (data, images) if fits else (None, None)


def patches(asked: InspectPatchesAsked, studio: Studio) -> InspectPatchesStanding:
    """Find the parts of pictures that excite a channel most."""
    from pellucid.explain.exciting import exciting_patches

    opened = studio.networks.open(asked.target)

    def work(tell: Tell) -> InspectPatches:
        dataset = _pictures(opened, asked.data)
        found = exciting_patches(opened.net, dataset, asked.layer, [asked.channel], _TOP, progress=tell)
        return InspectPatches(
            patches=[
                InspectPatch(
                    value=patch.value,
                    index=patch.index,
                    label=patch.label,
                    picture=to_tensor(dataset.images[patch.index] / np.float32(255)),
                    box=patch.box,
                )
                for patch in found[asked.channel]
            ],
            pictures=len(dataset),
        )

    key = "patches", opened.key, asked.layer, asked.channel, asked.data
    standing = studio.background.ask(key, work)
    return InspectPatchesStanding(done=standing.done, of=standing.of, result=standing.result)


def _pictures(opened: Opened, data: str) -> Dataset:
    """Return a data set's test pictures as a network takes them; what they are called does not matter here."""
    from pellucid.data import Dataset

    test = test_part(data)
    if test.images.shape[1:] != opened.shape:
        raise DataError(
            f"The network takes images of {'×'.join(map(str, opened.shape))}; those of '{data}' are "
            f"{'×'.join(map(str, test.images.shape[1:]))}; choose another network."
        )
    return Dataset(test.images, test.labels, test.classes, test.name, opened.preprocessing)


def filters(asked: InspectFiltersAsked, studio: Studio) -> InspectFiltersStanding:
    """Show the filters of a convolution, and how like Gabor functions they are."""
    from pellucid.explain.filters import layer_filters

    opened = studio.networks.open(asked.target)
    found = layer_filters(opened.net, asked.layer, shape=opened.shape)
    shown = layer_filters(opened.net, asked.layer, found.order[:_SHOWN], shape=opened.shape)

    def work(tell: Tell) -> InspectFilters:
        from pellucid.explain.filters import gabor_study
        from pellucid.explain.gabor import check_size, random_r2

        tell(0, 1)
        kernel = shown.weights.shape[2], shown.weights.shape[3]
        weights = shown.weights[list(shown.order)]
        about = {"layer": shown.layer, "of": len(found.order), "norms": shown.norms[list(shown.order)].tolist()}
        try:
            check_size(kernel)
        except ParameterError:
            return InspectFilters(weights=to_tensor(weights), gabors=[], median_r2=None, random_r2=None, **about)
        study = gabor_study(shown, random_r2(kernel, _RANDOM))
        return InspectFilters(
            weights=to_tensor(weights),
            gabors=[
                InspectGabor(
                    plane=to_tensor(plane),
                    fitted=to_tensor(fit.gabor.draw(*plane.shape)),
                    r2=None if np.isnan(fit.r2) else fit.r2,
                )
                for fit, plane in zip(study.fits, study.planes, strict=True)
            ],
            median_r2=None if np.isnan(study.median) else study.median,
            random_r2=float(np.median(study.random)),
            **about,
        )

    standing = studio.background.ask(("filters", opened.key, shown.layer), work)
    return InspectFiltersStanding(done=standing.done, of=standing.of, result=standing.result)
