"""Sizes and windows, against enumeration and against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import ParameterError, ShapeError
from pellucid.geometry import Axis, TransposedAxis, Window, named_padding
from tests.strategies import conv2d_cases

axes = st.builds(
    Axis,
    kernel=st.integers(1, 5),
    stride=st.integers(1, 6),
    before=st.integers(0, 4),
    after=st.integers(0, 4),
    dilation=st.integers(1, 3),
)


@given(axes, st.integers(1, 20))
def test_the_output_size_is_the_number_of_windows_that_fit(axis, size):
    starts = range(-axis.before, size + axis.after - axis.extent + 1, axis.stride)
    if len(starts):
        assert axis.output_size(size) == len(starts)
    else:
        with pytest.raises(ShapeError, match="does not fit; use a smaller kernel"):
            axis.output_size(size)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(1, 12), st.data())
def test_ceil_mode_is_pytorchs(kernel, stride, dilation, size, data):
    padding = data.draw(st.integers(0, kernel // 2))
    axis = Axis(kernel, stride, padding, padding, dilation, ceil_mode=True)
    if size + 2 * padding < axis.extent:
        with pytest.raises(ShapeError):
            axis.output_size(size)
        return
    y = F.max_pool1d(torch.zeros(1, 1, size), kernel, stride, padding, dilation, ceil_mode=True)
    assert axis.output_size(size) == y.shape[2]


@given(axes, st.integers(1, 20))
def test_uncovered_are_the_cells_after_the_last_window(axis, size):
    if size + axis.before + axis.after < axis.extent:
        return
    last = max(cell for out in range(axis.output_size(size)) for cell in axis.inputs(out))
    beyond = [cell for cell in range(size) if cell > last]
    assert axis.uncovered(size) == len(beyond)


def test_two_columns_of_eight_are_never_seen():
    assert Axis(kernel=3, stride=3).uncovered(8) == 2
    assert Axis(kernel=3, stride=2).uncovered(7) == 0


@given(
    st.builds(
        TransposedAxis,
        kernel=st.integers(1, 4),
        stride=st.integers(1, 4),
        before=st.integers(0, 3),
        after=st.integers(0, 3),
        dilation=st.integers(1, 3),
        output_padding=st.integers(0, 2),
    ),
    st.integers(1, 6),
)
def test_the_transposed_window_is_where_the_stamps_fall(axis, size):
    stamps = {}  # output cell → [(input cell, tap)]
    for cell in range(size):
        for tap in range(axis.kernel):
            stamps.setdefault(cell * axis.stride + tap * axis.dilation - axis.before, []).append((cell, tap))
    length = (size - 1) * axis.stride + axis.extent - axis.before - axis.after + axis.output_padding
    if length < 1:
        with pytest.raises(ShapeError, match="nothing is left; use less padding"):
            axis.output_size(size)
        return
    assert axis.output_size(size) == length
    for cell in range(length):
        real = [(source, tap) for source, tap in axis.taps(cell) if 0 <= source < size]
        assert sorted(real) == sorted(stamps.get(cell, []))


@given(conv2d_cases(borders=("zeros",)))
def test_the_taps_are_the_products_of_a_convolution(case):
    settings = case.settings
    x, weight = case.array("x")[0, 0], case.array("weight")[0, 0]
    window = Window.of(weight.shape, settings["stride"], settings["padding"], settings["dilation"])
    rows, columns = window.output_size(*x.shape)
    y = np.zeros((rows, columns))
    for i, j in np.ndindex(rows, columns):
        for row, ky in window.rows.taps(i):
            for column, kx in window.columns.taps(j):
                if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
                    y[i, j] += x[row, column] * weight[ky, kx]
    (top, bottom), (left, right) = settings["padding"]
    padded = F.pad(torch.from_numpy(x)[None, None], (left, right, top, bottom))
    expected = F.conv2d(
        padded, torch.from_numpy(weight)[None, None], stride=settings["stride"], dilation=settings["dilation"]
    )
    np.testing.assert_allclose(y, expected[0, 0].numpy(), atol=1e-12)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (4, 5)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3)])
def test_same_padding_is_pytorchs(kernel, dilation):
    x, weight = torch.randn(1, 1, 9, 11), torch.randn(1, 1, *kernel)
    (top, bottom), (left, right) = named_padding("same", kernel, (1, 1), dilation)
    padded = F.pad(x, (left, right, top, bottom))
    same = F.conv2d(x, weight, padding="same", dilation=dilation)
    torch.testing.assert_close(F.conv2d(padded, weight, dilation=dilation), same)
    assert Window.of(kernel, (1, 1), ((top, bottom), (left, right)), dilation).output_size(9, 11) == (9, 11)


def test_full_padding_lets_every_touching_window_count():
    padding = named_padding("full", (3, 2), (1, 1), (2, 1))
    assert padding == ((4, 4), (1, 1))
    assert Window.of((3, 2), (1, 1), padding, (2, 1)).output_size(5, 5) == (9, 6)
    assert named_padding("valid", (3, 2), (1, 1), (2, 1)) == ((0, 0), (0, 0))


def test_bad_names_of_padding_say_what_is_allowed():
    with pytest.raises(ParameterError, match=r"'padding' parameter must be .*'valid', 'same' or 'full'; got 'zero'"):
        named_padding("zero", (3, 3), (1, 1), (1, 1))
    with pytest.raises(ParameterError, match=r"'same' needs stride 1; got stride \(2, 1\)"):
        named_padding("same", (3, 3), (2, 1), (1, 1))
