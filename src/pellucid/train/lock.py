"""One process at a time works in a run's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pellucid.errors import TrainingError

try:
    import fcntl
except ImportError:  # Windows has no lock that a folder could bear
    fcntl = None  # type: ignore[assignment]


@contextmanager
def holding(out: Path) -> Iterator[None]:
    """Keep other processes from training in this folder; the system lets go when this process ends, however it ends.

    Raises TrainingError where another process holds it.
    """
    descriptor = _open(out)
    try:
        if not _taken(descriptor):
            raise TrainingError(f"The run '{out}' is being trained by another process; wait for it, or stop it there.")
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_held(out: Path) -> bool:
    """Tell whether a process trains in this folder now; always False where the system has no such locks."""
    descriptor = _open(out)
    try:
        return not _taken(descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(out: Path) -> int | None:
    if fcntl is None:
        return None
    with suppress(OSError):
        return os.open(out, os.O_RDONLY)
    return None


def _taken(descriptor: int | None) -> bool:
    if descriptor is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True
