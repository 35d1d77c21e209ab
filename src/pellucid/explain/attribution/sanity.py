"""Whether an attribution asks the network at all: it must change when the weights become random.

Adebayo et al. 2018, "Sanity checks for saliency maps", arXiv:1810.03292: the layers lose what they learned one after
the other, from the scores towards the image. A map that stays the same shows the picture, not the network.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import ParameterError
from pellucid.explain.attribution.attribute import attribute
from pellucid.explain.attribution.record import Attribution
from pellucid.explain.inputs import as_input
from pellucid.explain.numbers import fixed
from pellucid.graph import Graph
from pellucid.nn import Module, Parameter
from pellucid.types import Array

if TYPE_CHECKING:
    from PIL import Image

SAME = 0.7
"""Maps whose ranks correlate so, or more, are taken for much the same: they share half of their variance."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A step of the check: the ``layers`` that became random in it, besides those of the steps before.

    ``summary`` (H, W) is the map then, and ``correlation`` that of its ranks with those of the trained network's map.
    """

    layers: tuple[str, ...]
    summary: Array
    correlation: float


@dataclass(frozen=True, slots=True, eq=False)
class Sanity:
    """A sanity check: the attribution by the network as it is, and what became of it in each stage.

    There are no stages where the attribution is of one magnitude everywhere: it has no ranks to compare.
    """

    attribution: Attribution
    stages: tuple[Stage, ...]
    seed: int

    @property
    def ignored(self) -> tuple[str, ...]:
        """The layers, from the scores on, that can become random while the map stays much the same."""
        staying = itertools.takewhile(lambda stage: stage.correlation >= SAME, self.stages)
        return tuple(layer for stage in staying for layer in stage.layers)

    @property
    def words(self) -> tuple[str, ...]:
        """The verdict in sentences."""
        method = self.attribution.title
        if not self.stages:
            return (
                f"Whether the map by {method} depends on the network cannot be said: it is of one magnitude "
                "everywhere and has no ranks to compare.",
            )
        first, last = self.stages[0], self.stages[-1]
        count = sum(len(stage.layers) for stage in self.stages)
        if not self.ignored:
            return (
                f"The map by {method} depends on the network: once {_listed(first.layers)} is random, its ranks "
                f"correlate only {fixed(first.correlation)} with before.",
            )
        ignores = f"On this image the map by {method} ignores"
        if len(self.ignored) == count:
            return (
                f"{ignores} the network: with all weights random, its ranks still correlate "
                f"{fixed(last.correlation)} with before; it shows the picture.",
            )
        return (
            f"{ignores} what {_listed(self.ignored)} learned: when that is random, its ranks still correlate "
            f"{fixed(self._after(self.ignored[-1]))} with before; it says little about the class.",
            f"With all weights random they correlate {fixed(last.correlation)}.",
        )

    def _after(self, layer: str) -> float:
        return next(stage.correlation for stage in self.stages if layer in stage.layers)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the arrays."""
        stages = [{"layers": list(stage.layers), "correlation": stage.correlation} for stage in self.stages]
        return {
            "method": self.attribution.method,
            "stages": stages,
            "ignored": list(self.ignored),
            "seed": self.seed,
            "words": list(self.words),
        }


