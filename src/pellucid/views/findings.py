"""What the report says of a run's results: the sentences and rows behind its headings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, sqrt
from typing import Any

import numpy as np

from pellucid.analysis.summary import Summary
from pellucid.data import Dataset
from pellucid.train.evaluate import Evaluation
from pellucid.types import Array
from pellucid.views.pictures import photo

_MISTAKES = 12
_LARGEST_TABLE = 20
"""Classes up to which the confusion matrix is a table of numbers."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test image that was called something else."""

    picture: str
    truth: str
    called: str
    probability: str
    index: int


@dataclass(frozen=True, slots=True)
class ClassResult:
    """How many images of one class were recognised."""

    name: str
    share: str
    width: str
    """Length of its bar in percent."""
    right: int
    count: int


def percent(share: float, decimals: int = 1) -> str:
    """Write a share as a percentage; "–" where there is none.

    >>> percent(0.8856), percent(float("nan")), percent(1.0)
    ('88.6\N{NO-BREAK SPACE}%', '–', '100\N{NO-BREAK SPACE}%')
    """
    if isnan(share):
        return "–"
    text = f"{100 * share:.{decimals}f}"
    return f"{text.removesuffix('.' + '0' * decimals) if share in (0, 1) else text}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """Write a time as people say it.

    >>> duration(3.21), duration(75), duration(7384)
    ('3.2 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def uncertainty(accuracy: float, count: int) -> float:
    """Half the width of the 95 % interval of an accuracy measured on ``count`` images (normal approximation).

    >>> round(uncertainty(0.9, 1000), 4)
    0.0186
    """
    return 1.96 * sqrt(accuracy * (1 - accuracy) / count)


def course(history: Sequence[Mapping[str, Any]]) -> str:
    """Say in a sentence how the training went."""
    first, last = history[0], history[-1]
    what = "validation_loss" if "validation_loss" in last else "loss"
    name = "Validation loss" if what == "validation_loss" else "Training loss"
    if len(history) == 1:
        return f"{name} is {last[what]:.3f} after one epoch"
    verb = "fell" if last[what] < first[what] else "rose"
    return f"{name} {verb} from {first[what]:.3f} to {last[what]:.3f} in {last['epoch']} epochs"


def class_results(evaluation: Evaluation) -> list[ClassResult]:
    """List the classes, best first; those without test images last."""
    counts = evaluation.confusion.sum(axis=1)
    results = [
        (share, ClassResult(name, percent(share), f"{0 if isnan(share) else 100 * share:.1f}%", int(right), int(count)))
        for (name, share), right, count in zip(
            evaluation.per_class.items(), evaluation.confusion.diagonal(), counts, strict=True
        )
    ]
    results.sort(key=lambda pair: -1.0 if isnan(pair[0]) else pair[0], reverse=True)
    return [result for _, result in results]


def best_and_worst(results: Sequence[ClassResult]) -> str:
    """Say which class is recognised best and which worst."""
    known = [result for result in results if result.count]
    if known[0].share == known[-1].share:
        return f"Every class is recognised alike: {known[0].share}"
    return f"{known[0].name} is recognised best ({known[0].share}), {known[-1].name} least ({known[-1].share})"


def commonest_confusion(evaluation: Evaluation) -> str:
    """Say which class is most often taken for which."""
    wrong = _off_diagonal(evaluation.confusion)
    true, called = np.unravel_index(wrong.argmax(), wrong.shape)
    times, of = int(wrong[true, called]), int(evaluation.confusion[true].sum())
    if not times:
        return "No class is taken for another"
    names = list(evaluation.per_class)
    return f"{names[true]} is most often taken for {names[called]}: {times} of {of}"


def confusion_rows(evaluation: Evaluation) -> list[tuple[str, list[tuple[int, str]]]] | None:
    """Rows (true class, [(count, style class)]) of the confusion matrix; None where it is too large for a table."""
    confusion = evaluation.confusion
    if len(confusion) > _LARGEST_TABLE:
        return None
    right, wrong = int(confusion.diagonal().max()), int(_off_diagonal(confusion).max())

    def entry(row: int, column: int) -> tuple[int, str]:
        count = int(confusion[row, column])
        family, largest = ("right", right) if row == column else ("wrong", wrong)
        return count, f"{family}{-(-10 * count // largest) if largest else 0}"

    size = len(confusion)
    names = list(evaluation.per_class)
    return [(names[row], [entry(row, column) for column in range(size)]) for row in range(size)]


def confusions(evaluation: Evaluation, most: int = 20) -> list[tuple[str, str, int]]:
    """List (true class, called, times), the commonest first: what is shown of a matrix too large for a table."""
    wrong = _off_diagonal(evaluation.confusion)
    names = list(evaluation.per_class)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [np.unravel_index(index, wrong.shape) for index in order]
    return [(names[true], names[called], int(wrong[true, called])) for true, called in pairs if wrong[true, called]]


def mistakes(evaluation: Evaluation, test: Dataset) -> tuple[int, list[Mistake]]:
    """Return how many test images were taken for something else, and the surest of these mistakes."""
    called = evaluation.probabilities.argmax(axis=1)
    wrong = np.flatnonzero(called != test.labels)
    sure = evaluation.probabilities[wrong, called[wrong]]
    worst = wrong[np.argsort(-sure, kind="stable")[:_MISTAKES]]
    return len(wrong), [_mistake(int(index), int(called[index]), evaluation, test) for index in worst]


def image_to_show(evaluation: Evaluation, test: Dataset) -> int:
    """Choose the test image to look through the network with: of those recognised, the one of median certainty."""
    right = np.flatnonzero(evaluation.probabilities.argmax(axis=1) == test.labels)
    sure = evaluation.probabilities.max(axis=1)[right]
    return int(right[np.argsort(sure, kind="stable")[len(right) // 2]]) if len(right) else 0


def largest_layer(summary: Summary) -> str:
    """Say how many parameters there are and where most of them lie."""
    largest = max(summary.layers, key=lambda layer: layer.parameters)
    if not summary.parameters:
        return "The network has no parameters"
    share = percent(largest.parameters / summary.parameters, 0)
    return f"{share} of the {summary.parameters:,} parameters lie in {largest.name}"


def picture_of(test: Dataset, index: int) -> Array:
    """Return one image of a data set as a uint8 picture (C, H, W)."""
    pixels: Array = test.preprocessing.denormalise(test.inputs(np.array([index])))[0]
    return pixels


def _mistake(index: int, called: int, evaluation: Evaluation, test: Dataset) -> Mistake:
    probabilities, truth = evaluation.probabilities[index], int(test.labels[index])
    return Mistake(
        picture=photo(picture_of(test, index)),
        truth=test.classes[truth],
        called=test.classes[called],
        probability=percent(float(probabilities[called])),
        index=index,
    )


def _off_diagonal(confusion: Array) -> Array:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    return wrong
