import json

import numpy as np
import pytest

from pellucid.bench import ours, peak, run, works
from pellucid.bench.run import Row, measure_task
from tests.bench.fakes import Peer

WORK = "conv/fwd/n1c3h6w6k4r3s3pad1"


@pytest.fixture
def task():
    return works.find(WORK).task()


@pytest.fixture
def right(task):
    return ours.form(task).results()


@pytest.fixture
def wrong(right):
    y = right["y"].copy()
    y[0, 1, 2, 3] += 0.01 * abs(y).max()
    return {"y": y}


def measure(task, **peers):
    return measure_task(WORK, task, 1, peers, seconds=1e-3)


def test_a_peer_that_agrees_is_timed(task, right):
    row, failures = measure(task, good=Peer({"": right}))
    assert not failures
    assert row.fastest_peer == "good"
    assert row.ratio == row.peers["good"] / row.pellucid_ms
    assert row.gflops == pytest.approx(task.flops / row.pellucid_ms / 1e6)
    assert row.max_error == 0


def test_a_corrupted_result_is_not_timed(task, right, wrong):
    row, (failure,) = measure(task, good=Peer({"": right}), bad=Peer({"": wrong}))
    assert list(row.peers) == ["good"]
    assert failure.who == "bad"
    assert "off by 0.01 of its size" in failure.reason
    assert not failure.excused


def test_where_all_disagree_nothing_is_timed(task, wrong):
    row, failures = measure(task, one=Peer({"": wrong}), two=Peer({"": wrong}))
    assert row is None
    assert [failure.who for failure in failures] == ["one", "two", "pellucid"]


def test_a_form_that_breaks_is_excused_by_another(task, right, wrong):
    broken = RuntimeError("no\ncompiler")
    row, (failure,) = measure(task, peer=Peer({"eager": right, "compiled": broken}))
    assert row.forms == {"peer": "eager"}
    assert (failure.who, failure.reason, failure.excused) == ("peer (compiled)", "RuntimeError: no compiler", True)
    row, (failure,) = measure(task, peer=Peer({"eager": right, "compiled": wrong}))
    assert row.forms == {"peer": "eager"}
    assert not failure.excused


def test_a_peer_that_cannot_begin_is_a_failure(task, right):
    class Broken:
        def forms(self, task, threads):
            raise OSError("libfast.so is missing")

    row, (failure,) = measure(task, good=Peer({"": right}), broken=Broken())
    assert list(row.peers) == ["good"]
    assert failure.reason == "OSError: libfast.so is missing"


def test_without_peers_we_are_timed_alone(task):
    row, failures = measure(task)
    assert not failures
    assert row.pellucid_ms > 0
    assert (row.fastest_peer, row.ratio) == (None, None)


def test_the_fastest_peer_sets_the_ratio():
    row = Row("a", 1, 2.0, {"slow": 8.0, "fast": 3.0}, gflops=1.0, max_error=0.0)
    assert (row.fastest_peer, row.ratio) == ("fast", 1.5)


@pytest.fixture
def no_peak(monkeypatch):
    monkeypatch.setattr(peak, "fma_peak", lambda threads: 100.0 * threads)
    monkeypatch.setattr(peak, "bandwidth", lambda threads: 10.0)


@pytest.mark.usefixtures("no_peak")
def test_the_json_form(right):
    chosen, told = [works.find(WORK), works.find("conv/wgrad/n1c3h6w6k4r3s3pad1")], []
    *_, benchmark = run.run(
        chosen, (1, 2), {"peer": Peer({"": right})}, progress=lambda *it: told.append(it), seconds=1e-3
    )
    record = json.loads(json.dumps(benchmark.as_dict(), allow_nan=False))
    assert record["machine"]["fma_peak_gflops"] == 200.0
    assert record["machine"]["processor"]
    first, second = record["rows"]
    assert (first["work"], first["threads"], second["threads"]) == (WORK, 1, 2)
    assert {"work", "threads", "pellucid_ms", "peers", "fastest_peer", "ratio", "gflops", "max_error"} <= set(first)
    assert {failure["who"] for failure in record["failures"]} == {"peer", "pellucid"}  # "y" is no gradient of weights
    assert not benchmark.is_complete
    assert told == [(0, 2, "the machine's peak"), (0, 2, chosen[0].name), (1, 2, chosen[1].name)]


@pytest.mark.usefixtures("no_peak")
def test_an_error_of_ours_does_not_end_the_benchmark(monkeypatch, right):
    def fail(task):
        raise MemoryError("too large")

    monkeypatch.setattr(ours, "form", fail)
    *_, benchmark = run.run([works.find(WORK)], (1,), {}, seconds=1e-3)
    (failure,) = benchmark.failures
    assert (failure.who, failure.reason) == ("pellucid", "MemoryError: too large")


def test_weights_let_every_layer_be_seen():
    """With fresh weights an error in an early layer of VGG-16 would vanish in the output."""
    task = works.find("infer/vgg16/b1").task()
    graph = task.graph
    assert 0.1 < abs(task.net(task.x)).max() < 1e3
    assert np.isfinite(task.net(task.x)).all()
    assert graph is task.graph
