"""How far convolutions and dense layers may be from the truth: a stated bound for every algorithm.

|error| ≤ c · ε · Σ|a·b| + what may be lost to flushing, where ε = 2⁻²³, the truth is the reference on the same numbers
in float64, and Σ|a·b| is the reference on their magnitudes. Numbers below 2⁻¹²⁶ may count as 0.

Sums of products, taken in any order: c = n, the number of terms (a bias is one). For each of at most n roundings on
a term's way into the sum errs by at most ε/2 of it, and so does the product itself where it is rounded.

Winograd's algorithm adds and subtracts pixels of a tile before it multiplies, so a large pixel makes all results of its
tile less exact, even those that it has no part in. There Σ|a·b| is taken with every pixel replaced by the largest
magnitude of its channel within 5 rows and columns, which no tile of 6×6 reaches beyond, and c does not grow with n
as far as was seen.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import reference
from tests.comparison import EPSILON, assert_matches
from tests.ops.convolutions import LEAST, NO_BORDER, ROWS, W, direct, linear, padding, winograd

WINOGRAD = 128
"""c of Winograd's algorithm for results and gradients of the data.

Measured over 100 shapes (1 to 30 rows and columns, 16 to 256 channels): at most 8.3 for normal numbers, 20.5 where
each number has a power of ten from 1e-30 to 1 of its own, 33.8 with powers from 1e-8 to 1, spread evenly.
"""
WINOGRAD_WEIGHT = 16
"""c of Winograd's algorithm for gradients of weights, both pixels and slopes replaced: 3.2 at most on the same."""
WINOGRAD_NEARBY = 80
"""c of Winograd's algorithm for normal numbers, against the largest Σ|a·b| within 5 rows and columns: 22.7 at most."""
REACH = 5
FLUSHED = 2.0**-126
"""Times Σ(|a| + 1)·(|b| + 1), what flushing may cost a sum of products: a, b, the product or a sum may be lost."""
FLUSHED_WINOGRAD = 2.0**-110
"""The same for Winograd's algorithm: B multiplies a pixel by at most 100, A a product by at most 19², together 2¹⁶."""

WINOGRADS = [winograd(2, LEAST, 2 * W + 1, 9, 14), winograd(1, 3 * W + 5, LEAST, 7, 4, ((2, 0), (1, 1)), bias=False)]
DIRECTS = [
    direct(2, 1, W + 1, (12, 9), (5, 5), pad=padding(2)),
    direct(2, 2 * W + 3, W - 1, (9, 8), (3, 3), (2, 2), padding(1)),
    direct(3, W, 3, (8, 8), (3, 2), (1, 2), ((1, 0), (2, 2)), (2, 1), bias=False),
    direct(2, 4 * W, 2 * W, (7, 5), (1, 1)),
    direct(2, W, 2 * W, (5, 6), (3, 2), (2, 1), padding(1), groups=2),
    direct(2, 3 * W, 6 * W, (9, 5), (3, 3), (1, 2), padding(1), groups=3),
    direct(2, W + 3, W + 3, (9, 12), (5, 3), (2, 1), padding(2), groups=W + 3),
    linear(ROWS + 3, 9 * W + 1, 2 * W + 3),
    linear(1, 700, 10, bias=False),
]
PROBLEMS = WINOGRADS + DIRECTS


def magnitudes(array, pad=NO_BORDER, added=0.0):
    """Replace every pixel by the largest magnitude of its channel nearby; ``pad`` surrounds the image before."""
    surrounded = np.pad(abs(array) + added, ((0, 0), (0, 0), *pad))
    wide = np.pad(surrounded, ((0, 0), (0, 0), *padding(REACH)))
    return np.lib.stride_tricks.sliding_window_view(wide, (2 * REACH + 1,) * 2, (2, 3)).max((4, 5))


def sums(problem, inputs, dy, added=0.0):
    """Σ (|a| + added)·(|b| + added) for every array of a run, in the form that its algorithm asks for."""
    positive = {name: None if array is None else abs(array) + added for name, array in inputs.items()}
    found = problem.run(positive, abs(dy) + added, "reference").all()
    weight, op = positive["weight"], problem.op
    for name in found:
        if "winograd" not in problem.kernel_of(name) or name == "dbias":
            continue
        if name == "y":
            pixels = magnitudes(inputs["x"], op.padding, added)
            found[name] = reference.conv2d(pixels, weight, positive["bias"])
        elif name == "dx":
            slopes = magnitudes(dy, padding(2), added)
            full = reference.conv2d(slopes, weight.swapaxes(0, 1), flip=True)  # of the surrounded image
            (top, _), (left, _) = op.padding
            found[name] = full[:, :, top : top + problem.x[2], left : left + problem.x[3]]
        else:
            pixels = magnitudes(inputs["x"], op.padding, added)
            found[name] = reference.conv2d_backward_weight(magnitudes(dy, added=added), pixels, problem.weight)
    return found


