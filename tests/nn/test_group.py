"""Layers on the group p4: they turn with the image, exactly, and train as the same computation does in PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import pellucid as pel
import pellucid.nn as nn
from pellucid.errors import ParameterError, ShapeError
from tests.nn.pair import images

TURNS = [0, 1, 2, 3]

GEOMETRIES = [  # side, kernel, stride, padding: the last window must end at the border, or turns would move it
    (6, 3, 1, 1),
    (7, 3, 2, 1),
    (8, 2, 2, 0),
    (9, 5, 2, 2),
    (7, 4, 3, 0),
    (5, 5, 1, 0),
    (4, 1, 3, 0),
]


def integers(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(-4, 5, shape).astype("float32")


def with_integers(layer):
    """Give a layer small whole weights, so that no sum is rounded."""
    layer.load_state_dict({name: integers(*array.shape) for name, array in layer.state_dict().items()})
    return layer


def turned(x, quarters):
    return np.ascontiguousarray(np.rot90(x, quarters, (2, 3)))


def turned_p4(x, quarters):
    """Turn a p4 map: every plane turns and moves on by as many orientations."""
    n, channels, height, wide = x.shape
    planes = np.roll(x.reshape(n, -1, 4, height, wide), quarters, axis=2)
    return np.ascontiguousarray(np.rot90(planes, quarters, (3, 4))).reshape(n, channels, wide, height)


def exact(net):
    """Sums of integers as they are, not by Winograd's algorithm, whose factors round."""
    before = pel.precision()
    pel.set_precision("strict")
    try:
        return net()
    finally:
        pel.set_precision(before)


@pytest.mark.parametrize("quarters", TURNS)
@pytest.mark.parametrize(("side", "kernel", "stride", "padding"), GEOMETRIES)
def test_a_lifted_image_turns_with_the_image_exactly(side, kernel, stride, padding, quarters):
    layer, x = with_integers(nn.P4LiftConv2d(2, 3, kernel, stride, padding)), integers(2, 2, side, side)
    found, before = exact(lambda: (layer(turned(x, quarters)), layer(x)))
    np.testing.assert_array_equal(found, turned_p4(before, quarters))


@pytest.mark.parametrize("quarters", TURNS)
@pytest.mark.parametrize(("side", "kernel", "stride", "padding"), GEOMETRIES)
def test_a_convolved_p4_map_turns_with_it_exactly(side, kernel, stride, padding, quarters):
    layer, x = with_integers(nn.P4Conv2d(2, 3, kernel, stride, padding)), integers(2, 8, side, side)
    found, before = exact(lambda: (layer(turned_p4(x, quarters)), layer(x)))
    np.testing.assert_array_equal(found, turned_p4(before, quarters))


def test_images_need_not_be_square():
    layer, x = with_integers(nn.P4LiftConv2d(2, 3, 3, 2, 1)), integers(1, 2, 5, 9)
    found, before = exact(lambda: (layer(turned(x, 1)), layer(x)))
    np.testing.assert_array_equal(found, turned_p4(before, 1))


@pytest.mark.parametrize("quarters", TURNS)
def test_a_whole_network_gives_a_turned_image_the_same_scores(quarters):
    nn.manual_seed(0)
    net = nn.Sequential(
        nn.P4LiftConv2d(1, 4, 3, padding=1),
        nn.P4BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.P4Conv2d(4, 6, 6),
        nn.OrientationPool2d(),
        nn.Flatten(),
        nn.Linear(6, 3),
    ).eval()
    x = images(3, 1, 12, 12)
    np.testing.assert_allclose(net(turned(x, quarters)), net(x), rtol=1e-4, atol=1e-5)


def test_orientations_differ_where_the_image_has_one():
    """Else a layer of zeros would pass: an upright bar answers an upright kernel in two of four orientations."""
    layer = nn.P4LiftConv2d(1, 1, 3, bias=False)
    layer.load_state_dict({"weight": np.float32([[[[-1, 0, 1]] * 3]])})
    bar = np.float32([[[[0, 0, 0, 9, 9, 9]] * 6]])
    assert layer(bar).max(axis=(0, 2, 3)).tolist() == [27, 0, 0, 0]
    assert layer(bar).min(axis=(0, 2, 3)).tolist() == [0, 0, -27, 0]


def expanded(weight):
    """The kernels of all orientations, by PyTorch's own turns, as their formula says."""
    turns = [torch.rot90(weight, r, (-2, -1)) for r in TURNS]
    if weight.ndim == 4:
        return torch.stack(turns, 1).flatten(0, 1)
    kernels = torch.stack([torch.stack([turns[r][:, :, (s - r) % 4] for s in TURNS], 2) for r in TURNS], 1)
    return kernels.flatten(2, 3).flatten(0, 1)


def theirs(parameters, x):
    lift, lift_bias, weight, bias = parameters
    y = F.conv2d(x, expanded(lift), lift_bias.repeat_interleave(4), padding=1)
    y = F.max_pool2d(F.relu(y), 2)
    y = F.conv2d(y, expanded(weight), bias.repeat_interleave(4), stride=2, padding=1)
    return y.unflatten(1, (-1, 4)).amax(2)


def ours():
    return nn.Sequential(
        {
            "lift": nn.P4LiftConv2d(2, 3, 3, padding=1),
            "relu": nn.ReLU(),
            "pool": nn.MaxPool2d(2),
            "conv": nn.P4Conv2d(3, 5, 3, stride=2, padding=1),
            "turns": nn.OrientationPool2d(),
        }
    )


