"""Bad settings of layers are refused when the layer is made, in one sentence naming layer, setting and value."""

import re

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid.errors import ParameterError, ShapeError
from tests.nn.pair import images

COUNTS = [0, -1, 1.5, True, "3", None, (1,), np.array([1, 2])]
PAIRS = [0, -1, 1.5, "3", None, (1,), (1, 2, 3), (True, 1), np.array([1, 1])]
NOT_NONE = [value for value in PAIRS if value is not None]

BAD = [
    (lambda v: nn.Conv2d(v, 4, 3), "in_channels", COUNTS),
    (lambda v: nn.Conv2d(3, v, 3), "out_channels", COUNTS),
    (lambda v: nn.Conv2d(3, 4, v), "kernel_size", PAIRS),
    (lambda v: nn.Conv2d(3, 4, 3, v), "stride", PAIRS),
    (lambda v: nn.Conv2d(3, 4, 3, dilation=v), "dilation", PAIRS),
    (lambda v: nn.Conv2d(3, 4, 3, padding=v), "padding", [-1, 1.5, None, (1,), (1, -1), "reflect", ((1, 2), (0, -1))]),
    (lambda v: nn.Conv2d(3, 4, 3, padding=v), "padding", [((1, 2), (3, 4), (5, 6)), ((1, 2, 3), (1, 2))]),
    (lambda v: nn.Conv2d(4, 4, 3, groups=v), "groups", [*COUNTS, 3]),
    (lambda v: nn.Conv2d(4, 6, 3, groups=v), "groups", [4]),
    (lambda v: nn.Conv2d(3, 4, 3, padding_mode=v), "padding_mode", ["mirror", None]),
    (lambda v: nn.ConvTranspose2d(3, 4, 3, padding=v), "padding", ["same", -1]),
    (lambda v: nn.ConvTranspose2d(3, 4, 3, output_padding=v), "output_padding", [-1, 0.5, (1,)]),
    (lambda v: nn.Linear(v, 4), "in_features", COUNTS),
    (lambda v: nn.Linear(4, v), "out_features", COUNTS),
    (nn.MaxPool2d, "kernel_size", PAIRS),
    (lambda v: nn.MaxPool2d(2, v), "stride", NOT_NONE),
    (lambda v: nn.MaxPool2d(2, padding=v), "padding", [-1, 2, 1.5]),
    (lambda v: nn.AvgPool2d(2, v), "stride", NOT_NONE),
    (lambda v: nn.LPPool2d(v, 2), "norm", [0, float("nan"), "2"]),
    (nn.AdaptiveAvgPool2d, "output_size", PAIRS),
    (nn.BatchNorm2d, "num_features", COUNTS),
    (lambda v: nn.BatchNorm2d(4, v), "eps", [-1, float("nan"), None]),
    (lambda v: nn.BatchNorm1d(4, momentum=v), "momentum", [2, -0.1, float("nan"), "x"]),
    (nn.LayerNorm, "normalized_shape", [0, -1, 1.5, "x"]),
    (lambda v: nn.LayerNorm(4, v), "eps", [-1, float("nan")]),
    (lambda v: nn.GroupNorm(v, 4), "num_groups", [*COUNTS, 3]),
    (lambda v: nn.GroupNorm(1, v), "num_channels", COUNTS),
    (nn.InstanceNorm2d, "num_features", COUNTS),
    (nn.LocalResponseNorm, "size", [0, 1.5]),
    (nn.Dropout, "p", [-0.1, 1.1, float("nan"), None, True]),
    (nn.Dropout2d, "p", [1.1]),
    (nn.PReLU, "num_parameters", COUNTS),
    (nn.LeakyReLU, "negative_slope", [float("nan"), "x"]),
    (nn.ELU, "alpha", [None]),
    (nn.GELU, "approximate", ["exact"]),
    (nn.PixelShuffle, "upscale_factor", COUNTS),
    (nn.PixelUnshuffle, "downscale_factor", COUNTS),
    (nn.ChannelShuffle, "groups", COUNTS),
    (nn.ZeroPad2d, "padding", [-1, 1.5, (1, 2), (1, 2, 3, -4), None]),
    (lambda v: nn.Upsample(scale_factor=v), "scale_factor", [0, -1, 1.5, float("nan"), float("inf"), "2", (1, 2, 3)]),
    (lambda v: nn.Upsample(v), "size", [0, 1.5, (1,)]),
    (lambda v: nn.Upsample(2, mode=v), "mode", ["bicubic"]),
    (lambda v: nn.Upsample(2, align_corners=v), "align_corners", [True]),
]


