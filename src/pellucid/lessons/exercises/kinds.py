"""The kinds of exercises, and the two things that can be done with them: made from a seed, and graded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.errors import ParameterError, nearest
from pellucid.lessons.exercises import bank, cell, counting, design, fields, rotation, which_kernel
from pellucid.lessons.exercises.records import Exercise, Grade

LARGEST_SEED = 2**31 - 1
MOST_EXERCISES = 100
"""That are made at once."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of exercise."""

    name: str
    title: str
    make: Callable[[int], Exercise]


_ALL = (
    Kind("size", "Output sizes", counting.size),
    Kind("parameters", "Parameters", counting.parameters),
    Kind("macs", "Multiply-adds", counting.macs),
    Kind("field", "Receptive fields", fields.field),
    Kind("cell", "Compute a cell", cell.cell),
    Kind("which-kernel", "Which kernel made this map?", which_kernel.which_kernel),
    Kind("match", "Terms and definitions", bank.match),
    Kind("choice", "Multiple choice", bank.choice),
    Kind("design", "Design a kernel", design.design),
    Kind("rotation", "Why not turned?", rotation.rotation),
)
KINDS = {kind.name: kind for kind in _ALL}


def exercise(kind: str, seed: int) -> Exercise:
    """Make the exercise of a kind and a seed. Raises ParameterError where there is no such kind, or the seed is none.

    >>> made = exercise("size", 3)
    >>> grade(made, made.form.solved).right
    True
    """
    return find(kind).make(checked_seed(seed))


def exercises(seed: int, kinds: Sequence[str] = (), count: int | None = None) -> tuple[Exercise, ...]:
    """Make several exercises from one seed, their kinds in turn: all kinds, or those given; one of each by default.

    Raises ParameterError as :func:`exercise` does, and where there are none or too many.
    """
    count = len(kinds or KINDS) if count is None else count
    if type(count) is not int or not 1 <= count <= MOST_EXERCISES:
        raise ParameterError(f"The number of exercises must be from 1 to {MOST_EXERCISES}; got {count!r:.60}.")
    return tuple(nth(seed, place, kinds) for place in range(count))


def nth(seed: int, place: int, kinds: Sequence[str] = ()) -> Exercise:
    """Make the exercise at a place, from 0, of the endless row that :func:`exercises` takes the first ones of."""
    chosen = [find(kind).name for kind in kinds] or list(KINDS)
    return exercise(chosen[place % len(chosen)], _seed(checked_seed(seed), place))


def grade(exercise: Exercise, answer: Any) -> Grade:
    """Grade an answer: a number, a choice, pairs or a kernel, as JSON has them or as text.

    Raises ParameterError where the answer is none of the exercise's form, ShapeError where a kernel is not 3×3.

    >>> grade(exercise("size", 3), "28 pixels")
    Traceback (most recent call last):
    ...
    pellucid.errors.ParameterError: The answer must be a number, such as 28 or 1,024 or 2.5; got '28 pixels'; write \
digits only.
    """
    return exercise.form.grade(exercise.form.read(answer))


def find(name: str) -> Kind:
    """Return a kind by its name. Raises ParameterError, with the nearest names, where there is none."""
    if not isinstance(name, str) or name not in KINDS:
        raise ParameterError(f"There is no kind of exercise {name!r:.60}; {nearest(str(name), KINDS)}.")
    return KINDS[name]


def checked_seed(seed: Any) -> int:
    """Return a seed. Raises ParameterError where it is none."""
    if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
        raise ParameterError(f"The seed must be a whole number from 0 to {LARGEST_SEED:,}; got {seed!r:.60}.")
    return seed


def _seed(seed: int, place: int) -> int:
    """Return the seed of the exercise at a place: neighbouring seeds share no exercise."""
    return zlib.crc32(f"{seed} {place}".encode()) & LARGEST_SEED
