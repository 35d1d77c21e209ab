import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given

from pellucid import reference as ref
from tests.reference.comparison import check
from tests.strategies import conv2d_cases, conv_transpose2d_cases, quick

TORCH_BORDER = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}


def torch_conv2d(x, weight, bias, *, stride, padding, dilation, groups, border, flip):
    padded = F.pad(x, (*padding[1], *padding[0]), mode=TORCH_BORDER[border])
    kernel = weight.flip(2, 3) if flip else weight
    return F.conv2d(padded, kernel, bias, stride=stride, dilation=dilation, groups=groups)


def inputs_of(case):
    return [case.array(name) for name in ("x", "weight", "bias")]


def conv2d_gradients(case, x, weight):
    def backward(dy, _):
        return (
            ref.conv2d_backward_data(dy, weight, x.shape, **case.settings),
            ref.conv2d_backward_weight(dy, x, weight.shape, **case.settings),
            ref.bias_backward(dy),
        )

    return backward


def conv_transpose2d_gradients(case, x, weight):
    def backward(dy, _):
        return (
            ref.conv_transpose2d_backward_data(dy, weight, x.shape, **case.settings),
            ref.conv_transpose2d_backward_weight(dy, x, weight.shape, **case.settings),
            ref.bias_backward(dy),
        )

    return backward


def terms(*arrays):
    """Return a bound on the length of any sum in the three passes."""
    return max(array.size for array in arrays)


@quick
@given(conv2d_cases())
def test_conv2d_is_pytorchs(case):
    x, weight, bias = inputs_of(case)
    check(
        lambda *tensors: torch_conv2d(*tensors, **case.settings),
        lambda *arrays: ref.conv2d(*arrays, **case.settings),
        conv2d_gradients(case, x, weight),
        (x, weight, bias),
        case.gradient,
        terms=terms(x, weight),
    )


@quick
@given(conv_transpose2d_cases(symmetric=True))
def test_conv_transpose2d_is_pytorchs(case):
    x, weight, bias = inputs_of(case)
    options = {**case.settings, "padding": tuple(before for before, _ in case.settings["padding"])}
    check(
        lambda *tensors: F.conv_transpose2d(*tensors, **options),
        lambda *arrays: ref.conv_transpose2d(*arrays, **case.settings),
        conv_transpose2d_gradients(case, x, weight),
        (x, weight, bias),
        case.gradient,
        terms=terms(x, weight),
    )


@quick
@given(conv_transpose2d_cases())
def test_uneven_padding_of_conv_transpose2d_cuts_the_canvas(case):
    x, weight, bias = inputs_of(case)
    options = {key: value for key, value in case.settings.items() if key != "padding"}
    (top, bottom), (left, right) = case.settings["padding"]

    def torch_function(*tensors):
        canvas = F.conv_transpose2d(*tensors, **options)
        return canvas[:, :, top : canvas.shape[2] - bottom, left : canvas.shape[3] - right]

    check(
        torch_function,
        lambda *arrays: ref.conv_transpose2d(*arrays, **case.settings),
        conv_transpose2d_gradients(case, x, weight),
        (x, weight, bias),
        case.gradient,
        terms=terms(x, weight),
    )


def plain_conv2d(x, weight, bias, *, stride, padding, dilation, groups, flip, **_):
    """Convolve with seven loops over Python's own integers; border zeros."""
    n, _, h, w = x.shape
    o, per_group, kh, kw = weight.shape
    (top, bottom), (left, right) = padding
    oh = (h + top + bottom - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (w + left + right - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, o, oh, ow), object)
    for image, out, i, j in np.ndindex(y.shape):
        y[image, out, i, j] = int(bias[out])
        first = out // (o // groups) * per_group
        for channel, ky, kx in np.ndindex(per_group, kh, kw):
            row, column = i * stride[0] + ky * dilation[0] - top, j * stride[1] + kx * dilation[1] - left
            if 0 <= row < h and 0 <= column < w:
                tap = (kh - 1 - ky, kw - 1 - kx) if flip else (ky, kx)
                y[image, out, i, j] += int(x[image, first + channel, row, column]) * int(weight[(out, channel, *tap)])
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("c", "o", "groups", "stride", "padding", "dilation"),
    [
        (3, 2, 1, (1, 1), ((0, 0), (0, 0)), (1, 1)),
        (4, 6, 2, (2, 1), ((1, 0), (2, 3)), (1, 2)),
        (3, 3, 3, (5, 4), ((2, 2), (0, 1)), (2, 1)),
    ],
)
def test_conv2d_of_integers_is_exact(c, o, groups, stride, padding, dilation, flip, dtype):
    generator = np.random.default_rng(3)
    x = generator.integers(-4, 5, (2, c, 7, 6)).astype(dtype)
    weight = generator.integers(-4, 5, (o, c // groups, 3, 2)).astype(dtype)
    bias = generator.integers(-4, 5, o).astype(dtype)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "flip": flip}
    y = ref.conv2d(x, weight, bias, **options)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, plain_conv2d(x, weight, bias, **options).astype(dtype))


@pytest.mark.parametrize("border", TORCH_BORDER)
def test_conv2d_gradients_of_integers_are_exact(border):
    generator = np.random.default_rng(4)
    x = generator.integers(-4, 5, (2, 4, 5, 6)).astype("float32")
    weight = generator.integers(-4, 5, (6, 2, 3, 2)).astype("float32")
    options = {"stride": (2, 1), "padding": ((2, 1), (0, 3)), "groups": 2, "border": border}
    y = ref.conv2d(x, weight, **options)
    dy = generator.integers(-4, 5, y.shape).astype("float32")
    # y is linear in x and in weight, so Σ dy·y = Σ dx·x = Σ dweight·weight, here without any rounding
    expected = (dy * y).sum()
    assert (ref.conv2d_backward_data(dy, weight, x.shape, **options) * x).sum() == expected
    assert (ref.conv2d_backward_weight(dy, x, weight.shape, **options) * weight).sum() == expected


def test_flip_turns_the_kernel():
    impulse = np.zeros((1, 1, 5, 5))
    impulse[0, 0, 2, 2] = 1
    kernel = np.arange(9.0).reshape(1, 1, 3, 3)
    # convolution reproduces the kernel at the impulse, correlation its mirror image
    np.testing.assert_array_equal(ref.conv2d(impulse, kernel, flip=True), kernel)
    np.testing.assert_array_equal(ref.conv2d(impulse, kernel), kernel[:, :, ::-1, ::-1])


def test_conv2d_matches_pytorch_for_depthwise_with_multiplier():
    generator = np.random.default_rng(5)
    x, weight = generator.standard_normal((2, 3, 5, 5)), generator.standard_normal((6, 1, 3, 3))
    expected = torch.conv2d(torch.from_numpy(x), torch.from_numpy(weight), groups=3).numpy()
    np.testing.assert_allclose(ref.conv2d(x, weight, groups=3), expected, atol=1e-13)