@pytest.mark.parametrize(("make", "name", "value"), [(make, name, v) for make, name, values in BAD for v in values])
def test_bad_settings_are_refused_at_once(make, name, value):
    with pytest.raises(ParameterError, match=rf"'{name}' parameter .*; got .+") as caught:
        make(value)
    sides = re.escape(repr(value)) if not isinstance(value, np.ndarray) else "array"
    numbers = re.escape(str(value)) if isinstance(value, int | float) else sides
    assert re.search(rf"got .*({sides}|{numbers})", str(caught.value), re.DOTALL)


def test_either_size_or_factor():
    for settings in ({}, {"size": 2, "scale_factor": 2}):
        with pytest.raises(ParameterError, match="Upsample needs either a size or a scale_factor"):
            nn.Upsample(**settings)


def test_same_padding_needs_stride_one():
    with pytest.raises(ParameterError, match=r"'same' needs stride 1; got stride \(2, 2\)"):
        nn.Conv2d(3, 4, 3, 2, "same")


NUMPY = [
    lambda i: nn.Conv2d(i(4), i(8), i(3), i(2), i(1), i(1), i(2)),
    lambda i: nn.ConvTranspose2d(i(4), i(8), i(3), i(2), i(1), i(1), i(2)),
    lambda i: nn.MaxPool2d(i(2), i(2), i(1)),
    lambda i: nn.GroupNorm(i(2), i(4)),
    lambda i: nn.InstanceNorm2d(i(4)),
    lambda i: nn.LayerNorm(i(8)),
    lambda i: nn.ZeroPad2d(i(1)),
    lambda i: nn.Upsample(scale_factor=i(2)),
    lambda i: nn.PixelShuffle(i(2)),
    lambda i: nn.ChannelShuffle(i(2)),
    lambda i: nn.Softmax(i(1)),
]


@pytest.mark.parametrize("make", NUMPY)
def test_integers_of_numpy_are_integers(make):
    x = images(2, 4, 8, 8)
    found, expected = make(np.int64).eval(), make(int).eval()
    found.load_state_dict(expected.state_dict())
    np.testing.assert_array_equal(found(x), expected(x))
    assert repr(found) == repr(expected)


def test_padding_in_every_way_of_saying_it():
    for padding, cells in (
        (1, ((1, 1), (1, 1))),
        ((1, 2), ((1, 1), (2, 2))),
        (((1, 2), (3, 4)), ((1, 2), (3, 4))),
        ("valid", ((0, 0), (0, 0))),
        ("same", ((2, 2), (1, 2))),
        ("full", ((4, 4), (3, 3))),
    ):
        assert nn.Conv2d(1, 1, (5, 4), padding=padding).op.padding == cells


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (nn.BatchNorm2d(3), (2, 3), r"BatchNorm2d needs an input of 4 axes, got shape \(2, 3\)"),
        (nn.BatchNorm1d(3), (2, 3, 4, 4), "BatchNorm1d needs an input of 2 or 3 axes"),
        (nn.BatchNorm2d(3), (2, 4, 5, 5), r"normalises 3 channels, got 4 in shape \(2, 4, 5, 5\)"),
        (nn.BatchNorm2d(3), (1, 3, 1, 1), r"more than one value per channel .* net\.eval\(\)"),
        (nn.LayerNorm((4, 5), elementwise_affine=False), (2, 5, 4), r"LayerNorm needs an input \(…, 4, 5\)"),
        (nn.InstanceNorm2d(2), (2, 4, 5, 5), r"InstanceNorm2d needs an input \(N, 2, H, W\)"),
        (nn.InstanceNorm2d(2), (2, 2, 5), r"InstanceNorm2d needs an input \(N, 2, H, W\)"),
        (nn.Upsample(scale_factor=2), (2, 4, 5), r"4 axes \(N, C, H, W\), got shape \(2, 4, 5\)"),
        (nn.MaxPool2d(6), (1, 1, 5, 7), "MaxPool2d 'maxpool2d' has a window of 6 on an input of 5"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        layer(images(*shape))


@pytest.mark.parametrize("layer", [nn.Flatten(4), nn.Flatten(1, 4), nn.Softmax(4), nn.LogSoftmax(-5)])
def test_an_axis_that_is_not_there_is_refused(layer):
    with pytest.raises(ParameterError, match="must be one of 4 axes, from -4; got"):
        layer(images())
