"""How exercises are answered: by a number, by a choice, by pairs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pellucid.errors import ParameterError
from pellucid.explain.numbers import number
from pellucid.lessons.exercises.records import Grade, Grid

LETTERS = "abcdefgh"
_LONGEST = 40
"""Characters of a number."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong number that people arrive at, and what leads there."""

    value: Fraction
    why: str

    def leads_to(self, answer: Fraction) -> bool:
        """Whether an answer is the number; one that is not whole may be cut after two decimals."""
        return answer == self.value or (self.value.denominator > 1 and abs(answer - self.value) < Fraction(1, 100))


@dataclass(frozen=True, slots=True)
class Number:
    """An answer that is a number; ``hint`` is said of a wrong one that no known mistake leads to."""

    solution: Fraction
    working: str
    hint: str
    mistakes: tuple[Mistake, ...]
    name: str = "number"

    @classmethod
    def of(cls, solution: float, working: str, hint: str, mistakes: Iterable[tuple[float | Fraction, str]]) -> Number:
        """Make the form; of mistakes that come to the same number, or to the right one, only the first counts."""
        found: dict[Fraction, str] = {}
        for value, why in mistakes:
            found.setdefault(Fraction(value), why)
        found.pop(Fraction(solution), None)
        return cls(Fraction(solution), working, hint, tuple(Mistake(*one) for one in found.items()))

    @property
    def solved(self) -> float:
        """The right number."""
        return _plain(self.solution)

    def read(self, answer: Any) -> Fraction:
        """Read a number, or text that is one.

        >>> [str(Number.of(1, "", "", []).read(text)) for text in (3, "−3", "12,544", "1 024", "2.5")]
        ['3', '-3', '12544', '1024', '5/2']
        """
        if isinstance(answer, int | float) and not isinstance(answer, bool) and math.isfinite(answer):
            return Fraction(answer)
        text = answer.strip().replace("−", "-") if isinstance(answer, str) else ""
        if len(text) > _LONGEST or not re.fullmatch(r"[+-]?(\d{1,3}([, ]\d{3})+|\d+)(\.\d+)?", text):
            raise ParameterError(
                f"The answer must be a number, such as 28 or 1,024 or 2.5; got {answer!r:.60}; write digits only."
            )
        return Fraction(re.sub("[, ]", "", text))

    def grade(self, answer: Fraction) -> Grade:
        """Grade a number."""
        if answer == self.solution:
            return Grade(True, self.working, self._written)
        why = next((mistake.why for mistake in self.mistakes if mistake.leads_to(answer)), self.hint)
        return Grade(False, f"{why} {self.working}", self._written)

    @property
    def _written(self) -> str:
        is_whole = self.solution.denominator == 1
        return f"{self.solution.numerator:,}".replace("-", "−") if is_whole else number(self.solved, 12)

    def as_dict(self) -> dict[str, Any]:
        """Return nothing: a number needs no more than its question."""
        return {}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: its words, or the numbers ``shown``, and why it is right or wrong, with ``evidence``."""

    text: str
    why: str
    shown: tuple[Grid, ...] = ()
    evidence: tuple[Grid, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """An answer that is one of several; ``evidence`` is shown with every grade."""

    choices: tuple[Choice, ...]
    solution: int
    evidence: tuple[Grid, ...] = ()
    name: str = "choice"

    @property
    def solved(self) -> int:
        """The place of the right one, from 0."""
        return self.solution

    @property
    def working(self) -> str:
        """Why it is right."""
        return self.choices[self.solution].why

    def read(self, answer: Any) -> int:
        """Read a place, from 0, or a letter."""
        letters = LETTERS[: len(self.choices)]
        if isinstance(answer, str) and len(answer.strip()) == 1:
            answer = letters.find(answer.strip().lower())
        if type(answer) is not int or not 0 <= answer < len(letters):
            raise ParameterError(f"The answer must be one of the letters a to {letters[-1]}; got something else.")
        return answer

    def grade(self, answer: int) -> Grade:
        """Grade a choice; to the why of a wrong one that of the right one is added."""
        right, chosen = self.choices[self.solution], self.choices[answer]
        solution = f"{LETTERS[self.solution]}) {right.text}"
        if answer == self.solution:
            return Grade(True, right.why, solution, self.evidence)
        return Grade(False, f"{chosen.why} {right.why}", solution, (*self.evidence, *chosen.evidence))

    def as_dict(self) -> dict[str, Any]:
        """Return the choices."""
        return {
            "choices": [{"text": one.text, "figure": [part.as_dict() for part in one.shown]} for one in self.choices]
        }


@dataclass(frozen=True, slots=True)
class Pairs:
    """An answer that gives each term its definition."""

    terms: tuple[str, ...]
    definitions: tuple[str, ...]
    order: tuple[int, ...]
    """The place of each term's definition."""
    name: str = "match"

    @property
    def solved(self) -> list[int]:
        """For each term the place of its definition, from 0."""
        return list(self.order)

    @property
    def working(self) -> str:
        """Each term with its definition."""
        return " ".join(
            f"{term}: {self.definitions[place]}" for term, place in zip(self.terms, self.order, strict=True)
        )

    def read(self, answer: Any) -> tuple[int, ...]:
        """Read places, from 0, or letters such as "b a d c e", one for each term."""
        letters = LETTERS[: len(self.terms)]
        if isinstance(answer, str):
            answer = [letters.find(sign) for sign in re.sub(r"[\s,;]", "", answer.lower())]
        is_list = isinstance(answer, list | tuple) and all(type(place) is int for place in answer)
        if not is_list or sorted(answer) != list(range(len(letters))):
            raise ParameterError(
                f"The answer must give each of the {len(letters)} terms another letter from a to {letters[-1]}, such "
                f"as '{' '.join(reversed(letters))}'; got something else."
            )
        return tuple(answer)

    def grade(self, answer: tuple[int, ...]) -> Grade:
        """Grade pairs, and say of each wrong one what it is instead."""
        solution = " ".join(LETTERS[place] for place in self.order)
        pairs = list(zip(self.terms, answer, self.order, strict=True))
        if answer == self.order:
            return Grade(True, f"All {len(pairs)} belong together.", solution)
        wrong = [
            f"{term[0].upper()}{term[1:]} is not “{_clause(self.definitions[got])}”: that is "
            f"{self.terms[self.order.index(got)]}."
            for term, got, want in pairs
            if got != want
        ]
        return Grade(False, f"{len(pairs) - len(wrong)} of {len(pairs)} are right. {' '.join(wrong)}", solution)

    def as_dict(self) -> dict[str, Any]:
        """Return terms and definitions."""
        return {"terms": list(self.terms), "definitions": list(self.definitions)}


def _clause(sentence: str) -> str:
    return sentence.removesuffix(".")


def _plain(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)
