import numpy as np
import pytest

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.graph import Graph, Plan
from pellucid.types import TensorType
from tests.graph.networks import batch_norm, branching, training


@pytest.fixture
def graph():
    return Graph()


@pytest.fixture
def x(graph):
    return graph.input("x", TensorType((2, 3, 4)))


def compute(graph, value, **arrays):
    graph.outputs = {"output": value}
    return Plan(graph, "reference").run(arrays)[value.name]


ARRAY = np.arange(24, dtype="float32").reshape(2, 3, 4)

METHODS = {
    "add": (lambda x: x + x, ARRAY + ARRAY),
    "add a number": (lambda x: 1 + x + 0.5, ARRAY + 1.5),
    "add an array": (lambda x: x + np.ones(4), ARRAY + 1),
    "array first": (lambda x: np.full(4, 2.0) * x, 2 * ARRAY),
    "numpy number first": (lambda x: np.float64(2) * x, 2 * ARRAY),
    "subtract": (lambda x: x - 1, ARRAY - 1),
    "subtract from": (lambda x: 1 - x, 1 - ARRAY),
    "subtract an array": (lambda x: x - np.ones(4, "float32"), ARRAY - 1),
    "negative": (lambda x: -x, -ARRAY),
    "multiply": (lambda x: x * x, ARRAY * ARRAY),
    "reshape": (lambda x: x.reshape(3, 8), ARRAY.reshape(3, 8)),
    "reshape by a tuple": (lambda x: x.reshape((-1, 4)), ARRAY.reshape(-1, 4)),
    "view": (lambda x: x.view(x.size(0), -1), ARRAY.reshape(2, -1)),
    "flatten": (lambda x: x.flatten(), ARRAY.reshape(-1)),
    "flatten from 1": (lambda x: x.flatten(1), ARRAY.reshape(2, -1)),
    "flatten some": (lambda x: x.flatten(-3, -2), ARRAY.reshape(6, 4)),
    "permute": (lambda x: x.permute(2, 0, -2), ARRAY.transpose(2, 0, 1)),
    "transpose": (lambda x: x.transpose(0, -1), ARRAY.swapaxes(0, 2)),
    "mean": (lambda x: x.mean(), ARRAY.mean()),
    "mean over one axis": (lambda x: x.mean(-1), ARRAY.mean(-1)),
    "mean over two, kept": (lambda x: x.mean((0, 2), keepdim=True), ARRAY.mean((0, 2), keepdims=True)),
    "sum": (lambda x: x.sum(1), ARRAY.sum(1)),
}


@pytest.mark.parametrize("name", METHODS)
def test_values_work_like_arrays(graph, x, name):
    function, expected = METHODS[name]
    value = function(x)
    result = compute(graph, value, x=ARRAY)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    assert (result.shape, result.dtype.name) == (value.shape, value.dtype) == (np.shape(expected), "float32")


def test_values_tell_their_shape(x):
    assert (x.shape, x.ndim, x.size(), x.size(-1), x.dtype) == ((2, 3, 4), 3, (2, 3, 4), 4, "float32")
    assert repr(x) == "x: float32(2, 3, 4)"


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.flatten(3),
        lambda x: x.flatten(0, 3),
        lambda x: x.permute(0, 1, 3),
        lambda x: x.transpose(0, 3),
        lambda x: x.mean(-4),
        lambda x: x.sum((0, 5)),
    ],
)
def test_an_axis_that_is_not_there_is_refused(x, function):
    with pytest.raises(ParameterError, match=r"'dim' parameter of .* must be one of 3 axes, from -3; got"):
        function(x)


def test_whole_numbers_are_not_cut_to_fit(graph):
    pixels = graph.input("pixels", TensorType((2,), "uint8"))
    with pytest.raises(ShapeError, match=r"'pixels' holds uint8, which cannot be combined with fractions; got 0\.5"):
        pixels * 0.5
    assert (pixels + 1).dtype == "uint8"


@pytest.mark.parametrize("other", ["2", None, [1, 2], object()])
def test_strangers_cannot_be_added(x, other):
    with pytest.raises(TypeError, match="unsupported operand"):
        x + other


