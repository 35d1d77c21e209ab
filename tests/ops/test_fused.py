"""Ops that plans put in, each against its own reference and against the ops whose work it does."""

from dataclasses import dataclass
from math import inf

import numpy as np
import pytest

from pellucid import ops
from pellucid.ops.fused import BOUNDS, FoldBatchNorm, Fused, MaskedBackward, accepted
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.ops.convolutions import LEAST, ROWS, WHOLE_BOUND, WRT, Problem, W, direct, linear, padding, whole, winograd
from tests.ops.running import run

CONVOLUTIONS = [
    winograd(2, LEAST, LEAST + 1, 5, 6),
    winograd(2, LEAST, LEAST + 1, 9, 14),
    winograd(2, LEAST, 2 * W, 8, 12),  # whole tiles
    winograd(1, LEAST, LEAST, 3, 3, bias=False),
    direct(2, 1, W + 1, (5, 6), (3, 3), pad=padding(1)),
    direct(2, W, 2 * W + 1, (5, 6), (3, 2), (2, 1), padding(1)),
    direct(1, 2 * W + 3, 3, (4, 4), (1, 1), bias=False),
    direct(2, W, 2 * W, (5, 6), (3, 2), (2, 1), padding(1), groups=2),
    direct(2, W + 1, W + 1, (5, 9), (3, 3), pad=padding(1), groups=W + 1),
]
DENSE = [linear(ROWS + 1, W + 1, W + 1), linear(1, 3 * W, 10), linear(3, 5, 4, bias=False)]
BENT_BOUND = 1e-4
"""Sums of numbers up to about 20, by other roundings; no activation here is steeper than 2."""
CURVES = [
    ops.SiLU(), ops.Hardswish(), ops.Hardsigmoid(), ops.PReLU(), ops.LeakyReLU(0.3), ops.ELU(0.7), ops.Sigmoid(),
    ops.Tanh(), ops.GELU(), ops.GELU("tanh"),
]  # fmt: skip
CUTS = [(-inf, inf), *BOUNDS.values(), (-3.0, 4.0)]


@dataclass(frozen=True)
class Given:
    """A fused op with whole numbers for its inputs."""

    op: ops.Op
    inputs: dict
    kernel: str

    @property
    def types(self):
        return tuple(None if array is None else TensorType.of(array) for array in self.inputs.values())

    def check(self):
        """Compare with the reference; return both, and assert that the expected kernel ran."""
        found, expected = (run(self.op, self.inputs, executor=executor) for executor in ("fast", "reference"))
        assert found.kernels == {"op": self.kernel}
        (name,) = self.op.results
        bound = WHOLE_BOUND if "winograd" in self.kernel else 0.0
        (actual,), (wanted,) = found.results.values(), expected.results.values()
        assert_matches(actual, wanted, bound, kernel=f"{name} of {self.op} by {self.kernel}")
        assert_matches(np.rint(actual), np.rint(wanted))
        return actual, wanted


def fused(problem: Problem, low=-inf, high=inf, residual=False):
    inputs, dy = problem.arrays(whole())
    given = inputs | {"residual": 5 * dy if residual else None, "slope": None}
    return Given(Fused(problem.op, low, high), given, problem.kernels[0])


def bent(problem: Problem, curve, slopes=0):
    """A convolution whose sums spread over where activations bend, and PReLU's slopes, if asked for."""
    given = fused(problem, residual=True)
    (y,) = given.op.reference(*given.inputs.values())
    scale = {"x": 3 / y.std(), "bias": 3 / y.std(), "residual": 3 / y.std()}
    inputs = {
        name: None if array is None else np.float32(scale.get(name, 1)) * array for name, array in given.inputs.items()
    }
    slope = np.linspace(-1, 2, slopes, dtype=np.float32) if slopes else None
    return Given(Fused(problem.op, curve=curve), inputs | {"slope": slope}, given.kernel)


