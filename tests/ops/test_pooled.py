"""Convolution, ReLU and maximum pooling in one kernel, against the reference of its parts."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.graph import Graph, Plan
from pellucid.kernels.host import host
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.test_numerics import WINOGRAD

W = host().width
KERNEL = "conv2d_k3s1_winograd4_max_pool2d"


def network(x, weight, bias, relu=True, **pooling):
    """Return a graph of convolution, ReLU and pooling, the arrays for it, and the name of the indices."""
    graph = Graph()
    arrays = {"x": x, "weight": weight, "bias": bias}
    values = [graph.input(name, TensorType.of(array)) for name, array in arrays.items()]
    y = graph.add(ops.Conv2d(padding=((1, 1), (1, 1))), *values)
    y = graph.add(ops.ReLU(), y) if relu else y
    pooled = graph.add(ops.MaxPool2d((2, 2), (2, 2), **pooling), y)
    graph.outputs["y"] = pooled
    return graph, arrays, pooled.node.outputs[1].name


def operands(shape, filters, seed=0, whole=True):
    numbers = np.random.default_rng(seed)
    draw = (lambda s: numbers.integers(-3, 4, s)) if whole else numbers.standard_normal
    x, weight, bias = draw(shape), draw((filters, shape[1], 3, 3)), draw(filters)
    return [np.asarray(array, np.float32) for array in (x, weight, bias)]


def both(graph, arrays, keep=()):
    plans = [Plan(graph, executor, keep) for executor in ("fast", "reference")]
    return plans[0], [plan.run(arrays) for plan in plans]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("size", [(2, 2), (2, 8), (4, 4), (6, 10), (14, 14), (16, 2)])
@pytest.mark.parametrize(("channels", "filters"), [(16, 16), (17, W + 1), (2 * W, 2 * W), (W + 1, 4 * W)])
def test_it_is_the_reference_of_its_parts(channels, filters, size, relu):
    channels, filters = max(channels, 16), max(filters, 16)
    graph, arrays, indices = network(*operands((3, channels, *size), filters), relu)
    plan, (fast, reference) = both(graph, arrays, (indices,))
    assert [step.choice.name for step in plan.steps] == [KERNEL]
    (y,) = (value.name for value in graph.outputs.values())
    assert_matches(fast[y], reference[y], 0.01)  # whole numbers, of which sixths make a little less or more
    assert_matches(np.rint(fast[y]), reference[y])
    # Where two cells tie, rounding decides: each index must lead to a cell that is as large.
    convolved = Plan(graph, "reference", keep=(graph.nodes[-1].inputs[0].name,)).run(arrays)
    plane = convolved[graph.nodes[-1].inputs[0].name].reshape(3, filters, -1)
    found = np.take_along_axis(plane, fast[indices].reshape(3, filters, -1), 2)
    assert_matches(found.reshape(reference[y].shape), reference[y])


def test_real_numbers_stay_within_the_bound():
    arrays = operands((2, 24, 12, 10), 20, whole=False)
    graph, named, _ = network(*arrays)
    _, (fast, reference) = both(graph, named)
    (y,) = (value.name for value in graph.outputs.values())
    total = np.abs(arrays[1]).reshape(20, -1).sum(1).max() * np.abs(arrays[0]).max()
    assert_matches(fast[y], reference[y], WINOGRAD * 2.0**-24 * total)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_stay_where_they_belong(special):
    x, weight, bias = operands((2, 16, 8, 12), 18)
    np.copyto(x, special, where=np.random.default_rng(1).random(x.shape) < 0.01)
    graph, arrays, indices = network(x, weight, bias)
    _, (fast, reference) = both(graph, arrays, (indices,))
    (y,) = (value.name for value in graph.outputs.values())
    assert_matches(fast[y], reference[y], 0.01)
    strange = ~np.isfinite(reference[y])
    assert strange.any()
    assert not strange.all()
    assert_matches(fast[indices][strange], reference[indices][strange])


@pytest.mark.parametrize(
    ("size", "pooling"), [((7, 8), {}), ((8, 8), {"padding": ((1, 1), (1, 1))}), ((8, 9), {"ceil_mode": True})]
)
def test_other_windows_are_pooled_by_themselves(size, pooling):
    graph, arrays, _ = network(*operands((1, 16, *size), 16), **pooling)
    plan, (fast, reference) = both(graph, arrays)
    assert len(plan.steps) == 2
    (y,) = (value.name for value in graph.outputs.values())
    assert_matches(fast[y], reference[y], 0.01)


def test_a_result_that_somebody_reads_is_not_swallowed():
    graph, arrays, _ = network(*operands((1, 16, 8, 8), 16))
    graph.outputs["activation"] = graph.nodes[-1].inputs[0]
    plan, (fast, reference) = both(graph, arrays)
    assert len(plan.steps) == 2
    for name, expected in reference.items():
        assert_matches(fast[name], expected, 0.01)
