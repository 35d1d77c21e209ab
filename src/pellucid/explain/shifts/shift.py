"""The shift lab: how a classifier takes pictures that are changed, and which of its layers follow a shift."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data import Dataset, randomness
from pellucid.errors import DataError, ParameterError
from pellucid.explain.shifts.conditions import CONDITIONS, Condition
from pellucid.explain.shifts.equivariance import SHIFTS, LayerError, Pooling, equivariance
from pellucid.nn import Module
from pellucid.nn.functional import softmax
from pellucid.nn.settings import positive
from pellucid.train.evaluate import evaluate
from pellucid.types import Array

_CHUNK = 256
"""Pictures that are changed at once: few enough for little memory."""
_MEASURED = 64
"""Pictures on which layers are measured."""

OnProgress = Callable[[int, int], None]
"""Hears (done, of): steps of the work."""


@dataclass(frozen=True)
class Curve:
    """Accuracy, and mean probability of the true class, for each value of a change."""

    condition: str
    about: str
    unit: str
    unchanged: float
    values: tuple[float, ...]
    accuracy: tuple[float, ...]
    confidence: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return the accuracy at one of the values. Raises ParameterError where it was not tried."""
        if value not in self.values:
            tried = ", ".join(f"{one:g}" for one in self.values)
            raise ParameterError(f"The value of '{self.condition}' must be one of {tried}; got {value!r}.")
        return self.accuracy[self.values.index(value)]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        lists = {name: list(getattr(self, name)) for name in ("values", "accuracy", "confidence")}
        about = {"condition": self.condition, "about": self.about, "unit": self.unit, "unchanged": self.unchanged}
        return {**about, **lists}


@dataclass(frozen=True)
class ShiftRecord:
    """What changes do to a network on ``images`` pictures of a data set, and to its layers on ``measured`` of them.

    ``accuracy`` and ``confidence`` are those of the pictures as they are.
    """

    network: str
    data: str
    images: int
    measured: int
    seed: int
    accuracy: float
    confidence: float
    curves: tuple[Curve, ...]
    layers: tuple[LayerError, ...]
    poolings: tuple[Pooling, ...]

    def curve(self, condition: str) -> Curve:
        """Return the curve of a change. Raises ParameterError where it was not tried."""
        for curve in self.curves:
            if curve.condition == condition:
                return curve
        tried = ", ".join(curve.condition for curve in self.curves)
        raise ParameterError(f"There is no curve of {condition!r}; there are {tried}.")

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "network": self.network,
            "data": self.data,
            "images": self.images,
            "measured": self.measured,
            "seed": self.seed,
            "accuracy": self.accuracy,
            "confidence": self.confidence,
            "curves": [curve.as_dict() for curve in self.curves],
            "shifts": list(SHIFTS),
            "layers": [layer.as_dict() for layer in self.layers],
            "poolings": [pooling.as_dict() for pooling in self.poolings],
        }


def shift(
    net: Module,
    dataset: Dataset,
    *,
    conditions: Sequence[Condition] = CONDITIONS,
    images: int = 1000,
    seed: int = 0,
    progress: OnProgress | None = None,
) -> ShiftRecord:
    """Measure a trained classifier on changed pictures of a data set, and its layers on shifted ones.

    Pictures are changed before they are normalised, as a camera would change them; see
    :mod:`pellucid.explain.shifts.conditions` for what is done, :mod:`pellucid.explain.shifts.equivariance` for what
    is measured of layers.

    Parameters
    ----------
    net
        A classifier of the data set's classes.
    dataset
        Pictures that it was not trained on, uint8 or float32 from 0 to 1.
    conditions
        The changes; each is a curve.
    images
        How many pictures, drawn from the data set, or all if it has fewer.
    seed
        Decides which pictures, and the noise.
    progress
        Hears how far it is.

    Raises
    ------
    DataError
        If the network does not give a finite score for each class, or pictures are not from 0 to 1.
    ParameterError
        If ``images`` is below 1.

    Examples
    --------
    >>> import pellucid as pel
    >>> pel.manual_seed(0)
    >>> _, test = pel.datasets.load("fashion-mnist-mini")
    >>> record = shift(pel.zoo.build("tiny"), test, conditions=CONDITIONS[1:2], images=50)
    >>> record.curve("translation").at(0) == record.accuracy
    True
    >>> record.layers[2].layer, [round(error, 1) for error in record.layers[2].errors]
    ('pool1', [0.3, 0.0, 0.3, 0.0, 0.3, 0.0, 0.3, 0.0])
    """
    chosen = _chosen(dataset, positive(images, "images", "shift"), seed)
    before = evaluate(net, chosen)  # which refuses a network that does not fit
    measured = chosen.inputs(slice(0, _MEASURED))
    curves = _curves(net, chosen, conditions, seed, progress)
    layers, poolings = equivariance(net, measured)
    return ShiftRecord(
        network=str(net.metadata.get("name", type(net).__name__)),
        data=dataset.name,
        images=len(chosen),
        measured=len(measured),
        seed=seed,
        accuracy=before.accuracy,
        confidence=float(_of_truth(before.probabilities, chosen.labels).mean(dtype=np.float64)),
        curves=curves,
        layers=layers,
        poolings=poolings,
    )


def _chosen(dataset: Dataset, images: int, seed: int) -> Dataset:
    """Draw pictures, which stay in the data set's order."""
    if dataset.images.dtype != np.uint8 and (dataset.images.min() < 0 or dataset.images.max() > 1):
        raise DataError(
            f"The pictures of data set '{dataset.name}' must lie from 0 (black) to 1 (white) to be changed; got "
            f"{dataset.images.min():g} to {dataset.images.max():g}; give them before normalisation."
        )
    return dataset[np.sort(randomness.permutation(len(dataset), seed, randomness.SPLIT)[:images])]


def _curves(
    net: Module, dataset: Dataset, conditions: Sequence[Condition], seed: int, progress: OnProgress | None
) -> tuple[Curve, ...]:
    sums = [np.zeros((len(condition.values), 2)) for condition in conditions]
    chunks = range(0, len(dataset), _CHUNK)
    work, done = len(chunks) * sum(len(condition.values) for condition in conditions), 0
    for place, first in enumerate(chunks):
        part = dataset[first : first + _CHUNK]
        for condition, found in zip(conditions, sums, strict=True):
            for index, value in enumerate(condition.values):
                noise = randomness.generator(seed, randomness.AUGMENT, place)
                pictures = condition.change(part.images, value, noise)
                found[index] += _right_and_sure(net, part.preprocessing.normalise(pictures), part.labels)
                done += 1
                if progress is not None:
                    progress(done, work)
    curves = []
    for condition, found in zip(conditions, sums, strict=True):
        accuracy, confidence = (tuple(column.tolist()) for column in (found / len(dataset)).T)
        named = condition.name, condition.about, condition.unit, condition.unchanged, condition.values
        curves.append(Curve(*named, accuracy, confidence))
    return tuple(curves)


def _right_and_sure(net: Module, inputs: Array, labels: Array) -> tuple[int, float]:
    """Return how many inputs are recognised, and the sum of the true classes' probabilities."""
    with net.evaluating():
        scores = net(inputs)
    sure = _of_truth(softmax(scores, 1), labels).sum(dtype=np.float64)
    return int((scores.argmax(axis=1) == labels).sum()), float(sure)


def _of_truth(probabilities: Array, labels: Array) -> Array:
    chosen: Array = probabilities[np.arange(len(labels)), labels]
    return chosen
