"""Several channels and filters at once: PyTorch's maps, and shares that add up to them."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.steps.channels import shares, stack
from pellucid.explain.steps.images import COLOURED

RNG = np.random.default_rng(1)
IMAGE, FILTERS = RNG.integers(-5, 9, (3, 11, 8)), RNG.integers(-3, 4, (5, 3, 3, 2))


@pytest.mark.parametrize(
    "settings", [{}, {"stride": 2, "padding": (1, 2)}, {"dilation": 2, "pool": "average", "pool_size": 3}]
)
def test_maps_are_those_of_pytorch(settings: dict[str, Any]) -> None:
    t = stack(IMAGE, FILTERS, np.arange(5), **settings)
    layers = {name: settings[name] for name in settings if not name.startswith("pool")}
    x, weight = (torch.tensor(values, dtype=torch.float64) for values in (IMAGE, FILTERS))
    conv = F.conv2d(x, weight, torch.arange(5, dtype=torch.float64), **layers)
    pool = F.avg_pool2d(F.relu(conv), 3) if "pool" in settings else F.max_pool2d(F.relu(conv), 2)

    assert np.array_equal(t["conv"].output, conv.numpy())
    assert np.allclose(t["pool"].output, pool.numpy(), rtol=1e-12, atol=0)


def test_flipped_shares_add_up() -> None:
    settings: dict[str, Any] = {"padding": "same", "border": "circular", "flip": True, "pool": "average"}
    t = stack(IMAGE, FILTERS, np.zeros(5), **settings)

    for which in range(5):
        assert np.array_equal(shares(IMAGE, FILTERS, which, **settings).sum(axis=0), t["conv"].output[which])


def test_a_border_may_be_large_but_not_endless() -> None:
    assert stack(np.ones((1, 32, 32)), np.ones((1, 1, 7, 7)), [0], padding="full")["conv"].shape == (1, 38, 38)
    with pytest.raises(ShapeError, match="at most 64×64 cells; got 72×72"):
        stack(np.ones((1, 32, 32)), np.ones((1, 1, 7, 7)), [0], padding=20)


@pytest.mark.parametrize(
    ("image", "filters", "says"),
    [
        (np.ones((4, 4, 4)), FILTERS, "at most 3×32×32"),
        (np.ones((1, 4, 33)), FILTERS, "got 1×4×33"),
        (IMAGE, np.ones((9, 3, 1, 1)), "8 filters of 7×7 at most; got 9×3×1×1"),
        (IMAGE, np.ones((1, 3, 1, 9)), "got 1×3×1×9"),
        (IMAGE[0], FILTERS, "The image must have 3 axes"),
        (IMAGE, np.ones((1, 1, 1, 1)), "a kernel for each of the 3 channels; got 1"),
    ],
)
def test_what_does_not_fit_is_said(image: Any, filters: Any, says: str) -> None:
    with pytest.raises(ShapeError, match=says):
        stack(image, filters, np.zeros(len(filters)))


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ParameterError, match="image of the steps must hold numbers within ±1e9; got nan"):
        stack([[[np.nan]]], [[[[1]]]], [0])


def test_coloured_pictures_are_of_three_planes_of_small_numbers() -> None:
    for image in COLOURED.values():
        assert image.shape[0] == 3
        assert image.shape[1] <= 16 or image.shape[2] <= 32
        assert set(np.unique(image)) <= set(range(10))
    assert COLOURED["lights"][:, 4, 4].tolist() == [9, 1, 1]
