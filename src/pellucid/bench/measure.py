"""Timing in turns: medians over rounds in which each contender computes for a while."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any, TypeAlias

Run: TypeAlias = Callable[[], Any]
Clock: TypeAlias = Callable[[], float]

_SECONDS = 0.5
_ROUNDS = 3, 9
_SETTLING = 0.02
"""Seconds after which the threads of the one before have stopped waiting for more to do."""


def interleaved(
    contenders: Mapping[str, Run], *, seconds: float = _SECONDS, clock: Clock = time.perf_counter
) -> dict[str, float]:
    """Return the median seconds of a run for each contender, timed in turns for about ``seconds`` each.

    A turn begins with runs that do not count: caches warm up, and the threads of the one before go to sleep. The
    order changes from round to round; the collector of garbage waits until the end. What machine and neighbours do
    meanwhile, they do to all.
    """
    return {name: median(times) for name, times in _rounds(contenders, seconds, clock).items()}


def fastest(forms: Mapping[str, Run], clock: Clock = time.perf_counter) -> str:
    """Name the fastest of several forms after a short measurement, each taken at its best round.

    >>> fastest({"only": lambda: None})
    'only'
    """
    if len(forms) == 1:
        return next(iter(forms))
    times = _rounds(forms, _SECONDS / 5, clock)
    return min(times, key=lambda name: min(times[name]))


def _rounds(contenders: Mapping[str, Run], seconds: float, clock: Clock) -> dict[str, list[float]]:
    """Return the median time of a run in each round."""
    with _no_garbage_collection():
        estimates = {name: _time(run, clock) for name, run in contenders.items()}
        slowest = max(estimates.values(), default=0.0)
        fewest, most = _ROUNDS
        rounds = max(fewest, min(most, round(seconds / slowest) if slowest else most))
        medians: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(rounds):
            for name in _turned(list(contenders), number):
                repetitions = _repetitions(seconds / rounds, estimates[name])
                medians[name].append(_turn(contenders[name], repetitions, estimates[name], clock))
    return medians


def _turned(names: list[str], number: int) -> list[str]:
    start = number % len(names)
    return names[start:] + names[:start]


def _repetitions(seconds: float, estimate: float) -> int:
    return max(1, int(seconds / estimate)) if estimate > 0 else 1000


def _turn(run: Run, repetitions: int, estimate: float, clock: Clock) -> float:
    if estimate < 10 * _SETTLING:  # to longer runs the settling makes no difference
        start = clock()
        while clock() - start < _SETTLING:
            run()
    return median(_time(run, clock) for _ in range(repetitions))


def _time(run: Run, clock: Clock) -> float:
    start = clock()
    run()
    return clock() - start


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