def masked(problem: Problem):
    inputs, dy = problem.arrays(whole())
    types = tuple(None if array is None else TensorType.of(array) for array in inputs.values())
    backward = ops.Backward(problem.op, ("x",), types)
    given = {"dy": dy, "weight": inputs["weight"], "y": inputs["x"]}
    return Given(MaskedBackward(backward), given, problem.kernels[1])


@pytest.mark.parametrize(("low", "high"), CUTS)
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("problem", CONVOLUTIONS, ids=str)
def test_a_convolution_adds_and_cuts_off(problem, low, high, residual):
    fused(problem, low, high, residual).check()


@pytest.mark.parametrize(("low", "high"), CUTS)
@pytest.mark.parametrize("problem", DENSE, ids=str)
def test_a_dense_layer_cuts_off(problem, low, high):
    fused(problem, low, high).check()


@pytest.mark.parametrize("problem", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.kind)
def test_a_convolution_adds_and_bends(problem, curve):
    slopes = (1, problem.weight[0]) if isinstance(curve, ops.PReLU) else (0,)
    for count in slopes:
        given = bent(problem, curve, count)
        found, expected = (run(given.op, given.inputs, executor=executor) for executor in ("fast", "reference"))
        assert found.kernels == {"op": given.kernel}
        assert np.ptp(expected.results["y"]) > 0.9
        assert_matches(found.results["y"], expected.results["y"], BENT_BOUND, kernel=f"{given.op} by {given.kernel}")


@pytest.mark.parametrize("problem", [*CONVOLUTIONS[:2], CONVOLUTIONS[5], CONVOLUTIONS[7]], ids=str)
def test_nan_and_infinity_are_bent_as_by_the_parts(problem):
    for curve in (ops.SiLU(), ops.LeakyReLU(0.5)):
        given = bent(problem, curve)
        given.inputs["x"].flat[[0, -1]] = np.nan, np.inf
        found, expected = (run(given.op, given.inputs, executor=executor) for executor in ("fast", "reference"))
        assert not np.isfinite(expected.results["y"]).all()
        assert_matches(found.results["y"], expected.results["y"], BENT_BOUND)


@pytest.mark.parametrize("activation", BOUNDS, ids=lambda kind: kind.__name__)
def test_the_reference_is_what_the_parts_do_one_after_the_other(activation):
    for problem in CONVOLUTIONS:
        given = fused(problem, *BOUNDS[activation], residual=True)
        x, weight, bias, residual, _ = given.inputs.values()
        (y,) = problem.op.reference(x, weight, bias)
        (expected,) = activation().reference(y + residual)
        assert_matches(given.op.reference(*given.inputs.values())[0], expected)
        assert (expected == 0).any()
        assert (expected > 0).any()


@pytest.mark.parametrize("problem", CONVOLUTIONS, ids=str)
def test_the_gradient_of_the_data_is_masked(problem):
    found, _ = masked(problem).check()
    x = problem.arrays(whole())[0]["x"]
    assert (x <= 0).any()
    assert not found[x <= 0].any()
    assert found[x > 0].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 4), (6, 7), (8, 9)], ids=str)
@pytest.mark.parametrize("channels", sorted({LEAST, LEAST + 1, 2 * W - 1, 2 * W, 2 * W + 1, 4 * W} - set(range(LEAST))))
def test_edges_of_tiles(size, channels):
    fused(winograd(2, LEAST, channels, *size), 0.0, 6.0, residual=True).check()
    fused(direct(2, 2 * W, channels, size, (1, 1)), 0.0, 6.0, residual=True).check()
    masked(winograd(2, channels, LEAST, *size)).check()
    masked(direct(2, channels, 3, size, (3, 3), (2, 2), padding(1))).check()


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("problem", CONVOLUTIONS, ids=str)
def test_nan_and_infinity_pass_the_cuts(problem, special):
    for spoilt in ("x", "residual"):
        given = fused(problem, 0.0, 6.0, residual=True)
        given.inputs[spoilt].flat[[0, -1]] = special
        given.check()
    for spoilt in ("dy", "y"):
        given = masked(problem)
        given.inputs[spoilt].flat[[0, -1]] = special
        given.check()


