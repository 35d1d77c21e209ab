"""Work of seconds: it goes on while somebody asks, and ends by silence."""

import threading

import pytest

from pellucid.errors import DataError
from pellucid.studio.background import Background

LONG = 30
"""Seconds after which a test that hangs fails."""


def result(background, key, work):
    """Ask until there is a result."""
    while (standing := background.ask(key, work)).result is None:
        pass
    return standing.result


def test_quick_work_is_answered_at_once():
    assert Background().ask("sum", lambda tell: 1 + 1, wait=LONG).result == 2


def test_how_far_it_is_is_told_until_it_is_done():
    background, go_on = Background(), threading.Event()
    told = threading.Event()

    def work(tell):
        tell(3, 7)
        told.set()
        go_on.wait(LONG)
        return "done"

    background.ask("work", work, wait=0)
    assert told.wait(LONG)
    standing = background.ask("work", work, wait=0)
    assert (standing.done, standing.of, standing.result) == (3, 7, None)
    go_on.set()
    assert result(background, "work", work) == "done"


def test_work_is_done_once_whoever_asks():
    background, times = Background(), []
    for _ in range(3):
        assert background.ask("once", lambda tell: times.append(1) or len(times), wait=LONG).result == 1
    assert times == [1]


def test_work_that_nobody_asks_for_any_more_ends():
    now = [0.0]
    background, ended = Background(lambda: now[0], patience=5), threading.Event()
    begun = threading.Event()

    def work(tell):
        begun.set()
        try:
            while True:
                tell(0, 1)
        finally:
            ended.set()

    background.ask("endless", work, wait=0)
    assert begun.wait(LONG)
    now[0] = 5.1
    assert ended.wait(LONG)
    assert background.ask("next", lambda tell: "free again", wait=LONG).result == "free again"


def test_an_error_is_raised_where_it_is_asked_and_the_next_try_begins_anew():
    background, tries = Background(), []

    def work(tell):
        tries.append(1)
        if len(tries) == 1:
            raise DataError("Not this time.")
        return "well"

    with pytest.raises(DataError, match="Not this time"):
        background.ask("work", work, wait=LONG)
    assert background.ask("work", work, wait=LONG).result == "well"


def test_old_results_are_forgotten(monkeypatch):
    monkeypatch.setattr("pellucid.studio.background.KEPT", 2)
    background = Background()
    for number in range(4):
        background.ask(number, lambda tell, number=number: number + 10, wait=LONG)
    assert background.ask(3, lambda tell: "anew", wait=LONG).result == 13
    assert background.ask(0, lambda tell: "anew", wait=LONG).result == "anew"
