"""Attributions are Captum's, on the same weights in PyTorch."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from captum import attr as captum

from pellucid import nn
from pellucid.explain.attribution.attribute import attribute
from pellucid.explain.attribution.by_gradients import noise_of
from pellucid.explain.attribution.score import Score
from pellucid.explain.attribution.settings import checked
from pellucid.types import Array
from tests.explain.attribution.torch_twins import resnet18, small

LEAST = 1 - 1e-5
"""Correlation; what was asked is 0.999."""


@dataclass
class Pair:
    net: nn.Module
    twin: torch.nn.Module
    image: Array
    layers: tuple[str, ...]

    @property
    def x(self) -> torch.Tensor:
        return torch.from_numpy(self.image)[None].requires_grad_()

    @property
    def target(self) -> int:
        return int(self.twin(self.x).argmax())


@pytest.fixture(scope="module", params=["small", "resnet18"])
def pair(request: pytest.FixtureRequest) -> Pair:
    if request.param == "small":
        return Pair(*small(), layers=("pool1", "relu2"))
    return Pair(*resnet18(), layers=("layer3", "layer4"))


def correlation(one: Array, other: torch.Tensor) -> float:
    expected = other.detach().numpy()[0]
    assert one.shape == expected.shape
    return float(np.corrcoef(one.ravel(), expected.ravel())[0, 1])


@pytest.mark.parametrize(
    ("method", "made", "options"),
    [
        ("gradient", captum.Saliency, {"abs": False}),
        ("gradient-times-input", captum.InputXGradient, {}),
        pytest.param(
            "guided-backprop",
            captum.GuidedBackprop,
            {},
            marks=pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations"),
        ),
    ],
)
def test_gradients(pair: Pair, method: str, made: type, options: dict[str, bool]) -> None:
    found = attribute(pair.net, pair.image, method=method)
    expected = made(pair.twin).attribute(pair.x, target=pair.target, **options)

    assert found.target == pair.target
    assert correlation(found.map, expected) > LEAST


def test_integrated_gradients_and_their_sum(pair: Pair) -> None:
    found = attribute(pair.net, pair.image, steps=20, tolerance=1)
    expected = captum.IntegratedGradients(pair.twin).attribute(pair.x, 0, target=pair.target, n_steps=20)
    complete = attribute(pair.net, pair.image)

    assert found.steps == 20
    assert correlation(found.map, expected) > LEAST
    rise = complete.score - complete.baseline
    assert abs(complete.map.sum(dtype=np.float64) - rise) <= 0.01 * abs(rise)
    assert complete.error <= 0.01


def test_smooth_grad_is_the_mean_over_the_same_noise(pair: Pair) -> None:
    score = Score(pair.net, pair.image)
    settings = checked(score, {"noise": 0.2}, seed=3)
    noisy = np.stack([pair.image + noise_of(score, settings, number) for number in range(5)])
    of_each = captum.Saliency(pair.twin).attribute(
        torch.from_numpy(noisy).requires_grad_(), target=pair.target, abs=False
    )
    found = attribute(pair.net, pair.image, method="smooth-grad", samples=5, noise=0.2, seed=3)

    assert correlation(found.map, of_each.mean(0, keepdim=True)) > LEAST
    spread = np.std(noisy - pair.image) / np.ptp(pair.image)
    assert spread == pytest.approx(0.2, rel=0.1)


def test_grad_cam(pair: Pair) -> None:
    for layer in pair.layers:
        found = attribute(pair.net, pair.image, method="grad-cam", layer=layer)
        expected = captum.LayerGradCam(pair.twin, getattr(pair.twin, layer)).attribute(
            pair.x, target=pair.target, relu_attributions=True
        )
        expected = expected.detach().numpy()[0, 0]

        assert expected.max() > 0
        np.testing.assert_allclose(found.map, expected, rtol=0, atol=1e-4 * expected.max())


@pytest.mark.parametrize(("window", "stride"), [((5, 5), (3, 3)), ((8, 6), (8, 5))])
def test_occlusion(pair: Pair, window: tuple[int, int], stride: tuple[int, int]) -> None:
    channels = len(pair.image)
    found = attribute(pair.net, pair.image, method="occlusion", window=window, stride=stride, baseline=0.5)
    expected = captum.Occlusion(pair.twin).attribute(
        pair.x.detach(), (channels, *window), (channels, *stride), 0.5, pair.target, perturbations_per_eval=32
    )

    assert correlation(found.map, expected[:, 0]) > LEAST
    np.testing.assert_allclose(found.map, expected[0, 0], rtol=0, atol=1e-4 * float(abs(expected).max()))
