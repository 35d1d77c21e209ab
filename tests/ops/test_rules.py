"""Every rule of every setting and shape: what breaks it is refused, in a sentence naming object, rule and value."""

import re

import pytest

from pellucid import ops
from pellucid.errors import ParameterError, ShapeError
from pellucid.types import TensorType

PAIRS = (0, -1, (1,), (1, 1, 1), (1.0, 1), (True, 1), "11", None)
POSITIVE_PAIRS = [*PAIRS, (0, 1), (1, -1)]
PADDINGS = [0, (1, 1), ((1, 1),), ((-1, 0), (0, 0)), ((0, 0), (0, 1.5)), ((0, 0), (0, False)), None]
COUNTS = [0, -1, 1.0, True, "1", None, (1,)]
INDICES = [-1, 1.0, True, "1", None]
NUMBERS = [float("nan"), "1", None, True, 10**400]
FLAGS = [0, 1, None, "True"]

SETTINGS = [
    *[
        (lambda v, op=op, name=name: op(**{name: v}), name, values)
        for op in (ops.Conv2d, ops.ConvTranspose2d)
        for name, values in (
            ("stride", POSITIVE_PAIRS),
            ("dilation", POSITIVE_PAIRS),
            ("padding", PADDINGS),
            ("groups", COUNTS),
        )
    ],
    (lambda v: ops.Conv2d(border=v), "border", ["mirror", "", None, 0]),
    (lambda v: ops.Conv2d(flip=v), "flip", FLAGS),
    (lambda v: ops.ConvTranspose2d(output_padding=v), "output_padding", [(-1, 0), 0, (0, 0.5)]),
    (lambda v: ops.MaxPool2d(v, (1, 1)), "kernel", POSITIVE_PAIRS),
    (lambda v: ops.MaxPool2d((2, 2), v), "stride", POSITIVE_PAIRS),
    (lambda v: ops.MaxPool2d((2, 2), (2, 2), v), "padding", [*PADDINGS, ((2, 0), (0, 0)), ((0, 0), (0, 2))]),
    (lambda v: ops.MaxPool2d((2, 2), (2, 2), dilation=v), "dilation", POSITIVE_PAIRS),
    (lambda v: ops.MaxPool2d((2, 2), (2, 2), ceil_mode=v), "ceil_mode", FLAGS),
    (lambda v: ops.AvgPool2d((3, 3), (2, 2), v), "padding", [*PADDINGS, ((2, 0), (0, 0))]),
    (lambda v: ops.AvgPool2d((3, 3), (2, 2), count_include_pad=v), "count_include_pad", FLAGS),
    (lambda v: ops.LPPool2d(v, (2, 2), (2, 2)), "norm", [*NUMBERS, 0.5, -1]),
    (ops.AdaptiveAvgPool2d, "output_size", POSITIVE_PAIRS),
    (ops.LeakyReLU, "negative_slope", NUMBERS),
    (ops.ELU, "alpha", NUMBERS),
    (ops.GELU, "approximate", ["exact", None, True]),
    (ops.Softmax, "axis", INDICES),
    (ops.LogSoftmax, "axis", INDICES),
    (ops.BatchNorm, "eps", [*NUMBERS, -1e-5]),
    (lambda v: ops.BatchNorm(momentum=v), "momentum", [float("nan"), "1", True, -0.1, 1.1]),
    (lambda v: ops.BatchNorm(training=v), "training", FLAGS),
    (ops.RunningAverage, "momentum", [float("nan"), "1", True, -0.1, 1.1]),
    (lambda v: ops.RunningAverage(scale=v), "scale", [*NUMBERS, 0.5]),
    (ops.LayerNorm, "axes", COUNTS),
    (lambda v: ops.LayerNorm(1, v), "eps", [*NUMBERS, -1]),
    (ops.GroupNorm, "groups", COUNTS),
    (ops.LocalResponseNorm, "size", COUNTS),
    *[(lambda v, n=n: ops.LocalResponseNorm(3, **{n: v}), n, NUMBERS) for n in ("alpha", "beta", "k")],
    (ops.Dropout, "p", [*NUMBERS, -0.1, 1.5]),
    (lambda v: ops.Dropout(salt=v), "salt", INDICES),
    (lambda v: ops.Dropout(per_channel=v), "per_channel", FLAGS),
    (ops.Pad, "padding", [1, ((0, 0), 1), ((0, -1),), ((0, 0, 0),)]),
    (lambda v: ops.Pad(((0, 0),), v), "mode", ["constant", None]),
    (lambda v: ops.Pad(((0, 0),), value=v), "value", NUMBERS),
    (lambda v: ops.Pad(((0, 0),), "reflect", v), "value", [1.5]),
    (ops.Reshape, "shape", [3, (-2,), (1.0,), "ab"]),
    (ops.Flatten, "start", INDICES),
    (lambda v: ops.Flatten(0, v), "end", [-2, 1.5, None]),
    (ops.Transpose, "permutation", [1, (-1, 0), ("a",)]),
    *[
        (lambda v, n=n: ops.Slice(**({"axis": 0, "start": 0, "stop": 1} | {n: v})), n, INDICES)
        for n in ("axis", "stop")
    ],
    (ops.Concatenate, "axis", INDICES),
    *[(op, "factor", COUNTS) for op in (ops.PixelShuffle, ops.PixelUnshuffle)],
    (ops.ChannelShuffle, "groups", COUNTS),
    *[(op, "axes", [0, (-1,), (1.0,), None]) for op in (ops.Sum, ops.Mean)],
    *[(lambda v, op=op: op((0,), v), "keepdims", FLAGS) for op in (ops.Sum, ops.Mean)],
    (ops.Expand, "shape", [3, (-1,), (1.0,)]),
    (ops.Resize, "size", POSITIVE_PAIRS),
    (lambda v: ops.Resize((2, 2), v), "mode", ["bicubic", None]),
    (lambda v: ops.Resize((2, 2), "bilinear", v), "align_corners", FLAGS),
    (lambda v: ops.Resize((2, 2), "nearest", v), "align_corners", [True]),
    (ops.CrossEntropy, "label_smoothing", [*NUMBERS, -0.1, 1.1]),
    *[
        (lambda v, op=op: op(reduction=v), "reduction", ["average", None, True])
        for op in (ops.CrossEntropy, ops.MSE, ops.BinaryCrossEntropy, ops.BinaryCrossEntropyWithLogits)
    ],
]


