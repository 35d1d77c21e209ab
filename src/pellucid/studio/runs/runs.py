"""The runs of a folder: begun, stopped and taken up again, one training at a time."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import RLock, Thread

from pellucid.errors import FileError, ParameterError, PellucidError, TrainingError, nearest
from pellucid.studio.runs import records
from pellucid.studio.runs.records import LOG, NAME, Record, State
from pellucid.train import run as training
from pellucid.train.lock import holding
from pellucid.train.settings import RunSettings

_PATIENCE = 30.0
"""Seconds that a process has for its last step and checkpoint when the studio closes; then it is killed."""


def _age(path: Path) -> tuple[float, int, str]:
    """Order runs by when they were begun, those of one second by the numbers at their names' ends."""
    return records.created(path), len(path.name), path.name


class _Worker:
    """A process that trains; its standard input is the line by which it is told to stop."""

    def __init__(self, task: str, out: Path) -> None:
        command = [sys.executable, "-P", "-m", "pellucid.studio.runs.worker", task, str(out)]
        self.log = out / LOG
        try:
            self.log.unlink(missing_ok=True)  # were it a link, what it leads to would be overwritten
            with self.log.open("xb") as log:
                # A session of its own, or Ctrl-C in the terminal would interrupt it a second time, before its
                # checkpoint.
                self.process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
                )
        except OSError as error:
            raise FileError(f"The run '{out}' cannot be begun: {error.strerror or error}.") from None
        self.stopping = False

    def stop(self) -> None:
        """Tell it to stop after its next checkpoint."""
        self.stopping = True
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()

    def wait(self) -> None:
        """Wait for its end, and throw away a log in which nothing can stand."""
        if self.process.wait() == 0:
            with suppress(OSError):
                self.log.unlink()
        self.stop()


class Runs:
    """Training runs; threads may share it. ``folder`` holds a folder a run, as ``pellucid train`` makes them.

    Runs train one at a time, each in a process of its own; others wait for their turn. When the studio closes or is
    killed, the process writes a checkpoint and ends; nothing goes on unseen.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = RLock()
        self._worker: tuple[str, _Worker] | None = None
        self._queue: list[tuple[str, str]] = []
        self._concluding: set[str] = set()
        self._closed = False

    def names(self) -> list[str]:
        """Name the runs, the latest first."""
        with suppress(OSError):
            runs = [path for path in self.folder.iterdir() if self._has(path.name)]
            return [path.name for path in sorted(runs, key=_age, reverse=True)]
        return []

    def path(self, name: str) -> Path:
        """Return the folder of a run. Raises ParameterError where there is none of that name."""
        if not self._has(name):
            raise ParameterError(f"There is no run {name!r:.120}; {nearest(name, self.names())}.")
        return self.folder / name

    def record(self, name: str) -> Record:
        """Read what a run is and how it stands. Raises ParameterError where there is none, FileError where damaged."""
        out = self.path(name)
        with self._lock:
            return records.read(out, self._ours(name))

    def start(self, settings: RunSettings) -> str:
        """Begin a run as soon as none is training, and return its name.

        Raises what :func:`pellucid.train.run.create` raises.
        """
        self._check_open()
        with self._lock:
            out = self._new_folder(settings.called)
        try:
            training.create(settings, out)
        except BaseException:
            records.remove(out)
            raise
        self._enqueue(out.name, "resume")
        return out.name

    def resume(self, name: str) -> None:
        """Take up a run where it was, as soon as none is training. Raises TrainingError where it is finished."""
        with self._lock:
            self._check_idle(name, "go on")
            if self.record(name).state == "finished":
                raise TrainingError(f"The run '{name}' is finished; start another to train for more epochs.")
            self._enqueue(name, "resume")

    def pause(self, name: str) -> None:
        """Let a run stop after its next step, with a checkpoint, or no longer wait for its turn."""
        with self._lock:
            self.path(name)
            self._queue = [waiting for waiting in self._queue if waiting[0] != name]
            if self._worker and self._worker[0] == name:
                self._worker[1].stop()

    def conclude(self, name: str) -> None:
        """End a run where it is: what it has learned is tested and kept, and it cannot go on."""
        with self._lock:
            if self._worker and self._worker[0] == name:
                self._concluding.add(name)
                self._worker[1].stop()
                return
            self._check_idle(name, "be ended")
            if not self.record(name).can_conclude:
                raise TrainingError(
                    f"The run '{name}' has nothing to be ended with: it is finished, or has not learned yet."
                )
            self._enqueue(name, "conclude")

    def delete(self, name: str) -> None:
        """Remove what a run wrote, and its folder if nothing else is in it.

        Raises TrainingError while it trains, here or elsewhere, FileError where its folder is a link.
        """
        with self._lock:
            self._check_idle(name, "be deleted")
            with holding(self.path(name)):
                records.remove(self.path(name))

    def close(self) -> None:
        """Let the training stop after a checkpoint, and wait for it; a process that takes too long is killed."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            running = self._worker
        if running is None:
            return
        running[1].stop()
        try:
            running[1].process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            running[1].process.kill()
            running[1].process.wait()

    def _has(self, name: str) -> bool:
        with suppress(OSError):  # a folder of others, which may not be read
            return NAME.fullmatch(name) is not None and (self.folder / name / training.RUN).is_file()
        return False

    def _ours(self, name: str) -> State | None:
        """Return how a run stands that this studio trains or is about to."""
        if self._worker and self._worker[0] == name:
            return "stopping" if self._worker[1].stopping else "training"
        return "waiting" if any(waiting[0] == name for waiting in self._queue) else None

    def _check_open(self) -> None:
        if self._closed:
            raise TrainingError("The studio is closing: no training can begin; start `pellucid studio` again.")

    def _check_idle(self, name: str, what: str) -> None:
        self._check_open()
        if self.record(name).state in ("waiting", "training", "stopping", "elsewhere"):
            raise TrainingError(f"The run '{name}' cannot {what}: it is training; pause it first.")

    def _new_folder(self, network: str) -> Path:
        base = f"{time.strftime('%Y%m%d-%H%M%S')}-{network}"
        for count in range(1, 1000):
            out = self.folder / (base if count == 1 else f"{base}-{count}")
            try:
                out.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise FileError(f"The folder '{out}' cannot be made: {error.strerror}; start elsewhere.") from None
            return out
        raise FileError(f"The folder '{self.folder}' must have room for another run; delete some.")

    def _enqueue(self, name: str, task: str) -> None:
        with self._lock:
            if any(waiting[0] == name for waiting in self._queue):
                return
            self._queue.append((name, task))
            self._next()

    def _next(self) -> None:
        """Begin the next task if none is being done; the lock is held.

        Raises FileError where its folder is gone or cannot be written; it then waits no longer.
        """
        if self._worker or not self._queue or self._closed:
            return
        name, task = self._queue.pop(0)
        worker = _Worker(task, self.folder / name)
        self._worker = name, worker
        Thread(target=self._wait, args=(name, worker), daemon=True).start()

    def _wait(self, name: str, worker: _Worker) -> None:
        worker.wait()
        with self._lock:
            self._worker = None
            if name in self._concluding:
                self._concluding.discard(name)
                with suppress(PellucidError):  # somebody has removed or damaged it meanwhile
                    if records.read(self.folder / name, None).can_conclude:
                        self._queue.insert(0, (name, "conclude"))
            while self._queue and not self._worker and not self._closed:
                with suppress(FileError):  # that one cannot be begun; the others need not wait for it
                    self._next()
