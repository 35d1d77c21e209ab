"""What a trace keeps, forgets and computes again."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.trace import Trace, trace

NETWORKS = {
    "pooled28": None,
    "lenet5": None,
    "pooled28-p4": None,
    "resnet18": (3, 48, 64),
    "densenet121": (3, 40, 40),
    "shufflenet-v2-x1-0": (3, 48, 48),
    "mobilenet-v3-small": (3, 48, 48),
    "convnext-tiny": (3, 32, 32),
}


def network(name: str) -> tuple[nn.Module, np.ndarray]:
    pel.manual_seed(2)
    net = pel.zoo.build(name, input=NETWORKS[name])
    shape = NETWORKS[name] or tuple(net.metadata["input"])
    return net, np.random.default_rng(4).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("name", ["pooled28", "pooled28-p4", "resnet18"])
@pytest.mark.parametrize("memory", [0, 100_000, 2**20])
def test_every_layer_is_the_same_array_whatever_was_kept(name: str, memory: int) -> None:
    assert_kept_or_not_is_all_the_same(name, memory, questions=6)


@pytest.mark.long
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_zoo_that_branches(name: str) -> None:
    assert_kept_or_not_is_all_the_same(name, 50_000, questions=12)


def assert_kept_or_not_is_all_the_same(name: str, memory: int, questions: int) -> None:
    net, image = network(name)
    whole, part = trace(net, image), trace(net, image, memory=memory)
    expected = {layer.name: layer.output for layer in whole}
    rng = np.random.default_rng(memory)
    names = list(expected)

    for name in [names[-1], *rng.choice(names, questions, replace=False), names[-1]]:
        np.testing.assert_array_equal(part[str(name)].output, expected[str(name)])


def test_no_more_is_kept_than_asked_for() -> None:
    net, image = network("pooled28")
    memory = 64_000  # conv1 alone takes 100 kB
    t = trace(net, image, memory=memory)
    sizes = {layer.name: layer.output.nbytes for layer in trace(net, image)}

    assert t.nbytes == 0
    for layer in t:
        _ = layer.output
        assert t.nbytes <= max(memory, max(sizes.values()))
    assert t.nbytes < sum(sizes.values()) / 4


def test_nothing_is_computed_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    net, image = network("pooled28")
    t = trace(net, image, memory=400_000)
    runs = counted_runs(t, monkeypatch)

    assert next((layer.shape, layer.dtype) for layer in t) == ((32, 28, 28), np.float32)
    assert runs == []
    _ = t["conv1"].output
    assert len(runs) == 1
    _ = t["conv1"].output, t["conv1"].largest
    assert len(runs) == 1


def test_one_layer_costs_one_pass_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with nothing kept, and branches that meet again, no stretch is run twice for one question."""
    net, image = network("resnet18")
    t = trace(net, image, memory=0)
    runs = counted_runs(t, monkeypatch)

    _ = t["fc"].output
    assert len(runs) == len(set(runs)) == len(t)


def counted_runs(t: Trace, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note which stretches are run."""
    runs: list[int] = []
    values = t._values
    original = values._run
    monkeypatch.setattr(values, "_run", lambda stretch, passing: runs.append(id(stretch)) or original(stretch, passing))
    return runs


def test_kernels_are_chosen_once() -> None:
    """What was said of precision when the trace was made goes on, or layers would no longer fit each other."""
    net, image = network("resnet18")
    t = trace(net, image, memory=0)
    expected = {layer.name: layer.output for layer in trace(net, image)}
    kernels = {layer.kernel for layer in t}
    pel.set_precision("strict")
    try:
        assert any("winograd" in kernel for kernel in kernels)
        assert not any("winograd" in layer.kernel for layer in trace(net, image))
        np.testing.assert_array_equal(t["layer1.0.conv2"].output, expected["layer1.0.conv2"])
    finally:
        pel.set_precision("fast")


def test_results_take_no_more_than_their_numbers() -> None:
    """The engine pads channels to whole vectors; what is kept is not padded, and C-contiguous."""
    net, image = network("lenet5")
    for layer in trace(net, image):
        assert layer.output.flags.c_contiguous
        assert layer.output.base.nbytes == layer.output.nbytes


def test_bytes_are_told_while_another_thread_computes() -> None:
    net, image = network("pooled28")
    t = trace(net, image, memory=150_000)
    names, done = [layer.name for layer in t], Event()
    told: list[int] = []

    def ask() -> None:
        while not done.is_set():
            told.append(t.nbytes)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ask)
            for _ in range(20):
                for name in names:
                    _ = t[name].output
            done.set()
            asking.result()
    finally:
        done.set()
        sys.setswitchinterval(interval)

    kept = t._values._kept.values()
    assert t.nbytes == sum(array.nbytes for results in kept for array in results.values())
    assert told
