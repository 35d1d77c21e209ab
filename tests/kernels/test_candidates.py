"""Every fast kernel against the reference; which one runs, and why others do not."""

from dataclasses import dataclass

import numpy as np
import pytest

from pellucid import ops
from pellucid.graph import Plan
from pellucid.kernels.host import host
from pellucid.types import TensorType
from tests.comparison import EPSILON, assert_matches
from tests.ops.running import build, run

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Shape:
    """An op, the shapes of its inputs, and the kernels expected for it and its gradients, by node name."""

    op: ops.Op
    shapes: dict[str, tuple[int, ...]]
    kernels: dict[str, str]

    @property
    def exact(self):
        """Whether whole numbers stay whole: F(4×4, 3×3) multiplies by sixths, which no binary fraction is."""
        return not any("winograd" in kernel for kernel in self.kernels.values())

    def __str__(self):
        return f"{self.op} on {self.shapes['x']}"

    def arrays(self, dtype, whole=False):
        generator = np.random.default_rng(7)
        if whole:
            return {name: generator.integers(-3, 4, shape).astype(dtype) for name, shape in self.shapes.items()}
        return {name: generator.standard_normal(shape).astype(dtype) for name, shape in self.shapes.items()}


def conv(op, x, weight, forward="", data="gather", weights=""):
    is_first_layer = x[1] < host().width // 2 and op.dilation[1] == 1
    forward = forward or ("rows" if is_first_layer else "gather")
    kernels = {
        "op": f"conv2d_{forward}",
        "d.op.x": f"conv2d_backward_data_{data}",
        "d.op.weight.bias": f"conv2d_backward_weight{weights}",
    }
    return Shape(op, {"x": x, "weight": weight, "bias": weight[:1]}, kernels)


def pool(kernel, x, forward="max_pool2d", backward="max_pool2d", **settings):
    kernels = {"op": forward, "d.op.x": f"{backward}_backward"}
    return Shape(ops.MaxPool2d(kernel, kernel, **settings), {"x": x}, kernels)


PADDED = ((1, 1), (1, 1))
SHAPES = [
    conv(ops.Conv2d(padding=PADDED), (2, 3, 8, 8), (4, 3, 3, 3)),
    conv(ops.Conv2d(), (1, 1, 1, 1), (1, 1, 1, 1)),
    conv(ops.Conv2d(), (3, 5, 7, 6), (2, 5, 7, 6)),  # the kernel as large as the image
    conv(ops.Conv2d(padding=((3, 0), (0, 2))), (2, 2, 5, 6), (3, 2, 2, 3)),  # padding wider than the kernel reaches
    conv(ops.Conv2d(padding=((4, 4), (5, 3)), flip=True), (2, 2, 3, 3), (3, 2, 3, 2)),
    conv(ops.Conv2d(dilation=(2, 3)), (2, 2, 9, 9), (3, 2, 3, 2)),
    conv(ops.Conv2d((2, 1), PADDED), (2, 3, 8, 7), (4, 3, 3, 3)),
    conv(ops.Conv2d((5, 4)), (2, 3, 8, 9), (4, 3, 2, 3)),  # a stride beyond the kernel
    conv(ops.Conv2d(padding=PADDED), (9, 16, 28, 28), (8, 16, 3, 3)),
    conv(ops.Conv2d(padding=PADDED), (3, 16, 9, 14), (17, 16, 3, 3), *["k3s1_winograd4"] * 2, "_k3s1_winograd4"),
    pool((2, 2), (2, 3, 8, 6), "max_pool2d_k2s2", "max_pool2d_k2s2"),
    pool((2, 2), (2, 3, 9, 7), "max_pool2d_k2s2"),  # a row and a column that no window sees
    pool((3, 2), (1, 1, 3, 2)),
    pool((1, 1), (2, 2, 3, 3)),
    pool((3, 3), (2, 2, 9, 6), ceil_mode=True),
    Shape(ops.ReLU(), {"x": (2, 3, 4)}, {"op": "relu", "d.op.x": "relu_backward"}),
    Shape(ops.ReLU(), {"x": ()}, {"op": "relu", "d.op.x": "relu_backward"}),
]


def both(shape, arrays, dy):
    wrt = list(shape.shapes)
    return [run(shape.op, arrays, dy, wrt, executor=executor) for executor in ("fast", "reference")]


