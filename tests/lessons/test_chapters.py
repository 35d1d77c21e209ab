import pytest

from pellucid.errors import ParameterError
from pellucid.lessons.chapters import PARTS, chapter, chapters, read
from pellucid.lessons.exercises.bank import questions, terms
from pellucid.lessons.exercises.kinds import KINDS
from pellucid.lessons.markup import Span, blocks, spans

HEAD = "# Title\n\nSummary.\n\nexercises: size cell\n\n"


def test_there_are_ten_of_a_readable_length():
    assert [one.number for one in chapters()] == list(range(1, 11))
    for one in chapters():
        assert 300 <= sum(len(block.text.split()) for section in one.sections for block in section.blocks) <= 600
        assert 2 <= len(one.sections) <= 4
        assert one.summary.endswith(".")
        assert len(one.summary) < 140


def test_every_kind_of_exercise_and_every_figure_belongs_to_a_chapter():
    assert {kind for one in chapters() for kind in one.exercises} == set(KINDS)
    assert {section.figure.name for one in chapters() for section in one.sections} == set(PARTS)
    assert {one.chapter for one in questions()} == {one.name for one in chapters()}


def test_every_section_has_words_that_light_its_figure_or_leads_somewhere():
    for one in chapters():
        for section in one.sections:
            kinds = {span.kind for block in section.blocks for line in block.lines for span in line}
            assert kinds & {"part", "room"}


def test_questions_and_terms_are_told_apart():
    for one in questions():
        assert len(one.wrong) >= 3
        answers = [one.right, *one.wrong]
        assert len({answer.text for answer in answers}) == len(answers)
        assert all(answer.why.endswith((".", ")")) for answer in answers)
    assert len(set(terms().values())) == len(terms()) >= 25


def test_a_chapter_is_read():
    found = read("03-edges.md", HEAD + "## One\n\nfigure: windows size=8\n\nA [window](part:window).\n\n- a\n- b\n")
    assert (found.number, found.name, found.title, found.summary) == (3, "edges", "Title", "Summary.")
    assert found.exercises == ("size", "cell")
    (section,) = found.sections
    assert (section.title, section.figure.name, section.figure.settings) == ("One", "windows", {"size": "8"})
    assert [block.kind for block in section.blocks] == ["paragraph", "list"]


def test_notation_is_read():
    line = "A *b* **c** `d` [e f](room:stepper?stride=2) {size 8 3}."
    assert spans(line) == (
        Span("text", "A "), Span("emphasis", "b"), Span("text", " "), Span("strong", "c"), Span("text", " "),
        Span("code", "d"), Span("text", " "), Span("room", "e f", "stepper?stride=2"), Span("text", " 6."),
    )  # fmt: skip
    assert [block.text for block in blocks("= a = b\n\none\ntwo")] == ["a = b", "one\ntwo"]


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("figure: window size=8\n\nText.", "There is no figure 'window' for 1-a.md; the nearest is windows"),
        ("figure: windows\n\n[x](part:padings)", "has no part 'padings'; the nearest is padding"),
        (
            "figure: windows\n\n[x](web:example)",
            "A link must be to one of part, room, chapter, exercise; got 'web:example'",
        ),
    ],
)
def test_what_breaks_the_notation_is_refused(section, reason):
    with pytest.raises(ParameterError, match=reason):
        read("1-a.md", f"{HEAD}## One\n\n{section}\n")


def test_an_unknown_chapter_is_refused():
    with pytest.raises(ParameterError, match="There is no chapter 'edge'; the nearest is edges"):
        chapter("edge")
