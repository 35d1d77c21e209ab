"""Exercises as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap

from pellucid.explain.numbers import number
from pellucid.lessons.exercises.design import Design
from pellucid.lessons.exercises.forms import LETTERS, Choices, Pairs
from pellucid.lessons.exercises.records import Exercise, Grade, Grid, grid

_GAP = "    "

HOW = {
    "number": "A number",
    "choice": "A letter",
    "match": "A letter for each term, in order, such as b a d c e",
    "kernel": "Three rows of three numbers, such as 1,0,-1; 1,0,-1; 1,0,-1",
}
"""How each form is answered in a terminal."""


def written(exercise: Exercise, width: int = 80) -> str:
    """Write a question, its numbers and what may be answered.

    >>> from pellucid.lessons.exercises.kinds import exercise
    >>> print(written(exercise("size", 3)))
    A convolution with a 3×3 kernel, padding 0 on every side and stride 3, dilation
    2 slides over 51×51 cells. How many rows does its output have?
    """
    parts = ["\n".join(wrap(exercise.question, width))]
    if exercise.figure:
        parts.append(beside(exercise.figure, width))
    form = exercise.form
    if isinstance(form, Choices):
        parts.append(_choices(form, width))
    elif isinstance(form, Pairs):
        terms = [f"{place}. {term}" for place, term in enumerate(form.terms, 1)]
        parts += ["\n".join(terms), "\n".join(_lettered(form.definitions, width))]
    elif isinstance(form, Design):
        for test in form.tests:
            wish = f"its map must {test.rule.wish}"
            parts.append(f"{beside([grid(test.title, 'picture', test.picture)], width)}\n{wish}")
    return "\n\n".join(parts)


def graded(grade: Grade, width: int = 80) -> str:
    """Write a grade: why, the solution where the answer was wrong, and what shows it."""
    parts = ["\n".join(wrap(grade.why, width))]
    if not grade.right:
        parts.append("\n".join(wrap(f"Right is: {grade.solution}", width)))
    if grade.figure:
        parts.append(beside(grade.figure, width))
    return "\n\n".join(parts)


def beside(grids: Iterable[Grid], width: int = 80) -> str:
    """Write grids beside each other, and below where the width is used up."""
    rows: list[list[list[str]]] = [[]]
    for one in grids:
        block = _block(one)
        used = sum(len(lines[0]) + len(_GAP) for lines in rows[-1])
        if rows[-1] and used + len(block[0]) > width:
            rows.append([])
        rows[-1].append(block)
    return "\n\n".join("\n".join(_joined(row)) for row in rows)


def _joined(blocks: Sequence[list[str]]) -> list[str]:
    widths = [len(block[0]) for block in blocks]
    lines = zip_longest(*blocks, fillvalue="")
    return [_GAP.join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _block(one: Grid) -> list[str]:
    """Write a grid: its title and its rows, all of one length; marked cells stand in brackets."""
    cells = [[_cell(value, (y, x) in one.marked) for x, value in enumerate(row)] for y, row in enumerate(one.cells)]
    widest = max(len(cell) for row in cells for cell in row)
    lines = [one.title, *("".join(cell.rjust(widest) for cell in row) for row in cells)]
    length = max(map(len, lines))
    return [line.ljust(length) for line in lines]


def _cell(value: float | None, is_marked: bool) -> str:
    text = "?" if value is None else number(value)
    return f" [{text}]" if is_marked else f"  {text} "


def _choices(form: Choices, width: int) -> str:
    if not form.choices[0].shown:
        return "\n".join(_lettered([choice.text for choice in form.choices], width))
    shown = [
        Grid(f"{letter}) {choice.text}", "kernel", choice.shown[0].cells)
        for letter, choice in zip(LETTERS, form.choices, strict=False)
    ]
    return beside(shown, width)


def _lettered(lines: Sequence[str], width: int) -> list[str]:
    return [
        part
        for letter, line in zip(LETTERS, lines, strict=False)
        for part in wrap(f"{letter}) {line}", width, subsequent_indent="   ")
    ]
