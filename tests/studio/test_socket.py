"""One page's line, spoken to without a network: what comes back, in which order, and how much is ever held."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocket

from pellucid.studio.socket import MOST, Line
from pellucid.studio.studio import Studio
from pellucid.studio.work import Desk, Workers
from tests.studio.standin import Gate, room

__all__ = ["room"]

pytestmark = pytest.mark.usefixtures("room")


class Page:
    """The other end of a line: sends, and reads what was answered."""

    def __init__(self) -> None:
        self._to, self._from = asyncio.Queue[Any](), asyncio.Queue[str]()
        self.reads = asyncio.Event()
        self.reads.set()
        self._to.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> Any:
        return await self._to.get()

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        if message["type"] == "websocket.send":
            self._from.put_nowait(message["text"])

    def asks(self, number: int, name: str, word: object = "x") -> None:
        self.says(json.dumps({"id": number, "ask": name, "with": {"word": word}}))

    def says(self, text: str) -> None:
        self._to.put_nowait({"type": "websocket.receive", "text": text})

    def sends_bytes(self, content: bytes) -> None:
        self._to.put_nowait({"type": "websocket.receive", "bytes": content})

    def leaves(self) -> None:
        self._to.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def hears(self) -> Any:
        return json.loads(await asyncio.wait_for(self._from.get(), 60))

    @property
    def unread(self) -> int:
        return self._from.qsize()

    @property
    def untaken(self) -> int:
        return self._to.qsize()


def ready(folder: Path, workers: Workers) -> Desk:
    desk = Desk(Studio(folder), workers)
    desk.ready = True
    return desk


def talk(folder: Path, script: Callable[[Page], Awaitable[None]], threads: int = 2) -> None:
    """Run a script on a line's other end; then leave, and see that the line ends."""

    async def run() -> None:
        workers = Workers(threads)
        page = Page()
        line = Line(WebSocket({"type": "websocket"}, page.receive, page.send), ready(folder, workers))
        serving = asyncio.create_task(line.serve())
        try:
            await script(page)
            page.leaves()
            await asyncio.wait_for(serving, 60)
        finally:
            serving.cancel()
            workers.close()

    asyncio.run(run())


def test_an_answer_has_its_questions_number(tmp_path: Path) -> None:
    async def script(page: Page) -> None:
        page.asks(7, "standin.echo", "é")
        assert await page.hears() == {"id": 7, "tells": {"word": "é"}}

    talk(tmp_path, script)


@pytest.mark.parametrize(
    ("name", "word", "error"),
    [
        ("standin.refuse", "x", "The word must be short; got 'x'."),
        ("standin.echo", 5, "The 'word' of standin.echo is not right: it must be a valid string."),
        ("standin.nonsense", "x", "There is no question 'standin.nonsense'"),
        ("standin.exhaust", "x", "There is not enough memory for this"),
        ("standin.crash", "x", "Something went wrong inside Pellucid (ZeroDivisionError)"),
    ],
)
def test_why_there_is_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, word: object, error: str
) -> None:
    async def script(page: Page) -> None:
        page.asks(1, name, word)
        told = await page.hears()
        assert set(told) == {"id", "error"}
        assert told["id"] == 1
        assert told["error"].startswith(error)

    talk(tmp_path, script)
    assert ("ZeroDivisionError: inside" in caplog.text) == (name == "standin.crash")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"id":1}',
        '{"id":-1,"ask":"standin.echo"}',
        '{"id":"a","ask":"standin.echo"}',
        '{"id":1,"ask":"standin.echo","more":1}',
        '{"id":1e400,"ask":"x"}',
        '{"id":9007199254740992,"ask":"x"}',
        "[" * 10_000,
        '{"id":1,"ask":"' + "x" * 101 + '"}',
    ],
)
def test_what_is_no_question_is_said_and_the_line_goes_on(tmp_path: Path, text: str) -> None:
    async def script(page: Page) -> None:
        page.says(text)
        told = await page.hears()
        assert told["id"] is None
        assert told["error"].startswith("A question is ")
        page.sends_bytes(b"\x00\xff")
        assert (await page.hears())["id"] is None
        page.asks(2, "standin.echo")
        assert (await page.hears())["id"] == 2

    talk(tmp_path, script)


