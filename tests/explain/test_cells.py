"""Every kind of operation: a cell's account must come to its value, and name exactly what the cell depends on."""

import zlib
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pel
from pellucid import ops
from pellucid.explain.cells import arithmetic
from pellucid.explain.cells.parts import Arithmetic, Operand, Site
from pellucid.graph import Graph, Plan
from pellucid.types import TensorType
from tests import strategies
from tests.ops.examples import FORWARD, Example
from tests.strategies import quick

TRAINED_ONLY = (ops.BinaryCrossEntropy, ops.BinaryCrossEntropyWithLogits, ops.CrossEntropy, ops.MSE, ops.RunningAverage)


def is_explained(example: Example) -> bool:
    dropout_in_training = isinstance(example.op, ops.Dropout) and example.op.training
    return not isinstance(example.op, TRAINED_ONLY) and not dropout_in_training


EXPLAINED = [example for example in FORWARD if is_explained(example)]
FAMILIES = pytest.mark.parametrize("example", EXPLAINED, ids=str)


@dataclass
class Run:
    """An op computed by a plan: its result, and any cell of it explained."""

    example: Example
    y: np.ndarray
    kernel: str

    def cell(self, index: tuple[int, ...]) -> Arithmetic:
        example = self.example
        return arithmetic(Site(example.op, tuple(example.inputs.values()), tuple(example.inputs), index, self.kernel))

    def some_cells(self, most: int = 30) -> list[tuple[int, ...]]:
        places = list(np.ndindex(self.y.shape))
        order = np.random.default_rng(zlib.crc32(str(self.example).encode())).permutation(len(places))
        return [places[i] for i in order[:most]]


def computed(example: Example, dtype: str, executor: str = "fast") -> Run:
    arrays = {
        name: array if array is None or array.dtype.kind != "f" else array.astype(dtype)
        for name, array in example.inputs.items()
    }
    graph = Graph()
    values = [None if array is None else graph.input(name, TensorType.of(array)) for name, array in arrays.items()]
    result = graph.add(example.op, *values, name="y")
    plan = Plan(graph, executor, keep=("y",))
    y = plan.run({name: array for name, array in arrays.items() if array is not None})["y"]
    assert result.type == TensorType.of(y)
    return Run(Example(example.op, arrays, example.wrt), y, plan.steps[-1].choice.name)


def assert_explained(run: Run, most: int = 30) -> None:
    for index in run.some_cells(most):
        found = run.cell(index)
        assert abs(found.result - float(run.y[index])) <= found.bound, (run.kernel, index, found)
        assert found.steps[-1].value == found.result


@FAMILIES
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("executor", ["fast", "reference"])
def test_the_account_comes_to_the_value(example: Example, dtype: str, executor: str) -> None:
    assert_explained(computed(example, dtype, executor))


@FAMILIES
def test_the_bound_is_a_tight_one(example: Example) -> None:
    """A bound as large as the numbers themselves would say nothing."""
    run = computed(example, "float32")
    for index in run.some_cells(10):
        read = [operand.values for operand in run.cell(index).operands]
        largest = max((float(abs(values).max(initial=0)) for values in read), default=0.0)
        assert run.cell(index).bound <= 1e-3 * max(1.0, largest), index


@FAMILIES
def test_the_sources_are_what_the_cell_depends_on(example: Example) -> None:
    """Each number is moved far up and down in turn: the cells that change are those that name it."""
    run = computed(example, "float64", "reference")
    several = isinstance(example.op, ops.Add | ops.Multiply | ops.Concatenate)
    for name in list(example.inputs) if several else list(example.inputs)[:1]:
        changed = changes(run, name)  # (numbers, *result)
        for index in run.some_cells(12):
            named = set()
            for operand in run.cell(index).operands:
                if operand.layer == name:
                    inside = ~operand.outside.reshape(-1)
                    named |= {tuple(place) for place in operand.places()[inside].tolist()}
            expected = {
                tuple(map(int, np.unravel_index(i, example.inputs[name].shape)))
                for i in np.flatnonzero(changed[(slice(None), *index)])
            }
            assert named == expected, (name, index)


