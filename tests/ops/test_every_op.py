"""What holds for every operation. A new one without an example fails here."""

import json

import numpy as np
import pytest

from pellucid import ops
from pellucid.errors import ShapeError
from pellucid.graph import EXECUTORS
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.examples import EXAMPLES, FORWARD
from tests.ops.running import run
from tests.reference.finite_difference import assert_gradients


def test_there_is_an_example_of_every_kind():
    of_the_package = {kind for kind, cls in ops.Op.kinds.items() if cls.__module__.startswith("pellucid.")}
    assert {example.op.kind for example in EXAMPLES} == of_the_package


def cast(array, dtype):
    return array.astype(dtype) if array is not None and array.dtype.kind == "f" else array


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_inferred_types_are_those_of_the_results(example, dtype):
    op = example.op
    inputs = [cast(array, dtype) for array in example.inputs.values()]
    types = tuple(None if array is None else TensorType.of(array) for array in inputs)
    if isinstance(op, ops.Backward):
        op = ops.Backward(
            op.of, op.wrt, tuple(t and TensorType(t.shape, t.dtype.replace("float64", dtype)) for t in op.types)
        )
    inferred = op.checked_infer(types)
    assert len(inferred) == len(op.results)
    assert tuple(TensorType.of(array) for array in op.reference(*inputs)) == inferred
    run(op, dict(zip(example.inputs, inputs, strict=True)), executor="fast")  # which checks every type


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("example", [e for e in FORWARD if e.wrt], ids=str)
def test_gradients_are_those_of_finite_differences(example, executor):
    y = run(example.op, example.inputs).results[example.op.results[0]]
    dy = np.cos(np.arange(y.size, dtype=float)).reshape(y.shape)
    found = run(example.op, example.inputs, dy, example.wrt, executor=executor)

    def function(*moved):
        inputs = example.inputs | dict(zip(example.wrt, moved, strict=True))
        return np.asarray(example.op.reference(*inputs.values())[0])

    gradients = [found.gradients[name] for name in example.wrt]
    assert_gradients(function, [example.inputs[name] for name in example.wrt], dy, gradients)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_op_survives_json(example):
    again = ops.op_from_dict(json.loads(json.dumps(example.op.as_dict())))
    assert again == example.op
    assert hash(again) == hash(example.op)
    for result, expected in zip(
        again.reference(*example.inputs.values()), example.op.reference(*example.inputs.values()), strict=True
    ):
        assert_matches(result, expected, kernel=str(example.op))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_kernels_leave_their_inputs_alone(example):
    inputs = [None if array is None else array.copy() for array in example.inputs.values()]
    for array in inputs:
        if array is not None:
            array.flags.writeable = False
    example.op.reference(*inputs)
    run(example.op, dict(zip(example.inputs, inputs, strict=True)), executor="fast")


@pytest.mark.parametrize("example", FORWARD, ids=str)
def test_a_missing_input_is_named_unless_it_is_optional(example):
    for position, name in enumerate(example.inputs):
        types = list(example.types)
        types[position] = None
        optional = name in example.op.optional
        if not optional:
            with pytest.raises(ShapeError, match=f"needs its input '{name}', got none"):
                example.op.checked_infer(tuple(types))
    if "*" not in example.op.arguments[0]:
        with pytest.raises(ShapeError, match=r"inputs .*, got"):
            example.op.checked_infer((*example.types, None))


@pytest.mark.parametrize("example", FORWARD, ids=str)
def test_settings_are_printed(example):
    text = str(example.op)
    assert text.startswith(f"{example.op.kind}(")
    for name, value in example.op.as_dict().items():
        if name != "kind" and value != type(example.op).__dataclass_fields__[name].default:
            assert f"{name}={value!r}" in text


def products_of_ones(op, *shapes):
    """Count the products in a sum of products, from its results for ones."""
    return round(sum(result.sum() for result in op.reference(*(np.ones(shape) for shape in shapes), None)))


MACS = [
    # replicated edges, since products with zeros of the border count too
    (ops.Conv2d((2, 1), ((2, 1), (0, 2)), (1, 2), 2, "replicate"), (2, 4, 5, 6), (6, 2, 3, 2)),
    (ops.Conv2d(groups=4), (1, 4, 5, 5), (8, 1, 3, 3)),
    (ops.Conv2d(), (3, 2, 1, 1), (5, 2, 1, 1)),
    (ops.ConvTranspose2d((2, 3), dilation=(2, 1), groups=2), (2, 4, 2, 3), (4, 1, 2, 3)),
    (ops.Linear(), (2, 3, 4), (5, 4)),
]


@pytest.mark.parametrize(("op", "x", "weight"), MACS)
def test_macs_are_the_products_that_are_summed(op, x, weight):
    types = TensorType(x, "float64"), TensorType(weight, "float64"), None
    macs = products_of_ones(op, x, weight)
    assert op.macs(*types) == macs
    assert ops.Backward(op, ("x",), types).macs() == macs
    assert ops.Backward(op, ("weight",), types).macs() == macs


def test_the_bias_adds_no_macs():
    op, x, weight, bias = ops.Conv2d(), TensorType((1, 2, 4, 4)), TensorType((3, 2, 3, 3)), TensorType((3,))
    assert op.macs(x, weight, bias) == op.macs(x, weight, None) == 4 * 3 * 2 * 9
    assert ops.Backward(op, ("bias",), (x, weight, bias)).macs() == 0


@pytest.mark.parametrize("example", FORWARD, ids=str)
def test_only_convolutions_and_matrix_products_have_macs(example):
    has = example.op.macs(*example.types) > 0
    assert has == (example.op.kind in ("Conv2d", "ConvTranspose2d", "Linear"))