@pytest.mark.parametrize("problem", [*CONVOLUTIONS[:2], CONVOLUTIONS[5]], ids=str)
def test_one_wrong_cell_is_found(problem):
    given = fused(problem, 0.0, 60.0, residual=True)
    found, expected = given.check()
    spoilt = found.copy()
    spoilt[1, 2, 0, 1] += 1
    with pytest.raises(AssertionError, match=r"cell \(1, 2, 0, 1\) is"):
        assert_matches(spoilt, expected, WHOLE_BOUND)


def test_what_no_kernel_computes_is_said():
    given = fused(DENSE[0])
    with_residual = (*given.types[:3], TensorType((ROWS + 1, W + 1)))
    assert not accepted(given.op, with_residual)
    rejected = dict(ops.choose(given.op, with_residual).rejected)
    assert rejected["linear"] == "a residual: a dense layer adds none"
    given = fused(CONVOLUTIONS[0])
    doubles = tuple(type_ and TensorType(type_.shape, "float64") for type_ in given.types)
    assert not accepted(given.op, doubles)
    assert dict(ops.choose(given.op, doubles).rejected)["conv2d_gather"] == "float64: computes in float32"


def test_multiply_adds_are_those_of_the_parts():
    for problem in (*CONVOLUTIONS, *DENSE):
        given = fused(problem)
        assert given.op.macs(*given.types) == problem.op.macs(*given.types[:3])
    for problem in CONVOLUTIONS:
        given = masked(problem)
        assert given.op.macs(*given.types) == given.op.of.macs()


def test_they_are_no_ops_that_a_file_may_name():
    assert not {"Fused", "MaskedBackward", "FoldBatchNorm"} & set(ops.Op.kinds)


STATISTICS = ("scale", "shift", "mean", "variance")


def folding(problem, dtype, absent):
    """Arrays of a convolution or dense layer and of a batch normalisation after it."""
    generator = np.random.default_rng(3)
    arrays = {name: generator.standard_normal(shape) for name, shape in zip(WRT, _shapes(problem), strict=True)}
    arrays |= {name: generator.standard_normal(problem.weight[0]) for name in STATISTICS}
    arrays["variance"] = abs(arrays["variance"]) * 10.0 ** generator.integers(-4, 4, problem.weight[0])
    return {name: None if name in absent else array.astype(dtype) for name, array in arrays.items()}


def _shapes(problem):
    return problem.x, problem.weight, problem.weight[:1]


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-13), ("float32", 1e-6)])
@pytest.mark.parametrize("absent", [(), ("bias",), ("scale", "shift"), ("scale",), ("shift",)], ids=str)
@pytest.mark.parametrize("problem", [CONVOLUTIONS[4], DENSE[0]], ids=str)
def test_folded_weights_normalise(problem, absent, dtype, bound):
    x, weight, bias, *statistics = folding(problem, dtype, absent).values()
    (y,) = problem.op.reference(x, weight, bias)
    (expected, *_) = ops.BatchNorm(1e-3).reference(y, *statistics)
    given = dict(zip(FoldBatchNorm.arguments, (weight, bias, *statistics), strict=True))
    folded = run(FoldBatchNorm(1e-3), given, executor="fast")
    (found,) = problem.op.reference(x, folded.results["weight"], folded.results["bias"])
    positive = (abs(x), abs(folded.results["weight"]), abs(folded.results["bias"]))
    (size,) = problem.op.reference(*positive)
    moved = abs(given["mean"]) / np.sqrt(given["variance"] + 1e-3)
    moved = moved if statistics[0] is None else moved * abs(statistics[0])
    size = size + moved.reshape(-1, *[1] * (size.ndim - 2))
    assert_matches(found, expected, 8 * bound * size, kernel=f"{problem} in {dtype}")