def factor(problem, name, dy):
    """c for one array of a run."""
    if "winograd" in problem.kernel_of(name) and name != "dbias":
        return WINOGRAD_WEIGHT if name == "dweight" else WINOGRAD
    filters, channels, *kernel = problem.weight
    taps, groups = int(np.prod(kernel)), getattr(problem.op, "groups", 1)
    return {"y": channels * taps + 1, "dx": filters // groups * taps}.get(name, dy.size // filters)


def doubled(inputs):
    return {name: None if array is None else array.astype(np.float64) for name, array in inputs.items()}


def bounds(problem, inputs, dy, flushing=False):
    """Return the truth and the error allowed, for every array of a run."""
    exact, slope = doubled(inputs), dy.astype(np.float64)
    allowed = {
        name: factor(problem, name, dy) * EPSILON["float32"] * size
        for name, size in sums(problem, exact, slope).items()
    }
    if flushing:
        for name, size in sums(problem, exact, slope, added=1.0).items():
            allowed[name] += (FLUSHED_WINOGRAD if "winograd" in problem.kernel_of(name) else FLUSHED) * size
    return problem.run(exact, slope, "reference").all(), allowed


def assert_bounded(problem, inputs, dy, flushing=False):
    """Compare a run with the truth; return it."""
    truth, allowed = bounds(problem, inputs, dy, flushing)
    found = problem.run(inputs, dy).all()
    for name, expected in truth.items():
        where = f"{name} of {problem} by {problem.kernel_of(name)}"
        assert_matches(found[name].astype(np.float64), expected, allowed[name], kernel=where)
    return found


def normal(generator, shape):
    return generator.standard_normal(shape)


def powers(low, high):
    """Normal numbers, each times a power of ten of its own."""
    return lambda generator, shape: generator.standard_normal(shape) * 10 ** generator.uniform(low, high, shape)


def sparse(generator, shape):
    return generator.standard_normal(shape) * (generator.random(shape) < 0.02)


every_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=str)


@every_problem
@pytest.mark.parametrize("draw", [normal, powers(-8, 0), sparse], ids=["normal", "powers", "sparse"])
def test_errors_are_bounded(problem, draw):
    assert_bounded(problem, *problem.arrays(draw))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_errors_of_winograds_algorithm_are_bounded(data):
    n, height, width = (data.draw(st.integers(*ends)) for ends in ((1, 2), (1, 15), (1, 15)))
    channels, filters = (data.draw(st.integers(LEAST, LEAST + 2 * W + 1)) for _ in range(2))
    draw = data.draw(st.sampled_from((normal, powers(-8, 0), powers(-3, 3), sparse)))
    problem = winograd(n, channels, filters, height, width)
    assert_bounded(problem, *problem.arrays(draw))


@pytest.mark.parametrize("problem", [*WINOGRADS, winograd(4, 64, 64, 14, 14)], ids=str)
def test_for_normal_numbers_sums_of_products_nearby_tell_the_error(problem):
    inputs, dy = problem.arrays(normal)
    exact, slope = doubled(inputs), dy.astype(np.float64)
    found, truth = problem.run(inputs, dy).all(), problem.run(exact, slope, "reference").all()
    positive = {name: None if array is None else abs(array) for name, array in exact.items()}
    products = problem.run(positive, abs(slope), "reference").all()
    for name in ("y", "dx"):
        allowed = WINOGRAD_NEARBY * EPSILON["float32"] * magnitudes(products[name])
        assert_matches(found[name].astype(np.float64), truth[name], allowed, kernel=f"{name} of {problem}")


