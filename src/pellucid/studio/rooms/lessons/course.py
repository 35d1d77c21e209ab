"""Chapters and exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pellucid.errors import ParameterError
from pellucid.lessons import chapters as course
from pellucid.lessons.exercises import kinds
from pellucid.lessons.exercises.design import Design
from pellucid.lessons.sheet import sheet as write_sheet
from pellucid.studio.messages.base import Nothing
from pellucid.studio.messages.lessons import (
    AnswerAsked,
    ExerciseAsked,
    KernelTried,
    LessonAsked,
    LessonBlock,
    LessonChapter,
    LessonContents,
    LessonExercise,
    LessonGrade,
    LessonHead,
    LessonSection,
    LessonSheet,
    LessonTrials,
    SheetAsked,
)

if TYPE_CHECKING:
    from pellucid.studio.studio import Studio


def contents(asked: Nothing, studio: Studio) -> LessonContents:
    """List chapters and kinds of exercises."""
    return LessonContents(
        chapters=[_head(one) for one in course.chapters()],
        kinds=list(kinds.KINDS),
    )


def chapter(asked: LessonAsked, studio: Studio) -> LessonChapter:
    """Return a chapter, its numbers computed."""
    found, row = course.chapter(asked.name), course.chapters()
    place = row.index(found)
    return LessonChapter(
        head=_head(found),
        sections=[_section(section) for section in found.sections],
        before=_head(row[place - 1]) if place else None,
        after=_head(row[place + 1]) if place + 1 < len(row) else None,
    )


def exercise(asked: ExerciseAsked, studio: Studio) -> LessonExercise:
    """Make an exercise."""
    made = kinds.nth(asked.seed, asked.place, asked.kinds)
    empty: dict[str, Any] = {"choices": [], "terms": [], "definitions": [], "tests": []}
    return LessonExercise.model_validate(empty | made.as_dict())


def grade(asked: AnswerAsked, studio: Studio) -> LessonGrade:
    """Grade an answer."""
    found = kinds.grade(kinds.exercise(asked.kind, asked.seed), asked.answer)
    return LessonGrade.model_validate(found.as_dict())


def attempt(asked: KernelTried, studio: Studio) -> LessonTrials:
    """Run a kernel on the tests of an exercise, before it is handed in."""
    form = kinds.exercise("design", asked.seed).form
    if not isinstance(form, Design):
        raise ParameterError("Only the exercise 'design' takes a kernel.")
    found = form.trials(form.read(asked.kernel))
    return LessonTrials.model_validate({"trials": [trial.as_dict() for trial in found]})


def sheet(asked: SheetAsked, studio: Studio) -> LessonSheet:
    """Write a sheet of exercises, with their answers."""
    html = write_sheet(asked.seed, asked.kinds, asked.count)
    return LessonSheet(name=f"pellucid-exercises-{asked.seed}.html", html=html)


def _head(one: course.Chapter) -> LessonHead:
    return LessonHead(
        number=one.number,
        name=one.name,
        title=one.title,
        summary=one.summary,
        exercises=list(one.exercises),
    )


def _section(section: course.Section) -> LessonSection:
    blocks = [LessonBlock.model_validate(block.as_dict()) for block in section.blocks]
    return LessonSection.model_validate(
        {
            "title": section.title,
            "figure": section.figure.name,
            "settings": section.figure.settings,
            "blocks": blocks,
        }
    )
