"""What an exercise and its grade are written down as."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pellucid.types import Array, Pair

Cells: TypeAlias = tuple[tuple[float | None, ...], ...]
"""Numbers row by row; None is a cell that is to be found."""

PICTURE, KERNEL, MAP = "picture", "kernel", "map"


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbers that belong to an exercise: a picture, a kernel or a map.

    ``marked`` are the cells (row, column) of a window; ``border`` counts the rows and columns of padding that
    surround the rest on every side.
    """

    title: str
    kind: str
    cells: Cells
    marked: tuple[Pair, ...] = ()
    border: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "title": self.title,
            "kind": self.kind,
            "cells": [list(row) for row in self.cells],
            "marked": [list(cell) for cell in self.marked],
            "border": self.border,
        }


def grid(
    title: str,
    kind: str,
    values: Array,
    *,
    marked: Iterable[Pair] = (),
    border: int = 0,
    hidden: Pair | None = None,
) -> Grid:
    """Write an array (H, W) down; ``hidden`` is the cell that is to be found.

    >>> import numpy as np
    >>> grid("map", MAP, np.float32([[-0.0, 2]]), hidden=(0, 1)).cells
    ((0.0, None),)
    """
    rows = (values + 0.0).tolist()
    cells = tuple(tuple(None if (y, x) == hidden else n for x, n in enumerate(row)) for y, row in enumerate(rows))
    return Grid(title, kind, cells, tuple(marked), border)


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether an answer is right, why, and what the right one is; ``figure`` shows it where numbers say more."""

    right: bool
    why: str
    solution: str
    figure: tuple[Grid, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "right": self.right,
            "why": self.why,
            "solution": self.solution,
            "figure": [one.as_dict() for one in self.figure],
        }


class Form(Protocol):
    """How an exercise is answered: a number, a choice, pairs, a kernel. Holds the key, and never tells it unasked."""

    @property
    def name(self) -> str:
        """Return "number", "choice", "match" or "kernel"."""

    @property
    def solved(self) -> Any:
        """An answer that is right, as JSON values."""

    @property
    def working(self) -> str:
        """Why it is."""

    def read(self, answer: Any) -> Any:
        """Check an answer from outside. Raises ParameterError where it is none."""

    def grade(self, answer: Any) -> Grade:
        """Grade an answer that was read."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is shown, as JSON values: nothing of the key."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question, the numbers that belong to it, and how it is answered; the same for a kind and a seed."""

    kind: str
    seed: int
    question: str
    form: Form
    figure: tuple[Grid, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what is shown, as JSON values: nothing of the key."""
        return {
            "kind": self.kind,
            "seed": self.seed,
            "question": self.question,
            "figure": [one.as_dict() for one in self.figure],
            "form": self.form.name,
            **self.form.as_dict(),
        }
