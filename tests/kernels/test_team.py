"""The engine's threads: the same bits whoever helps, and no way to hang or crash."""

import faulthandler
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import pellucid as pel
from pellucid.kernels import library, team, threads
from pellucid.kernels.compiler import kernel
from pellucid.kernels.interpret import Floats
from pellucid.kernels.program import Buffer, Call, Program

forks = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
PART = 64


@pytest.fixture(autouse=True)
def _guard(monkeypatch):
    """Say where every thread stands, and end, if something hangs; leave the number of threads as it was."""
    for name in ("size", "reason"):
        monkeypatch.setattr(threads._Team, name, getattr(threads._Team, name))
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@kernel("test_team_mix")
def mix(part: int, scratch: Floats, x: Floats, y: Floats, factor: float) -> None:
    """y = factor·x + the part's number, through scratch memory."""
    for i in range(64):
        scratch[i] = x[part * 64 + i] * factor
    for i in range(64):
        y[part * 64 + i] = scratch[i] + part


@kernel("test_team_fold")
def fold(part: int, scratch: Floats, x: Floats, y: Floats, parts: int) -> None:
    """Each number of y is the sum of one of every part of x, so every part of the step before must be done."""
    for i in range(64):
        total = 0.0
        for other in range(parts):
            total += x[other * 64 + i]
        y[part * 64 + i] = total / parts + part


def program(steps, parts):
    """Make a program whose steps alternate between both kernels."""
    buffers = [Buffer((parts * PART,), external=None if 0 < step < steps else f"x{step}") for step in range(steps + 1)]
    calls = [
        Call(mix, parts, (buffers[step], buffers[step + 1], 0.5 + step), PART)
        if step % 2
        else Call(fold, parts, (buffers[step], buffers[step + 1], parts))
        for step in range(steps)
    ]
    return Program(calls)


def result(made, seed=0):
    first, last = sorted(made.externals.values(), key=lambda buffer: int(buffer.external[1:]))
    x = np.random.default_rng(seed).standard_normal(first.shape).astype(np.float32)
    y = np.full(last.shape, np.nan, np.float32)
    made.run({first.external: x, last.external: y})
    return y.tobytes()


SHAPES = [(1, 1), (1, 7), (2, 3), (5, 16), (20, 2), (9, 40), (3, 200), (40, 1)]


@pytest.fixture(scope="module")
def programs():
    return [program(*shape) for shape in SHAPES]


@pytest.fixture(scope="module")
def expected(programs):
    before = threads.count()
    pel.set_threads(1)
    found = [result(made) for made in programs]
    pel.set_threads(before)
    return found


def test_results_do_not_depend_on_the_number_of_threads(programs, expected):
    for count in (2, 3, 8):
        pel.set_threads(count)
        for _ in range(20):
            assert [result(made) for made in programs] == expected


def started(functions):
    callers = [threading.Thread(target=function) for function in functions]
    for caller in callers:
        caller.start()
    return callers


def test_eight_callers_of_a_thousand_programs_each(programs, expected):
    pel.set_threads(2)
    wrong = []

    def call(number):
        for turn in range(1000):
            chosen = (turn * 3 + number) % len(programs)
            if result(programs[chosen]) != expected[chosen]:
                wrong.append((number, turn))

    for caller in started([lambda number=number: call(number) for number in range(8)]):
        caller.join()
    assert not wrong


def test_the_number_of_threads_may_change_while_programs_run(programs, expected):
    wrong, ended = [], threading.Event()

    def call():
        while not ended.is_set():
            if [result(made) for made in programs] != expected:
                wrong.append(1)

    callers = started([call] * 3)
    for turn in range(100):
        pel.set_threads(1 + turn % 4)
        result(programs[0])
    ended.set()
    for caller in callers:
        caller.join()
    assert not wrong


def test_workers_of_a_retired_team_end(programs):
    pel.set_threads(4)
    result(programs[5])
    workers = team.present().workers
    assert len(workers) == 3
    pel.set_threads(2)
    result(programs[5])
    for worker in workers:
        worker.join(10)
        assert not worker.is_alive()


def test_workers_sleep_and_come_back(programs, expected):
    pel.set_threads(2)
    result(programs[5])
    (worker,) = team.present().workers
    watch, watched = worker.watch, []
    worker.watch = lambda: watched.append(watch())
    for _ in range(20):
        until(lambda: worker.asleep)
        before = len(watched)
        assert result(programs[5]) == expected[5]
        until(lambda before=before: len(watched) > before)


def until(condition):
    """Wait for what other threads do; the guard ends a wait in vain."""
    while not condition():
        os.sched_yield() if hasattr(os, "sched_yield") else None


def test_two_callers_may_meet_before_there_is_a_team(programs, expected, monkeypatch):
    monkeypatch.setattr(team._Present, "team", None)
    pel.set_threads(3)
    barrier, found = threading.Barrier(4), []

    def call():
        barrier.wait()
        found.append(team.present())

    for caller in started([call] * 4):
        caller.join()
    assert len(set(map(id, found))) == 1
    found[0].retire()