def sanity(
    net: Module,
    image: Array | Image.Image,
    method: str = "integrated-gradients",
    target: str | int | None = None,
    *,
    stages: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Sanity:
    """Give the layers of a copy of the network random weights, from the scores on, and watch the attribution.

    Each array of weights is drawn anew from a normal distribution of its own mean and deviation, so that activations
    keep their size; where all its numbers are the same, the deviation is 1/√n, n the numbers that one of its layer's
    neurons reads. Statistics of batch normalisation stay. Maps are compared by Spearman's correlation of their
    magnitudes on the image (H, W), without the pixels that are exactly 0 in both unless it is a class activation map:
    where the image equals the baseline, nothing else is possible. A map that is the same everywhere correlates 0; where
    it is the network's own, there is nothing to compare, and no stage.
    Integrated gradients take as many steps in each stage as they need for the network itself.

    Parameters
    ----------
    net, image, method, target, settings
        As in :func:`~pellucid.explain.attribution.attribute.attribute`; the class is the same in all stages.
    stages
        At most so many; where there are more layers, several become random at once.
    seed
        Of the weights (and of SmoothGrad's noise).
    progress
        Is told how many stages of how many are done.

    Raises what ``attribute`` raises, and ParameterError where the network has no weights or ``stages`` is below 1.
    """
    if type(stages) is not int or stages < 1:
        raise ParameterError(f"The 'stages' parameter of sanity must be an integer of at least 1; got {stages}.")
    first = attribute(net, image, target, method, seed=seed, **settings)
    if first.steps is not None:
        settings |= {"steps": first.steps, "tolerance": math.inf}
    changed, generator = copy.deepcopy(net), np.random.default_rng(seed)
    parameters = dict(changed.named_parameters())
    with changed.evaluating():
        groups = _groups(changed.graph((1, *as_input(net, image).shape)), stages)
    found: list[Stage] = []
    if np.ptp(abs(first.summary)) == 0:
        return Sanity(first, (), seed)
    for group in groups:
        if progress is not None:
            progress(len(found), len(groups))
        for names in group.values():
            _make_random([parameters[name] for name in names], generator)
        now = attribute(changed, image, first.target, method, seed=seed, **settings).summary
        found.append(Stage(tuple(group), now, _alike(first, now)))
    return Sanity(first, tuple(found), seed)


def _make_random(parameters: list[Parameter], generator: np.random.Generator) -> None:
    """Draw the weights of a layer anew."""
    reads = max(math.prod(parameter.shape[1:]) for parameter in parameters)
    for parameter in parameters:
        old = parameter.data
        deviation = old.std() if np.ptp(old) else 1 / math.sqrt(reads)
        parameter.data = generator.normal(old.mean(), deviation, old.shape).astype(old.dtype)


def _alike(first: Attribution, summary: Array) -> float:
    one, other = abs(first.summary), abs(summary)
    compared = (one > 0) | (other > 0) if first.layer is None else np.ones(one.shape, bool)
    return spearman(one[compared], other[compared])


def _listed(layers: tuple[str, ...]) -> str:
    """Name a few layers, or the first and the last of many."""
    named = [f"'{layer}'" for layer in layers]
    if len(named) > 3:
        return f"{named[0]} to {named[-1]} ({len(named)} layers)"
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _groups(graph: Graph, most: int) -> list[dict[str, list[str]]]:
    """Return the names of the weights by layer, the last layer first, in at most so many groups."""
    layers: dict[str, list[str]] = {}
    known: set[str] = set()
    for node in graph.nodes:
        new = [v.name for v in node.inputs if v is not None and v.name in graph.parameters and v.name not in known]
        if new:
            layers[node.name] = new
            known.update(new)
    if not layers:
        raise ParameterError("A sanity check needs weights to make random; the network has none.")
    names = list(reversed(layers))
    parts = np.array_split(np.array(names, dtype=object), min(most, len(names)))
    return [{str(name): layers[str(name)] for name in part} for part in parts]


def spearman(one: Array, other: Array) -> float:
    """Return the correlation of the ranks of two arrays; ties share their mean rank. 0 where one is constant or empty.

    >>> spearman(np.array([1, 2, 3]), np.array([10, 20, 15]))
    0.5
    """
    if not one.size:
        return 0.0
    first, second = (_ranks(values.ravel()) for values in (one, other))
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return round(float(first @ second) / size, 12) if size else 0.0


def _ranks(values: Array) -> Array:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    ranks: Array = (last - (counts - 1) / 2)[place.ravel()]
    return ranks
