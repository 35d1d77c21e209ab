"""The window that an op tells against what its reference does: move one input pixel, see which outputs move."""

import numpy as np
import pytest
from hypothesis import given, settings

from pellucid import ops
from pellucid.types import TensorType
from tests.strategies import adaptive_pool2d_cases, conv2d_cases, conv_transpose2d_cases, pool2d_cases

drawn = settings(max_examples=100, deadline=None)


def moved_outputs(compute, height, width):
    """Return (H, W, OH, OW): whether moving input pixel (y, x) moves output cell (i, j)."""
    x = np.random.default_rng(0).uniform(1, 2, (1, 1, height, width))
    pixels = np.eye(height * width).reshape(-1, 1, height, width)  # one image for every pixel
    moved = compute(x + 100 * pixels) != compute(x)  # (H·W, 1, OH, OW)
    return moved.reshape(height, width, *moved.shape[2:])


def told_by(window, height, width):
    """Return the same, as the window tells it."""
    rows, columns = window.output_size(height, width)
    told = np.zeros((height, width, rows, columns), bool)
    for i, j in np.ndindex(rows, columns):
        for y in window.rows.inputs(i):
            for x in window.columns.inputs(j):
                if 0 <= y < height and 0 <= x < width:
                    told[y, x, i, j] = True
    return told


def check_window(op, compute, case, *other_types):
    height, width = case.shapes["x"][2:]
    window = op.window(TensorType((1, 1, height, width)), *other_types)
    moved = moved_outputs(compute, height, width)
    np.testing.assert_array_equal(told_by(window, height, width), moved)
    for i, j in np.ndindex(*moved.shape[2:]):
        y0, x0, y1, x1 = window.box(i, j, height=height, width=width)
        read = np.argwhere(moved[:, :, i, j])
        expected = (*read.min(0), *(read.max(0) + 1)) if len(read) else None
        assert (y0, x0, y1, x1) == expected or (expected is None and (y1 - y0) * (x1 - x0) == 0)


def weights(case):
    kernel = case.shapes["weight"][2:]
    return np.random.default_rng(1).uniform(1, 2, (1, 1, *kernel)), TensorType((1, 1, *kernel))


def without(settings, *names):
    return {name: value for name, value in settings.items() if name not in names}


@drawn
@given(conv2d_cases(borders=("zeros",)))
def test_convolution(case):
    op = ops.Conv2d(**without(case.settings, "groups"))
    weight, type_ = weights(case)
    check_window(op, lambda x: op.reference(x, weight, None)[0], case, type_)


@drawn
@given(conv_transpose2d_cases())
def test_transposed_convolution(case):
    op = ops.ConvTranspose2d(**without(case.settings, "groups"))
    weight, type_ = weights(case)
    check_window(op, lambda x: op.reference(x, weight, None)[0], case, type_)


@drawn
@given(pool2d_cases(dilated=True))
def test_maximum_pooling(case):
    op = ops.MaxPool2d(**case.settings)
    check_window(op, lambda x: op.reference(x)[0], case)


@drawn
@given(pool2d_cases())
def test_average_pooling(case):
    op = ops.AvgPool2d(**case.settings)
    check_window(op, lambda x: op.reference(x)[0], case)


@drawn
@given(pool2d_cases(padded=False))
def test_pooling_by_norm(case):
    op = ops.LPPool2d(2, **case.settings)
    check_window(op, lambda x: op.reference(x)[0], case)


@drawn
@given(adaptive_pool2d_cases())
def test_adaptive_pooling_has_a_window_where_the_sizes_divide(case):
    op = ops.AdaptiveAvgPool2d(**case.settings)
    sizes = zip(case.shapes["x"][2:], op.output_size, strict=True)
    if all(size % out == 0 for size, out in sizes):
        check_window(op, lambda x: op.reference(x)[0], case)
    else:
        assert op.window(TensorType(case.shapes["x"])) is None


@pytest.mark.parametrize("op", [ops.ReLU(), ops.Linear(), ops.BatchNorm(), ops.Flatten(), ops.Add(), ops.GroupNorm(1)])
def test_other_operations_slide_no_window(op):
    assert op.window(TensorType((1, 4, 8, 8))) is None
