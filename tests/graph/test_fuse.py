"""Fusion: what is joined, what must not be, and that nothing but speed changes."""

import pytest

from pellucid import ops
from pellucid.graph import Plan
from pellucid.graph import plan as plans
from pellucid.ops.fused import FoldBatchNorm, Fused
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.graph.fusing import BOUND, PADDED, Builder, assert_same, numbers, ran, the


def activated(build, kind):
    build.conv()
    build.add(kind())


def grouped(build):
    build.conv("first", 32, groups=build.x.shape[1])
    build.norm()
    build.relu()
    build.conv("second", 32, groups=32)
    build.relu()


def normalised(build):
    build.conv(bias=False)
    build.norm()
    build.relu()


def without_affine(build):
    build.conv(kernel=1)
    build.norm(affine=False)


def block(build):
    x = build.relu(name="before")
    build.conv("first")
    build.norm("norm1")
    build.relu()
    build.conv("second")
    build.norm("norm2")
    build.add(ops.Add(), x)
    build.relu()


def reversed_block(build):
    x = build.relu(name="before")
    y = build.conv()
    build.add(ops.Add(), y, of=x)
    build.add(ops.ReLU6())


def widened(build):
    """Both branches end in a convolution: one of them adds the other's result."""
    x = build.x
    beside = build.conv("beside", 32, kernel=1)
    y = build.conv("conv", 32, of=x)
    build.add(ops.Add(), beside, of=y)
    build.relu()


def dense(build):
    build.add(ops.Flatten())
    build.linear()
    build.relu()
    build.linear("last", 5)


def normalised_dense(build):
    build.add(ops.Flatten())
    build.linear()
    build.norm()
    build.relu()


def shared_weights(build):
    """The weight of a folded convolution is used as it is by another."""
    y = build.conv()
    weight, bias = y.node.inputs[1:]
    build.norm()
    build.add(ops.Conv2d(padding=PADDED), weight, bias, name="again")


def twice_normalised(build):
    build.conv()
    build.norm("norm1")
    build.norm("norm2")


def bent(build):
    x = build.relu(name="before")
    build.conv()
    build.norm()
    build.add(ops.Add(), x)
    build.add(ops.Hardswish())


def sloped(build):
    y = build.conv()
    build.add(ops.PReLU(), build.array("slope", y.shape[1]))


def inverted(build):
    """A bottleneck that widens, filters each channel, and narrows again."""
    x = build.relu(name="before")
    build.conv("widen", 40, kernel=1)
    build.norm("norm1")
    build.add(ops.ReLU6())
    build.conv("each", 40, groups=40, stride=(1, 1))
    build.norm("norm2")
    build.add(ops.ReLU6())
    build.conv("narrow", x.shape[1], kernel=1)
    build.add(ops.Add(), x)


def sloped_before_each(build):
    y = build.conv("widen", 40, kernel=1)
    build.add(ops.PReLU(), build.array("slope", y.shape[1]))
    build.conv("each", 40, groups=40)


def added_before_each(build):
    x = build.relu(name="before")
    build.conv("widen", x.shape[1], kernel=1)
    y = build.add(ops.Add(), x)
    build.conv("each", y.shape[1], groups=y.shape[1])


SQUARE = (block, reversed_block, shared_weights, grouped, bent)
"""What takes as many channels as it gives."""
JOINED = [
    (lambda build: activated(build, ops.ReLU), ["Fused"]),
    (lambda build: activated(build, ops.ReLU6), ["Fused"]),
    (grouped, ["FoldBatchNorm", "Fused", "Fused"]),
    (normalised, ["FoldBatchNorm", "Fused"]),
    (without_affine, ["FoldBatchNorm", "Conv2d"]),
    (block, ["ReLU", "FoldBatchNorm", "Fused", "FoldBatchNorm", "Fused"]),
    (reversed_block, ["ReLU", "Fused"]),
    (widened, ["Conv2d", "Fused"]),
    (dense, ["Flatten", "Fused", "Linear"]),
    (normalised_dense, ["Flatten", "FoldBatchNorm", "Fused"]),
    (shared_weights, ["FoldBatchNorm", "Conv2d", "Conv2d"]),
    (twice_normalised, ["FoldBatchNorm", "FoldBatchNorm", "Conv2d"]),
    (bent, ["ReLU", "FoldBatchNorm", "Fused"]),
    (sloped, ["Fused"]),
    (inverted, ["ReLU", "FoldBatchNorm", "FoldBatchNorm", "PointwiseDepthwise", "Fused"]),
    (sloped_before_each, ["Fused", "Conv2d"]),
    (added_before_each, ["ReLU", "Fused", "Conv2d"]),
]


