import re
from html.parser import HTMLParser

import pytest

from pellucid.errors import ParameterError
from pellucid.lessons.exercises.kinds import KINDS, exercises, grade
from pellucid.lessons.sheet import sheet


def test_exercises_and_answers_are_those_of_the_seed():
    page = sheet(7, (), 12)
    asked, _, answers = page.partition('<section class="answers">')
    for one in exercises(7, (), 12):
        assert escaped(one.question) in asked
        assert escaped(grade(one, one.form.solved).solution) in answers
    assert page == sheet(7, (), 12) != sheet(8, (), 12)


def escaped(text):
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;").replace('"', "&#34;")
    )


def test_solutions_stand_on_a_page_of_their_own():
    page = sheet(3, ["parameters"], 5)
    asked, _, answers = page.partition('<section class="answers">')
    for one in exercises(3, ["parameters"], 5):
        assert f"<b>{grade(one, one.form.solved).solution}</b>" in answers
        assert grade(one, one.form.solved).solution not in re.sub(r"<style>.*?</style>", "", asked, flags=re.DOTALL)
    assert ".answers { break-before: page" in page


def test_the_page_needs_nothing_but_itself_and_is_well_formed():
    page = sheet(1, tuple(KINDS), 20)
    assert "default-src 'none'" in page
    assert not re.search(r"<script|<img|<link|http:|https:", page)
    Closed().feed(page)


class Closed(HTMLParser):
    """Fails where a tag is closed that was not open last."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_cells_that_are_asked_for_and_kernels_that_are_designed_are_empty():
    page = sheet(5, ["cell", "design"], 4)
    assert page.count('class="asked">?<') == 2
    assert page.count('class="blank">') == 2 * 9


def test_what_there_is_not_is_refused():
    with pytest.raises(ParameterError, match="no kind"):
        sheet(1, ["essay"])
    with pytest.raises(ParameterError, match="from 1 to 100"):
        sheet(1, (), 0)
