"""What the machine can do at most: multiply-adds, and bytes copied."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

_STEPS = 2_000_000
_TURNS = 12
_COPIED = 2**27
"""Bytes, far more than any cache holds."""


def fma_peak(threads: int) -> float:
    """Measure GFLOP/s of so many threads that do nothing but multiply and add in registers: the best of some turns."""
    from pellucid.kernels.chains import CHAINS, fma_chains
    from pellucid.kernels.host import host
    from pellucid.kernels.team import address, native

    lanes, steps = CHAINS * host().width, np.array([_STEPS], np.int64)
    sums = [np.zeros(lanes, np.float32) for _ in range(threads)]
    seconds = _best([native(fma_chains(), 0, address(one), address(steps)) for one in sums])
    return threads * 2 * lanes * _STEPS / seconds / 1e9


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