@pytest.mark.parametrize("channels", [3, 16, 20])
@pytest.mark.parametrize(("network", "expected"), JOINED, ids=[", ".join(names) for _, names in JOINED])
def test_what_is_joined(network, expected, channels):
    build = Builder(16 if network in SQUARE else channels)
    network(build)
    graph = build.done()
    assert ran(graph) == expected
    assert_same(graph)


def test_bounds_and_residual_are_those_of_the_parts():
    build = Builder()
    reversed_block(build)
    op = the(build.done(), Fused)
    assert (op.low, op.high) == (0.0, 6.0)
    assert op.of == ops.Conv2d(padding=PADDED)
    (step,) = (step for step in Plan(build.graph).steps if isinstance(step.node.op, Fused))
    assert step.node.inputs[3].name == "before"


def read_twice(build):
    y = build.conv()
    build.relu()
    build.add(ops.Multiply(), y)


def its_own_sum(build):
    y = build.conv()
    build.add(ops.Add(), y)
    build.relu()


def broadcast(build):
    build.conv()
    build.add(ops.Add(), build.array("small", 16, 1, 1))


def in_training(build):
    build.conv()
    build.norm(training=True)
    build.relu()


def pooled_between(build):
    build.conv()
    build.add(ops.AvgPool2d((2, 2), (2, 2)))
    build.norm()
    build.relu()


def with_reflection(build):
    build.conv(border="reflect")
    build.relu()


def dense_residual(build):
    x = build.add(ops.Flatten())
    build.linear(outputs=x.shape[1])
    build.add(ops.Add(), x)
    build.relu()


def dense_curve(build):
    build.add(ops.Flatten())
    build.linear(outputs=8)
    build.add(ops.SiLU())


def bent_and_pooled(build):
    build.conv()
    build.add(ops.SiLU())
    build.add(ops.MaxPool2d((2, 2), (2, 2)))


def normalised_rows(build):
    """A dense layer on (N, L, C) whose L is normalised: not its outputs."""
    build.add(ops.Reshape((2, 16, 42)))
    build.linear(outputs=16)
    build.norm()


APART = [
    (read_twice, ["Conv2d", "ReLU", "Multiply"]),
    (its_own_sum, ["Conv2d", "Add", "ReLU"]),
    (broadcast, ["Conv2d", "Add"]),
    (in_training, ["Conv2d", "BatchNorm", "ReLU"]),
    (pooled_between, ["Conv2d", "AvgPool2d", "BatchNorm", "ReLU"]),
    (with_reflection, ["Conv2d", "ReLU"]),
    (dense_residual, ["Flatten", "Linear", "Add", "ReLU"]),
    (dense_curve, ["Flatten", "Linear", "SiLU"]),
    (bent_and_pooled, ["Fused", "MaxPool2d"]),
    (normalised_rows, ["Reshape", "Linear", "BatchNorm"]),
]


@pytest.mark.parametrize(("network", "expected"), APART, ids=[network.__name__ for network, _ in APART])
def test_what_must_stay_apart(network, expected):
    build = Builder()
    network(build)
    graph = build.done()
    assert ran(graph) == expected
    assert_same(graph)


def test_a_normalised_axis_of_another_length_stays_apart():
    build = Builder(size=(6, 7))
    build.add(ops.Reshape((2, 12, 56)))
    build.linear(outputs=5)
    build.norm()
    assert_same(build.done())


def test_two_cuts_one_after_the_other_both_count():
    """A ReLU after a ReLU6 does not lift its upper bound."""
    for kinds in ((ops.ReLU6, ops.ReLU), (ops.ReLU, ops.ReLU6), (ops.ReLU, ops.ReLU)):
        build = Builder()
        build.conv()
        for kind in kinds:
            build.add(kind())
        graph = build.done()
        assert_same(graph)


