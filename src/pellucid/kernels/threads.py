"""How many threads compute; and one team of Python threads, each of which computes its own images.

BLAS works on one thread meanwhile: its own threads wait for each other by spinning, which on a machine with other
work to do costs more than they bring, and the order of its sums must not depend on how many there are.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from pellucid.errors import ParameterError
from pellucid.kernels import cores

VARIABLE = "PELLUCID_THREADS"
"""Environment variable that says how many threads compute."""

_MOST = 1024
_PARTS = 8
"""Into how many parts a batch is split, whatever the number of threads: sums over parts then never change."""


class _Team:
    """How many threads, once known; the Python threads, made when first needed and anew in a forked child."""

    size: int | None = None
    reason = ""
    pool: Any = None


class _Blas:
    """Who computes at present; the first to come limits BLAS to one thread, the last to go lifts the limit."""

    lock = threading.Lock()
    users = 0
    limit: Any = None


def set_threads(count: int) -> None:
    """Compute with so many threads from now on; by default as many as the process may use cores.

    Results do not depend on it. Raises ParameterError where the count is not from 1 to 1024.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MOST:
        raise ParameterError(f"The number of threads must be an integer from 1 to {_MOST}; got {count!r}.")
    _Team.size, _Team.reason, _Team.pool = count, "as set_threads says", None


def count() -> int:
    """Return how many threads compute at present.

    Raises ParameterError where the environment variable decides, and is no such number.
    """
    if _Team.size is None:
        _Team.size, _Team.reason = _default()
    return _Team.size


def reason() -> str:
    """Tell in words why so many."""
    count()
    return _Team.reason


def _default() -> tuple[int, str]:
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return cores.usable()
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 9 and 1 <= int(wanted) <= _MOST):
        raise ParameterError(f"The variable {VARIABLE} must be an integer from 1 to {_MOST}; got {wanted!r}.")
    return int(wanted), f"as {VARIABLE} says"


def parts(count: int) -> list[slice]:
    """Split so many images into at most eight runs of nearly equal length.

    >>> parts(3)
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    edges = [count * number // _PARTS for number in range(_PARTS + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges) if start < stop]


def each(function: Callable[[slice], Any], slices: list[slice]) -> list[Any]:
    """Call a function on each slice, on all threads; return the results in order.

    Infinities and NaN pass through silently: what NumPy is told about that holds for the thread that says it.
    """
    quietly = partial(_silently, function)
    if count() == 1 or len(slices) < 2:
        return [quietly(part) for part in slices]
    pool = _Team.pool  # set_threads, called by another thread, may forget it at any time
    if pool is None:
        from concurrent.futures import ThreadPoolExecutor

        pool = _Team.pool = ThreadPoolExecutor(count(), thread_name_prefix="pellucid")
    return list(pool.map(quietly, slices))


def _silently(function: Callable[[slice], Any], part: slice) -> Any:
    """Let infinities and NaN pass without a warning: NumPy's setting of the calling thread does not reach here."""
    with np.errstate(all="ignore"):
        return function(part)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread inside, in the whole process."""
    with _Blas.lock:
        if _Blas.users == 0:
            _Blas.limit = _controller().limit(limits=1, user_api="blas")
        _Blas.users += 1
    try:
        yield
    finally:
        with _Blas.lock:
            _Blas.users -= 1
            if _Blas.users == 0:
                _Blas.limit.restore_original_limits()


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _after_fork() -> None:
    _Team.pool = None
    if _Blas.users:  # of threads that the child does not have
        _Blas.limit.restore_original_limits()
    _Blas.lock, _Blas.users = threading.Lock(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