def test_reshape_follows_the_batch(graph, x):
    assert x.reshape(2, 12).node.op == ops.Reshape((0, 12))
    assert x.reshape(4, 6).node.op == ops.Reshape((4, 6))


def test_names_of_nodes_are_the_layers_or_the_kinds_and_never_repeat(graph, x):
    assert [graph.add(ops.ReLU(), x).name for _ in range(3)] == ["relu", "relu_1", "relu_2"]
    with graph.scope("block.act", one_op=True):
        assert graph.prefix == "block.act"
        assert graph.add(ops.ReLU(), x).name == "block.act"
        assert graph.add(ops.ReLU(), x).name == "block.act_1"
    with graph.scope("block"):
        assert graph.add(ops.ReLU(), x).name == "block.relu"
    assert graph.prefix == ""
    assert graph.add(ops.ReLU(), x, name="mine").name == "mine"
    assert graph.add(ops.ReLU(), x, name="mine").name == "mine_1"


def test_reserved_names_are_left_to_parameters(graph, x):
    graph.reserve(["add", "constant"])
    assert (x + x).name == "add_1"
    assert "constant" not in (x + 1).graph.constants
    assert graph.parameter("add", TensorType((2,))).name == "add"


def test_a_name_can_be_declared_once(graph, x):
    with pytest.raises(ShapeError, match="already has a value named 'x'; choose another name"):
        graph.input("x", TensorType((2,)))
    weight = graph.parameter("weight", TensorType((2,)))
    assert graph.parameter("weight", TensorType((2,))) is weight
    with pytest.raises(ShapeError, match="already has a value named 'weight'"):
        graph.buffer("weight", TensorType((2,)))


def test_errors_name_the_op_and_the_node(graph):
    x = graph.input("x", TensorType((1, 8, 8, 3)))
    weight = graph.parameter("stem.weight", TensorType((4, 3, 3, 3)))
    with pytest.raises(
        ShapeError,
        match=r"^Conv2d 'stem' needs 3 channels on axis 1, got shape \(1, 8, 8, 3\); "
        r"channels last\? x\.transpose\(0, 3, 1, 2\)\.$",
    ):
        graph.add(ops.Conv2d(), x, weight, None, name="stem")
    with pytest.raises(ShapeError, match=r"^Conv2d 'stem' needs its input 'weight', got none"):
        graph.add(ops.Conv2d(), x, None, None, name="stem")
    assert not graph.nodes


def test_further_results_are_named_after_the_node(graph):
    y = graph.add(ops.MaxPool2d((1, 2), (1, 2)), graph.input("x", TensorType((1, 1, 2, 2))), name="pool")
    assert [str(value) for value in y.node.outputs] == ["pool: float32(1, 1, 2, 1)", "pool:indices: int32(1, 1, 2, 1)"]
    assert graph.value("pool:indices") is y.node.outputs[1]
    assert "pool:indices" in graph
    assert "pool:other" not in graph


def test_printed_it_is_one_line_a_node():
    assert str(branching()).splitlines() == [
        "graph(x: float64(2, 3, 6, 6), labels: int64(2,))",
        "  conv = Conv2d(x, conv.weight, conv.bias; padding=((1, 1), (1, 1))) → float64(2, 3, 6, 6)",
        "  act = SiLU(conv) → float64(2, 3, 6, 6)",
        "  residual = Add(act, x) → float64(2, 3, 6, 6)",
        "  conv_again = Conv2d(residual, conv.weight, conv.bias; padding=((1, 1), (1, 1))) → float64(2, 3, 6, 6)",
        "  branches = Concatenate(residual, conv_again, residual; axis=1) → float64(2, 9, 6, 6)",
        "  pool = MaxPool2d(branches; kernel=(2, 2), stride=(2, 2)) → float64(2, 9, 3, 3), int32(2, 9, 3, 3)",
        "  flatten = Flatten(pool) → float64(2, 81)",
        "  fc = Linear(flatten, fc.weight, –) → float64(2, 4)",
        "  loss = CrossEntropy(fc, labels, –; label_smoothing=0.1) → float64()",
        "  return loss, fc",
    ]
    assert "  d.fc.x = Backward(d.loss.logits, fc.weight; Linear) → float64(2, 81)" in str(training())
    assert "  update mean ← runningaverage" in str(batch_norm())
