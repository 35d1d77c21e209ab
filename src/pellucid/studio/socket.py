"""The line to one open page: questions come in as ``{"id": 7, "ask": "room.function", "with": {…}}``.

Each gets one answer, ``{"id": 7, "tells": {…}}`` or ``{"id": 7, "error": "a sentence"}``. Quick questions are answered
in their order; slow ones when they are ready. Text that is no question gets an error whose id is null.

Nobody can make the server hold more than a few answers: of a page that does not read, no more is read either (and
after twenty seconds the line is cut); slow questions beyond ``MOST`` are refused until one is answered. When the line
ends, those that wait are dropped, and the answer to the one being computed.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

from pydantic import Field, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from pellucid.studio.messages.base import Message
from pellucid.studio.work import Desk, sentence

MOST = 16
"""Slow questions of one page at a time."""


class Asked(Message):
    """What comes over the line."""

    id: int = Field(ge=0, lt=2**53)
    ask: str = Field(max_length=100)
    with_: Any = Field(default={}, alias="with")


class Line:
    """One page's line."""

    def __init__(self, socket: WebSocket, desk: Desk) -> None:
        self._socket, self._desk = socket, desk
        self._slow: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer until the page is closed."""
        await self._socket.accept()
        try:
            while True:
                await self._take(await self._socket.receive())
                await asyncio.sleep(0)  # let others have their turn, even where many questions came at once
        except WebSocketDisconnect:
            pass
        finally:
            for task in self._slow:
                task.cancel()

    async def _take(self, message: Any) -> None:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        try:
            asked = Asked.model_validate_json(message.get("text") or b"")
        except ValidationError:
            await self._tell(None, error='A question is {"id": number, "ask": "room.function", "with": {…}} as text.')
            return
        if self._desk.is_quick(asked.ask):
            await self._answer(asked)
        elif len(self._slow) < MOST:
            task = asyncio.create_task(self._answer_later(asked))
            self._slow.add(task)
            task.add_done_callback(self._slow.discard)
        else:
            await self._tell(asked.id, error=f"At most {MOST} slow questions may wait at a time; wait for an answer.")

    async def _answer(self, asked: Asked) -> None:
        try:
            told = await self._desk.answer(asked.ask, asked.with_)
        except Exception as error:
            await self._tell(asked.id, error=sentence(error))
        else:
            await self._send(f'{{"id":{asked.id},"tells":{told}}}')

    async def _answer_later(self, asked: Asked) -> None:
        with suppress(WebSocketDisconnect):
            await self._answer(asked)

    async def _tell(self, number: int | None, error: str) -> None:
        await self._send(json.dumps({"id": number, "error": error}))

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except RuntimeError:  # the line was closed from this side meanwhile
            raise WebSocketDisconnect from None
