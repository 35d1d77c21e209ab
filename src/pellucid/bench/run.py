"""A benchmark: works, thread counts, peers; what comes out, as rows and failures."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from pellucid import machine
from pellucid.bench import measure, memory, ours, peak
from pellucid.bench.forms import Form
from pellucid.bench.peers import Peer, versions
from pellucid.bench.tasks import Task
from pellucid.bench.works import Work
from pellucid.errors import PellucidError
from pellucid.kernels.threads import set_threads
from pellucid.ops import modes
from pellucid.types import Array

OURS = "pellucid"


@dataclass(frozen=True)
class Row:
    """What one work took, in milliseconds; ``max_error`` is the largest disagreement with a peer that was timed.

    ``forms`` says which form of a peer was the fastest. ``effective``: our GFLOP/s count more than was multiplied.
    """

    work: str
    threads: int
    pellucid_ms: float
    peers: dict[str, float]
    gflops: float
    max_error: float
    forms: dict[str, str] = field(default_factory=dict)
    effective: bool = False

    @property
    def fastest_peer(self) -> str | None:
        """Name of the fastest peer, or None where there is none."""
        return min(self.peers, key=lambda name: self.peers[name], default=None)

    @property
    def ratio(self) -> float | None:
        """How many times the fastest peer's time is ours: above 1 we are faster."""
        fastest = self.fastest_peer
        return None if fastest is None else self.peers[fastest] / self.pellucid_ms

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {
            "work": self.work,
            "threads": self.threads,
            "pellucid_ms": self.pellucid_ms,
            "peers": self.peers,
            "fastest_peer": self.fastest_peer,
            "ratio": self.ratio,
            "gflops": self.gflops,
            "max_error": self.max_error,
            "forms": self.forms,
            "effective": self.effective,
        }


@dataclass(frozen=True)
class Failure:
    """Who or which of its forms was not timed at a work, and why: a wrong result, or an error.

    ``excused``: another form was timed in its place, and the result was not wrong.
    """

    work: str
    threads: int
    who: str
    reason: str
    excused: bool = False


@dataclass
class Benchmark:
    """Everything measured so far."""

    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    memory: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether everybody was timed whom we asked, and nobody's result was wrong."""
        return all(failure.excused for failure in self.failures)

    def peak(self, threads: int) -> float:
        """GFLOP/s that so many threads reach at most."""
        found: float = self.machine["fma_peak_gflops_by_threads"][str(threads)]
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "machine": self.machine,
            "rows": [row.as_dict() for row in self.rows],
            "failures": [vars(failure) for failure in self.failures],
            "memory": self.memory,
        }


def run(
    works: Sequence[Work],
    threads: Sequence[int],
    peers: Mapping[str, Peer],
    *,
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,
    seconds: float = 0.5,
) -> Iterator[Benchmark]:
    """Measure works on each number of threads; yields the benchmark again after each work, grown by it.

    ``progress`` is told how many works are done, of how many, and what comes next; ``seconds`` is about how long a
    contender computes in all.
    """
    progress(0, len(works), "the machine's peak")
    benchmark = Benchmark(_machine(threads))
    for done, work in enumerate(works):
        progress(done, len(works), work.name)
        if work.task is None:
            benchmark.memory.append(memory.compare(work.name, max(threads), pytorch="pytorch" in peers))
        else:
            task = work.task()
            for count in threads:
                try:
                    row, failures = measure_task(work.name, task, count, peers, seconds=seconds)
                except Exception as error:  # one work may fail; hours of others are not lost to it
                    row, failures = None, [Failure(work.name, count, OURS, _sentence(error))]
                benchmark.rows += [row] if row else []
                benchmark.failures += failures
            del task  # before the next is made: they are large
        yield benchmark


def measure_task(
    name: str, task: Task, threads: int, peers: Mapping[str, Peer], *, seconds: float = 0.5
) -> tuple[Row | None, list[Failure]]:
    """Compare everybody's results, then time those that agree with ours, each peer in its fastest form.

    A peer that disagrees, or fails, is not timed. Where all disagree, we are taken to be wrong, and there is no row.
    """
    set_threads(threads)
    our = ours.form(task)
    expected = our.results()
    fastest: dict[str, _Checked] = {}
    failures: list[Failure] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a peer warns of is between it and its makers
        for peer, module in peers.items():
            forms, problems = _check(partial(module.forms, task, threads), expected, task)
            failures += [
                Failure(
                    name, threads, f"{peer} ({label})" if label else peer, reason, excused=bool(forms) and not wrong
                )
                for label, reason, wrong in problems
            ]
            if forms:
                label = measure.fastest({label: checked.form.run for label, checked in forms.items()})
                fastest[peer] = forms[label]
        if failures and not fastest:
            return None, [*failures, Failure(name, threads, OURS, "no peer confirms the result")]
        runs = {OURS: our.run, **{peer: checked.form.run for peer, checked in fastest.items()}}
        times = measure.interleaved(runs, seconds=seconds)
    ours_s = times.pop(OURS)
    return Row(
        work=name,
        threads=threads,
        pellucid_ms=ours_s * 1e3,
        peers={peer: time * 1e3 for peer, time in times.items()},
        gflops=task.flops / ours_s / 1e9,
        max_error=max((checked.error for checked in fastest.values()), default=0.0),
        forms={peer: checked.form.label for peer, checked in fastest.items() if checked.form.label},
        effective=ours.is_effective(task),
    ), failures


class _Checked(NamedTuple):
    """A form whose result is that expected but for an error."""

    form: Form
    error: float


class _Problem(NamedTuple):
    """What is the matter with a form; ``wrong``: it has a result, but not the one expected."""

    label: str
    reason: str
    wrong: bool = False


def _check(
    make: Callable[[], Sequence[Form]], expected: Mapping[str, Array], task: Task
) -> tuple[dict[str, _Checked], list[_Problem]]:
    """Make a peer's forms and compare their results: those that agree, by label, and what is wrong with others."""
    good: dict[str, _Checked] = {}
    problems: list[_Problem] = []
    try:
        forms = make()
    except Exception as failure:  # a peer may fail in any way; the others are measured all the same
        return {}, [_Problem("", _sentence(failure))]
    for form in forms:
        try:
            error = task.error(form.results(), expected)
        except Exception as failure:  # so may one of its forms
            problems.append(_Problem(form.label, _sentence(failure)))
            continue
        if error <= task.tolerance:
            good[form.label] = _Checked(form, error)
        else:
            off = f"its result is off by {error:.2g} of its size, where {task.tolerance:.2g} is allowed"
            problems.append(_Problem(form.label, off, wrong=True))
    return good, problems


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, PellucidError) else f"{type(error).__name__}: {text:.200}"


def _machine(threads: Sequence[int]) -> dict[str, Any]:
    described = machine.describe()
    if hasattr(os, "getloadavg"):
        described["load_average"] = os.getloadavg()[0]  # before we put a load on it
    peaks = {str(count): peak.fma_peak(count) for count in threads}
    most = max(threads)
    described["versions"] |= versions()
    return described | {
        "precision": modes.precision(),
        "selection": modes.selection(),
        "fma_peak_gflops": peaks[str(most)],
        "fma_peak_gflops_by_threads": peaks,
        "bandwidth_gbytes_per_s": peak.bandwidth(most),
    }
