"""A room of the tests' own: questions that are quick, slow, refused, broken, or large; and talking to it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from pellucid.errors import ParameterError
from pellucid.studio import answers, work
from pellucid.studio.messages.base import Message
from pellucid.studio.studio import Studio

TOKEN = "correct-horse"
PORT = 8123
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"
OPEN = {"Host": HOST, "Authorization": f"Bearer {TOKEN}"}
"""Headers that pass the guard."""


class Word(Message):
    word: str


class Words(Message):
    words: list[str]


class Gate:
    """Holds the question "standin.wait" until it is opened, and tells when it was reached.

    ``crowds`` are how many questions "standin.echo" were answered together, each time.
    """

    def __init__(self) -> None:
        self.reached, self.open = threading.Semaphore(0), threading.Event()
        self.crowds: list[int] = []


gate = Gate()


def echo(asked: Word, studio: Studio) -> Word:
    return asked


def slow(asked: Word, studio: Studio) -> Words:
    return Words(words=[asked.word, threading.current_thread().name])


def wait(asked: Word, studio: Studio) -> Word:
    gate.reached.release()
    assert gate.open.wait(60)
    return asked


def refuse(asked: Word, studio: Studio) -> Word:
    raise ParameterError(f"The word must be short; got {asked.word!r}.")


def crash(asked: Word, studio: Studio) -> Word:
    raise ZeroDivisionError("inside")


def exhaust(asked: Word, studio: Studio) -> Word:
    raise MemoryError


def large(asked: Word, studio: Studio) -> Word:
    return Word(word=asked.word * 100_000)


def echo_together(asked: list[Word], studio: Studio) -> list[Word]:
    gate.crowds.append(len(asked))
    return asked


def large_together(asked: list[Word], studio: Studio) -> list[Word]:
    return [large(one, studio) for one in asked]


def refuse_together(asked: list[Word], studio: Studio) -> list[ParameterError]:
    return [ParameterError(f"The word must be short; got {one.word!r}.") for one in asked]


def crash_together(asked: list[Word], studio: Studio) -> list[Word]:
    raise ZeroDivisionError("inside")


def questions() -> dict[str, answers.Question]:
    made = {}
    for answer in (echo, slow, wait, refuse, crash, exhaust, large):
        name = f"standin.{answer.__name__}"
        made[name] = answers.Question(name, Word, Words if answer is slow else Word, answer)
    return made


def install(replace: Callable[[object, str, object], None] = setattr) -> None:
    """Put the questions in the place of all others."""
    gate.__init__()  # type: ignore[misc]
    replace(answers, "questions", questions)
    quick = {
        f"standin.{name}": f"tests.studio.standin:{name}_together" for name in ("echo", "large", "refuse", "crash")
    }
    replace(work, "QUICK", quick)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Gate:
    install(monkeypatch.setattr)
    return gate


def ask(app: ASGIApp, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    """Send one request; by default with what passes the guard."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            shown = httpx.Headers(OPEN if headers is None else headers, encoding="latin-1")
            return await client.request(method, path, headers=shown, **more)

    return asyncio.run(send())


def shake_hands(app: ASGIApp, headers: dict[str, str], path: str = "/socket", query: str = "") -> str:
    """Open a WebSocket and say how that went: what the application sent first."""
    sent: list[Any] = []
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "subprotocols": [],
    }
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return str(sent[0]["type"])
