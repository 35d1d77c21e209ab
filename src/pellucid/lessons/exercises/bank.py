"""Exercises in words: multiple choice, and terms with their definitions, from files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.forms import Choice, Choices, Pairs
from pellucid.lessons.exercises.records import Exercise
from pellucid.lessons.numbers import filled

_WRONG = 3
_TERMS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words, its right answer and wrong ones, and the chapter that it belongs to."""

    chapter: str
    question: str
    right: Choice
    wrong: tuple[Choice, ...]


@cache
def questions() -> tuple[Question, ...]:
    """Return all questions of multiple choice, their numbers computed."""
    return tuple(
        Question(
            one["chapter"],
            filled(one["question"]),
            _choice(one["right"]),
            tuple(_choice(wrong) for wrong in one["wrong"]),
        )
        for one in _read("questions.toml")["questions"]
    )


@cache
def terms() -> dict[str, str]:
    """Return the definitions of all terms."""
    return {term: filled(definition) for term, definition in _read("terms.toml").items()}


def choice(seed: int) -> Exercise:
    """Ask a question in words, with one right answer among four."""
    chance = Chance("choice", seed)
    asked = chance.one(questions())
    choices = chance.shuffled([asked.right, *chance.some(asked.wrong, _WRONG)])
    return Exercise("choice", seed, asked.question, Choices(tuple(choices), choices.index(asked.right)))


def match(seed: int) -> Exercise:
    """Ask which definition belongs to which term."""
    chance = Chance("match", seed)
    asked = chance.some(sorted(terms()), _TERMS)
    definitions = chance.shuffled([terms()[term] for term in asked])
    order = tuple(definitions.index(terms()[term]) for term in asked)
    question = "Which definition belongs to which term?"
    return Exercise("match", seed, question, Pairs(tuple(asked), tuple(definitions), order))


def _choice(pair: list[str]) -> Choice:
    text, why = (filled(part) for part in pair)
    return Choice(text, why)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("pellucid.lessons") / "bank" / name).read_text(encoding="utf-8"))
