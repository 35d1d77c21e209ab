"""Gradients by image and layers, against PyTorch's."""

import numpy as np
import pytest
import torch

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.gradients import Differentiable
from pellucid.errors import ParameterError, ShapeError


def small() -> nn.Module:
    pel.manual_seed(3)
    return nn.Sequential(
        {
            "conv": nn.Conv2d(2, 3, 3, padding=1),
            "relu": nn.ReLU(),
            "pool": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(27, 4),
        }
    )


def twin(net: nn.Module) -> torch.nn.Sequential:
    layers = [torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
    other = torch.nn.Sequential(*layers, torch.nn.Linear(27, 4))
    state = {name: torch.from_numpy(array) for name, array in net.state_dict().items()}
    other.load_state_dict({name.replace("conv", "0").replace("fc", "4"): array for name, array in state.items()})
    return other


@pytest.mark.parametrize("batch", [1, 5])
def test_gradients_by_the_image_and_by_layers_are_pytorchs(batch: int) -> None:
    net, generator = small(), np.random.default_rng(0)
    images = generator.standard_normal((batch, 2, 6, 6), dtype=np.float32)
    direction = generator.standard_normal((batch, 4), dtype=np.float32)
    slopes = Differentiable(net, (2, 6, 6), by=["conv", "pool"])(images, direction)

    x = torch.from_numpy(images).requires_grad_()
    stages = [x]
    for layer in twin(net):
        stages.append(layer(stages[-1]))
        stages[-1].retain_grad()
    (stages[-1] * torch.from_numpy(direction)).sum().backward()
    np.testing.assert_allclose(slopes.value, stages[-1].detach(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(slopes.image, x.grad, rtol=1e-5, atol=1e-6)
    for name, stage in (("conv", stages[1]), ("pool", stages[3])):
        np.testing.assert_allclose(slopes.activations[name], stage.detach(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(slopes.layers[name], stage.grad, rtol=1e-5, atol=1e-6)


def test_of_a_layer_inside_by_what_it_does_not_depend_on() -> None:
    differentiable = Differentiable(small(), (2, 6, 6), "conv", by=["fc"])
    slopes = differentiable(np.ones((1, 2, 6, 6), np.float32), np.ones((1, 3, 6, 6), np.float32))

    assert differentiable.shape == (3, 6, 6)
    assert slopes.value.shape == (1, 3, 6, 6)
    assert slopes.image.any()
    assert not slopes.layers["fc"].any()


def test_new_weights_count_at_once_and_the_network_keeps_its_mode() -> None:
    net = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Dropout(0.5))
    differentiable = Differentiable(net, (2,))
    for value in (1.0, 5.0):
        net.load_state_dict({"0.weight": np.full((1, 2), value)})
        slopes = differentiable(np.ones((1, 2), np.float32), np.ones((1, 1), np.float32))
        assert slopes.image.tolist() == [[value, value]]
    assert net.training


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"There is no layer 'con'; the nearest is conv"):
        Differentiable(small(), (2, 6, 6), "con")
    with pytest.raises(ShapeError, match=r"The direction must be of shape \(2, 4\); got \(1, 4\)"):
        Differentiable(small(), (2, 6, 6))(np.ones((2, 2, 6, 6), np.float32), np.ones((1, 4), np.float32))


def test_numbers_are_those_of_the_layer() -> None:
    net, images = small(), np.random.default_rng(0).standard_normal((3, 2, 6, 6), dtype=np.float32)
    numbers = Differentiable(net, (2, 6, 6)).numbers(images)

    np.testing.assert_allclose(numbers, net(images), rtol=1e-6, atol=1e-6)
    assert Differentiable(net, (2, 6, 6), "pool").numbers(images).shape == (3, 3, 3, 3)
    with pytest.raises(ShapeError, match=r"The images must be of shape \(1, 2, 6, 6\); got \(1, 2, 6, 7\)"):
        Differentiable(net, (2, 6, 6)).numbers(np.ones((1, 2, 6, 7), np.float32))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.Tanh])
def test_guided_gradients_pass_a_relu_only_where_they_are_positive(activation: type[nn.Module]) -> None:
    pel.manual_seed(1)
    net = nn.Sequential(nn.Linear(4, 5), activation(), nn.Linear(5, 6), activation(), nn.Linear(6, 2))
    x = np.float32([[1, -2, 3, 1]])
    direction = np.float32([[1, -1]])
    found = Differentiable(net, (4,), guided=True)(x, direction).image

    weights = [net.arrays()[f"{index}.weight"] for index in (0, 2, 4)]
    before = [Differentiable(net, (4,), layer).numbers(x) for layer in ("0", "2")]
    slope = direction @ weights[2]
    for z, weight in zip(before[::-1], weights[1::-1], strict=True):
        if activation is nn.Tanh:  # is no ReLU: its gradient is its own
            slope = slope * (1 - np.tanh(z) ** 2)
        else:
            slope = np.maximum(slope, 0) * ((z > 0) & ((z < 6) | (activation is nn.ReLU)))
        slope = slope @ weight
    np.testing.assert_allclose(found, slope, rtol=1e-5, atol=1e-6)
    assert found.any()
