import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.graph import EXECUTORS, Graph, Plan, differentiate
from pellucid.types import TensorType
from tests.graph.networks import branching, feeds, training


def by_torch(arrays):
    """Compute the loss and gradients of the branching network with PyTorch."""
    t = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    wanted = ("x", "conv.weight", "conv.bias", "fc.weight")
    for name in wanted:
        t[name].requires_grad_()
    y = F.silu(F.conv2d(t["x"], t["conv.weight"], t["conv.bias"], padding=1)) + t["x"]
    y = torch.cat([y, F.conv2d(y, t["conv.weight"], t["conv.bias"], padding=1), y], 1)
    logits = F.max_pool2d(y, 2).flatten(1) @ t["fc.weight"].T
    loss = F.cross_entropy(logits, t["labels"], label_smoothing=0.1)
    loss.backward()
    return loss.item(), {name: t[name].grad.numpy() for name in wanted}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_branches_residuals_and_shared_weights_are_pytorchs(executor):
    graph = training()
    arrays = feeds(graph)
    loss, gradients = by_torch(arrays)
    found = Plan(graph, executor).run(arrays)
    assert found["loss"] == pytest.approx(loss, rel=1e-12)
    for name, expected in gradients.items():
        np.testing.assert_allclose(found[graph.outputs[f"d.{name}"].name], expected, atol=1e-12)


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def x(graph):
    return graph.input("x", TensorType((3,), "float64"))


def slope(graph, loss, value, **arrays):
    gradients = differentiate(graph, loss, [value])
    graph.outputs = {"slope": gradients[value.name]}
    return Plan(graph).run(arrays)[gradients[value.name].name]


X = np.array([1.0, -2.0, 3.0])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: (x * x).sum(), 2 * X),
        (lambda x: (x + x + x).sum(), 3 + 0 * X),
        (lambda x: (x * x * x).sum(), 3 * X * X),
        (lambda x: x.sum() * x.sum(), 2 * X.sum() + 0 * X),
        (lambda x: (x - x).sum(), 0 * X),
        (lambda x: (x * 2 + 1).mean(), 2 / 3 + 0 * X),
        (lambda x: (x * np.array([[1.0], [2.0]])).sum(), 3 + 0 * X),
    ],
)
def test_a_value_used_several_times_sums_what_comes_of_each(graph, x, function, expected):
    np.testing.assert_allclose(slope(graph, function(x), x, x=X), expected)


def test_the_gradient_of_the_loss_by_itself_is_one(graph, x):
    loss = x.sum()
    assert slope(graph, loss, loss, x=X) == 1


def test_the_gradient_by_a_value_in_between(graph, x):
    y = x * x
    np.testing.assert_allclose(slope(graph, (y * y).sum() + y.sum(), y, x=X), 2 * X * X + 1)


def test_what_the_loss_does_not_depend_on_has_no_gradient(graph, x):
    other = graph.input("other", TensorType((2,), "float64"))
    unused = x * other.sum()
    gradients = differentiate(graph, (x * 2).sum(), [x, other, unused])
    assert set(gradients) == {"x"}


def test_nothing_is_computed_for_what_is_frozen():
    graph = branching()
    before = len(graph.nodes)
    differentiate(graph, graph.outputs["loss"], [graph.parameters["fc.weight"]])
    added = [node.name for node in graph.nodes[before:]]
    assert added == ["d.loss.logits", "d.fc.weight"]


def test_results_that_carry_no_gradient_pass_none_on(graph):
    x = graph.input("x", TensorType((1, 1, 4, 4), "float64"))
    pooled = graph.add(ops.MaxPool2d((2, 2), (2, 2)), x)
    graph.add(ops.Reshape((4,)), pooled.node.outputs[1])
    assert set(differentiate(graph, pooled.sum(), [x])) == {"x"}


def test_the_forward_pass_is_left_as_it_was():
    graph = branching()
    before = [(node.name, node.op, node.inputs) for node in graph.nodes]
    outputs = dict(graph.outputs)
    differentiate(graph, graph.outputs["loss"], list(graph.parameters.values()))
    assert [(node.name, node.op, node.inputs) for node in graph.nodes[: len(before)]] == before
    assert graph.outputs == outputs


def test_the_same_graph_can_be_differentiated_twice(graph, x):
    first = differentiate(graph, (x * x).sum(), [x])
    second = differentiate(graph, (x * x * x).sum(), [x])
    graph.outputs = {"first": first["x"], "second": second["x"]}
    results = Plan(graph).run({"x": X})
    np.testing.assert_allclose(results[first["x"].name], 2 * X)
    np.testing.assert_allclose(results[second["x"].name], 3 * X * X)


def test_second_derivatives_of_sums_and_products(graph, x):
    (first,) = differentiate(graph, (x * x * x).sum(), [x]).values()
    np.testing.assert_allclose(slope(graph, first.sum(), x, x=X), 6 * X)


def test_more_than_one_number_is_no_loss(graph, x):
    with pytest.raises(ShapeError, match=r"single number to be differentiated; 'multiply' is float64\(3,\)"):
        differentiate(graph, x * x, [x])
    one = graph.input("one", TensorType((1, 1), "float64"))
    assert set(differentiate(graph, one * one, [one])) == {"one"}


def test_gradients_that_are_not_defined_are_refused_instead_of_left_out(graph, x):
    target = x * 0.5
    loss = graph.add(ops.BinaryCrossEntropy(), graph.add(ops.Sigmoid(), x), target, name="bce")
    with pytest.raises(
        ParameterError, match=r"BinaryCrossEntropy\(\) 'bce' has no gradient with respect to its target"
    ):
        differentiate(graph, loss, [x])


def test_second_derivatives_through_kernels_are_refused(graph, x):
    (first,) = differentiate(graph, graph.add(ops.Tanh(), x).sum(), [x]).values()
    with pytest.raises(ParameterError, match="Backward"):
        differentiate(graph, first.sum(), [x])
