"""Questions and their answers: the one door between the page (or a notebook's widget) and Pellucid.

A question is named "room.function": its messages stand in ``QUESTIONS`` of ``messages/<room>.py``, and the function of
that name in ``rooms/<room>.py`` answers it. What comes in is checked here, once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pellucid.errors import ParameterError, nearest
from pellucid.studio.messages.base import Message

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio

ROOMS = ("playground", "stepper", "pipeline", "geometry", "architect", "train", "inspect", "shift", "photo", "lessons")


@dataclass(frozen=True)
class Question:
    """What may be asked: with which message, and who answers with which."""

    name: str
    asks: type[Message]
    tells: type[Message]
    answer: Callable[[Any, "Studio"], Message]


@cache
def questions() -> dict[str, Question]:
    """Return all questions by name."""
    found = {}
    for room in ROOMS:
        messages, answers = (import_module(f"pellucid.studio.{kind}.{room}") for kind in ("messages", "rooms"))
        for name, (asks, tells) in messages.QUESTIONS.items():
            found[name] = Question(name, asks, tells, getattr(answers, name.removeprefix(f"{room}.")))
    return found


def answer(name: str, asked: Any, studio: "Studio") -> Message:
    """Answer one question; ``asked`` are plain values, as JSON has them.

    Raises ParameterError where there is no such question or ``asked`` breaks a rule of its message, and whatever
    PellucidError the answer ends in.
    """
    message = checked(name, asked)
    return questions()[name].answer(message, studio)


def checked(name: str, asked: Any) -> Message:
    """Return plain values as the message that a question is asked with.

    Raises ParameterError where there is no such question or they break a rule of its message.
    """
    question = questions().get(name)
    if question is None:
        raise ParameterError(f"There is no question {name!r:.80}; {nearest(name, questions())}.")
    try:
        return question.asks.model_validate(asked)
    except ValidationError as error:
        raise ParameterError(_told(name, error)) from None


def _told(name: str, error: ValidationError) -> str:
    """Say in a sentence what is wrong with a message."""
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    rule = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    where = f"The '{place}' of {name}" if place else f"The question {name}"
    return f"{where} is not right: it must be {rule}." if rule != first["msg"] else f"{where} is not right: {rule}."
