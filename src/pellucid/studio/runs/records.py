"""What a run's folder says: how the run stands and how far it came."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pellucid.errors import FileError
from pellucid.train import run as training
from pellucid.train.lock import is_held
from pellucid.train.recording import STEPS, is_whole, lines
from pellucid.train.settings import RunSettings

NAME = re.compile(r"[\w-][\w.-]{0,99}", re.ASCII)
"""What a run may be called: the name of one folder."""

LOG = "worker.log"
_OWN = (*training.FILES, LOG, "report.html")
_LOG_TAIL = 300
_LOG_BYTES = 4096
"""Of a log that are read, the last ones."""

State = Literal["waiting", "training", "stopping", "elsewhere", "paused", "interrupted", "failed", "finished"]
"""``elsewhere`` is trained by another program, ``interrupted`` was killed; the others are what they say."""


@dataclass(frozen=True)
class Record:
    """A run: ``reason`` says why it failed or was interrupted, as far as anybody knows."""

    name: str
    path: Path
    settings: RunSettings
    state: State
    reason: str
    created: float
    """Seconds since 1970."""

    @property
    def can_conclude(self) -> bool:
        """Whether it has learned anything that could be kept."""
        return self.state != "finished" and (self.path / training.CHECKPOINT).exists()

    def points(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the curve's points after a step."""
        return [point for point in lines(self.path / STEPS) if point["step"] > after]

    def history(self) -> list[dict[str, Any]]:
        """Return the epochs' records."""
        kinds: dict[str, type] = {"epoch": int, "loss": float, "accuracy": float}
        return [line for line in lines(self.path / training.HISTORY) if is_whole(line, kinds)]

    def results(self) -> dict[str, Any] | None:
        """Return what the test at the end found, or None before it. Raises FileError where the file is damaged."""
        path = self.path / training.RESULTS
        if self.state != "finished" or not path.is_file():
            return None
        found = _json(path)
        lists: dict[str, type] = dict.fromkeys(("confusion", "truth", "called", "sure"), list)
        if not is_whole(found, {"accuracy": float, "loss": float, "per_class": dict} | lists):
            raise FileError(f"'{path}' is damaged; remove it and continue the run with `pellucid train --resume`.")
        return found


def read(path: Path, ours: State | None) -> Record:
    """Read a run's folder; ``ours`` is how it stands if this studio has to do with it.

    Raises FileError where the record is damaged, ParameterError where its settings are none.
    """
    record = _json(path / training.RUN)
    status, settings = record.get("status"), RunSettings.from_dict(record.get("settings"))
    state = ours or _state(path, str(status))
    reason = str(record.get("reason", "")) if state == "failed" else _last_words(path) if state == "interrupted" else ""
    return Record(path.name, path, settings, state, reason, created(path))


def created(path: Path) -> float:
    """Return when a run was begun, in seconds since 1970."""
    from datetime import datetime

    with suppress(ValueError):
        return datetime.strptime(path.name[:15], "%Y%m%d-%H%M%S").timestamp()
    with suppress(OSError):
        return (path / training.RUN).stat().st_mtime
    return 0.0


def remove(path: Path) -> None:
    """Remove a run's own files, and the folder if it is empty then.

    Raises FileError where that is forbidden, or the folder is but a link to one elsewhere.
    """
    if path.is_symlink():
        raise FileError(f"The run '{path}' must be a folder to be removed; got a link to one; remove the link by hand.")
    try:
        for name in _OWN:
            (path / name).unlink(missing_ok=True)
            for half in path.glob(f".{name}.*"):
                half.unlink(missing_ok=True)
        with suppress(OSError):
            path.rmdir()
    except OSError as error:
        raise FileError(f"The run '{path}' cannot be removed: {error.strerror or error}.") from None


def _state(path: Path, status: str) -> State:
    if status == training.FINISHED:
        return "finished"
    if is_held(path):
        return "elsewhere"
    if status == training.FAILED:
        return "failed"
    return "interrupted" if status == training.TRAINING or _last_words(path) else "paused"


def _last_words(path: Path) -> str:
    with suppress(OSError):
        if (path / LOG).is_file():  # a pipe would never end
            with (path / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_BYTES))
                said = file.read(_LOG_BYTES).decode("utf-8", "replace").strip().splitlines()
            return said[-1][:_LOG_TAIL] if said else ""
    return ""


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"'{path}' cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise FileError(f"'{path}' must hold an object; got {type(found).__name__}.")
    return found
