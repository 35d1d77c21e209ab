"""Kernels chosen by trial: what is tried, what is kept, and what a spoilt file does."""

import json

import numpy as np
import pytest

import pellucid as pel
from pellucid import ops
from pellucid.graph import Graph, Plan, measure
from pellucid.kernels import cache, threads
from pellucid.ops import modes
from pellucid.types import TensorType

OP = ops.Conv2d(padding=((1, 1), (1, 1)))
TYPES = TensorType((1, 16, 8, 8)), TensorType((16, 16, 3, 3)), TensorType((16,))
KERNELS = {"conv2d_k3s1_winograd4", "conv2d_k3s1_winograd2", "conv2d_gather"}


@pytest.fixture(autouse=True)
def _empty(tmp_path, monkeypatch):
    """An empty place for kernels and times; selection as it was afterwards."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    cache.folder.cache_clear()
    before = modes.selection(), modes.precision()
    modes.set_precision("fast")
    yield
    modes.set_selection(before[0])
    modes.set_precision(before[1])
    cache.folder.cache_clear()


def times():
    return json.loads(cache.find(".measured.json"))


def counted(monkeypatch):
    """Count the trials, and let the last candidate win each."""
    tried = []

    def trial(rivals):
        tried.append(rivals)
        return {candidate.name: 9.0 - number for number, candidate in enumerate(rivals.candidates)}

    monkeypatch.setattr(measure, "_measure", trial)
    return tried


def test_all_who_accept_are_tried_and_the_quickest_is_taken():
    choice = measure.measured(OP, TYPES)
    ((key, found),) = times().items()
    assert found.keys() == KERNELS
    assert all(0 < value < 1000 for value in found.values())
    assert choice.name == min(found, key=found.get)
    others = KERNELS - {choice.name}
    reasons = dict(choice.rejected)
    for name in others:
        assert reasons[name] == f"took {found[name] / found[choice.name]:.2f} times as long"
    assert key.startswith("Conv2d(")
    assert key.endswith(f"float32(16,) with {threads.count()} threads")


@pytest.mark.parametrize(
    ("op", "types"),
    [
        (ops.Backward(OP, ("x",), TYPES), (TYPES[0], TYPES[1])),
        (ops.fused.Fused(OP, 0.0), (*TYPES, TYPES[0], None)),
    ],
    ids=str,
)
def test_gradients_and_fused_ops_are_tried_too(op, types):
    measure.measured(op, types)
    (found,) = times().values()
    assert len(found) == 3


def test_a_kernel_without_rivals_is_not_tried(monkeypatch):
    tried = counted(monkeypatch)
    assert measure.measured(ops.ReLU(), TYPES[:1]).name == "relu"
    assert measure.measured(ops.Conv2d((2, 2)), TYPES).name == "conv2d_gather"
    assert not tried


def test_a_shape_is_tried_once_and_what_was_found_is_kept(monkeypatch):
    tried = counted(monkeypatch)
    for _ in range(2):
        assert measure.measured(OP, TYPES).name == "conv2d_gather"
    assert len(tried) == 1
    other = TensorType((2, 16, 8, 8)), *TYPES[1:]
    measure.measured(OP, other)
    assert len(tried) == 2
    assert len(times()) == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"KEY": 3}', b'{"KEY": {"conv2d_gather": 1.0}}', b"\xff"]
)
def test_spoilt_files_are_measured_anew(monkeypatch, content):
    tried = counted(monkeypatch)
    measure.measured(OP, TYPES)
    (key,) = times()
    cache.keep(".measured.json", content.replace(b"KEY", key.replace('"', "'").encode()))
    assert measure.measured(OP, TYPES).name == "conv2d_gather"
    assert len(tried) == 2
    for bad in (-1.0, float("nan"), "1", None):
        cache.keep(".measured.json", json.dumps({key: dict.fromkeys(KERNELS, bad)}).encode())
        measure.measured(OP, TYPES)
    assert len(tried) == 6


def test_where_nothing_can_be_kept_it_is_measured_all_the_same(monkeypatch, tmp_path):
    (tmp_path / "cache").write_bytes(b"")
    tried = counted(monkeypatch)
    for _ in range(2):
        assert measure.measured(OP, TYPES).name == "conv2d_gather"
    assert len(tried) == 2


def test_networks_follow_the_mode(monkeypatch):
    counted(monkeypatch)
    net = pel.nn.Conv2d(16, 16, 3, padding=1)
    x = np.random.default_rng(0).standard_normal((1, 16, 8, 8)).astype(np.float32)
    by_rule = net(x)
    modes.set_selection("measured")
    graph = net.graph(x.shape)
    assert [step.choice.name for step in Plan(graph).steps] == ["conv2d_gather"]
    np.testing.assert_allclose(net(x), by_rule, atol=1e-5)
    assert len(times()) == 1
    modes.set_selection("rule")
    assert [step.choice.name for step in Plan(graph).steps] != ["conv2d_gather"]


def test_a_plan_may_be_told_who_selects():
    graph = Graph()
    x, weight = graph.input("x", TYPES[0]), graph.parameter("weight", TYPES[1])
    graph.outputs = {"y": graph.add(OP, x, weight, None)}
    (step,) = Plan(graph, select=ops.by_definition).steps
    assert step.choice.name == "reference"
