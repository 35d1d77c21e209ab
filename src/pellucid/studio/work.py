"""Where answers are computed: quick ones together, as soon as they are asked for; slow ones by a few threads.

Quick is what is asked with every stroke of everybody who draws. Questions that come in the same instant are answered by
one call, which costs little more than one alone: the more people draw, the less each costs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from pkgutil import resolve_name
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import numpy as np

from pellucid.errors import PellucidError
from pellucid.studio import answers
from pellucid.studio.messages.base import Message
from pellucid.studio.studio import Studio

T = TypeVar("T")

_LOG = logging.getLogger("pellucid.studio")

QUICK = {"playground.maps": "pellucid.studio.rooms.playground:maps_together"}
"""Quick questions, and who answers a list of them with a list of answers and errors: in less than 0.2 ms each for
drawings of 20×20 and four kernels, in 3 ms for 64×64 and twelve."""

MOST_TOGETHER = 64
"""Quick questions answered by one call; others then have their turn."""

THREADS = 4
"""That compute slow answers, or wait for what is computed in the background."""


class Workers:
    """Threads that compute in the order of asking; they do not keep the process from ending."""

    def __init__(self, threads: int = THREADS) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self.threads = [Thread(target=self._work, name=f"studio-{n}", daemon=True) for n in range(threads)]
        for thread in self.threads:
            thread.start()

    def run(self, function: Callable[[], T]) -> Awaitable[T]:
        """Compute; what is cancelled before its turn is never begun."""
        future: Future[T] = Future()
        self._waiting.put((future, function))
        return asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end when they have done what was asked of them."""
        for _ in self.threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while (asked := self._waiting.get()) is not None:
            future, function = asked
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)


class Desk:
    """Takes questions and gives answers as JSON text."""

    def __init__(self, studio: Studio, workers: Workers) -> None:
        self.studio, self.workers = studio, workers
        self.ready = False
        """Whether the kernels of quick questions are loaded; compiling them, once on a machine, is not quick."""
        self._trays: dict[str, list[tuple[Message, asyncio.Future[str]]]] = {}

    async def prepare(self) -> None:
        """Load or compile what the first strokes need, then what the first look into a network needs."""
        try:
            await self.workers.run(_draw)
            self.ready = True
            await self.workers.run(_look)
        except PellucidError as error:  # whoever asks is told the same
            _LOG.warning("The engine could not be prepared: %s", error)

    def is_quick(self, name: str) -> bool:
        """Tell whether a question is answered at once."""
        return self.ready and name in QUICK

    async def answer(self, name: str, asked: Any) -> str:
        """Answer a question. Raises what :func:`pellucid.studio.answers.answer` raises."""
        if not self.is_quick(name):
            return await self.workers.run(partial(_written, name, asked, self.studio))
        message = answers.checked(name, asked)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        tray = self._trays.setdefault(name, [])
        tray.append((message, future))
        if len(tray) == 1:
            asyncio.get_running_loop().call_soon(self._clear, name)
        return await future

    def _clear(self, name: str) -> None:
        """Answer what has come together since the first of them."""
        tray = self._trays[name]
        taken, tray[:] = tray[:MOST_TOGETHER], tray[MOST_TOGETHER:]
        if tray:
            asyncio.get_running_loop().call_soon(self._clear, name)
        try:
            told = resolve_name(QUICK[name])([message for message, _ in taken], self.studio)
        except Exception as error:
            told = [error] * len(taken)
        for (_, future), answer in zip(taken, told, strict=True):
            if future.done():  # the asker has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer.model_dump_json())


def _written(name: str, asked: Any, studio: Studio) -> str:
    return answers.answer(name, asked, studio).model_dump_json()


def _draw() -> None:
    import pellucid as pel

    for side in (8, 20):
        pel.conv2d(np.zeros((side, side), np.float32), np.zeros((4, 1, 3, 3), np.float32), padding="same")


def _look() -> None:
    import pellucid as pel

    pel.trace(pel.pretrained("digits"), np.zeros((1, 28, 28), np.float32))


def sentence(error: Exception) -> str:
    """Say why there is no answer; what nobody foresaw is written to the log, too."""
    if isinstance(error, PellucidError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; choose something smaller."
    _LOG.error("A question went wrong", exc_info=error)
    return unforeseen(error)


def unforeseen(error: Exception) -> str:
    """Say that there is a mistake in Pellucid itself."""
    return f"Something went wrong inside Pellucid ({type(error).__name__}); the terminal shows what."
