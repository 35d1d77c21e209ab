"""Threads: the same bits for any number, safe to share and after fork."""

import os
import threading

import numpy as np
import pytest

import pellucid as pel
from pellucid.errors import ParameterError
from pellucid.kernels import cores, threads


@pytest.fixture(autouse=True)
def _usual_number(monkeypatch):
    for name in ("size", "reason", "pool"):
        monkeypatch.setattr(threads._Team, name, getattr(threads._Team, name))


@pytest.fixture(scope="module")
def work():
    net = pel.zoo.build("tiny")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((19, 1, 28, 28)).astype(np.float32), rng.integers(0, 10, 19)
    compute = pel.value_and_grad(net, pel.losses.cross_entropy)
    return lambda: compute(x, y)


def bits(result):
    loss, gradients = result
    return loss, [array.tobytes() for array in gradients.values()]


def test_results_do_not_depend_on_the_number(work):
    results = []
    for count in (1, 2, 3, 8):
        pel.set_threads(count)
        results.append(bits(work()))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100])
def test_parts_cover_everything_once(count):
    covered = [index for part in threads.parts(count) for index in range(count)[part]]
    assert covered == list(range(count))
    assert len(threads.parts(count)) == min(count, 8)


def test_eight_callers_at_once(work):
    pel.set_threads(2)
    expected, found = bits(work()), []

    def call():
        found.extend(bits(work()) for _ in range(5))

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 40
    assert all(result == expected for result in found)
    assert threads._Blas.users == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_computes_too(work):
    pel.set_threads(2)
    expected = bits(work())
    child = os.fork()
    if child == 0:
        os._exit(0 if bits(work()) == expected else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_an_error_in_a_thread_comes_out(work):
    pel.set_threads(2)
    with pytest.raises(ZeroDivisionError):
        threads.each(lambda part: 1 / 0, threads.parts(4))


@pytest.mark.parametrize("count", [0, -1, 1.5, True, 1025, "2", None])
def test_bad_numbers_are_refused(count):
    with pytest.raises(ParameterError, match=rf"number of threads must be an integer from 1 to 1024; got {count!r}"):
        pel.set_threads(count)


def test_the_environment_may_say_how_many(monkeypatch):
    monkeypatch.setattr(threads._Team, "size", None)
    monkeypatch.setenv(threads.VARIABLE, "3")
    assert (threads.count(), threads.reason()) == (3, "as PELLUCID_THREADS says")
    pel.set_threads(2)
    assert (threads.count(), threads.reason()) == (2, "as set_threads says")


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", " 2", "1025", "9" * 5000, "²", "٣"])
def test_nonsense_in_the_environment_is_refused(monkeypatch, text):
    monkeypatch.setattr(threads._Team, "size", None)
    monkeypatch.setenv(threads.VARIABLE, text)
    with pytest.raises(ParameterError, match=r"The variable PELLUCID_THREADS must be an integer from 1 to 1024; got"):
        threads.count()


@pytest.mark.parametrize("text", [None, ""])
def test_by_default_every_usable_core_has_one(monkeypatch, text):
    monkeypatch.setattr(threads._Team, "size", None)
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(threads.VARIABLE, text)
    assert (threads.count(), threads.reason()) == cores.usable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_blas_has_its_threads_back_in_a_child_that_was_forked_meanwhile():
    limits = [library["num_threads"] for library in threads._controller().info()]
    with threads.one_blas_thread():
        child = os.fork()
        if child == 0:
            os._exit(0 if [library["num_threads"] for library in threads._controller().info()] == limits else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
