"""Who computes what, and when."""

import asyncio
import threading
from pathlib import Path
from pkgutil import resolve_name

import pytest

from pellucid.errors import ParameterError
from pellucid.studio import work
from pellucid.studio.answers import questions
from pellucid.studio.studio import Studio
from pellucid.studio.work import QUICK, Desk, Workers
from tests.studio.standin import Gate, room

__all__ = ["room"]


def test_quick_questions_exist() -> None:
    assert set(questions()) >= set(QUICK)
    assert all(callable(resolve_name(place)) for place in QUICK.values())


def test_nothing_is_quick_before_the_engine_is_there(
    room: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(work, "_draw", lambda: loaded.wait(60))

    async def run() -> None:
        desk = Desk(Studio(tmp_path), Workers())
        preparing = asyncio.create_task(desk.prepare())
        assert await desk.answer("standin.echo", {"word": "x"}) == '{"word":"x"}'
        assert not desk.is_quick("standin.echo")
        loaded.set()
        await preparing
        assert desk.is_quick("standin.echo")
        assert not desk.is_quick("standin.slow")
        assert await desk.answer("standin.echo", {"word": "x"}) == '{"word":"x"}'
        desk.workers.close()

    asyncio.run(run())


def test_an_engine_that_fails_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ParameterError("The variable PELLUCID_THREADS must be an integer.")

    monkeypatch.setattr(work, "_draw", fail)

    async def run() -> None:
        desk = Desk(Studio(tmp_path), Workers(1))
        await desk.prepare()
        assert not desk.ready
        desk.workers.close()

    asyncio.run(run())
    assert "could not be prepared: The variable PELLUCID_THREADS" in caplog.text


def test_workers_go_on_after_an_error() -> None:
    async def run() -> None:
        workers = Workers(1)
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        assert await workers.run(lambda: 7) == 7
        workers.close()

    asyncio.run(run())


def test_workers_end_when_closed() -> None:
    before = threading.active_count()
    workers = Workers(3)
    assert threading.active_count() == before + 3
    workers.close()
    for thread in workers.threads:
        thread.join(60)
    assert threading.active_count() == before


def test_what_comes_together_is_answered_together(room: Gate, tmp_path: Path) -> None:
    async def run() -> list[object]:
        desk = Desk(Studio(tmp_path), Workers(1))
        desk.ready = True
        asked = [desk.answer("standin.echo", {"word": str(number)}) for number in range(150)]
        told = await asyncio.gather(*asked, desk.answer("standin.echo", {"word": 5}), return_exceptions=True)
        await desk.answer("standin.echo", {"word": "later"})
        desk.workers.close()
        return told

    *told, wrong = asyncio.run(run())
    assert told == [f'{{"word":"{number}"}}' for number in range(150)]
    assert str(wrong) == "The 'word' of standin.echo is not right: it must be a valid string."
    assert room.crowds == [64, 64, 22, 1]


def test_who_leaves_meanwhile_does_not_disturb_the_others(room: Gate, tmp_path: Path) -> None:
    async def run() -> str:
        desk = Desk(Studio(tmp_path), Workers(1))
        desk.ready = True
        leaving, staying = (asyncio.ensure_future(desk.answer("standin.echo", {"word": word})) for word in "ab")
        await asyncio.sleep(0)
        leaving.cancel()
        desk.workers.close()
        return await staying

    assert asyncio.run(run()) == '{"word":"b"}'
