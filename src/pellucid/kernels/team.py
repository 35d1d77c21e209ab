"""The engine's threads. They run a program together, step by step.

Each thread begins every step in a stretch of the parts of its own, always in the same place: what lies in its cache
from the step before is then what it needs. Who has finished takes what nobody has begun of the others' stretches.
Which thread computes a part never changes a result, so results do not depend on how many threads there are. A thread
that has nothing to do watches for a fifth of a millisecond, then sleeps. Whoever calls while the team is at work for
another caller computes alone; nobody waits.

A program is a table of int64: the number of steps, then for each step the address of its kernel, the address of its
arguments and how many parts it has. Beside it lies the progress: for each step how many parts are done, and how many
each thread's stretch has begun.

How nobody ever touches the tables of a job that has ended: who leads a job publishes its number, and in the end takes
it back (writes 0) before looking whether anybody is active. Who follows says that it is active before looking
whether the number is still there. These four accesses have one order for all threads, so one of the two always sees
the other. Numbers of jobs never return.
"""

import atexit
import ctypes
import os
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np

from pellucid.kernels import threads
from pellucid.kernels.compiler import Kernel, helper, kernel
from pellucid.kernels.interpret import Floats, Longs
from pellucid.kernels.library import entry
from pellucid.kernels.machine import (
    atomic_add,
    atomic_load,
    atomic_store,
    atomic_swap,
    call_entry,
    call_plain,
    floats_at,
    flush_denormals,
    longs_at,
    pause,
    restore_denormals,
)
from pellucid.types import Array

# A program's table.
HEADER, STEP = 1, 3
FUNCTION, ARGUMENTS, PARTS = 0, 1, 2

CACHE_LINE = 64
"""Bytes. What different threads write lies on different cache lines."""
_LINE = CACHE_LINE // 8

# The team's table: the number of the present job (0: none), who works on it, whether somebody leads, the number of
# jobs so far, what the job is, and for how many threads.
_JOB, _ACTIVE, _LED, _JOBS, _PROGRAM, _PROGRESS, _SCRATCH, _SCRATCH_FLOATS, _YIELD, _SIZE = (
    0, 8, 16, 17, 24, 25, 26, 27, 28, 29,
)  # fmt: skip
_SPIN = 400
"""How often a thread that waits looks again at once, for about 10 µs, before it offers its core at every look.

Those others may be the very threads for which it waits: where cores are busy they share one.
"""
_WATCH = _SPIN + 400
"""How often an idle thread looks for a job before it sleeps: for about 200 µs."""


@helper
def run_alone(scratch: Floats, program: Longs) -> None:
    """Run all parts of all steps."""
    for number in range(program[0]):
        step = program + (HEADER + number * STEP)
        for part in range(step[PARTS]):
            call_entry(step[FUNCTION], part, scratch, step[ARGUMENTS])


@helper
def run_shared(own: int, scratch: Floats, team: Longs) -> None:
    """Run parts that nobody has yet, one's own first; begin a step when all parts of the one before are done."""
    program, progress, size = longs_at(team[_PROGRAM]), longs_at(team[_PROGRESS]), team[_SIZE]
    for number in range(program[0]):
        step, counts = program + (HEADER + number * STEP), progress + number * (size + 1) * _LINE
        parts, done = step[PARTS], 0
        for turn in range(size):
            owner = (own + turn) % size
            begin, end = stretch(parts, owner, size), stretch(parts, owner + 1, size)
            begun = counts + (owner + 1) * _LINE
            part = end if turn > 0 and begin + atomic_load(begun, 0) >= end else begin + atomic_add(begun, 0, 1)
            while part < end:
                call_entry(step[FUNCTION], part, scratch, step[ARGUMENTS])
                done += 1
                part = begin + atomic_add(begun, 0, 1)
        if done > 0:
            atomic_add(counts, 0, done)
        looks = 0
        while atomic_load(counts, 0) < parts:
            looks = wait(looks, team[_YIELD])


@helper
def stretch(parts: int, owner: int, size: int) -> int:
    """Return the first part of a thread's stretch."""
    return (parts * owner + size - 1) // size


@helper
def wait(looks: int, give_way: int) -> int:
    """Let an instant pass, and after many let other processes go first; return how many have passed."""
    if looks < _SPIN or give_way == 0:
        pause()
    else:
        call_plain(give_way)
    return looks + 1


@kernel("team_alone")
def alone(part: int, scratch: Floats, program: Longs) -> None:
    """Run a program on the calling thread."""
    before = flush_denormals()
    run_alone(scratch, program)
    restore_denormals(before)


@kernel("team_lead")
def lead(
    part: int, scratch: Floats, team: Longs, program: int, progress: int, counts: int, scratch_place: int,
    scratch_floats: int,
) -> None:  # fmt: skip
    """Run a program with the team, or alone if it is led already; return when nobody touches the program any more."""
    before = flush_denormals()
    if atomic_swap(team, _LED, 1) != 0:
        run_alone(scratch, longs_at(program))
    else:
        fresh = longs_at(progress)
        for i in range(counts):
            fresh[i] = 0
        team[_PROGRAM], team[_PROGRESS] = program, progress
        team[_SCRATCH], team[_SCRATCH_FLOATS] = scratch_place, scratch_floats
        team[_JOBS] += 1
        atomic_store(team, _JOB, team[_JOBS])
        run_shared(0, scratch, team)
        atomic_store(team, _JOB, 0)
        looks = 0
        while atomic_load(team, _ACTIVE) != 0:
            looks = wait(looks, team[_YIELD])
        atomic_store(team, _LED, 0)
    restore_denormals(before)


