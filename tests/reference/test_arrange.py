import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from pellucid import reference as ref
from tests.strategies import quick, shapes

small = st.integers(1, 4)


def numbered(*shape):
    """Return an array whose every cell has a number of its own."""
    return np.arange(np.prod(shape), dtype="float64").reshape(shape)


@quick
@given(small, small, small, small, small)
def test_pixel_shuffle_is_pytorchs_and_unshuffle_undoes_it(n, c, h, w, factor):
    x = numbered(n, c * factor**2, h, w)
    y = ref.pixel_shuffle(x, factor=factor)
    np.testing.assert_array_equal(y, F.pixel_shuffle(torch.from_numpy(x), factor).numpy())
    np.testing.assert_array_equal(ref.pixel_unshuffle(y, factor=factor), x)
    np.testing.assert_array_equal(ref.pixel_shuffle_backward(y, factor=factor), x)


@quick
@given(small, small, small, st.lists(small, max_size=2))
def test_channel_shuffle_is_pytorchs_and_backward_undoes_it(n, groups, per_group, rest):
    x = numbered(n, groups * per_group, *rest)
    y = ref.channel_shuffle(x, groups=groups)
    if rest:  # PyTorch asks for three axes or more
        np.testing.assert_array_equal(y, F.channel_shuffle(torch.from_numpy(x), groups).numpy())
    np.testing.assert_array_equal(ref.channel_shuffle_backward(y, groups=groups), x)


@quick
@given(shapes(), st.data())
def test_flatten_is_pytorchs(shape, data):
    first = data.draw(st.integers(0, len(shape) - 1))
    last = data.draw(st.integers(first, len(shape) - 1))
    start, end = (i - len(shape) if data.draw(st.booleans()) else i for i in (first, last))
    x = numbered(*shape)
    expected = torch.flatten(torch.from_numpy(x), start, end).numpy()
    np.testing.assert_array_equal(ref.flatten(x, start=start, end=end), expected)


def test_flatten_of_a_single_number_has_one_axis():
    assert ref.flatten(np.array(3.0), start=0, end=-1).shape == (1,)


@quick
@given(shapes(), st.randoms(use_true_random=False))
def test_transpose_is_pytorchs(shape, random):
    permutation = list(range(len(shape)))
    random.shuffle(permutation)
    x = numbered(*shape)
    expected = torch.from_numpy(x).permute(permutation).numpy()
    np.testing.assert_array_equal(ref.transpose(x, permutation), expected)


def test_reshape_keeps_reading_order():
    x = numbered(2, 3).T  # columns first in memory
    np.testing.assert_array_equal(ref.reshape(x, (6,)), [0, 3, 1, 4, 2, 5])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concatenate_is_pytorchs_and_backward_cuts_it_again(axis):
    shape = [2, 3, 4]
    pieces = []
    for size in (1, 3, 2):
        shape[axis] = size
        pieces.append(numbered(*shape))
    y = ref.concatenate(pieces, axis=axis)
    np.testing.assert_array_equal(y, torch.cat([torch.from_numpy(p) for p in pieces], axis).numpy())
    cut = ref.concatenate_backward(y, (1, 3, 2), axis=axis)
    for actual, expected in zip(cut, pieces, strict=True):
        np.testing.assert_array_equal(actual, expected)
