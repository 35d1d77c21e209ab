"""Exercises on paper: one page that prints, the answers on a page of their own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from pellucid.explain.numbers import number
from pellucid.lessons.exercises.forms import LETTERS
from pellucid.lessons.exercises.kinds import KINDS, exercises, grade
from pellucid.lessons.exercises.records import Exercise


def sheet(seed: int, kinds: Sequence[str] = (), count: int = 10) -> str:
    """Return exercises and, on a new page, their answers as HTML that loads nothing; the same for the same seed.

    Raises ParameterError where a kind is unknown, or seed or count are out of range.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("pellucid.lessons"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = environment.get_template("sheet.css.j2").render()
    return environment.get_template("sheet.html.j2").render(
        seed=seed,
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        exercises=[_written(one) for one in exercises(seed, kinds, count)],
        number=number,
        letters=LETTERS,
    )


def _written(exercise: Exercise) -> dict[str, Any]:
    """Return what is shown of an exercise, and its answer."""
    return exercise.as_dict() | {
        "title": KINDS[exercise.kind].title,
        "solution": grade(exercise, exercise.form.solved).solution,
        "working": "" if exercise.form.name == "match" else exercise.form.working,
    }
