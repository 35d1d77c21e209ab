"""Activation maximisation: the picture that excites a part of a network most, found by climbing its gradient.

From noise or from a picture, every step changes the picture a little in the direction in which the wanted number
grows (Erhan, Bengio, Courville & Vincent 2009; Simonyan, Vedaldi & Zisserman 2014). What keeps it from ending in noise
is taken from Olah, Mordvintsev & Schubert, "Feature Visualization" (2017): the picture is moved, turned and scaled
at random before each step (``dreams/warp.py``), so that only what survives that can grow; it is written in frequencies
(``dreams/canvas.py``); and roughness costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.analysis.gradients import Differentiable
from pellucid.data import Preprocessing
from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.dreams.canvas import Canvas
from pellucid.explain.dreams.goals import Goal, class_goal, goal, image_shape, measure, together
from pellucid.explain.dreams.warp import Warp, total_variation
from pellucid.nn import Module, Parameter
from pellucid.nn.settings import is_integer
from pellucid.train.optim import Adam
from pellucid.types import Array

_BATCH = 16
"""Pictures that are made at once."""
_NOISE = 0.02
"""Of the numbers that a dream from noise starts with."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a dream is made.

    ``rate`` is Adam's learning rate. Before each step the picture is moved by up to ``jitter`` pixels each way (None: a
    fourteenth of its height), turned by up to ``rotation`` degrees and scaled by a factor from 1 − ``zoom`` to 1 +
    ``zoom``; in the second half of the steps less and less. Beside slopes whose mean magnitude is made 1 a pixel,
    ``tv`` is what roughness costs, and ``decay`` what leaving the picture at the start does: more keeps a dream calmer.
    ``parametrisation`` is "frequency" or "pixels". ``seed`` fixes noise and moves.

    Raises ParameterError where a value breaks its rule.
    """

    steps: int = 400
    rate: float = 0.05
    jitter: int | None = None
    rotation: float = 8.0
    zoom: float = 0.1
    tv: float = 0.4
    decay: float = 1.0
    parametrisation: str = "frequency"
    seed: int = 0

    def __post_init__(self) -> None:
        rules = {
            "steps": (self.steps, 0, 100_000), "rate": (self.rate, 0, 10), "jitter": (self.jitter or 0, 0, 1000),
            "rotation": (self.rotation, 0, 180), "zoom": (self.zoom, 0, 0.9), "tv": (self.tv, 0, 1000),
            "decay": (self.decay, 0, 1000),
        }  # fmt: skip
        for name, (value, low, high) in rules.items():
            if not low <= value <= high:
                raise ParameterError(f"The '{name}' parameter of a dream must be from {low} to {high:g}; got {value}.")
        for name, value in (("steps", self.steps), ("jitter", self.jitter or 0), ("seed", self.seed)):
            if not is_integer(value) or value < 0:
                raise ParameterError(
                    f"The '{name}' parameter of a dream must be a whole number of at least 0; got {value!r}."
                )


@dataclass(frozen=True, slots=True, eq=False)
class Dream:
    """A picture that was made to excite something.

    ``picture`` is uint8 (C, H, W), ``input`` the same as the network takes it, float32, and ``score`` what the engine
    computes for it. ``start`` is the score of the picture that it began with, ``best`` the largest among the pictures
    of a data set and ``mean`` their mean, None where none was given. ``scores`` are those during the climb, each of the
    picture as it was moved for that step.
    """

    goal: Goal
    picture: Array
    input: Array
    score: float
    start: float
    scores: tuple[float, ...]
    settings: Settings
    best: float | None = None
    mean: float | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether the number never moved: no pixel changes it where the dream began, as behind a dead ReLU."""
        return len({self.start, self.score, *self.scores}) == 1 and self.settings.steps > 0

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the picture."""
        return {
            **self.goal.as_dict(),
            "score": self.score,
            "start": self.start,
            "best": self.best,
            "mean": self.mean,
            "steps": self.settings.steps,
            "seed": self.settings.seed,
            "scores": list(self.scores),
        }


Progress = Callable[[int, int], None]


def dream(
    net: Module,
    layer: str | None = None,
    channel: int | None = None,
    cell: tuple[int, int] | None = None,
    *,
    target: str | int | None = None,
    start: Array | None = None,
    **settings: Any,
) -> Dream:
    """Make a picture that excites a class, or a cell, a channel or all of a layer.

    Parameters
    ----------
    net
        A network of one image, whose ``metadata`` say how a picture becomes its input ("preprocessing").
    layer, channel, cell
        The layer's name; the channel, or unit of a dense layer; (row, column). See :class:`Goal`.
    target
        A class, by name or number, instead of a layer.
    start
        A picture to start from, uint8 (C, H, W); by default noise around the mean colour.
    settings
        Those of :class:`Settings`.

    Raises
    ------
    ParameterError
        If there is no such layer, channel, cell or class, or a setting breaks its rule.
    ShapeError
        If the start is not of the network's shape.

    Examples
    --------
    >>> import pellucid as pel
    >>> net = pel.nn.Sequential({"fc": pel.nn.Sequential(pel.nn.Flatten(), pel.nn.Linear(4, 1, bias=False))})
    >>> net.load_state_dict({"fc.1.weight": [[1, -1, -1, 1]]})
    >>> gray = Preprocessing((2, 2), 1, mean=(0.5,), std=(0.5,))
    >>> net.metadata |= {"input": [1, 2, 2], "preprocessing": gray.as_dict()}
    >>> free = {"jitter": 0, "rotation": 0, "zoom": 0, "tv": 0, "rate": 0.5}
    >>> found = dream(net, target=0, parametrisation="pixels", **free)   # white where weights are positive
    >>> found.picture.tolist(), found.score
    ([[[255, 0], [0, 255]]], 4.0)
    """
    if (layer is None) == (target is None):
        raise ParameterError("A dream is of a layer or of a class; give one of 'layer' and 'target'.")
    if layer is None:
        assert target is not None
        wanted = class_goal(net, target)
    else:
        wanted = goal(net, layer, channel, cell)
    return dreams(net, [wanted], Settings(**settings), start=start)[0]


def dreams(
    net: Module,
    goals: Sequence[Goal],
    settings: Settings | None = None,
    *,
    start: Array | None = None,
    compare: Array | None = None,
    preprocessing: Preprocessing | None = None,
    progress: Progress | None = None,
) -> list[Dream]:
    """Make a picture for each of several goals of one layer; all start alike and are moved alike.

    ``compare`` are pictures, uint8 (N, C, H, W), whose scores are measured beside; ``preprocessing`` is by default the
    network's own; ``progress`` is told (steps done, of how many), counted over all pictures. See :func:`dream`.
    """
    settings = settings or Settings()
    if not goals or len({each.layer for each in goals}) > 1:
        raise ParameterError("Dreams that are made together must be of one layer; make one after the other.")
    if preprocessing is None:
        if "preprocessing" not in net.metadata:
            raise ParameterError("The network does not say how a picture becomes its input; give a 'preprocessing'.")
        preprocessing = Preprocessing.from_dict(net.metadata["preprocessing"])
    shape = image_shape(net)
    if start is not None and (start.shape != shape or start.dtype != np.uint8):
        raise ShapeError(
            f"The start of a dream must be uint8 {shape}, as the network takes it; got {start.dtype} {start.shape}."
        )
    climb = _Climb(Differentiable(net, shape, goals[0].layer), preprocessing, settings)
    made: list[Dream] = []
    size = together(net, _BATCH)
    for part in (goals[first : first + size] for first in range(0, len(goals), size)):
        made += climb(part, start, _share(progress, len(made), len(part), len(goals), settings.steps))
    if compare is None:
        return made
    others = measure(climb.differentiable, goals, preprocessing.normalise(compare))
    return [replace(one, best=float(row.max()), mean=float(row.mean())) for one, row in zip(made, others, strict=True)]


def _share(progress: Progress | None, before: int, now: int, pictures: int, steps: int) -> Callable[[int], None]:
    """Return what is told the steps of some pictures, and tells those of all."""

    def tell(step: int) -> None:
        if progress is not None:
            progress(before * steps + now * step, pictures * steps)

    return tell


class _Climb:
    """Gradient ascent on several pictures at once."""

    def __init__(self, differentiable: Differentiable, preprocessing: Preprocessing, settings: Settings) -> None:
        self.differentiable, self.preprocessing, self.settings = differentiable, preprocessing, settings
        self.shape = (preprocessing.channels, *preprocessing.size)
        self.canvas = Canvas(self.shape, preprocessing.mean, settings.parametrisation)

    def __call__(self, goals: Sequence[Goal], start: Array | None, progress: Callable[[int], None]) -> list[Dream]:
        """Make a picture for each goal."""
        generator = np.random.default_rng(self.settings.seed)
        numbers = Parameter(self._first(len(goals), start, generator))
        first = self.canvas.picture(numbers.reading)
        adam = Adam(self.settings.rate)
        climbed = []
        for step in range(self.settings.steps):
            scores, slopes = self._uphill(
                goals, self.canvas.picture(numbers.reading), first, self._warp(generator, step)
            )
            adam.update({"picture": numbers}, {"picture": -slopes})
            climbed.append(scores)
            progress(step + 1)
        return self._record(goals, _bytes(first), _bytes(self.canvas.picture(numbers.reading)), climbed)

    def _first(self, count: int, start: Array | None, generator: np.random.Generator) -> Array:
        if start is None:
            numbers = _NOISE * generator.standard_normal((1, *self.canvas.shape), dtype=np.float32)
        else:
            numbers = self.canvas.numbers(start[None] / 255)
        return np.repeat(numbers, count, axis=0)

    def _warp(self, generator: np.random.Generator, step: int) -> Warp:
        """Draw how the pictures are moved for a step: in the second half less and less, so that details settle."""
        settings, size = self.settings, (self.shape[1], self.shape[2])
        share = min(1.0, 2 * (1 - step / settings.steps))
        jitter = size[0] // 14 if settings.jitter is None else settings.jitter
        down, right = np.rint(share * generator.integers(-jitter, jitter + 1, 2))
        angle, zoom = share * generator.uniform(-1, 1, 2) * (settings.rotation, settings.zoom)
        return Warp.turned(size, (down, right), angle, 1 + zoom)

    def _uphill(self, goals: Sequence[Goal], pictures: Array, first: Array, warp: Warp) -> tuple[Array, Array]:
        """Return the scores of the moved pictures, and which way the numbers should go."""
        inputs = self.preprocessing.normalise(warp(pictures))
        values, by_input = self._slopes(goals, inputs)
        scores = np.array([each.scores(value[None])[0] for each, value in zip(goals, values, strict=True)])
        slopes = warp.adjoint(by_input / np.array(self.preprocessing.std, np.float32)[:, None, None])
        length = np.mean(abs(slopes), axis=(1, 2, 3), keepdims=True)
        slopes /= np.maximum(length, np.finfo(np.float32).tiny)
        slopes -= self.settings.tv * total_variation(pictures)[1]
        slopes -= self.settings.decay * (pictures - first)
        return scores, self.canvas.pull_back(pictures, slopes)

    def _slopes(self, goals: Sequence[Goal], inputs: Array) -> tuple[Array, Array]:
        """Return what the layer computes, and the gradient of each picture's score by its input."""
        values = np.zeros((len(goals), *self.differentiable.shape), np.float32)
        if not all(each.is_linear for each in goals):
            values = self.differentiable.numbers(inputs)
        directions = np.stack([each.direction(value) for each, value in zip(goals, values, strict=True)])
        found = self.differentiable(inputs, directions)
        return found.value, found.image

    def _record(self, goals: Sequence[Goal], before: Array, after: Array, climbed: list[Array]) -> list[Dream]:
        """Measure the finished pictures as they are, without moving them."""
        inputs = self.preprocessing.normalise(after)
        scores = measure(self.differentiable, goals, inputs).diagonal()
        starts = measure(self.differentiable, goals, self.preprocessing.normalise(before)).diagonal()
        return [
            Dream(
                goal=each,
                picture=after[index],
                input=inputs[index],
                score=float(scores[index]),
                start=float(starts[index]),
                scores=tuple(float(step[index]) for step in climbed),
                settings=self.settings,
            )
            for index, each in enumerate(goals)
        ]


def _bytes(pictures: Array) -> Array:
    pixels: Array = np.rint(255 * pictures).astype(np.uint8)
    return pixels
