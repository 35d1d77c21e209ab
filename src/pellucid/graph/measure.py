"""The quickest kernel for a shape, found by trying each; kept on disk beside the compiled kernels.

A trial computes one op alone, its weights packed beforehand, its data in whatever cache they fit. The kernels take
turns, and the quickest run of each counts, so a busy machine delays the trial but hardly bends it.
"""

import json
import math
import threading
import time
from collections.abc import Callable

import numpy as np

from pellucid.graph.graph import Graph, Value
from pellucid.graph.plan import Plan
from pellucid.kernels import cache, threads
from pellucid.ops import Choice
from pellucid.ops.base import Candidate, Op, Types
from pellucid.ops.select import Rivals
from pellucid.types import Array

_FILE = ".measured.json"
_WEIGHTS = "weight", "bias", "slope"
"""Arguments that are packed before a run."""
_SECONDS = 0.05
_LEAST_RUNS = 5
"""How long each kernel is tried at most, if it has been as often as this."""

_lock = threading.Lock()


def measured(op: Op, types: Types) -> Choice:
    """Take the candidate that is quickest on this machine, for this shape, with so many threads."""
    return Rivals.of(op, types).decide(_times, "took {:.2f} times as long")


def _times(rivals: Rivals) -> dict[str, float]:
    """Read the times of all rivals, or measure and keep them."""
    with _lock:  # two trials at once would disturb each other
        return _known_or_new(rivals)


def _known_or_new(rivals: Rivals) -> dict[str, float]:
    key = f"{rivals.op!r} on {', '.join(map(str, rivals.types))} with {threads.count()} threads"
    names = {candidate.name for candidate in rivals.candidates}
    known = _read()
    found = known.get(key)
    if isinstance(found, dict) and found.keys() == names and all(_is_time(value) for value in found.values()):
        return found
    times = _measure(rivals)
    cache.keep(_FILE, json.dumps(known | {key: times}, indent=1).encode())
    return times


def _read() -> dict[str, dict[str, float]]:
    try:
        known = json.loads(cache.find(_FILE) or b"{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _is_time(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value > 0


def _measure(rivals: Rivals) -> dict[str, float]:
    """Return the milliseconds of the quickest run of each rival."""
    runs = {candidate.name: _runner(rivals, candidate) for candidate in rivals.candidates}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()  # compiles, packs, and touches the memory
    while min(map(len, times.values())) < _LEAST_RUNS or max(map(sum, times.values())) < _SECONDS:
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: 1e3 * min(seconds) for name, seconds in times.items()}


def _runner(rivals: Rivals, candidate: Candidate) -> Callable[[], dict[str, Array]]:
    """Return a function that computes the op by one kernel, on numbers of its own."""
    graph, generator = Graph(), np.random.default_rng(0)
    values: list[Value | None] = []
    feeds: dict[str, Array] = {}
    for name, type_ in zip(rivals.op.arguments, rivals.types, strict=True):
        if type_ is None:
            values.append(None)
            continue
        declare = graph.parameter if name in _WEIGHTS else graph.input
        values.append(declare(name, type_))
        feeds[name] = generator.standard_normal(type_.shape).astype(type_.dtype)
    graph.add(rivals.op, *values, name="op")
    (node,) = graph.nodes
    graph.outputs = {value.name: value for value in node.outputs}
    plan = Plan(graph, select=lambda op, types: Choice(op, types, candidate))
    return lambda: plan.run(feeds, version=0)
