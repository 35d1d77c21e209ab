"""The network that chapters show at work: what it takes turned clothes for, and what its filters became."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from pellucid.data import Dataset, registry
from pellucid.data.augment import rotated
from pellucid.errors import ParameterError
from pellucid.interop.pretrained import pretrained
from pellucid.interop.target import preprocessing_of
from pellucid.nn import Module, functional
from pellucid.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """A picture (28, 28) from 0 to 1, what it shows, and the probabilities of the classes."""

    picture: Array
    truth: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]


def turned(index: int, degrees: float) -> Turned:
    """Turn a test picture of clothes counter-clockwise and let the network that ships for them classify it.

    Raises ParameterError where there is no such picture.
    """
    test = _clothes()
    if not 0 <= index < len(test):
        raise ParameterError(f"The picture must be one from 0 to {len(test) - 1}; got {index}.")
    pixels = rotated(test.images[index : index + 1], np.full(1, float(degrees)))
    net = _fashion()
    shares = functional.softmax(net(preprocessing_of(net).normalise(pixels)), 1)[0]
    truth = test.classes[test.labels[index]]
    picture = pixels[0, 0].astype(np.float32) / 255
    return Turned(picture, truth, tuple(net.metadata["classes"]), tuple(map(float, shares)))


def first_filters() -> Array:
    """Return the first layer's filters, (32, 3, 3), of the network that ships for clothes."""
    weights: Array = _fashion().state_dict()["conv1.weight"][:, 0]
    return weights


@cache
def _fashion() -> Module:
    return pretrained("fashion")


@cache
def _clothes() -> Dataset:
    return registry.load("fashion-mnist-mini")[1]