def test_what_is_wanted_is_computed():
    """A value that is an output or kept is there, and right, whatever could have been joined."""
    build = Builder()
    normalised(build)
    graph = build.done()
    arrays = numbers(graph)
    for kept in ("conv", "norm"):
        found, expected = (Plan(graph, executor, keep=(kept,)).run(arrays) for executor in ("fast", "reference"))
        assert set(found) == set(expected)
        for name, array in expected.items():
            assert_matches(found[name], array, BOUND * abs(array).max(), kernel=name)
    assert ran(graph, keep=("conv",)) == ["Conv2d", "BatchNorm", "ReLU"]
    assert ran(graph, keep=("norm",)) == ["FoldBatchNorm", "Conv2d", "ReLU"]
    graph.outputs["inside"] = graph.value("conv")
    assert ran(graph) == ["Conv2d", "BatchNorm", "ReLU"]


def test_in_float64_only_weights_are_folded():
    build = Builder(dtype="float64")
    block(build)
    graph = build.done()
    assert ran(graph) == [
        "ReLU", "FoldBatchNorm", "Conv2d", "ReLU", "FoldBatchNorm", "Conv2d", "Add", "ReLU",
    ]  # fmt: skip
    assert_same(graph)


def test_the_reference_executor_joins_nothing():
    build = Builder()
    block(build)
    graph = build.done()
    assert [step.node for step in Plan(graph, "reference").steps] == graph.nodes


def test_folded_weights_follow_the_parameters():
    build = Builder()
    normalised(build)
    graph = build.done()
    plan, by_definition = Plan(graph), Plan(graph, "reference")
    arrays = numbers(graph)
    for version, changed in enumerate((None, "conv.weight", "norm.mean", "norm.variance", "norm.weight")):
        if changed:
            arrays[changed] = arrays[changed] * 2
        for count in (version, None):
            (found,), (expected,) = plan.run(arrays, count).values(), by_definition.run(arrays).values()
            assert_matches(found, expected, BOUND * abs(expected).max(), kernel=str(changed))


def test_statistics_that_are_inputs_are_folded_at_every_run():
    build = Builder()
    build.conv()
    statistics = [build.graph.input(name, TensorType((16,))) for name in ("mean", "variance")]
    build.add(ops.BatchNorm(1e-3), None, None, *statistics, name="norm")
    graph = build.done()
    assert ran(graph) == ["FoldBatchNorm", "Conv2d"]
    assert_same(graph)
    plan, arrays = Plan(graph), numbers(graph)
    first = plan.run(arrays, 1)["norm"]
    second = plan.run(arrays | {"mean": arrays["mean"] + 1}, 1)["norm"]
    assert (first != second).any()


def test_joining_leaves_the_graph_alone():
    build = Builder()
    block(build)
    graph = build.done()
    text, nodes = str(graph), [(node.op, node.inputs, node.outputs) for node in graph.nodes]
    Plan(graph).run(numbers(graph))
    assert str(graph) == text
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == nodes


def test_nothing_is_fused_twice():
    build = Builder()
    block(build)
    graph = build.done()
    nodes = [step.node for step in Plan(graph).steps]
    again = plans.fuse(nodes, Plan(graph).wanted)
    assert [node.op for node in again] == [node.op for node in nodes]
    assert sum(isinstance(node.op, FoldBatchNorm) for node in again) == 2


CURVES = [ops.SiLU(), ops.Tanh(), ops.LeakyReLU(0.3), ops.ReLU(), ops.ReLU6()]


@pytest.mark.parametrize("first", CURVES, ids=lambda op: op.kind)
@pytest.mark.parametrize("second", CURVES, ids=lambda op: op.kind)
def test_two_activations_one_after_the_other_both_count_everywhere(first, second):
    """After a convolution, and on both sides of the depthwise one of a pair: each place has kernels of its own."""
    for kind in (normalised, inverted):
        build = Builder()
        kind(build)
        build.add(first)
        build.add(second)
        assert_same(build.done())
    build = Builder()
    build.conv("widen", 40, kernel=1)
    build.add(first)
    build.conv("each", 40, groups=40)
    build.add(second)
    assert_same(build.done())
    for before, after in ((first, None), (None, first)):
        build = Builder()
        build.conv("widen", 40, kernel=1)
        if before is not None:
            build.add(before)
        build.conv("each", 40, groups=40)
        if after is not None:
            build.add(after)
        assert_same(build.done())
