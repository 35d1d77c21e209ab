"""Loss and gradients of whole networks against PyTorch."""

import numpy as np
import pytest
import torch

import pellucid as pel
from pellucid import nn
from pellucid.errors import ShapeError


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.left = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.right = nn.Conv2d(8, 8, 1)
        self.scale = nn.Parameter(np.full((1, 8, 1, 1), 0.5, np.float32))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = nn.functional.relu(self.norm(self.stem(x)))
        x = nn.functional.cat([self.left(x) * self.scale + x, self.right(x)], dim=1)
        return self.head((x * 2 - 1).mean((2, 3)).reshape(len_of(x), 2, 8).sum(1))


def len_of(x):
    return x.shape[0]


class TorchResidual(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.left = torch.nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.right = torch.nn.Conv2d(8, 8, 1)
        self.scale = torch.nn.Parameter(torch.full((1, 8, 1, 1), 0.5))
        self.head = torch.nn.Linear(8, 5)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.cat([self.left(x) * self.scale + x, self.right(x)], dim=1)
        return self.head((x * 2 - 1).mean((2, 3)).reshape(len(x), 2, 8).sum(1))


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    return rng.standard_normal((6, 3, 8, 8)), rng.integers(0, 5, 6)


def test_residual_network_equals_pytorch(batch):
    x, y = batch
    net, reference = Residual().double(), TorchResidual().double()
    reference.load_state_dict({name: torch.tensor(array) for name, array in net.state_dict().items()})
    loss, grads = pel.value_and_grad(net, pel.losses.cross_entropy)(x, y)
    expected = torch.nn.functional.cross_entropy(reference(torch.tensor(x)), torch.tensor(y))
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    named = dict(reference.named_parameters())
    assert set(grads) == set(named)
    for name, gradient in grads.items():
        np.testing.assert_allclose(gradient, named[name].grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
    for name, tensor in reference.state_dict().items():  # running statistics moved alike
        np.testing.assert_allclose(net.state_dict()[name], tensor.numpy(), rtol=1e-12, err_msg=name)


def test_frozen_parameters_get_no_gradient(batch):
    x, y = batch
    net = Residual().double()
    net.stem.requires_grad_(False)
    compute = pel.value_and_grad(net, pel.losses.cross_entropy)
    assert not {"stem.weight", "stem.bias"} & set(compute(x, y)[1])
    net.stem.requires_grad_(True)
    assert {"stem.weight", "stem.bias"} <= set(compute(x, y)[1])


def test_a_loss_of_ones_own(batch):
    x, y = batch
    net = Residual().double()

    def doubled(output, target):
        return pel.losses.cross_entropy(output, target) * 2

    net.eval()
    single, double = (pel.value_and_grad(net, loss)(x, y) for loss in (pel.losses.cross_entropy, doubled))
    assert double[0] == pytest.approx(2 * single[0])
    np.testing.assert_allclose(double[1]["head.bias"], 2 * single[1]["head.bias"])


def test_a_loss_that_is_not_one_number_is_refused(batch):
    x, y = batch
    with pytest.raises(ShapeError, match="must be a single number"):
        pel.value_and_grad(Residual().double(), lambda o, t: pel.losses.cross_entropy(o, t, reduction="none"))(x, y)


class NamesItsResultLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return {"loss": self.head(x), "other": x * 2.0}


def test_a_network_may_name_its_results_as_it_likes():
    net, x, y = NamesItsResultLoss(), np.ones((2, 4), np.float32), np.array([0, 2])
    compute = pel.value_and_grad(net, lambda output, target: pel.losses.cross_entropy(output["loss"], target))
    loss, grads = compute(x, y)
    assert loss == pytest.approx(float(pel.losses.cross_entropy(net(x)["loss"], y)), rel=1e-6)
    assert set(grads) == {"head.weight", "head.bias"}