def test_a_question_may_come_without_anything(tmp_path: Path) -> None:
    async def script(page: Page) -> None:
        page.says('{"id":3,"ask":"standin.echo"}')
        assert "'word' of standin.echo" in (await page.hears())["error"]

    talk(tmp_path, script)


def test_slow_questions_are_answered_by_other_threads(tmp_path: Path) -> None:
    async def script(page: Page) -> None:
        page.asks(1, "standin.slow")
        assert (await page.hears())["tells"]["words"][1].startswith("studio-")

    talk(tmp_path, script)


def test_quick_questions_overtake_slow_ones(tmp_path: Path, room: Gate) -> None:
    async def script(page: Page) -> None:
        page.asks(1, "standin.wait", "slow")
        page.asks(2, "standin.echo", "quick")
        assert (await page.hears())["id"] == 2
        room.open.set()
        assert await page.hears() == {"id": 1, "tells": {"word": "slow"}}

    talk(tmp_path, script)


def test_too_many_slow_questions_are_refused(tmp_path: Path, room: Gate) -> None:
    async def script(page: Page) -> None:
        for number in range(MOST + 2):
            page.asks(number, "standin.wait")
        refused = [await page.hears(), await page.hears()]
        assert [told["id"] for told in refused] == [MOST, MOST + 1]
        assert refused[0]["error"] == f"At most {MOST} slow questions may wait at a time; wait for an answer."
        room.open.set()
        assert {(await page.hears())["id"] for _ in range(MOST)} == set(range(MOST))

    talk(tmp_path, script)


def test_who_leaves_while_answers_are_computed_harms_nobody(tmp_path: Path, room: Gate) -> None:
    begun = []

    async def leaving(page: Page) -> None:
        for number in range(5):
            page.asks(number, "standin.wait")
        await asyncio.to_thread(room.reached.acquire)  # the first is being computed

    async def run() -> None:
        workers = Workers(1)
        desk = ready(tmp_path, workers)
        page, other = Page(), Page()
        lines = [Line(WebSocket({"type": "websocket"}, each.receive, each.send), desk) for each in (page, other)]
        serving = [asyncio.create_task(line.serve()) for line in lines]
        await leaving(page)
        page.leaves()
        await serving[0]
        other.asks(9, "standin.slow", "y")
        room.open.set()
        assert (await other.hears())["id"] == 9
        begun.append(room.reached.acquire(blocking=False))  # the other four were never begun
        assert page.unread == 0
        other.leaves()
        await serving[1]
        workers.close()

    asyncio.run(run())
    assert begun == [False]


def test_of_a_page_that_does_not_read_no_more_is_read(tmp_path: Path) -> None:
    async def script(page: Page) -> None:
        await asyncio.sleep(0)
        page.asks(0, "standin.echo")
        assert (await page.hears())["id"] == 0
        page.reads.clear()
        for number in range(1, 101):
            page.asks(number, "standin.large")
        for _ in range(50):
            await asyncio.sleep(0)
        assert page.untaken == 99
        page.reads.set()
        assert [(await page.hears())["id"] for _ in range(100)] == list(range(1, 101))

    talk(tmp_path, script)


def test_a_flood_from_one_page_leaves_others_their_turn(tmp_path: Path) -> None:
    async def run() -> None:
        workers = Workers(1)
        desk = ready(tmp_path, workers)
        flood, other = Page(), Page()
        lines = [Line(WebSocket({"type": "websocket"}, each.receive, each.send), desk) for each in (flood, other)]
        for number in range(1000):
            flood.asks(number, "standin.echo")
        serving = [asyncio.create_task(line.serve()) for line in lines]
        other.asks(1, "standin.echo", "y")
        assert (await other.hears())["id"] == 1
        assert flood.unread < 100
        for page in (flood, other):
            page.leaves()
        await asyncio.gather(*serving)
        workers.close()

    asyncio.run(run())
