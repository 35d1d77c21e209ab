import numpy as np
import pytest
import torch

import pellucid as pel
import pellucid.nn as nn
import pellucid.nn.functional as ours
from pellucid.errors import ParameterError, ShapeError
from tests.nn.pair import assert_same, images

WEIGHT = images(6, 2, 3, 3, seed=1)
BIAS = images(6, seed=2)

CALLS = {
    "conv2d": lambda F, t, x: F.conv2d(x, t(WEIGHT), t(BIAS), 2, 1, 1, 2),
    "linear": lambda F, t, x: F.linear(x, t(images(3, 8)), t(images(3))),
    "relu": lambda F, t, x: F.relu(x),
    "leaky_relu": lambda F, t, x: F.leaky_relu(x, 0.3),
    "prelu": lambda F, t, x: F.prelu(x, t(images(4))),
    "relu6": lambda F, t, x: F.relu6(x),
    "elu": lambda F, t, x: F.elu(x, 0.5),
    "sigmoid": lambda F, t, x: F.sigmoid(x),
    "tanh": lambda F, t, x: F.tanh(x),
    "silu": lambda F, t, x: F.silu(x),
    "gelu": lambda F, t, x: F.gelu(x, approximate="tanh"),
    "hardswish": lambda F, t, x: F.hardswish(x),
    "hardsigmoid": lambda F, t, x: F.hardsigmoid(x),
    "softmax": lambda F, t, x: F.softmax(x, -1),
    "log_softmax": lambda F, t, x: F.log_softmax(x, dim=1),
    "max_pool2d": lambda F, t, x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "avg_pool2d": lambda F, t, x: F.avg_pool2d(x, 3, 2, 1, True, False),
    "lp_pool2d": lambda F, t, x: F.lp_pool2d(x * x, 2.0, 2),
    "adaptive_avg_pool2d": lambda F, t, x: F.adaptive_avg_pool2d(x, (3, 5)),
    "pad": lambda F, t, x: F.pad(x, (1, 2, 0, 3), "reflect"),
    "pad one axis": lambda F, t, x: F.pad(x, (1, 2), value=2.5),
    "interpolate": lambda F, t, x: F.interpolate(x, (5, 9), mode="bilinear", align_corners=True),
    "interpolate by a factor": lambda F, t, x: F.interpolate(x, scale_factor=2),
    "pixel_shuffle": lambda F, t, x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda F, t, x: F.pixel_unshuffle(x, 2),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions_are_pytorchs_on_arrays_and_on_symbols(name):
    call = CALLS[name]

    class Net(nn.Module):
        def forward(self, x):
            return call(ours, lambda array: array, x)

    x = images(2, 4, 8, 8)
    expected = call(torch.nn.functional, torch.from_numpy, torch.from_numpy(x))
    assert_same(np.asarray(call(ours, lambda array: array, x)), expected)
    assert_same(Net()(x), expected)


def test_cat_flatten_and_channel_shuffle():
    x = images(2, 4, 3, 3)
    np.testing.assert_array_equal(ours.cat([x, x], -1), np.concatenate([x, x], 3))
    np.testing.assert_array_equal(ours.flatten(x, 1, -2), x.reshape(2, 12, 3))
    np.testing.assert_array_equal(ours.channel_shuffle(x, 2), x[:, [0, 2, 1, 3]])


def test_maxima_with_their_places():
    x = images(1, 2, 4, 4)
    y, indices = ours.max_pool2d_with_indices(x, 2)
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(1, 2, 16), indices.reshape(1, 2, 4), 2).ravel(), y.ravel()
    )


def test_dropout_of_arrays():
    x = np.ones((50, 200), "float32")
    assert 0.4 < (ours.dropout(x) == 0).mean() < 0.6
    np.testing.assert_array_equal(ours.dropout(x, training=False), x)
    maps = ours.dropout2d(np.ones((50, 20, 2, 2), "float32"), 0.5)
    assert set(np.unique(maps.sum((2, 3)))) == {0, 8}


class TestConvolutionAlone:
    """``pel.conv2d``: the operation by itself, on one image or many."""

    IMAGE, KERNEL = images(5, 6), images(3, 3, seed=1)

    def expected(self):
        return torch.nn.functional.conv2d(*(torch.from_numpy(a)[None, None] for a in (self.IMAGE, self.KERNEL)))

    @pytest.mark.parametrize("axes", [2, 3, 4])
    @pytest.mark.parametrize("kernel_axes", [2, 3, 4])
    def test_as_few_axes_come_out_as_go_in(self, axes, kernel_axes):
        image = self.IMAGE[(None,) * (axes - 2)]
        kernel = self.KERNEL[(None,) * (kernel_axes - 2)]
        y = pel.conv2d(image, kernel)
        assert y.shape == (1, 1, 3, 4)[4 - axes :]
        np.testing.assert_allclose(y.reshape(3, 4), self.expected()[0, 0].numpy(), rtol=1e-5)

    def test_several_kernels_on_a_plane(self):
        assert pel.conv2d(self.IMAGE, np.stack([self.KERNEL] * 2)[:, None]).shape == (2, 3, 4)

    def test_lists_are_arrays_and_whole_numbers_are_refused(self):
        assert pel.conv2d([[1.0, 2.0, 4.0]], [[1.0, -1.0]]).tolist() == [[-1.0, -2.0]]
        with pytest.raises(
            ShapeError, match=r"Conv2d needs float32 or float64 values, got int64; convert with \.astype"
        ):
            pel.conv2d([[1, 2, 4]], [[1, -1]])

    def test_flipped_it_is_the_convolution_of_mathematics(self):
        x, k = np.array([[1.0, 2.0, 4.0, 8.0]]), np.array([[1.0, 3.0]])
        np.testing.assert_array_equal(pel.conv2d(x, k, padding=((0, 0), (1, 1)), flip=True)[0], np.convolve(x[0], k[0]))

    def test_named_padding_and_borders(self):
        assert pel.conv2d(self.IMAGE, self.KERNEL, padding="same", border="reflect").shape == (5, 6)
        assert pel.conv2d(self.IMAGE, self.KERNEL, padding="full").shape == (7, 8)

    @pytest.mark.parametrize("shape", [(5,), (1, 1, 1, 5, 5)])
    def test_images_of_other_ranks_are_refused(self, shape):
        with pytest.raises(ShapeError, match=r"conv2d needs images of 2 to 4 axes, got shape"):
            pel.conv2d(images(*shape), self.KERNEL)
        with pytest.raises(ShapeError, match=r"conv2d needs kernels of 2 to 4 axes, got shape"):
            pel.conv2d(self.IMAGE, images(*shape))

    def test_errors_name_the_operation(self):
        with pytest.raises(ShapeError, match=r"^Conv2d needs 3 channels on axis 1"):
            pel.conv2d(self.IMAGE, images(2, 3, 3, 3))
        with pytest.raises(
            ParameterError,
            match="'stride' parameter of conv2d must be an integer of at least 1 or a pair of them; got 0",
        ):
            pel.conv2d(self.IMAGE, self.KERNEL, stride=0)


def test_odd_padding_is_refused():
    with pytest.raises(ParameterError, match=r"'pad' parameter of pad must hold \(before, after\) for each axis"):
        ours.pad(images(), (1, 2, 3))