@pytest.mark.parametrize(
    ("make", "name", "value"), [(make, name, value) for make, name, values in SETTINGS for value in values]
)
def test_settings_that_break_their_rule_are_refused(make, name, value):
    shown = re.escape(repr(value)) if value != "" else "''"
    with pytest.raises(ParameterError, match=rf"^The '{name}' parameter of \w+ must be .+; got {shown}\.$"):
        make(value)


def t(*shape, dtype="float32"):
    return TensorType(shape, dtype)


IMAGE, WEIGHT = t(2, 3, 8, 8), t(4, 3, 3, 3)

SHAPES = [
    (ops.Conv2d(), (t(3, 8, 8), WEIGHT, None), r"needs an input of 4 axes \(N, C, H, W\), got shape \(3, 8, 8\)"),
    (
        ops.Conv2d(),
        (t(2, 8, 8, 3), WEIGHT, None),
        r"needs 3 channels on axis 1, got shape \(2, 8, 8, 3\); channels last\? x\.transpose\(0, 3, 1, 2\)",
    ),
    (ops.Conv2d(), (t(2, 4, 8, 8), WEIGHT, None), r"needs 3 channels on axis 1, got shape \(2, 4, 8, 8\)\.$"),
    (ops.Conv2d(), (t(2, 3, 8, 8, dtype="uint8"), WEIGHT, None), r"got uint8; convert with \.astype\('float32'\)"),
    (ops.Conv2d(), (IMAGE, t(4, 3, 3, 3, dtype="float64"), None), r"in float32, .* got float64\(4, 3, 3, 3\)"),
    (ops.Conv2d(), (IMAGE, t(4, 3, 0, 3), None), "none of them 0"),
    (ops.Conv2d(), (IMAGE, t(4, 3, 3), None), "weight of 4 axes"),
    (ops.Conv2d(), (IMAGE, WEIGHT, t(3)), r"needs its bias to be float32\(4,\), got float32\(3,\)"),
    (ops.Conv2d(), (IMAGE, WEIGHT, t(4, dtype="float64")), r"bias to be float32\(4,\), got float64"),
    (ops.Conv2d(groups=3), (IMAGE, t(4, 1, 3, 3), None), "4 filters, which 3 groups do not divide"),
    (ops.Conv2d(), (IMAGE, t(4, 3, 9, 3), None), r"window of 9 on an input of 8 padded to 8: it does not fit"),
    (ops.Conv2d(dilation=(1, 4)), (IMAGE, WEIGHT, None), "window of 9 on an input of 8"),
    (ops.Conv2d(border="reflect", padding=((8, 0), (0, 0))), (IMAGE, WEIGHT, None), "pads 8 cells .* at most 7"),
    (ops.Conv2d(border="circular", padding=((0, 0), (0, 9))), (IMAGE, WEIGHT, None), "pads 9 cells .* at most 8"),
    (ops.ConvTranspose2d(), (IMAGE, WEIGHT, None), "needs 4 channels on axis 1"),
    (ops.ConvTranspose2d(groups=2), (IMAGE, t(3, 1, 3, 3), None), "3 input channels, which 2 groups do not divide"),
    (ops.ConvTranspose2d(output_padding=(0, 1)), (IMAGE, t(3, 1, 3, 3), None), "output_padding of 1, .* smaller"),
    (ops.ConvTranspose2d(padding=((5, 5), (0, 0))), (IMAGE, t(3, 1, 3, 3), None), "nothing is left; use less padding"),
    (ops.MaxPool2d((9, 2), (2, 2)), (IMAGE,), "window of 9 on an input of 8"),
    (ops.AvgPool2d((2, 2), (2, 2)), (t(8, 8),), "needs an input of 4 axes"),
    (ops.LPPool2d(2, (2, 2), (2, 2)), (t(1, 1, 4, 4, dtype="int64"),), "needs float32 or float64"),
    (ops.AdaptiveAvgPool2d((1, 1)), (t(1, 1, 0, 4),), "cannot average an empty plane"),
    (ops.Linear(), (t(2, 5), t(3, 4), None), r"needs 4 features on the last axis, got shape \(2, 5\)\.$"),
    (ops.Linear(), (t(2, 5, 1, 1), t(3, 4), None), "Flatten the maps first"),
    (ops.Linear(), (t(2, 4), t(4), None), "needs a weight of 2 axes"),
    (ops.Linear(), (t(2, 4), t(3, 4), t(4)), r"needs its bias to be float32\(3,\)"),
    (ops.PReLU(), (IMAGE, t(2)), "needs 1 slope or one for each of 3 channels"),
    (ops.Softmax(2), (t(2, 3),), r"works on axis 2, which shape \(2, 3\) does not have"),
    (ops.BatchNorm(), (IMAGE, None, None, None, None), "needs a running mean and variance outside of training"),
    (ops.BatchNorm(training=True), (t(1, 3), *[None] * 4), r"more than one value per channel.*use a larger batch"),
    (ops.BatchNorm(training=True), (t(3), *[None] * 4), "of 2 to 5 axes"),
    (ops.BatchNorm(training=True), (IMAGE, t(4), *[None] * 3), "normalises 4 channels, got 3 in shape"),
    (ops.RunningAverage(), (t(3), t(4), t(dtype="int64")), "needs two arrays alike"),
    (ops.LayerNorm(3), (t(2, 3), None, None), "normalises 3 axes, more than shape"),
    (ops.LayerNorm(1), (t(2, 3), t(2), None), r"needs its weight to be float32\(3,\)"),
    (ops.GroupNorm(2), (IMAGE, None, None), "channels on axis 1 that 2 groups divide"),
    (ops.LocalResponseNorm(3), (t(2, 3),), "at least 3 axes"),
    (ops.Dropout(training=True), (IMAGE, None), r"needs a key uint64\(2,\)"),
    (ops.Dropout(per_channel=True), (t(2, 3), None), "at least 3 axes"),
    (ops.Pad(((0, 0),)), (IMAGE,), "one \\(before, after\\) per axis"),
    (ops.Pad(((0, 3),), "reflect"), (t(3),), "pads 3 cells in mode 'reflect'.* at most 2; use less padding"),
    (ops.Pad(((0, 1),), "replicate"), (t(0),), "cannot pad an empty axis"),
    (ops.Reshape((5, -1)), (IMAGE,), r"cannot give 384 values of shape \(2, 3, 8, 8\) the shape \(5, -1\)"),
    (ops.Reshape((-1, -1)), (IMAGE,), "cannot give 384 values"),
    (ops.Flatten(2, 1), (IMAGE,), "merges the axes 2 to 1"),
    (ops.Transpose((0, 1)), (IMAGE,), "does not name each axis"),
    (ops.Slice(1, 2, 4), (IMAGE,), "takes 2:4 of axis 1"),
    (ops.Concatenate(0), (t(2, 3), t(2, 4)), "alike but for axis 0"),
    (ops.Concatenate(1), (t(2, 3), t(2, 4, dtype="float64")), "alike but for axis 1"),
    (ops.Concatenate(1), (), "at least one input"),
    (ops.PixelShuffle(2), (IMAGE,), "factor² = 4 divides"),
    (ops.PixelUnshuffle(3), (IMAGE,), "rows and columns that 3 divides"),
    (ops.ChannelShuffle(2), (IMAGE,), "2 groups divide"),
    (ops.Add(), (t(2, 3), t(2)), r"cannot broadcast the shapes \(2, 3\) and \(2,\)"),
    (ops.Multiply(), (t(2), t(2, dtype="float64")), "needs inputs of one dtype"),
    (ops.Sum((4,)), (IMAGE,), "does not have"),
    (ops.Mean((0, 0)), (IMAGE,), "or which repeat"),
    (ops.Mean((0,)), (t(2, dtype="int64"),), "needs float32 or float64"),
    (ops.Expand((2, 3)), (t(2),), "cannot broadcast|cannot repeat"),
    (ops.Expand((1, 3)), (t(2, 3),), r"cannot repeat shape \(2, 3\) to \(1, 3\)"),
    (ops.Resize((2, 2)), (t(1, 1, 0, 3),), "cannot resize an empty plane"),
    (ops.CrossEntropy(), (t(2, 3), t(3, dtype="int64"), None), r"integer labels of shape \(2,\)"),
    (ops.CrossEntropy(), (t(2, 3), t(2), None), "integer labels of shape"),
    (ops.CrossEntropy(), (t(2), t(2, dtype="int64"), None), r"needs logits \(N, K, …\)"),
    (ops.CrossEntropy(), (t(2, 3), t(2, dtype="int64"), t(2)), r"needs its weight to be float32\(3,\)"),
    (ops.MSE(), (t(2), t(2, 1)), "needs a target like its input"),
]


