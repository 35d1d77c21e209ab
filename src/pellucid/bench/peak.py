"""What the machine can do at most: multiply-adds, and bytes copied."""

import ctypes
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np

from pellucid.types import Array

_CHAINS = 12
"""Independent sums, more than two units of four cycles' latency can have under way."""

_STEPS = 2_000_000
_TURNS = 12
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, ctypes.c_int64, *[ctypes.c_void_p] * 2)
"""A compiled kernel: room for a result and an exception, the part, scratch, the table of arguments."""

_NOTHING = ctypes.create_string_buffer(16), ctypes.create_string_buffer(16)
_COPIED = 2**27
"""Bytes, far more than any cache holds."""


def fma_peak(threads: int) -> float:
    """Measure GFLOP/s of so many threads that do nothing but multiply and add in registers: the best of some turns."""
    from pellucid.kernels.host import host

    run, width = _chains(), host().width
    sums = [np.zeros(_CHAINS * width, np.float32) for _ in range(threads)]
    seconds = _best([partial(run, one, _STEPS) for one in sums])
    return threads * 2 * _CHAINS * width * _STEPS / seconds / 1e9


def bandwidth(threads: int) -> float:
    """Measure GB/s read and written together when so many threads copy arrays much larger than the caches."""
    source = np.ones(_COPIED // 4, np.float32)
    target = np.zeros_like(source)
    halves = zip(np.array_split(source, threads), np.array_split(target, threads), strict=True)
    seconds = _best([partial(np.copyto, b, a) for a, b in halves])
    return 2 * _COPIED / seconds / 1e9


def _best(jobs: list[Callable[[], Any]]) -> float:
    """Seconds that all jobs take, each on its own thread: the least of some turns."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        times = []
        for _ in range(_TURNS):
            start = time.perf_counter()
            for done in [pool.submit(job) for job in jobs]:
                done.result()
            times.append(time.perf_counter() - start)
    return min(times)


@cache
def _chains() -> Callable[[Array, int], None]:
    """Compile a loop of independent chains s ← s·a + b, which end in an array so that they cannot be left out."""
    from pellucid.kernels.compiler import kernel, tile
    from pellucid.kernels.interpret import Floats
    from pellucid.kernels.library import entry

    @tile
    def chains(e: Any, sums: Any, steps: Any) -> None:
        def step(index: Any, state: list[Any]) -> list[Any]:
            return [one.fma(0.5, e.lift(1.0)) for one in state]

        for place, one in enumerate(e.loop(steps, [e.zero()] * _CHAINS, step)):
            e.store(one, sums, place * e.width)

    @kernel("bench_fma_chains")
    def body(part: int, scratch: Floats, steps: int) -> None:
        chains(scratch, steps)

    call = _ENTRY(entry(body))

    def run(sums: Array, steps: int) -> None:
        arguments = np.array([steps], np.int64)
        call(*_NOTHING, 0, sums.ctypes.data, arguments.ctypes.data)

    return run