def changes(run: Run, name: str) -> np.ndarray:
    array = run.example.inputs[name]
    found = []
    for place in np.ndindex(array.shape):
        changed = np.zeros(run.y.shape, bool)
        for far in (1000, -1000):
            moved = array.copy()
            moved[place] += far
            y = run.example.op.reference(*(run.example.inputs | {name: moved}).values())[0]
            changed |= y != run.y
        found.append(changed)
    return np.array(found)


@FAMILIES
def test_weights_are_what_a_number_is_multiplied_by(example: Example) -> None:
    """Of a weighted sum: as one number grows by a little, the cell grows by its weight, or weights on a border."""
    run = computed(example, "float64", "reference")
    for index in run.some_cells(6):
        for operand in run.cell(index).operands:
            if operand.weights is None:
                continue
            slopes: dict[tuple[int, ...], float] = {}
            for place, weight in zip(
                operand.places()[~operand.outside.reshape(-1)].tolist(), inside_weights(operand), strict=True
            ):
                slopes[tuple(place)] = slopes.get(tuple(place), 0.0) + weight
            for place, weight in slopes.items():
                moved = run.example.inputs[operand.layer].copy()
                moved[place] += 1e-4
                y = example.op.reference(*(run.example.inputs | {operand.layer: moved}).values())[0]
                assert (y[index] - run.y[index]) / 1e-4 == pytest.approx(weight, rel=1e-6, abs=1e-6)


def inside_weights(operand: Operand) -> list[float]:
    return operand.weights.reshape(-1)[~operand.outside.reshape(-1)].tolist()


CASES = {
    "conv2d": (strategies.conv2d_cases(), ("x", "weight", "bias"), ops.Conv2d),
    "conv_transpose2d": (strategies.conv_transpose2d_cases(), ("x", "weight", "bias"), ops.ConvTranspose2d),
    "max_pool2d": (strategies.pool2d_cases(dilated=True), ("x",), ops.MaxPool2d),
    "avg_pool2d": (strategies.pool2d_cases(), ("x",), ops.AvgPool2d),
    "avg_pool2d_uneven": (strategies.pool2d_cases(symmetric=False), ("x",), ops.AvgPool2d),
    "linear": (strategies.linear_cases(), ("x", "weight", "bias"), ops.Linear),
    "add": (strategies.broadcast_cases(), ("a", "b"), ops.Add),
    "multiply": (strategies.broadcast_cases(), ("a", "b"), ops.Multiply),
}


@pytest.mark.parametrize("name", CASES)
@quick
@given(data=st.data())
def test_whole_numbers_are_exact_whatever_the_shape(name: str, data: st.DataObject) -> None:
    cases, arguments, kind = CASES[name]
    case = data.draw(cases)
    settings = dict(case.settings)
    if kind is ops.AvgPool2d:
        settings["count_include_pad"] = data.draw(st.booleans())
    example = Example(kind(**settings), {name: case.integers(name) for name in arguments}, ())
    run = computed(example, "float32")

    for index in run.some_cells(20):
        found = run.cell(index)
        if kind is not ops.AvgPool2d:
            assert found.bound == 0
            assert found.result == run.y[index]
        assert abs(found.result - run.y[index]) <= found.bound


@quick
@given(strategies.adaptive_pool2d_cases(), st.data())
def test_adaptive_windows_and_resizing(case: strategies.Case, data: st.DataObject) -> None:
    size = case.settings["output_size"]
    resizing = data.draw(
        st.sampled_from([ops.Resize(size), ops.Resize(size, "bilinear"), ops.Resize(size, "bilinear", True)])
    )
    for op in (ops.AdaptiveAvgPool2d(size), resizing):
        assert_explained(computed(Example(op, {"x": case.array("x")}, ()), "float32"), 20)


