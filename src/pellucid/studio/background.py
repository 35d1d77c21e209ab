"""Work of seconds, done beside the answers: asked for again and again until it is done, given up when nobody asks.

The page asks; the answer is the result or how far it is. So a page that was left or closed stops its work by silence.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Tell = Callable[[int, int], None]
"""Hears (done, of); where nobody wants the work any more, it ends it."""

AT_ONCE = 0.3
"""Seconds that an asker waits for the result before hearing how far it is."""
PATIENCE = 5.0
"""Seconds of silence after which work is given up."""
KEPT = 64
"""Results."""


@dataclass(frozen=True)
class Standing(Generic[T]):
    """How work stands: steps ``done``, ``of`` how many, and its result once there is one."""

    done: int
    of: int
    result: T | None


class _GivenUp(BaseException):
    """Nobody asks any more."""


@dataclass
class _Job:
    work: Callable[[Tell], Any]
    asked: float
    done: int = 0
    of: int = 1
    ended: bool = False
    result: Any = None
    error: BaseException | None = field(default=None)


class Background:
    """One thread that works through what was asked, the latest wish first; threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = PATIENCE) -> None:
        self._clock, self._patience = clock, patience
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._changed = Condition()
        self._thread: Thread | None = None

    def ask(self, key: Hashable, work: Callable[[Tell], T], wait: float = AT_ONCE) -> Standing[T]:
        """Return how the work of this name stands; the first to ask begins it.

        ``work`` is called with a function that it should tell how far it is. Raises what it raised; whoever asks after
        that begins it anew.
        """
        with self._changed:
            job = self._jobs.get(key)
            if job is None:
                job = self._jobs[key] = _Job(work, self._clock())
                self._start()
            job.asked = self._clock()
            self._jobs.move_to_end(key)
            self._changed.notify_all()
            self._changed.wait_for(lambda: job.ended, wait)
            if job.error is not None:
                self._jobs.pop(key, None)
                raise job.error
            return Standing(job.done, job.of, job.result)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="studio-background", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: any(not job.ended for job in self._jobs.values()))
                key, job = next((key, job) for key, job in reversed(self._jobs.items()) if not job.ended)
            result: Any = None
            error: BaseException | None = None
            try:
                result = job.work(partial(self._tell, job))
            except _GivenUp:
                pass
            except BaseException as raised:
                error = raised
            with self._changed:
                job.result, job.error, job.ended = result, error, True
                job.work = _nothing  # which may hold much
                if result is None and error is None:
                    self._jobs.pop(key, None)
                self._forget()
                self._changed.notify_all()

    def _tell(self, job: _Job, done: int, of: int) -> None:
        with self._changed:
            job.done, job.of = done, of
            if self._clock() - job.asked > self._patience:
                raise _GivenUp

    def _forget(self) -> None:
        ended = [key for key, job in self._jobs.items() if job.ended]
        for key in ended[: max(0, len(ended) - KEPT)]:
            del self._jobs[key]


def _nothing(_: Tell) -> None:
    return None
