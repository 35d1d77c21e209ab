"""What the engine is on this machine: vectors, threads, speed, the place of its kernels, and why so."""

import os
from typing import Any

from pellucid import machine
from pellucid.bench.peak import fma_peak
from pellucid.kernels import cache, cores, host, program, threads
from pellucid.ops import modes

VARIABLES = {
    threads.VARIABLE: "how many threads compute",
    modes.PRECISION.variable: "fast, or strict: no Winograd",
    modes.SELECTION.variable: "rule, or measured: each kernel tried once",
    host.VARIABLE: "narrower vectors, such as sse",
    cache.VARIABLE: "another folder for compiled kernels",
    program.VARIABLE: "1: kernels run as Python, slow but checked",
}
"""Environment variables that change the engine, and what they say."""


def describe() -> dict[str, Any]:
    """Return what computes, as JSON values; measures GFLOP/s for a moment.

    Raises ParameterError where an environment variable says what cannot be.

    >>> sorted(describe())
    ['cache', 'environment', 'peak_gflops', 'precision', 'processor', 'selection', 'threads', 'tile', 'vectors']
    """
    kind, count = host.host(), threads.count()
    usable, reason = cores.usable()
    rows, vectors = kind.tile
    return {
        "processor": machine.describe()["processor"],
        "vectors": {"name": kind.name, "width": kind.width, "registers": kind.registers, "fused": kind.fused},
        "tile": {"rows": rows, "vectors": vectors, "floats": rows * vectors * kind.width},
        "threads": {
            "count": count,
            "reason": threads.reason(),
            "usable_cores": usable,
            "usable_reason": reason,
            "affinity": len(cores.affinity()),
            "quota": cores.quota(),
        },
        "peak_gflops": {str(number): fma_peak(number) for number in sorted({1, min(count, usable)})},
        "precision": modes.precision(),
        "selection": modes.selection(),
        "cache": _cache(),
        "environment": {name: os.environ.get(name) for name in VARIABLES},
    }


def _cache() -> dict[str, Any]:
    place, obstacle = cache.folder(), cache.obstacle()
    kernels, size = cache.kept()
    return {
        "folder": None if place is None else str(place),
        "kernels": kernels,
        "bytes": size,
        "usable": obstacle is None,
        "obstacle": obstacle,
    }
