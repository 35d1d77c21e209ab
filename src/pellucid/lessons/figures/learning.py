"""From scores to a loss and back: softmax, cross-entropy, and the gradient that training follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid import nn
from pellucid.errors import ParameterError
from pellucid.nn import functional, losses
from pellucid.train.gradients import value_and_grad

MOST_CLASSES = 10


@dataclass(frozen=True, slots=True)
class Scored:
    """Probabilities of the classes, the loss, and what the loss changes by when a score grows by a little."""

    probabilities: tuple[float, ...]
    loss: float
    gradient: tuple[float, ...]


def scored(scores: Sequence[float], label: int) -> Scored:
    """Turn scores into probabilities and, the class ``label`` being right, a loss and its gradient.

    Raises ParameterError where there are too few or too many scores, or the label is none of them.

    >>> found = scored([2.0, 1.0, 0.0], 0)
    >>> [round(p, 3) for p in found.probabilities], round(found.loss, 3), [round(g, 3) for g in found.gradient]
    ([0.665, 0.245, 0.09], 0.408, [-0.335, 0.245, 0.09])
    """
    if not 2 <= len(scores) <= MOST_CLASSES or not 0 <= label < len(scores):
        raise ParameterError(
            f"There must be 2 to {MOST_CLASSES} scores, and the label one of them, from 0; got {len(scores)} scores "
            f"and label {label}."
        )
    values = np.array([scores], np.float32)
    shift = nn.Linear(1, len(scores), bias=False)  # on an input of 1 its weights are the scores themselves
    shift.load_state_dict({"weight": values.T})
    loss, gradients = value_and_grad(shift, losses.cross_entropy)(np.ones((1, 1), np.float32), np.array([label]))
    probabilities = functional.softmax(values, 1)[0]
    return Scored(tuple(map(float, probabilities)), float(loss), tuple(map(float, gradients["weight"].reshape(-1))))
