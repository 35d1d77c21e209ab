"""How many cores this process may use: by its affinity, by a container's quota, hyperthreads of a core counted once."""

import math
import os
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable() -> tuple[int, str]:
    """Return how many threads can compute at once, and in words why so many."""
    allowed = affinity()
    cores = physical(allowed)
    granted = quota()
    if granted is not None and granted < cores:
        return max(1, math.ceil(granted)), f"a quota of {granted:g} of {_counted(cores, 'core')}"
    if cores < len(allowed):
        return cores, f"{_counted(cores, 'core')} with {len(allowed)} hyperthreads"
    return cores, _counted(cores, "core")


def affinity() -> Set[int]:
    """Return the numbers of the processors that this process may run on, hyperthreads counted each."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return frozenset(range(os.cpu_count() or 1))


def physical(allowed: Set[int], topology: Path = _TOPOLOGY) -> int:
    """Count the cores among processors. Where the system does not tell, each is taken for one."""
    siblings = set()
    for number in allowed:
        try:
            siblings.add((topology / f"cpu{number}" / "topology" / "thread_siblings_list").read_text().strip())
        except OSError:
            return len(allowed)
    return len(siblings)


def quota(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> float | None:
    """Return how many processors' time a container grants, or None: the least of this control group and those above.

    Both versions of Linux's control groups are read: ``cpu.max`` and ``cpu.cfs_quota_us / cpu.cfs_period_us``.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    granted: list[float] = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        for folder in _with_those_above(group):
            if not controllers:
                granted += _ratio(groups / folder / "cpu.max")
            elif "cpu" in controllers.split(","):
                for mount in ("cpu", controllers):
                    place = groups / mount / folder
                    granted += _ratio(place / "cpu.cfs_quota_us", place / "cpu.cfs_period_us")
    return min(granted, default=None)


def _with_those_above(group: str) -> Iterator[str]:
    """Name a group and its ancestors; inside a container the last, the root, may be the container's own."""
    parts = [part for part in group.split("/") if part not in ("", "..")]
    for length in range(len(parts), -1, -1):
        yield "/".join(parts[:length])


def _ratio(*files: Path) -> list[float]:
    """Divide the two numbers that one file or two hold, unless there is no limit ("max", or -1)."""
    with suppress(OSError, ValueError):
        numerator, denominator = (float(word) for file in files for word in file.read_text().split())
        if numerator > 0 and denominator > 0:
            return [numerator / denominator]
    return []


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + "s" * (count > 1)
