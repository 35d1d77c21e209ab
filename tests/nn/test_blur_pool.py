"""BlurPool2d beside a depthwise convolution of PyTorch's, and what it is for."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import pellucid as pel
import pellucid.nn as nn
from pellucid.errors import ParameterError, ShapeError
from tests.nn.pair import images

ROWS = {1: [1], 2: [1, 1], 3: [1, 2, 1], 4: [1, 3, 3, 1], 5: [1, 4, 6, 4, 1]}
MODES = {"reflect": "reflect", "replicate": "replicate", "circular": "circular", "zeros": "constant"}


def expected(x: torch.Tensor, size: int, stride: int, mode: str) -> torch.Tensor:
    row = torch.tensor(ROWS[size], dtype=x.dtype)
    kernel = torch.outer(row, row) / row.sum() ** 2
    before, after = (size - 1) // 2, size // 2
    padded = F.pad(x, (before, after, before, after), mode=MODES[mode])
    return F.conv2d(padded, kernel.expand(x.shape[1], 1, size, size), stride=stride, groups=x.shape[1])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", ROWS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_a_strided_depthwise_convolution_with_binomial_numbers(size, stride, mode, dtype):
    x = images(2, 5, 9, 8).astype(dtype)
    found = nn.BlurPool2d(size, stride, mode)(x)
    bound = {"float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(found, expected(torch.from_numpy(x), size, stride, mode).numpy(), rtol=0, atol=bound)


def test_its_gradient_is_pytorchs():
    x, weight = images(2, 3, 8, 7), torch.randn(2, 3, 4, 4, generator=torch.manual_seed(0))
    theirs = torch.from_numpy(x).requires_grad_()
    conv = torch.nn.Conv2d(3, 3, 1)
    (expected(conv(theirs), 3, 2, "reflect") * weight).sum().backward()
    net = nn.Sequential({"conv": nn.Conv2d(3, 3, 1), "blur": nn.BlurPool2d()})
    net.conv.load_state_dict({name: value.detach().numpy() for name, value in conv.state_dict().items()})
    _, gradients = pel.value_and_grad(net, lambda y, target: (y * target).sum())(x, weight.numpy())
    for name, gradient in gradients.items():
        wanted = getattr(conv, name.removeprefix("conv.")).grad.numpy()
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-4)


def test_it_keeps_no_state_and_goes_into_a_file(tmp_path):
    net, x = nn.Sequential(nn.MaxPool2d(2, stride=1), nn.BlurPool2d(4)), images(1, 3, 8, 8)
    before = net(x)
    assert net.state_dict() == {}
    assert repr(net[1]) == "BlurPool2d(kernel_size=4, stride=2, padding_mode='reflect')"
    pel.save(net, tmp_path / "net.safetensors")
    np.testing.assert_array_equal(pel.load(tmp_path / "net.safetensors")(x), before)


def test_a_step_that_moves_by_one_cell_changes_what_it_gives_less_than_max_pooling():
    """A row 0 0 1 1 0 0 1 1: pooled it is 0 1 0 1, moved by one cell 1 1 1 1 (Zhang 2019, figure 4)."""
    row = np.float32([0, 0, 1, 1] * 4)
    still, after = (np.tile(np.roll(row, by), (1, 1, 16, 1)) for by in (0, 1))

    def apart(net):
        inner = slice(1, 7)
        return abs(net(still) - net(after))[..., inner, inner].max()

    assert apart(nn.MaxPool2d(2)) == 1
    assert apart(nn.Sequential(nn.MaxPool2d(2, stride=1), nn.BlurPool2d())) <= 0.5


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"kernel_size": 0}, "The 'kernel_size' parameter of BlurPool2d must be an integer of at least 1; got 0."),
        ({"stride": 2.5}, "The 'stride' parameter of BlurPool2d must be an integer of at least 1; got 2.5."),
        ({"padding_mode": "mirror"}, "The 'padding_mode' parameter of BlurPool2d must be one of zeros, "),
    ],
)
def test_odd_settings_are_refused(settings, reason):
    with pytest.raises(ParameterError, match=f"^{reason}"):
        nn.BlurPool2d(**settings)


def test_odd_inputs_are_refused():
    with pytest.raises(ShapeError, match=r"BlurPool2d '1' needs an input of 4 axes"):
        nn.Sequential(nn.Flatten(), nn.BlurPool2d())(images(2, 3, 4, 4))
    with pytest.raises(ShapeError, match=r"pads 1 cells in mode 'reflect'"):
        nn.BlurPool2d()(images(2, 3, 4, 1))