def test_values_and_gradients_are_those_of_pytorch_with_expanded_kernels():
    nn.manual_seed(1)
    net, x, slopes = ours(), images(4, 2, 10, 10), images(4, 5, 3, 3, seed=1)
    assert [(name, array.shape) for name, array in net.state_dict().items()] == [
        ("lift.weight", (3, 2, 3, 3)),
        ("lift.bias", (3,)),
        ("conv.weight", (5, 3, 4, 3, 3)),
        ("conv.bias", (5,)),
    ]
    parameters = [torch.from_numpy(array).requires_grad_() for array in net.state_dict().values()]
    expected = theirs(parameters, torch.from_numpy(x))
    (expected * torch.from_numpy(slopes)).sum().backward()
    np.testing.assert_allclose(net(x), expected.detach().numpy(), rtol=1e-5, atol=1e-5)
    _, gradients = pel.value_and_grad(net, lambda y, target: (y * target).sum())(x, slopes)
    for gradient, parameter in zip(gradients.values(), parameters, strict=True):
        np.testing.assert_allclose(gradient, parameter.grad.numpy(), rtol=1e-4, atol=1e-4)


def norms():
    return nn.Sequential({"lift": nn.P4LiftConv2d(1, 3, 3), "norm": nn.P4BatchNorm2d(3), "relu": nn.ReLU()})


def test_orientations_share_their_statistics():
    torch.manual_seed(0)
    layer, x = nn.P4BatchNorm2d(3), images(5, 12, 4, 6)
    reference = torch.nn.BatchNorm2d(3)
    for _ in range(2):
        found = layer(x)
        expected = reference(torch.from_numpy(x).view(5, 3, 16, 6)).view(5, 12, 4, 6)
        np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    for name, array in layer.state_dict().items():
        np.testing.assert_allclose(array, reference.state_dict()[name].numpy(), rtol=1e-5)
    layer.eval()
    reference.eval()
    expected = reference(torch.from_numpy(x).view(5, 3, 16, 6)).view(5, 12, 4, 6)
    np.testing.assert_allclose(layer(x), expected.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_loaded_network_trains_on_as_the_saved_one(tmp_path):
    nn.manual_seed(0)
    net = nn.Sequential(
        norms(), nn.MaxPool2d(2), nn.P4Conv2d(3, 4, 3), nn.OrientationPool2d(), nn.Flatten(), nn.Linear(4, 2)
    )
    x, y = images(32, 1, 8, 8), np.arange(32) % 2
    pel.fit(net, (x, y), epochs=1, progress=False)
    pel.save(net, tmp_path / "net.safetensors")
    loaded = pel.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(loaded(x), net(x))
    for one in (net, loaded):
        pel.fit(one, (x, y), epochs=2, progress=False)
    assert sorted(loaded.state_dict()) == sorted(net.state_dict())
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(loaded.state_dict()[name], array)


def test_training_teaches_every_parameter():
    nn.manual_seed(0)
    net = nn.Sequential(ours(), nn.Flatten(), nn.Linear(45, 2))
    x = images(64, 2, 10, 10)
    y = (x[:, 0, :5].mean((1, 2)) > x[:, 0, 5:].mean((1, 2))).astype(np.int64)
    before = net.state_dict()
    history = pel.fit(net, (x, y), epochs=6, progress=False)
    assert history[-1]["loss"] < history[0]["loss"]
    for name, array in net.state_dict().items():
        assert (array != before[name]).any(), name


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            lambda: nn.P4Conv2d(0, 1, 3),
            "The 'in_channels' parameter of P4Conv2d must be an integer of at least 1; got 0.",
        ),
        (lambda: nn.P4LiftConv2d(1, 1, (3, 3)), "The 'kernel_size' parameter of P4LiftConv2d must be an integer"),
        (
            lambda: nn.P4Conv2d(1, 1, 3, 0),
            "The 'stride' parameter of P4Conv2d must be an integer of at least 1; got 0.",
        ),
        (
            lambda: nn.P4Conv2d(1, 1, 2, padding="same"),
            "The 'padding' parameter of P4Conv2d must be a number of cells, alike on all sides; got 'same'.",
        ),
    ],
)
def test_odd_settings_are_refused(make, reason):
    with pytest.raises(ParameterError) as caught:
        make()
    assert str(caught.value).startswith(reason)


def test_odd_inputs_are_refused():
    with pytest.raises(ShapeError, match=r"Conv2d .* needs 8 channels on axis 1, got shape \(2, 3, 4, 4\)"):
        nn.P4Conv2d(2, 1, 3)(images(2, 3, 4, 4))
    for layer in (nn.OrientationPool2d(), nn.P4BatchNorm2d(1)):
        with pytest.raises(ShapeError, match=r"needs a p4 map \(N, 4·C, H, W\), got shape \(2, 3, 4, 4\)"):
            layer(images(2, 3, 4, 4))


def test_they_print_as_they_are_made():
    assert repr(nn.P4LiftConv2d(1, 2, 3, bias=False)) == "P4LiftConv2d(1, 2, kernel_size=3, stride=1, bias=False)"
    assert repr(nn.P4Conv2d(1, 2, 3, 2, 1)) == "P4Conv2d(1, 2, kernel_size=3, stride=2, padding=1)"
