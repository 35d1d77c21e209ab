"""Fusion in training: gradients that are taken together, and those that must not be."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.graph import Plan, differentiate
from pellucid.ops.fused import MaskedBackward
from tests.graph.fusing import PADDED, Builder, assert_same, ran, the
from tests.graph.networks import training


def loss_of(build):
    """Finish with a loss, and ask for its gradients by the input and all parameters."""
    graph = build.graph
    weights = graph.constant(np.cos(np.arange(build.last.type.size, dtype=build.dtype)).reshape(build.last.shape))
    loss = graph.add(ops.Multiply(), build.last, weights)
    loss = graph.add(ops.Sum(tuple(range(loss.ndim))), loss, name="loss")
    gradients = differentiate(graph, loss, [build.x, *graph.parameters.values()])
    graph.outputs = {"y": build.last} | {f"d{name}": value for name, value in gradients.items()}
    return graph


def test_the_gradient_of_a_relu_is_taken_by_the_convolution_before_it():
    build = Builder()
    build.conv("first")
    build.relu()
    build.conv("second", 20)
    graph = loss_of(build)
    names = ran(graph)
    assert names.count("MaskedBackward") == 1
    assert "Backward(ReLU)" not in names
    assert names.count("Fused") == 1  # in training, too: a ReLU's gradient asks for its result alone
    assert the(graph, MaskedBackward).of.of == ops.Conv2d(padding=PADDED)
    assert_same(graph)


def test_pooled_slopes_are_masked_before_they_are_spread():
    build = Builder(size=(8, 8))
    build.conv("first")
    build.relu()
    build.add(ops.MaxPool2d((2, 2), (2, 2)), name="pool")
    build.conv("second")
    graph = loss_of(build)
    names = ran(graph)
    assert "Backward(ReLU)" not in names
    (masked,) = (step.node for step in Plan(graph).steps if isinstance(step.node.op, MaskedBackward))
    assert masked.inputs[2].name == "pool"
    assert_same(graph)


@pytest.mark.parametrize("pool", [ops.MaxPool2d((2, 2), (2, 2)), ops.MaxPool2d((3, 3), (2, 2), PADDED)], ids=str)
def test_where_no_convolution_follows_pooled_slopes_are_masked_alone(pool):
    build = Builder(size=(9, 8))
    build.conv("first")
    build.relu()
    build.add(pool, name="pool")
    build.add(ops.Flatten())
    build.linear()
    graph = loss_of(build)
    names = ran(graph)
    assert names.index("Backward(ReLU)") < names.index("Backward(MaxPool2d)")
    assert_same(graph)


def test_a_relu_that_two_read_takes_its_own_gradient():
    build = Builder()
    build.conv("first")
    y = build.relu()
    build.conv("second")
    build.add(ops.Add(), y)
    graph = loss_of(build)
    names = ran(graph)
    assert names.count("Backward(ReLU)") == 1
    assert "MaskedBackward" not in names
    assert_same(graph)


def test_a_slope_that_is_wanted_is_computed():
    build = Builder()
    build.conv("first")
    build.relu(name="relu")
    build.conv("second")
    graph = loss_of(build)
    slope = graph.value("d.second.x")
    graph.outputs["slope"] = slope
    assert "MaskedBackward" not in ran(graph)
    assert_same(graph)


def test_a_leaky_relu_and_a_dense_layer_take_their_own_gradients():
    build = Builder()
    build.conv("first")
    build.add(ops.LeakyReLU(0.1))
    build.conv("second")
    build.add(ops.Flatten())
    build.linear("third")
    build.relu()
    build.linear("fourth")
    graph = loss_of(build)
    assert {"Backward(LeakyReLU)", "Backward(ReLU)"} <= set(ran(graph))
    assert "MaskedBackward" not in ran(graph)
    assert_same(graph)


def test_statistics_of_a_batch_are_not_folded_and_their_gradients_flow():
    build = Builder()
    build.conv("first", bias=False)
    build.norm(training=True)
    build.relu()
    build.conv("second")
    graph = loss_of(build)
    assert "FoldBatchNorm" not in ran(graph)
    assert "MaskedBackward" in ran(graph)
    assert_same(graph)


def test_a_convolution_that_is_differentiated_is_not_folded_away():
    """The gradient of a normalisation by fixed statistics reads what it was given."""
    build = Builder()
    build.conv("first", bias=False)
    build.norm()
    build.relu()
    assert_same(loss_of(build))


def test_a_branching_network_in_training():
    assert_same(training("float32"))
