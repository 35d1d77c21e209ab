"""Optimisers and clipping against PyTorch's, step by step."""

import numpy as np
import pytest
import torch

from pellucid.errors import ParameterError, TrainingError
from pellucid.nn import Parameter
from pellucid.train.optim import SGD, Adam, AdamW, clip_gradients

CASES = {
    "sgd": (lambda: SGD(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "decay": (lambda: SGD(0.1, weight_decay=0.01), lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01)),
    "momentum": (
        lambda: SGD(0.1, momentum=0.9, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    ),
    "nesterov": (
        lambda: SGD(0.1, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    ),
    "adam": (lambda: Adam(0.01, weight_decay=0.1), lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1)),
    "betas": (
        lambda: Adam(0.01, betas=(0.5, 0.9), eps=1e-3),
        lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.5, 0.9), eps=1e-3),
    ),
    "adamw": (lambda: AdamW(0.01, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
}


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_equal_pytorchs(name):
    ours, theirs = CASES[name]
    rng = np.random.default_rng(0)
    start = {"a": rng.standard_normal((3, 4)), "b": rng.standard_normal(5)}
    parameters = {key: Parameter(array.copy()) for key, array in start.items()}
    tensors = {key: torch.tensor(array, requires_grad=True) for key, array in start.items()}
    optimizer, reference = ours(), theirs(list(tensors.values()))
    for _ in range(20):
        gradients = {key: rng.standard_normal(array.shape) for key, array in start.items()}
        optimizer.update(parameters, gradients)
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(gradients[key])
        reference.step()
    for key, tensor in tensors.items():
        np.testing.assert_allclose(parameters[key].data, tensor.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("norm", [0.5, 100.0])
def test_clipping_equals_pytorchs(norm):
    rng = np.random.default_rng(0)
    gradients = {"a": rng.standard_normal((3, 4)), "b": rng.standard_normal(5)}
    tensors = []
    for gradient in gradients.values():
        tensor = torch.zeros(gradient.shape, dtype=torch.float64, requires_grad=True)
        tensor.grad = torch.tensor(gradient)
        tensors.append(tensor)
    torch.nn.utils.clip_grad_norm_(tensors, norm)
    for clipped, tensor in zip(clip_gradients(gradients, norm).values(), tensors, strict=True):
        np.testing.assert_allclose(clipped, tensor.grad.numpy(), rtol=1e-12)


def test_state_moves_to_another_optimiser_of_the_same_kind():
    rng = np.random.default_rng(0)
    gradients = [{"w": rng.standard_normal(3)} for _ in range(6)]
    whole, first, second = ({"w": Parameter(np.ones(3))} for _ in range(3))
    straight = Adam(0.1)
    for gradient in gradients:
        straight.update(whole, gradient)
    before, after = Adam(0.1), Adam(0.1)
    for gradient in gradients[:3]:
        before.update(first, gradient)
    second["w"].data = first["w"].data.copy()
    after.load_state_arrays({k: v.copy() for k, v in before.state_arrays().items()}, before.steps)
    for gradient in gradients[3:]:
        after.update(second, gradient)
    assert (whole["w"].data == second["w"].data).all()


def test_state_of_another_kind_is_refused():
    with pytest.raises(TrainingError, match=r"'mean\.w' is not one of SGD"):
        SGD(0.1).load_state_arrays({"mean.w": np.ones(1)}, steps=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-0.1), r"'lr' parameter .* at least 0 and finite; got -0.1"),
        (lambda: SGD(float("nan")), r"'lr' parameter"),
        (lambda: SGD(0.1, momentum=1.0), r"'momentum' parameter .* below 1; got 1.0"),
        (lambda: SGD(0.1, nesterov=True), r"'nesterov' parameter of SGD needs a momentum above 0"),
        (lambda: Adam(0.1, betas=(0.9, 1.5)), r"'betas' parameter .* got 1.5"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
