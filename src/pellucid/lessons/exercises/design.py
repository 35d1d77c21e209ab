"""Design a kernel by hand: what its maps of small pictures must be like, tried by running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.kernels.matrices import as_numbers, parse_rows, write_number
from pellucid.explain.numbers import number
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.goals import GOALS, Goal, Test
from pellucid.lessons.exercises.records import MAP, Exercise, Grade, Grid, grid
from pellucid.nn.functional import conv2d
from pellucid.types import Array

SIDE = 3
"""Rows and columns of the kernel."""
MOST = 99
"""Its largest magnitude."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one test: the map, whether it is as wished, and where it is not."""

    passed: bool
    said: str
    map: Grid

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"passed": self.passed, "said": self.said, "map": self.map.as_dict()}


@dataclass(frozen=True, eq=False)
class Design:
    """An answer that is a kernel of 3×3 numbers."""

    goal: Goal
    tests: tuple[Test, ...]
    name: str = "kernel"

    @property
    def solved(self) -> list[list[float]]:
        """A kernel that passes; there are others."""
        return [[float(value) for value in row] for row in self.goal.solution]

    @property
    def working(self) -> str:
        """Why it does."""
        return self.goal.why

    def read(self, answer: Any) -> Array:
        """Read a kernel, float32 (3, 3), from rows of numbers or text such as "1,0,-1; 1,0,-1; 1,0,-1"."""
        values = parse_rows(answer, "kernel") if isinstance(answer, str) else as_numbers(answer, "kernel")
        if values.shape != (SIDE, SIDE):
            raise ShapeError(f"The kernel must have 3 rows of 3 numbers; got shape {values.shape}.")
        if not (abs(values) <= MOST).all():  # NaN is not, either
            raise ParameterError(f"The kernel's numbers must be from −{MOST} to {MOST}; got others; use smaller ones.")
        return values.astype(np.float32)

    def trials(self, kernel: Array) -> tuple[Trial, ...]:
        """Run a kernel that was read on every test."""
        return tuple(_tried(test, kernel) for test in self.tests)

    def grade(self, answer: Array) -> Grade:
        """Grade a kernel that was read."""
        trials = self.trials(answer)
        solution = "; ".join(", ".join(map(write_number, row)) for row in self.goal.solution)
        passed = sum(trial.passed for trial in trials)
        maps = tuple(trial.map for trial in trials)
        if passed == len(trials):
            return Grade(True, f"All {len(trials)} tests pass. {self.goal.why}", solution, maps)
        failed = next(
            f"“{test.title}”: {trial.said}" for test, trial in zip(self.tests, trials, strict=True) if not trial.passed
        )
        why = f"{passed} of {len(trials)} tests pass. {failed} {self._slip(answer)}".strip()
        return Grade(False, why, solution, maps)

    def as_dict(self) -> dict[str, Any]:
        """Return the tests."""
        return {"tests": [test.as_dict() for test in self.tests]}

    def _passes(self, kernel: Array) -> bool:
        return all(trial.passed for trial in self.trials(np.ascontiguousarray(kernel)))

    def _slip(self, kernel: Array) -> str:
        """Say what would have made the kernel right, if it is one of the usual slips."""
        if not kernel.any():
            return "A kernel of zeros answers 0 to everything."
        for change, why in _SLIPS:
            if self._passes(change(kernel)):
                return why
        total = float(kernel.sum())
        if self.goal.balanced and abs(total) > 1e-6:
            return f"Its weights add up to {number(total)}; only when they add up to 0 do flat areas become 0."
        return ""


_SLIPS: tuple[tuple[Callable[[Array], Array], str], ...] = (
    (np.negative, "Change all signs, and it is right."),
    (np.transpose, "It does so across the other direction: turn its rows into columns, and it is right."),
    (np.fliplr, "Mirrored left to right, it would be right: layers lay the kernel down as it stands."),
    (np.flipud, "Mirrored top to bottom, it would be right: layers lay the kernel down as it stands."),
    (lambda kernel: np.rot90(kernel, 2), "Turned by 180° it would be right: layers lay the kernel down as it stands."),
    (lambda kernel: kernel - kernel.mean(), "Take the mean off every weight, and it is right: flat areas become 0."),
)


def design(seed: int) -> Exercise:
    """Ask for a kernel that does what is wished to a few pictures of digits."""
    chance = Chance("design", seed)
    goal = chance.one(GOALS)
    question = f"Write a 3×3 kernel that {goal.wish}. It slides over 5×5 pictures with stride 1 and no padding."
    return Exercise("design", seed, question, Design(goal, goal.tests(chance)))


def _tried(test: Test, kernel: Array) -> Trial:
    map_ = conv2d(test.picture, kernel)
    said = test.rule.complaint(test.picture, map_)
    return Trial(not said, said, grid(f"map of {test.title}", MAP, map_))