@every_problem
def test_a_thousandth_too_much_is_refused(problem):
    inputs, dy = problem.arrays(normal)
    truth, allowed = bounds(problem, inputs, dy)
    sizes = sums(problem, doubled(inputs), dy.astype(np.float64))
    for name, expected in truth.items():
        spoilt = expected.copy()
        spoilt.flat[spoilt.size // 2] += sizes[name].flat[spoilt.size // 2] / 1000
        with pytest.raises(AssertionError, match=r"1 of \d+ cells are wrong"):
            assert_matches(spoilt, expected, allowed[name])


@every_problem
@pytest.mark.parametrize("exponent", [10, 20, 30])
def test_channels_of_very_different_scale(problem, exponent):
    """Small and large channels, whose weights make up for it: no result loses digits to another channel."""
    inputs, dy = problem.arrays(normal)
    behind, groups = (1,) * (len(problem.x) - 2), problem.x[1] // problem.weight[1]
    scale = 10.0 ** np.linspace(-exponent, exponent, problem.weight[1]).reshape(1, -1, *behind)
    inputs["x"] = (inputs["x"] * np.concatenate([scale] * groups, 1)).astype(np.float32)
    inputs["weight"] = (inputs["weight"] / scale).astype(np.float32)
    assert_bounded(problem, inputs, dy)


@every_problem
@pytest.mark.parametrize("spoilt", ["x", "weight", "dy"])
@pytest.mark.parametrize("size", [1e30, 1e36, 1e38])
def test_nothing_overflows_on_the_way(problem, spoilt, size):
    """Numbers near the largest, 3.4e38, whose products stay below 1e30: sums of pixels before the product may not.

    The slopes are a little smaller, since the bias's gradient is their sum.
    """
    inputs, dy = problem.arrays(lambda generator, shape: generator.uniform(-1, 1, shape))
    arrays = inputs | {"dy": dy}
    for name, array in arrays.items():
        if array is not None and name != "bias":
            array *= np.float32((size / 100 if name == "dy" else size) if name == spoilt else 1e29 / size)
    found = assert_bounded(problem, inputs, dy, flushing=True)
    for name, array in found.items():
        assert np.isfinite(array).all(), name


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.x[1] == p.weight[1]], ids=str)
def test_sums_that_cancel(problem):
    """Every product occurs twice, once negative: the truth is 0, and the bound does not become 0."""
    (n, channels, *size), (filters, _, *kernel) = problem.x, problem.weight
    twice = replace(problem, x=(2 * n, 2 * channels, *size), weight=(2 * filters, 2 * channels, *kernel), bias=False)
    inputs, dy = problem.arrays(normal)
    x = np.concatenate([inputs["x"]] * 2, 1)
    weight = np.concatenate([inputs["weight"], -inputs["weight"]], 1)
    inputs = {"x": np.concatenate([x] * 2), "weight": np.concatenate([weight] * 2), "bias": None}
    dy = np.concatenate([np.concatenate([dy, -dy], 1), np.concatenate([-dy, dy], 1)])
    truth, _ = bounds(twice, inputs, dy)
    for name, array in truth.items():
        assert abs(array).max() < 1e-9, name
    assert_bounded(twice, inputs, dy)


@every_problem
@pytest.mark.parametrize(("low", "high"), [(-45, -36), (-38, 0), (-25, -15), (-44, 8)])
def test_numbers_too_small_for_full_precision(problem, low, high):
    assert_bounded(problem, *problem.arrays(powers(low, high)), flushing=True)


THROUGH_THE_BORDER = {("weight", "y"), ("weight", "dx"), ("dy", "dweight")}
"""(spoilt, result) between which zeros of a border may stand: 0 · ∞ is NaN, but some kernels leave the border out."""


SPOILT = [(problem, name) for problem in PROBLEMS for name in (*problem.wrt, "dy")]


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("problem", "spoilt"), SPOILT, ids=str)
def test_nan_and_infinity_go_where_they_go_in_the_reference(problem, special, spoilt):
    inputs, dy = problem.arrays(normal)
    array = (inputs | {"dy": dy})[spoilt]
    places = np.random.default_rng(5).integers(array.size, size=2)
    array.flat[places] = 1e20
    huge = problem.run(doubled(inputs), dy.astype(np.float64), "reference").all()
    array.flat[places] = special
    found, expected = (problem.run(inputs, dy, executor).all() for executor in ("fast", "reference"))
    for name, wanted in expected.items():
        where = f"{name} of {problem} by {problem.kernel_of(name)}, {special} in {spoilt}"
        kinds = [np.where(np.isfinite(result), 0, result) for result in (found[name], wanted)]
        if len(problem.x) == 4 and (spoilt, name) in THROUGH_THE_BORDER:
            is_touched = abs(huge[name]) > 1e10
            assert not np.isfinite(found[name][is_touched]).any(), where
            assert not np.isinf(found[name][~is_touched]).any(), where
            is_unsure = np.isnan(kinds[0]) | np.isnan(kinds[1])
            kinds = [np.where(is_unsure, 0, kind) for kind in kinds]
        assert_matches(*kinds, kernel=where)
