"""Class activation maps against their papers' formulas, with PyTorch's gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid import nn
from pellucid.errors import ParameterError
from pellucid.explain.attribution.attribute import attribute
from pellucid.types import Array
from tests.explain.attribution.torch_twins import small

CLASS = 2


@pytest.fixture(scope="module")
def pair() -> tuple[nn.Module, torch.nn.Sequential, Array]:
    net, twin, image = small()
    assert isinstance(twin, torch.nn.Sequential)
    return net, twin, image


def maps_and_slopes(twin: torch.nn.Sequential, image: Array, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A layer's maps and the score's gradient by them, (K, h, w)."""
    names = [name for name, _ in twin.named_children()]
    place = names.index(layer) + 1
    maps = twin[:place](torch.from_numpy(image)[None])
    maps.retain_grad()
    twin[place:](maps)[0, CLASS].backward()
    return maps.detach()[0].double(), maps.grad[0].double()


@pytest.mark.parametrize("layer", ["conv1", "pool1", "relu2"])
def test_grad_cam_plus_plus(pair, layer: str) -> None:
    net, twin, image = pair
    a, g = maps_and_slopes(twin, image, layer)
    alpha = g**2 / (2 * g**2 + a.sum((1, 2), keepdim=True) * g**3)
    weights = (torch.nan_to_num(alpha, nan=0.0) * F.relu(g)).sum((1, 2))
    expected = F.relu((weights[:, None, None] * a).sum(0)).numpy()
    found = attribute(net, image, CLASS, "grad-cam++", layer=layer)

    np.testing.assert_allclose(found.map, expected, rtol=0, atol=1e-4 * expected.max())


@pytest.mark.parametrize("layer", ["conv1", "pool1", "relu2"])
def test_layer_cam(pair, layer: str) -> None:
    net, twin, image = pair
    a, g = maps_and_slopes(twin, image, layer)
    expected = F.relu((F.relu(g) * a).sum(0)).numpy()
    found = attribute(net, image, CLASS, "layer-cam", layer=layer)

    np.testing.assert_allclose(found.map, expected, rtol=0, atol=1e-4 * expected.max())


@pytest.mark.parametrize("layer", ["pool1", "relu2"])
def test_score_cam(pair, layer: str) -> None:
    net, twin, image = pair
    a, _ = maps_and_slopes(twin, image, layer)
    x, scores = torch.from_numpy(image)[None], []
    for plane in a.float():
        if plane.max() == plane.min():
            scores.append(float("-inf"))
            continue
        mask = F.interpolate(plane[None, None], image.shape[1:], mode="bilinear", align_corners=False)
        mask = (mask - plane.min()) / (plane.max() - plane.min())
        scores.append(twin(x * mask)[0, CLASS].item())
    weights = torch.softmax(torch.tensor(scores, dtype=torch.float64), 0)
    expected = F.relu((weights[:, None, None] * a).sum(0)).numpy()
    found = attribute(net, image, CLASS, "score-cam", layer=layer, baseline=0)

    assert expected.max() > 0
    np.testing.assert_allclose(found.map, expected, rtol=0, atol=1e-4 * expected.max())


def test_the_summary_is_the_map_on_the_image(pair) -> None:
    net, _, image = pair
    found = attribute(net, image, CLASS, "grad-cam", layer="pool1")
    expected = F.interpolate(torch.from_numpy(found.map)[None, None], (20, 20), mode="bilinear")[0, 0]

    np.testing.assert_allclose(found.summary, expected, rtol=1e-5, atol=1e-7)


def test_the_last_plane_is_the_default_and_any_order_of_axes_will_do(pair) -> None:
    net, _, image = pair
    assert attribute(net, image, method="layer-cam").layer == "relu2"

    class ChannelsLast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 3, 3, padding=1)
            self.relu = nn.ReLU()
            self.fc = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(self.relu(self.conv(x)).permute(0, 2, 3, 1)).mean((1, 2))

    other = ChannelsLast()
    of_images = attribute(other, image, 1, "grad-cam", layer="relu")
    of_pixels = attribute(other, image, 1, "grad-cam", layer="transpose")
    np.testing.assert_allclose(of_pixels.map, of_images.map, rtol=1e-5, atol=1e-7)
    assert attribute(other, image, 1, "grad-cam").layer == "fc"


def test_a_layer_without_a_plane_is_refused(pair) -> None:
    net, _, image = pair
    with pytest.raises(
        ParameterError, match=r"needs a layer of rows and columns; 'fc1' is .*; the last that will do is 'relu2'"
    ):
        attribute(net, image, method="grad-cam", layer="fc1")
    with pytest.raises(ParameterError, match=r"There is no layer 'relu'; the nearest are relu"):
        attribute(net, image, method="grad-cam", layer="relu")
    flat = nn.Sequential(nn.Flatten(), nn.Linear(400, 3))
    with pytest.raises(ParameterError, match=r"needs a layer of more than one row or column before .*none"):
        attribute(flat, image, method="grad-cam")
    small_planes = nn.Sequential(nn.Conv2d(1, 2, 20), nn.Flatten())
    with pytest.raises(ParameterError, match=r"needs a layer of more than one row or column before .*none"):
        attribute(small_planes, image, method="grad-cam")


class TwoHeads(nn.Module):
    """Scores, and after them a second result from a branch of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 3)
        self.fc = nn.Linear(972, 2)
        self.side = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        stem = self.stem(x)
        return self.fc(stem.flatten(1)), self.side(stem)


def test_only_layers_that_the_score_is_computed_from(pair) -> None:
    _, _, image = pair
    net = TwoHeads()
    found = attribute(net, image, 1, "grad-cam")

    assert found.layer == "stem"
    np.testing.assert_array_equal(found.map, attribute(net, image, 1, "grad-cam", layer="stem").map)
    with pytest.raises(ParameterError, match=r"it is not from 'side'; the last that will do is 'stem'"):
        attribute(net, image, 1, "grad-cam", layer="side")
