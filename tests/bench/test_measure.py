import gc

import pytest

from pellucid.bench.measure import fastest, interleaved
from tests.bench.fakes import Clock


def test_the_median_of_a_run_is_told():
    clock = Clock()
    contenders = {"slow": clock.contender(0.2), "quick": clock.contender(0.05)}
    assert interleaved(contenders, seconds=1, clock=clock) == pytest.approx({"slow": 0.2, "quick": 0.05})


def test_one_disturbed_round_changes_nothing():
    clock = Clock()
    disturbed = clock.contender(1.0, 1.0, 99.0, 1.0)
    assert interleaved({"one": disturbed}, seconds=1, clock=clock) == {"one": 1.0}


def test_contenders_take_turns_and_the_first_changes():
    clock, log = Clock(), []
    contenders = {name: clock.contender(1.0, log=log, name=name) for name in "abc"}
    interleaved(contenders, seconds=1, clock=clock)
    assert "".join(log) == "abc" + "abc" + "bca" + "cab"  # one run each to begin with, then three rounds


def test_short_runs_are_repeated_and_settle_first():
    clock, log = Clock(), []
    interleaved({"one": clock.contender(0.001, log=log)}, seconds=0.9, clock=clock)
    assert 900 < len(log) < 900 + 9 * 25


def test_garbage_waits_until_the_end():
    seen = []
    interleaved({"one": lambda: seen.append(gc.isenabled())}, seconds=0.001)
    assert not any(seen)
    assert gc.isenabled()


def test_the_collector_runs_again_after_a_failure():
    with pytest.raises(ZeroDivisionError):
        interleaved({"one": lambda: 1 / 0})
    assert gc.isenabled()


def test_the_fastest_form_is_judged_by_its_best_round():
    clock = Clock()
    disturbed = clock.contender(1.0, 9.0, 9.0, 1.0)
    assert fastest({"steady": clock.contender(2.0), "disturbed": disturbed}, clock=clock) == "disturbed"