@kernel("team_follow")
def follow(worker: int, scratch: Floats, team: Longs, seen: Longs) -> None:
    """Watch for jobs and work on them, until none has come for a while."""
    before = flush_denormals()
    looks = 0
    while looks < _WATCH:
        job = atomic_load(team, _JOB)
        if job == 0 or job == seen[0]:
            looks = wait(looks, team[_YIELD])
            continue
        seen[0] = job
        atomic_add(team, _ACTIVE, 1)
        if atomic_load(team, _JOB) == job:  # else it ended meanwhile, and its tables may be gone
            own = floats_at(team[_SCRATCH]) + worker * team[_SCRATCH_FLOATS]
            run_shared(worker, own, team)
        atomic_add(team, _ACTIVE, -1)
        looks = 0
    restore_denormals(before)


class _Worker(threading.Thread):
    """A thread of the team."""

    def __init__(self, table: Array, number: int) -> None:
        super().__init__(name=f"pellucid-{number}", daemon=True)
        seen = np.zeros(1, np.int64)
        arguments = np.array([address(table), address(seen)], np.int64)
        self.held = table, seen, arguments
        self.watch = native(follow, number, 0, address(arguments))
        self.called, self.asleep, self.retired = False, False, False
        self.bell: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        """Watch, sleep, and watch again when called."""
        while not self.retired:
            self.called = False
            self.watch()
            self.asleep = True
            if not self.called and not self.retired:
                self.bell.get()
            self.asleep = False

    def wake(self) -> None:
        """Let it watch; a call that comes while it falls asleep is not lost."""
        self.called = True
        if self.asleep:
            self.bell.put(None)

    def retire(self) -> None:
        """Let it end."""
        self.retired = True
        self.wake()


class Team:
    """So many threads, the caller's included."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.table = np.zeros(40, np.int64)
        self.table[_YIELD], self.table[_SIZE] = _yield_address(), size
        self.workers: list[_Worker] = []
        for number in range(1, size):
            worker = _Worker(self.table, number)
            try:
                worker.start()
            except RuntimeError:  # the system grants no more threads, or is about to end this process
                break
            self.workers.append(worker)

    def prepare(self, program: Array, scratch: Array) -> "Launch":
        """Make ready to run a program, given scratch memory (threads, floats)."""
        if not self.workers:
            return prepare_alone(program, scratch)
        progress = aligned(8 * int(program[0]) * (self.size + 1) * _LINE).view(np.int64)
        places = [address(array) for array in (self.table, program, progress)]
        arguments = np.array([*places, len(progress), address(scratch), scratch.shape[1]], np.int64)
        return Launch(lead, self.workers, (program, progress, scratch), arguments)

    def retire(self) -> None:
        """Let the threads end."""
        for worker in self.workers:
            worker.retire()


class Launch:
    """A program ready to be run, by one caller at a time."""

    def __init__(self, how: Kernel, workers: list[_Worker], held: tuple[Array, ...], arguments: Array) -> None:
        self.workers, self.held = workers, (*held, arguments)
        self.call = native(how, 0, address(held[-1]), address(arguments))

    def __call__(self) -> None:
        """Run it."""
        for worker in self.workers:
            worker.wake()
        self.call()


def prepare_alone(program: Array, scratch: Array) -> Launch:
    """Make ready to run a program on the calling thread."""
    return Launch(alone, [], (program, scratch), np.array([address(program)], np.int64))


class _Present:
    """The team at work, made when first needed."""

    lock = threading.Lock()
    team: Team | None = None


def present() -> Team:
    """Return the team, of as many threads as shall compute at present."""
    team, size = _Present.team, threads.count()
    if team is not None and team.size == size:
        return team
    with _Present.lock:
        team = _Present.team
        if team is None or team.size != size:
            if team is not None:
                team.retire()
            team = _Present.team = Team(size)
        return team


def address(array: Array) -> int:
    """Where an array's first element lies."""
    buffer: Any = array
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(buffer))  # five times quicker, but for writable ones alone
    except (TypeError, ValueError):
        place: int = array.__array_interface__["data"][0]
        return place


def aligned(nbytes: int) -> Array:
    """Make uninitialised bytes that start at a cache line."""
    memory = np.empty(nbytes + CACHE_LINE, np.uint8)
    start = -address(memory) % CACHE_LINE
    return memory[start : start + nbytes]


_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, ctypes.c_int64, *[ctypes.c_void_p] * 2)
"""A compiled kernel: room for a result and an exception (there are none), part, scratch, table of arguments."""

_NOTHING = ctypes.create_string_buffer(16)


def native(kernel_: Kernel, part: int, scratch: int, arguments: int) -> Callable[[], int]:
    """Make a call of a kernel on addresses; Python's lock is given up while it runs."""
    nothing = ctypes.addressof(_NOTHING)
    return partial(_ENTRY(entry(kernel_)), nothing, nothing, part, scratch, arguments)


def _yield_address() -> int:
    """Where the system's function lies that lets other processes use the core; 0 where it is unknown."""
    try:
        function = ctypes.CDLL("kernel32").SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield
    except (AttributeError, OSError, TypeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _at_exit() -> None:
    """Let the threads end before Python does."""
    team = _Present.team
    if team is not None:
        team.retire()
        for worker in team.workers:
            worker.join(1)


def _after_fork() -> None:
    """Begin anew: a forked child has none of the threads, and perhaps the lock as another thread held it."""
    _Present.lock, _Present.team = threading.Lock(), None


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