def test_of_equal_numbers_the_first_wins_and_padding_never() -> None:
    op = ops.MaxPool2d((2, 2), (2, 2), ((1, 1), (1, 1)))
    x = -np.array([[5, 3, 3], [3, 3, 9], [1, 2, 1]], np.float32).reshape(1, 1, 3, 3)
    run = computed(Example(op, {"x": x}, ("x",)), "float32")
    found = {index[2:]: run.cell(index) for index in np.ndindex(run.y.shape)}

    assert found[0, 0].operands[0].values.tolist() == [[[-5]]]
    assert found[0, 1].operands[0].places()[found[0, 1].winner].tolist() == [0, 0, 0, 1]
    assert "the first of 2 equal ones" in found[0, 1].steps[0].name
    assert found[1, 1].operands[0].places()[found[1, 1].winner].tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("include", "divisors"), [(True, [4, 4, 2, 4, 4, 2, 2, 2, 1]), (False, [1, 2, 1, 2, 4, 2, 1, 2, 1])]
)
def test_divisors_of_averages(include: bool, divisors: list[int]) -> None:
    """ceil_mode lets the last windows hang over the padding, which never counts; PyTorch divides alike."""
    import torch

    op = ops.AvgPool2d((2, 2), (2, 2), ((1, 0), (1, 0)), ceil_mode=True, count_include_pad=include)
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    run = computed(Example(op, {"x": x}, ("x",)), "float32")
    found = [run.cell(index) for index in np.ndindex(run.y.shape)]

    assert [round(1 / float(cell.operands[0].weights.flat[0])) for cell in found] == divisors
    padded = torch.nn.functional.pad(torch.from_numpy(x), (1, 0, 1, 0))
    if include:
        expected = torch.nn.functional.avg_pool2d(padded, 2, ceil_mode=True)
        assert [cell.result for cell in found] == expected.flatten().tolist()


@pytest.mark.parametrize("op", [ops.CrossEntropy(), ops.Dropout(training=True)])
def test_what_only_training_computes_is_refused(op: ops.Op) -> None:
    with pytest.raises(pel.ParameterError, match=f"There is no account of a cell of {op.kind}; choose"):
        arithmetic(Site(op, (np.zeros((1, 2), np.float32),), ("x",), (0, 0)))


def test_extreme_activations_stay_within_their_bounds() -> None:
    x = np.float32(
        [-1e30, -200, -104, -90, -88, -87, -50, -12, -3.0001, -1e-30, -1e-40, 0, 1e-40, 1e-9, 3, 6, 20, 88, 1e30]
    )
    for op in (
        *(ops.ReLU(), ops.ReLU6(), ops.LeakyReLU(0.3), ops.ELU(1.5), ops.Sigmoid(), ops.Tanh(), ops.SiLU()),
        *(ops.GELU(), ops.GELU("tanh"), ops.Hardswish(), ops.Hardsigmoid()),
    ):
        assert_explained(computed(Example(op, {"x": x.reshape(1, -1)}, ("x",)), "float32"))


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_softmax_of_numbers_far_apart(scale: float) -> None:
    x = scale * np.random.default_rng(0).standard_normal((1, 50)).astype(np.float32)
    for op in (ops.Softmax(1), ops.LogSoftmax(1)):
        assert_explained(computed(Example(op, {"x": x}, ("x",)), "float32"), 50)


def test_norms_of_a_constant_are_the_bias() -> None:
    x, weight, bias = np.full((1, 4, 3, 3), 7, np.float32), np.ones(4, np.float32), np.arange(4, dtype=np.float32)
    run = computed(Example(ops.GroupNorm(2), {"x": x, "weight": weight, "bias": bias}, ("x",)), "float32")

    assert run.cell((0, 3, 1, 1)).result == 3
    assert [step.name for step in run.cell((0, 3, 1, 1)).steps][:2] == [
        "mean of 18 numbers",
        "variance: mean of (x − mean)²",
    ]
