"""Optimisers and clipping against PyTorch's, step by step."""

import numpy as np
import pytest
import torch

from pellucid.errors import ParameterError, TrainingError
from pellucid.kernels import threads
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


@pytest.mark.parametrize("name", CASES)
def test_the_kernel_does_what_numpy_does(name):
    """Weights of every size around whole vectors, one of them in columns, which NumPy updates."""
    rng = np.random.default_rng(1)
    shapes = {"a": (3, 4), "b": (5,), "c": (2, 33), "d": (1,), "e": (16,), "columns": (4, 3)}
    start = {key: rng.standard_normal(shape) for key, shape in shapes.items()}
    start["columns"] = np.asfortranarray(start["columns"])
    weights = [{key: Parameter(a.astype(dtype)) for key, a in start.items()} for dtype in (np.float32, np.float64)]
    quick, exact = CASES[name][0](), CASES[name][0]()
    for _ in range(5):
        gradients = {key: rng.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()}
        before = {key: gradient.copy() for key, gradient in gradients.items()}
        quick.update(weights[0], gradients)
        exact.update(weights[1], gradients)
        for key, gradient in gradients.items():
            np.testing.assert_array_equal(gradient, before[key])
    for key, parameter in weights[0].items():
        np.testing.assert_allclose(parameter.data, weights[1][key].data, rtol=1e-5, atol=1e-5, err_msg=key)
    for key, array in exact.state_arrays().items():
        np.testing.assert_allclose(quick.state_arrays()[key], array, rtol=1e-5, atol=1e-6, err_msg=key)


def test_updates_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(2)
    start, gradient = (rng.standard_normal(50_001).astype(np.float32) for _ in range(2))
    results, usual = [], threads.count()
    try:
        for count in (1, 2, 3):
            threads.set_threads(count)
            optimizer, parameter = Adam(0.1), Parameter(start.copy())
            optimizer.update({"w": parameter}, {"w": gradient})
            results.append(parameter.data.tobytes())
    finally:
        threads.set_threads(usual)
    assert results[0] == results[1] == results[2]


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
