from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.graph import EXECUTORS, Graph, Plan
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.graph.networks import batch_norm, branching, feeds, training


def chain(length):
    graph = Graph()
    value = graph.input("x", TensorType((2, 2)))
    for _ in range(length):
        value = graph.add(ops.ReLU(), value)
    graph.outputs["output"] = value
    return graph


def test_arrays_are_really_let_go():
    alive = []

    class Watched(np.ndarray):
        def __del__(self):
            alive.remove(id(self))

    class _Step(ops.Op):  # named with an underscore, so that it is no kind of operation
        def infer(self, x):
            return (x,)

        def reference(self, x):
            y = np.ndarray.__new__(Watched, x.shape, x.dtype)
            y[...] = x
            alive.append(id(y))
            most.append(len(alive))
            return (y,)

    most = []
    graph = Graph()
    value = graph.input("x", TensorType((2, 2)))
    for _ in range(20):
        value = graph.add(_Step(), value)
    graph.outputs["output"] = value
    Plan(graph, "reference").run({"x": np.zeros((2, 2), "float32")})
    assert len(most) == 20
    assert max(most) == 2


def test_nodes_that_nothing_wanted_needs_do_not_run():
    graph = chain(3)
    graph.add(ops.Sigmoid(), graph.inputs["x"], name="unused")
    assert [step.node.op.kind for step in Plan(graph).steps] == ["ReLU"] * 3
    kept = Plan(graph, keep=("unused",))
    assert "Sigmoid" in [step.node.op.kind for step in kept.steps]
    assert set(kept.run({"x": np.zeros((2, 2), "float32")})) == {"relu_2", "unused"}


def test_what_is_kept_is_returned_unchanged():
    graph = training()
    arrays = feeds(graph)
    everything = tuple(value.name for node in graph.nodes for value in node.outputs)
    kept = Plan(graph, keep=everything).run(arrays)
    assert set(everything) <= set(kept)
    for name, array in Plan(graph).run(arrays).items():
        assert_matches(kept[name], array, kernel=name)


def test_inputs_can_be_kept_and_be_outputs():
    graph = chain(2)
    graph.outputs["same"] = graph.inputs["x"]
    x = np.ones((2, 2), "float32")
    assert Plan(graph, keep=("x",)).run({"x": x})["x"] is x


def test_both_executors_agree_on_a_training_graph():
    for dtype, bound in (("float64", 1e-11), ("float32", 1e-3)):
        graph = training(dtype)
        arrays = feeds(graph)
        fast, reference = (Plan(graph, executor).run(arrays) for executor in EXECUTORS)
        assert set(fast) == set(reference) == {value.name for value in graph.outputs.values()}
        for name, expected in reference.items():
            assert_matches(fast[name], expected, bound, kernel=name)


def test_updates_are_returned_by_name():
    graph = batch_norm()
    arrays = {"x": np.arange(8.0).reshape(4, 2), "mean": np.array([4.0, 8.0]), "count": np.array(6)}
    results = Plan(graph).run(arrays)
    np.testing.assert_allclose(results[graph.updates["mean"].name], [3.75, 7.0])  # ¾ · running + ¼ · (3, 4)
    assert results[graph.updates["count"].name] == 7
    assert arrays["count"] == 6


@pytest.mark.parametrize("executor", EXECUTORS)
def test_threads_may_share_a_plan(executor):
    graph = training("float32")
    plan = Plan(graph, executor)
    given = [feeds(graph, seed) for seed in range(8)]
    expected = [plan.run(arrays) for arrays in given]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for found, alone in zip(pool.map(plan.run, given), expected, strict=True):
                assert all((found[name] == alone[name]).all() for name in alone)


def test_a_run_leaves_what_it_is_given_alone():
    graph = training()
    arrays = feeds(graph)
    for array in arrays.values():
        array.flags.writeable = False
    names = set(arrays)
    for executor in EXECUTORS:
        Plan(graph, executor).run(arrays)
    assert set(arrays) == names


@pytest.mark.parametrize("executor", EXECUTORS)
def test_infinities_and_overflow_pass_silently(executor):
    """Warnings are errors in these tests."""
    graph = Graph()
    x = graph.input("x", TensorType((2, 1, 2, 2), "float32"))
    y = graph.add(ops.GroupNorm(1, eps=0.0), x * x, None, None)
    graph.outputs["output"] = graph.add(ops.AvgPool2d((2, 2), (2, 2)), y)
    for value in (np.inf, np.nan, 1e30, 1.0):
        Plan(graph, executor).run({"x": np.full((2, 1, 2, 2), value, "float32")})


def test_arrays_that_are_missing_or_do_not_fit_are_named():
    graph = branching()
    plan, arrays = Plan(graph), feeds(graph)
    with pytest.raises(ShapeError, match=r"needs an array for 'conv.bias' of type float64\(3,\); none was given"):
        plan.run({name: array for name, array in arrays.items() if name != "conv.bias"})
    for wrong in (np.zeros(4), np.zeros(3, "float32")):
        with pytest.raises(ShapeError, match=r"needs float64\(3,\) for 'conv.bias', got float"):
            plan.run(arrays | {"conv.bias": wrong})


def test_bad_settings_are_refused():
    with pytest.raises(
        ParameterError, match=r"'executor' parameter must be one of \('fast', 'reference'\); got 'slow'"
    ):
        Plan(chain(1), "slow")
    with pytest.raises(ParameterError, match="'keep' parameter must name values of the graph; there is no 'act'"):
        Plan(chain(1), keep=("act",))
