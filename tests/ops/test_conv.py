import numpy as np
import torch.nn.functional as F
from hypothesis import given

from pellucid import ops
from tests.ops.running import check, family
from tests.strategies import conv2d_cases, conv_transpose2d_cases

TORCH_BORDER = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}
WEIGHTED = ("x", "weight", "bias")


def inputs_of(case):
    return {name: case.array(name) for name in WEIGHTED}


def torch_conv2d(x, weight, bias, *, stride, padding, dilation, groups, border, flip):
    padded = F.pad(x, (*padding[1], *padding[0]), mode=TORCH_BORDER[border])
    kernel = weight.flip(2, 3) if flip else weight
    return F.conv2d(padded, kernel, bias, stride=stride, dilation=dilation, groups=groups)


@family
@given(conv2d_cases())
def test_conv2d_is_pytorchs(case):
    check(
        ops.Conv2d(**case.settings),
        inputs_of(case),
        lambda *tensors: torch_conv2d(*tensors, **case.settings),
        case.gradient,
        wrt=WEIGHTED,
    )


@family
@given(conv2d_cases(borders=("zeros",)))
def test_conv2d_with_zeros_round_it_is_pytorchs(case):
    """Draw more of the border for which there are fast kernels, without a bias."""
    check(
        ops.Conv2d(**case.settings),
        inputs_of(case) | {"bias": None},
        lambda *tensors: torch_conv2d(*tensors, **case.settings),
        case.gradient,
        wrt=("x", "weight"),
    )


@family
@given(conv_transpose2d_cases())
def test_conv_transpose2d_is_pytorchs(case):
    settings = {name: value for name, value in case.settings.items() if name != "padding"}
    (top, bottom), (left, right) = case.settings["padding"]

    def torch_function(*tensors):
        canvas = F.conv_transpose2d(*tensors, **settings)  # PyTorch cuts both ends alike, so the cut is made here
        return canvas[:, :, top : canvas.shape[2] - bottom, left : canvas.shape[3] - right]

    check(ops.ConvTranspose2d(**case.settings), inputs_of(case), torch_function, case.gradient, wrt=WEIGHTED)


@family
@given(conv_transpose2d_cases(symmetric=True))
def test_conv_transpose2d_without_bias_is_pytorchs(case):
    settings = {**case.settings, "padding": tuple(before for before, _ in case.settings["padding"])}
    check(
        ops.ConvTranspose2d(**case.settings),
        inputs_of(case) | {"bias": None},
        lambda *tensors: F.conv_transpose2d(*tensors, **settings),
        case.gradient,
        wrt=("x", "weight"),
    )


def test_a_batch_of_no_images_gives_no_maps():
    arrays = {"x": np.zeros((0, 2, 5, 5)), "weight": np.ones((4, 2, 3, 3)), "bias": np.ones(4)}
    check(ops.Conv2d(), arrays, F.conv2d, np.ones_like, wrt=WEIGHTED)
    transposed = arrays | {"weight": np.ones((2, 4, 3, 3))}
    check(ops.ConvTranspose2d(), transposed, F.conv_transpose2d, np.ones_like, wrt=WEIGHTED)