@pytest.mark.parametrize(("op", "types", "message"), SHAPES)
def test_shapes_that_do_not_fit_are_refused(op, types, message):
    with pytest.raises(ShapeError, match=message):
        op.checked_infer(types)


CONVOLVED = ops.Backward(ops.Conv2d(), ("x",), (IMAGE, WEIGHT, None))


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ((t(2, 4, 6, 5), WEIGHT), r"input 'dy' to be float32\(2, 4, 6, 6\), got float32\(2, 4, 6, 5\)"),
        ((t(2, 4, 6, 6), t(4, 3, 3, 2)), r"input 'weight' to be float32\(4, 3, 3, 3\)"),
    ],
)
def test_a_gradient_checks_what_it_is_given(types, message):
    assert CONVOLVED.checked_infer((t(2, 4, 6, 6), WEIGHT)) == (IMAGE,)
    with pytest.raises(ShapeError, match=message):
        CONVOLVED.checked_infer(types)


@pytest.mark.parametrize(("dim", "ndim"), [(4, 4), (-5, 4), (0, 0), (1.0, 4), (True, 4), (None, 4), ("1", 4)])
def test_an_axis_that_is_not_there_is_refused(dim, ndim):
    with pytest.raises(ParameterError, match=f"'dim' parameter of softmax must be one of {ndim} axes.*got {dim!r}"):
        ops.nth_axis(dim, ndim, "softmax")