def test_a_system_that_grants_no_threads_has_a_team_of_one(programs, expected, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(team._Present, "team", None)
    monkeypatch.setattr(team._Worker, "start", refuse)
    pel.set_threads(3)
    assert team.present().workers == []
    assert [result(made) for made in programs] == expected


def test_many_parts_do_not_fill_the_stack():
    """A thread of Python's has 8 MiB at most; the room that a call of a kernel needs must be given back."""

    @kernel("test_team_count")
    def count(part: int, scratch: Floats, x: Floats) -> None:
        x[part] = part

    parts = 2_000_000
    made = Program([Call(count, parts, (Buffer((parts,), external="x"),))])
    for number in (1, 2):
        pel.set_threads(number)
        x = np.zeros(parts, np.float32)
        made.run({"x": x})
        np.testing.assert_array_equal(x, np.arange(parts))


def in_child(function):
    """Fork; return the exit status of a child that is 0 if the function returns True."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a child that hangs ends
        os._exit(0 if function() is True else 1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.usefixtures("expected")
class TestFork:
    pytestmark = forks

    def test_a_child_computes_with_threads_of_its_own(self, programs, expected, turn):
        pel.set_threads(2)
        result(programs[5])
        theirs = team.present()

        def compute():
            return [result(made) for made in programs] == expected and team.present() is not theirs

        assert in_child(compute) == 0
        assert [result(made) for made in programs] == expected

    def test_a_fork_while_programs_run_in_other_threads(self, programs, expected, turn):
        pel.set_threads(2)
        ended = threading.Event()

        def call():
            while not ended.is_set():
                result(programs[6])

        callers = started([call] * 2)
        try:
            assert in_child(lambda: [result(made) for made in programs] == expected) == 0
        finally:
            ended.set()
            for caller in callers:
                caller.join()

    def test_a_fork_while_another_thread_compiles(self, turn):
        """The child finds neither our lock nor the compiler's held by a thread that it does not have."""
        begun = threading.Event()

        def compile_():
            @kernel(f"test_team_fork_{turn}")
            def first(part: int, scratch: Floats, x: Floats) -> None:
                x[part] = 1.0

            begun.set()
            library.prepare([first])

        (caller,) = started([compile_])
        begun.wait()

        def compute():
            @kernel("test_team_fork_child")
            def second(part: int, scratch: Floats, x: Floats) -> None:
                x[part] = 2.0

            x = np.zeros(3, np.float32)
            Program([Call(second, 3, (Buffer((3,), external="x"),))]).run({"x": x})
            return bool((x == 2).all())

        assert in_child(compute) == 0
        caller.join()


PRELUDE = """
import faulthandler, os, signal, sys, threading, time
faulthandler.enable()
faulthandler.dump_traceback_later(60, exit=True)
import numpy as np
import pellucid as pel
from pellucid.kernels import team
from tests.kernels.test_team import program, result
pel.set_threads(2)
made = program(30, 100)
first = result(made)
"""


def script(code):
    """Run code in a fresh interpreter; return its exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip(), done.stderr


def test_the_interpreter_ends_while_a_daemon_thread_computes():
    code = """
    def forever():
        while True:
            result(made)
    for _ in range(3):
        threading.Thread(target=forever, daemon=True).start()
    for _ in range(20):
        result(made)
    """
    assert script(code) == (0, "", "")


def test_the_interpreter_may_compute_to_the_very_end():
    code = """
    import atexit
    atexit.register(lambda: print(result(made) == first))
    """
    assert script(code) == (0, "True", "")


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
def test_ctrl_c_ends_a_run_and_the_next_one_works():
    code = """
    def interrupt(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    for _ in range(50):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.003)
            while True:
                result(made)
        except KeyboardInterrupt:
            pass
    print(result(made) == first, team.present().table[team._LED], team.present().table[team._ACTIVE])
    """
    assert script(code) == (0, "True 0 0", "")


def test_denormals_are_zero_inside_a_run_and_as_before_after_it():
    @kernel("test_team_denormals")
    def add(part: int, scratch: Floats, x: Floats, y: Floats) -> None:
        for i in range(part * 8, part * 8 + 8):
            y[i] = x[i] + x[i]

    tiny = np.full(256, 1e-40, np.float32)
    twice = tiny + tiny
    assert (twice > 0).all()
    made = Program([Call(add, 32, (Buffer((256,), external="x"), Buffer((256,), external="y")))])
    for number in (1, 2):
        pel.set_threads(number)
        for _ in range(50):  # whoever takes which part
            y = np.ones(256, np.float32)
            made.run({"x": tiny, "y": y})
            assert (y == 0).all()
        np.testing.assert_array_equal(tiny + tiny, twice)


def test_a_run_raises_no_flags_of_the_callers_floating_point_unit():
    """NumPy looks at these flags after every operation of its own."""

    @kernel("test_team_flags")
    def divide(part: int, scratch: Floats, x: Floats) -> None:
        x[part] = x[part] / 0.0

    x = np.zeros(8, np.float32)
    with np.errstate(all="raise"):
        Program([Call(divide, 8, (Buffer((8,), external="x"),))]).run({"x": x})
        assert np.add(x, np.float32(1)).shape == (8,)
    assert np.isnan(x).all()


def test_programs_that_are_dropped_leave_no_thread_behind(programs):
    pel.set_threads(2)
    result(programs[5])
    gc.collect()  # teams of earlier tests, whose threads count too
    before = threading.active_count()
    for _ in range(20):
        result(program(3, 8))
    gc.collect()
    assert threading.active_count() <= before
