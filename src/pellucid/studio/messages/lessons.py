"""What the lessons ask and tell."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Message, Nothing
from pellucid.studio.messages.lesson_figures import (
    CellAsked,
    ConvolveAsked,
    Convolved,
    CountsAsked,
    FieldAsked,
    FunnelAsked,
    LayerAsked,
    LayerCounted,
    LessonChannels,
    LessonCounts,
    LessonField,
    LessonFilters,
    LessonFunnel,
    LessonPixels,
    LessonScores,
    LessonStock,
    LessonTurned,
    Name,
    PixelsAsked,
    ScoresAsked,
    TurnedAsked,
)

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Figures = Literal[
    "channels", "convolve", "counts", "field", "filters", "funnel", "layer", "pixels", "scores", "turned", "windows"
]


class LessonHead(Message):
    """A chapter in the list: ``exercises`` are the kinds that go with it."""

    number: int
    name: str
    title: str
    summary: str
    exercises: list[str]


class LessonContents(Message):
    """All chapters and all kinds of exercises."""

    chapters: list[LessonHead]
    kinds: list[str]


class LessonAsked(Message):
    """A chapter by its name."""

    name: Name


class LessonSpan(Message):
    """Words of one kind; links lead ``to`` something."""

    kind: Literal["text", "strong", "emphasis", "code", "part", "room", "chapter", "exercise"]
    text: str
    to: str


class LessonBlock(Message):
    """A paragraph, a list or a formula."""

    kind: Literal["paragraph", "list", "formula"]
    lines: list[list[LessonSpan]]


class LessonSection(Message):
    """A part of a chapter, and the figure beside it with its first settings."""

    title: str
    figure: Figures
    settings: dict[str, str]
    blocks: list[LessonBlock]


class LessonChapter(Message):
    """A chapter, and its neighbours."""

    head: LessonHead
    sections: list[LessonSection]
    before: LessonHead | None
    after: LessonHead | None


class LessonGrid(Message):
    """Numbers of an exercise; null is the cell that is asked for, ``border`` counts rows and columns of padding."""

    title: str
    kind: Literal["picture", "kernel", "map"]
    cells: list[list[float | None]]
    marked: list[tuple[int, int]]
    border: int


class LessonChoice(Message):
    """One of several answers: words, or numbers."""

    text: str
    figure: list[LessonGrid]


class LessonTest(Message):
    """A picture, and what a kernel's map of it must be like."""

    wish: str
    picture: LessonGrid


class ExerciseAsked(Message):
    """The exercise at a place of the endless row that a seed makes of some kinds; of all kinds where none are given."""

    seed: Seed
    place: int = Field(ge=0, lt=100_000)
    kinds: list[Name] = Field(default=[], max_length=20)


class LessonExercise(Message):
    """An exercise: its own kind and seed, the question, and what its form shows."""

    kind: str
    seed: int
    question: str
    figure: list[LessonGrid]
    form: Literal["number", "choice", "match", "kernel"]
    choices: list[LessonChoice]
    terms: list[str]
    definitions: list[str]
    tests: list[LessonTest]


class AnswerAsked(Message):
    """An answer to an exercise of a kind and seed: a number, a place, places, or a kernel."""

    kind: Name
    seed: Seed
    answer: (
        int
        | float
        | Annotated[str, Field(max_length=400)]
        | Annotated[list[int], Field(max_length=10)]
        | Annotated[list[Annotated[list[float], Field(max_length=10)]], Field(max_length=10)]
    )


class LessonGrade(Message):
    """What an answer is worth, why, and the right one."""

    right: bool
    why: str
    solution: str
    figure: list[LessonGrid]


class KernelTried(Message):
    """A kernel for the exercise "design" of a seed."""

    seed: Seed
    kernel: list[Annotated[list[float], Field(min_length=3, max_length=3)]] = Field(min_length=3, max_length=3)


class LessonTrial(Message):
    """Whether a map is as wished, and if not, where."""

    passed: bool
    said: str
    map: LessonGrid


class LessonTrials(Message):
    """One trial for each test."""

    trials: list[LessonTrial]


class SheetAsked(Message):
    """A sheet to print."""

    seed: Seed
    kinds: list[Name] = Field(default=[], max_length=20)
    count: int = Field(default=10, ge=1, le=100)


class LessonSheet(Message):
    """A page to print, and a name for its file."""

    name: str
    html: str


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "lessons.contents": (Nothing, LessonContents),
    "lessons.chapter": (LessonAsked, LessonChapter),
    "lessons.exercise": (ExerciseAsked, LessonExercise),
    "lessons.grade": (AnswerAsked, LessonGrade),
    "lessons.attempt": (KernelTried, LessonTrials),
    "lessons.sheet": (SheetAsked, LessonSheet),
    "lessons.stock": (Nothing, LessonStock),
    "lessons.convolve": (ConvolveAsked, Convolved),
    "lessons.pixels": (PixelsAsked, LessonPixels),
    "lessons.layer": (LayerAsked, LayerCounted),
    "lessons.counts": (CountsAsked, LessonCounts),
    "lessons.channels": (CellAsked, LessonChannels),
    "lessons.field": (FieldAsked, LessonField),
    "lessons.scores": (ScoresAsked, LessonScores),
    "lessons.filters": (Nothing, LessonFilters),
    "lessons.funnel": (FunnelAsked, LessonFunnel),
    "lessons.turned": (TurnedAsked, LessonTurned),
}
