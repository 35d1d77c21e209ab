"""Ops on images, whose pixels lie padded in memory, against the reference; and which kernels run."""

import numpy as np
import pytest

from pellucid import ops
from pellucid.graph import Graph, Plan, differentiate
from pellucid.kernels.host import host
from pellucid.types import TensorType
from tests.comparison import EPSILON, assert_matches

W = host().width
SHAPES = [(2, 1, 2, 3), (1, 3, 1, 1), (2, W - 1, 3, 2), (2, W, 1, 5), (3, W + 1, 4, 4), (1, 2 * W + 1, 2, 2)]
ACTIVATIONS = {
    "relu": ops.ReLU(),
    "relu6": ops.ReLU6(),
    "leaky_relu": ops.LeakyReLU(0.2),
    "elu": ops.ELU(1.5),
    "sigmoid": ops.Sigmoid(),
    "tanh": ops.Tanh(),
    "silu": ops.SiLU(),
    "gelu": ops.GELU(),
    "gelu_tanh": ops.GELU("tanh"),
    "hardswish": ops.Hardswish(),
    "hardsigmoid": ops.Hardsigmoid(),
}


def compare(op, units, *shapes, others=()):
    """Run an op and its gradients on images of these shapes, and plain arrays besides; return the kernels by name.

    The images are made of rows, so that they lie as the engine wants them. Results may differ by so many units of
    rounding from the reference's, for numbers about 4.
    """
    random = np.random.default_rng(len(shapes))
    graph, feeds = Graph(), {}
    inputs = []
    for number, shape in enumerate(shapes):
        feeds[f"x{number}"] = random.integers(-8, 9, (shape[0], int(np.prod(shape[1:])))).astype(np.float32) / 2
        rows = graph.input(f"x{number}", TensorType.of(feeds[f"x{number}"]))
        inputs.append(graph.add(ops.Reshape(shape), rows, name=f"image{number}"))
    for number, array in enumerate(others):
        if array is None:
            inputs.append(None)
            continue
        feeds[f"other{number}"] = array
        inputs.append(graph.input(f"other{number}", TensorType.of(array)))
    y = graph.add(op, *inputs, name="op")
    loss = y
    if y.ndim:
        dy = graph.constant(random.integers(-4, 5, y.shape).astype(np.float32) / 2)
        loss = graph.add(ops.Sum(tuple(range(y.ndim))), graph.add(ops.Multiply(), y, dy))
    floats = [value for value in inputs if value is not None and value.type.dtype == "float32"]
    gradients = differentiate(graph, loss, floats)
    graph.outputs = {"y": y, **{f"d{name}": value for name, value in gradients.items()}}
    fast, slow = (Plan(graph, executor) for executor in ("fast", "reference"))
    expected = slow.run(feeds)
    for name, found in fast.run(feeds).items():
        size = max(4.0, abs(expected[name]).max())
        assert_matches(found, expected[name], units * EPSILON["float32"] * size, kernel=f"{op} {name}")
    return {step.node.name: step.choice.name for step in fast.steps}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, shape):
    kernels = compare(ACTIVATIONS[name], 16, shape)
    assert kernels["op"] == name
    assert kernels["d.op.x"] == f"{name}_backward"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_prelu(shape):
    for slopes in {1, shape[1]}:
        weight = np.linspace(0.25, 1, slopes, dtype=np.float32)
        kernels = compare(ops.PReLU(), 64, shape, others=[weight])
        assert kernels["op"] == "prelu"
        assert kernels["d.op.x.weight"] == "prelu_backward"


@pytest.mark.parametrize("op", [ops.Add(), ops.Multiply()], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_and_products(op, shape):
    name = op.kind.lower()
    assert compare(op, 0, shape, shape)["op"] == name
    n, c, *_ = shape
    expected = "channels" if c > 1 else "number"
    for small in ((c, 1, 1), (1, c, 1, 1)):
        others = [np.arange(c, dtype=np.float32).reshape(small)]
        kernel = compare(op, 0, shape, others=others)["op"]
        assert kernel in (name, f"{name}_{expected}")
    kernel = compare(op, 0, shape, (n, c, 1, 1))["op"]
    assert kernel in (name, f"{name}_number", f"{name}_channels")


def test_operands_in_either_order_and_what_is_left_to_the_reference():
    assert compare(ops.Add(), 0, (2, 3, 1, 1), (2, 3, 4, 4))["op"] == "add_channels"
    assert compare(ops.Multiply(), 0, (2, 3, 4, 4), others=[np.float32(3)])["op"] == "multiply_number"
    assert compare(ops.Add(), 0, (2, 3, 4, 4), others=[np.ones((4, 4), np.float32)])["op"] == "reference"


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_concatenation_and_its_slices(shape, axis):
    longer = (*shape[:axis], shape[axis] + 2, *shape[axis + 1 :])
    kernels = compare(ops.Concatenate(axis), 0, shape, longer, shape)
    assert kernels["op"] == "concatenate"
    assert {name for node, name in kernels.items() if node.startswith("d.op")} == {"slice"}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_flatten_and_other_shapes(shape):
    kernels = compare(ops.Flatten(), 0, shape)
    assert kernels["op"] == "flatten"
    assert kernels["d.op.reshape"] == "reshape"
    n, c, h, w = shape
    for target in ((n, h, w, c), (-1,), (n * c, h * w), (n, c * h, w), (n * c, h, w, 1)):
        assert compare(ops.Reshape(target), 0, shape)["op"] == "reshape"


@pytest.mark.parametrize("axis", [1, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax(shape, axis):
    for op, name in ((ops.Softmax(axis), "softmax"), (ops.LogSoftmax(axis), "log_softmax")):
        kernels = compare(op, 64, shape)
        assert kernels["op"] == name
        assert kernels["d.op.x"] == f"{name}_backward"


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy(shape, reduction):
    labels = np.random.default_rng(0).integers(0, shape[1], (shape[0], *shape[2:]))
    kernels = compare(ops.CrossEntropy(0.1, reduction), 64, shape, others=[labels, None])
    assert kernels["op"] == "cross_entropy"
    assert kernels["d.op.logits"] == "cross_entropy_backward"


def test_dropout_passes_everything_on_after_training():
    kernels = compare(ops.Dropout(0.5), 0, (2, 3, 2, 2), others=[np.zeros(2, np.uint64)])
    assert kernels["op"] == kernels["d.op.x"] == "identity"