def slope(shape, arrays, whole=False):
    y = shape.op.reference(*arrays.values())[0]
    numbers = np.random.default_rng(8)
    drawn = numbers.integers(-3, 4, y.shape) if whole else numbers.standard_normal(y.shape)
    return np.asarray(drawn).astype(y.dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_expected_kernel_runs(shape):
    arrays = shape.arrays("float32")
    fast, reference = both(shape, arrays, slope(shape, arrays))
    assert {name: fast.kernels[name] for name in shape.kernels} == shape.kernels
    assert set(reference.kernels.values()) == {"reference"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_small_whole_numbers_come_out_exactly(shape, dtype):
    arrays = shape.arrays(dtype, whole=True)
    fast, reference = both(shape, arrays, slope(shape, arrays, whole=True))
    for name, expected in reference.all().items():
        found = fast.all()[name]
        assert_matches(found, expected, 0 if shape.exact else 0.01, kernel=f"{shape} {name}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_real_numbers_come_out_within_the_rounding_of_a_sum(shape, dtype):
    """Two orders of a sum of n products differ by n · epsilon · Σ |products|; here products of size below 4 · 4."""
    arrays = shape.arrays(dtype)
    dy = slope(shape, arrays)
    terms = max(array.size for array in (*arrays.values(), dy))
    fast, reference = both(shape, arrays, dy)
    for name, expected in reference.all().items():
        bound = EPSILON[dtype] * terms * 16 * np.sqrt(terms)
        assert_matches(fast.all()[name], expected, bound, kernel=f"{shape} {name}")


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nan_and_infinity_go_where_they_go_in_the_reference(shape, special):
    for spoilt in ("dy", *shape.shapes):
        arrays = shape.arrays("float32", whole=True)
        dy = slope(shape, arrays, whole=True)
        array = dy if spoilt == "dy" else arrays[spoilt]
        np.copyto(array, special, where=np.random.default_rng(9).random(array.shape) < 0.2)
        fast, reference = both(shape, arrays, dy)
        for name, expected in reference.all().items():
            found = fast.all()[name]
            if (spoilt, name) == ("weight", "dx"):
                # as a convolution this gradient also meets zeros of padding, and 0 · ∞ is NaN
                found, expected = (np.where(np.isfinite(expected), 0, np.isfinite(a)) for a in (found, expected))
            if (spoilt, name) == ("dy", "dweight"):
                # and in this one a kernel may leave out the zeros of the border
                found, expected = (np.where(np.isnan(expected), 0, a) for a in (found, expected))
            assert_matches(found, expected, 0 if shape.exact else 0.01, kernel=f"{shape} {name}, {special} in {spoilt}")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_layout_in_memory_does_not_matter(shape):
    arrays = shape.arrays("float32", whole=True)
    dy = slope(shape, arrays, whole=True)
    expected, _ = both(shape, arrays, dy)
    strided = {name: _strided(array) for name, array in arrays.items()}
    found, _ = both(shape, strided, _strided(dy))
    for name, array in expected.all().items():
        assert_matches(found.all()[name], array, kernel=f"{shape} {name}")


def _strided(array):
    """Lay an array out with its last axis first, backwards, and with gaps."""
    if not array.ndim:
        return array
    laid = np.repeat(np.flip(np.moveaxis(array, -1, 0)).copy(), 2, axis=0)[::2]
    strided = np.moveaxis(np.flip(laid), 0, -1)
    np.testing.assert_array_equal(strided, array)
    return strided


def test_ties_and_several_nan_are_decided_as_in_the_reference():
    x = np.zeros((1, 1, 4, 4), "float32")
    x[0, 0, :2, 2:] = np.nan
    x[0, 0, 2, 0] = x[0, 0, 3, 1] = np.inf
    x[0, 0, 2:, 2:] = -np.inf
    shape = pool((2, 2), x.shape)
    fast, reference = both(shape, {"x": x}, np.ones((1, 1, 2, 2), "float32"))
    for name, expected in reference.all().items():
        assert_matches(fast.all()[name], expected, kernel=name)
    assert fast.results["indices"].ravel().tolist() == [0, 7, 8, 10]


def rejections(op, *shapes):
    return dict(ops.choose(op, tuple(TensorType(shape) for shape in shapes)).rejected)


@pytest.mark.parametrize(
    ("op", "shapes", "kernel", "reason"),
    [
        (ops.Conv2d(groups=2), [(1, 64, 5, 5), (32, 32, 3, 3)], "conv2d_k3s1_winograd4", "2 groups: multiplies all"),
        (ops.Conv2d(border="reflect"), [(1, 4, 5, 5), (2, 4, 3, 3)], "conv2d_im2col", "border 'reflect'"),
        (ops.MaxPool2d((2, 2), (1, 1)), [(1, 1, 4, 4)], "max_pool2d_k2s2", "stride (1, 1)"),
        (ops.MaxPool2d((2, 2), (2, 2), PADDED), [(1, 1, 4, 4)], "max_pool2d_k2s2", "padding"),
        (ops.MaxPool2d((2, 2), (2, 2), dilation=(2, 1)), [(1, 1, 4, 4)], "max_pool2d_k2s2", "dilation (2, 1)"),
        (ops.MaxPool2d((2, 2), (2, 2), ceil_mode=True), [(1, 1, 5, 4)], "max_pool2d_k2s2", "over the end"),
    ],
)
def test_a_kernel_says_why_it_rejects(op, shapes, kernel, reason):
    reasons = rejections(op, *shapes)
    assert reason in reasons[kernel]
    types = tuple(TensorType(shape) for shape in shapes)
    assert kernel != ops.choose(op, types).name


def test_a_gradient_that_is_no_convolution_goes_to_the_reference():
    types = TensorType((1, 4, 5, 5), "float64"), TensorType((2, 4, 3, 3), "float64"), None
    reasons = dict(ops.choose(ops.Backward(ops.Conv2d((2, 1)), ("x",), types), types).rejected)
    assert "stride (2, 1)" in reasons["conv2d_backward_data_im2col"]


def test_the_plan_keeps_who_was_chosen_and_who_rejected():
    x, weight = np.zeros((1, 2, 4, 4)), np.zeros((2, 1, 3, 3))
    graph, _ = build(ops.Conv2d(groups=2), {"x": x, "weight": weight, "bias": None})
    (step,) = Plan(graph, "fast").steps
    assert step.choice.name == "reference"
    assert [name for name, _ in step.choice.rejected][-1] == "conv2d_im2col"
    assert dict(step.choice.rejected)["conv2d_im2col"] == "2 groups: one matrix product needs a single group"
    (step,) = Plan(graph, "reference").steps
    assert step.choice.rejected == ()
