"""The effective field against what gradients must be: powers of a kernel, nothing outside of the theoretical box."""

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.effective import effective_field
from pellucid.errors import DataError, ParameterError, ShapeError

RNG = np.random.default_rng(0)


def ones(depth: int, **settings: object) -> nn.Sequential:
    """A linear network of 3×3 windows of ones."""
    net = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False, **settings) for _ in range(depth)))
    net.load_state_dict({name: np.ones((1, 1, 3, 3), np.float32) for name in net.state_dict()})
    return net


def images(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_windows_of_ones_give_the_power_of_their_kernel(depth: int) -> None:
    power = np.ones(1)
    for _ in range(depth):
        power = np.convolve(power, [1, 1, 1])
    expected = np.zeros((21, 21))
    expected[10 - depth : 11 + depth, 10 - depth : 11 + depth] = np.outer(power, power)

    found = effective_field(ones(depth), images(3, 1, 21, 21))

    np.testing.assert_array_equal(found.map, expected)
    assert found.cell == (10, 10)
    assert found.centre == (10.0, 10.0)
    assert found.size == (2 * depth + 1, 2 * depth + 1)
    assert found.box == (10 - depth, 10 - depth, 11 + depth, 11 + depth)


@pytest.mark.parametrize("depth", [1, 2, 6, 9])
def test_the_side_is_the_least_that_holds_95_percent(depth: int) -> None:
    found = effective_field(ones(depth), images(1, 1, 21, 21))
    held = {2 * r + 1: found.map[10 - r : 11 + r, 10 - r : 11 + r].sum() for r in range(11)}
    expected = min(side for side, sum_ in held.items() if sum_ >= 0.95 * found.map.sum())

    assert found.side == expected
    assert depth < 6 or found.side < 2 * depth + 1


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.near = nn.Conv2d(4, 4, 1)
        self.far = nn.Conv2d(4, 4, 3, padding=2, dilation=2)

    def forward(self, x):
        x = nn.functional.relu(self.first(x))
        return nn.functional.relu(self.near(x) + self.far(x))


NETWORKS = {
    "windows for transforms": lambda: nn.Sequential(
        *(layer for width in (2, 8, 8) for layer in (nn.Conv2d(width, 8, 3, padding=1), nn.ReLU()))
    ),
    "pooled": lambda: nn.Sequential(
        nn.Conv2d(2, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.AvgPool2d(2)
    ),
    "normalised": lambda: nn.Sequential(nn.Conv2d(2, 8, 5, padding=2), nn.BatchNorm2d(8), nn.Tanh()),
    "residual": Residual,
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("cell", [None, (0, 0), (2, 1)])
def test_outside_of_the_theoretical_box_the_gradient_is_exactly_0(name: str, cell: tuple[int, int] | None) -> None:
    pel.manual_seed(0)
    found = effective_field(NETWORKS[name](), images(4, 2, 24, 24), cell=cell)
    y0, x0, y1, x1 = found.box
    outside = found.map.copy()
    outside[y0:y1, x0:x1] = 0

    assert (y1 - y0) * (x1 - x0) < 24 * 24
    assert found.map[y0:y1, x0:x1].any()
    np.testing.assert_array_equal(outside, 0)


def test_a_network_of_the_zoo_whose_kernels_transform() -> None:
    found = effective_field(pel.zoo.build("pooled28"), images(4, 1, 28, 28))
    y0, x0, y1, x1 = found.box
    inside = found.map[y0:y1, x0:x1]

    assert (found.layer, found.cell, found.box) == ("pool2", (3, 3), (8, 8, 20, 20))
    assert inside.sum() == found.map.sum() > 0
    assert np.count_nonzero(found.map) == np.count_nonzero(inside) > 100


def test_magnitudes_are_summed_over_the_channels_of_the_image() -> None:
    net = nn.Conv2d(3, 1, 3)
    found = effective_field(net, images(2, 3, 3, 3))

    np.testing.assert_allclose(found.map, abs(net.weight.data[0]).sum(axis=0), rtol=1e-6)


def test_channels_that_answer_to_opposite_things_do_not_cancel() -> None:
    net = nn.Conv2d(1, 2, 3, bias=False)
    weight = images(1, 1, 3, 3)
    net.load_state_dict({"weight": np.concatenate([weight, -weight])})
    found = effective_field(net, images(64, 1, 3, 3))
    times = found.map / abs(weight[0, 0])  # of 64 draws of signs, about half differ, and give 2·|w|; the others give 0

    assert times.max() - times.min() < 1e-6
    assert 0.6 < times.mean() < 1.4


def test_another_seed_draws_other_signs() -> None:
    net, x = NETWORKS["pooled"](), images(1, 2, 24, 24)

    np.testing.assert_array_equal(effective_field(net, x).map, effective_field(net, x).map)
    assert (effective_field(net, x).map != effective_field(net, x, seed=1).map).any()


def test_layers_by_name_and_a_layer_without_places() -> None:
    net = pel.zoo.build("tiny")
    x = images(2, 1, 28, 28)
    dense = effective_field(net, x, "fc")

    assert effective_field(net, x, "conv1").size == (3.0, 3.0)
    assert effective_field(net, x, "conv1", cell=(0, 27)).box == (0, 26, 2, 28)
    assert (dense.cell, dense.size, dense.box, dense.centre) == (None, None, (0, 0, 28, 28), (13.5, 13.5))
    assert dense.as_dict()["cell"] is None
    assert effective_field(pel.zoo.build("resnet20"), images(1, 3, 32, 32), "layer1.0").layer == "layer1.0.relu2"


def test_a_dead_cell_has_no_side() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU())
    net.load_state_dict({"0.weight": np.zeros((1, 1, 3, 3), np.float32), "0.bias": [-1]})
    found = effective_field(net, images(1, 1, 8, 8))

    assert found.side == 0
    np.testing.assert_array_equal(found.map, 0)


def test_network_and_precision_are_left_as_they_were() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)).train()
    before = net.state_dict()
    pel.set_precision("fast")
    effective_field(net, images(2, 1, 8, 8))

    assert net.training
    assert pel.precision() == "fast"
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_what_cannot_be_measured_is_refused() -> None:
    net = NETWORKS["pooled"]()
    x = images(1, 2, 24, 24)

    with pytest.raises(ParameterError, match=r"There is no layer '9'; there are 0, 1, 2, 3, 4\."):
        effective_field(net, x, "9")
    with pytest.raises(ParameterError, match="There is no layer 'cond1'; the nearest are conv1"):
        effective_field(pel.zoo.build("tiny"), images(1, 1, 28, 28), "cond1")
    with pytest.raises(ParameterError, match=r"must lie in the 4 × 4 cells of '4'; got \(4, 0\)"):
        effective_field(net, x, cell=(4, 0))
    with pytest.raises(ParameterError, match="'fc' has no rows and columns"):
        effective_field(pel.zoo.build("tiny"), images(1, 1, 28, 28), "fc", cell=(0, 0))
    with pytest.raises(ParameterError, match="Every layer of the network sees the whole image"):
        effective_field(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), images(1, 1, 2, 2))
    with pytest.raises(ShapeError, match=r"needs images \(N, C, H, W\)"):
        effective_field(net, x[0])
    with pytest.raises(ShapeError, match="needs 2 channels"):
        effective_field(net, images(1, 3, 24, 24))
    with pytest.raises(DataError, match="at least one image"):
        effective_field(net, x[:0])
    net.load_state_dict({name: array * np.nan for name, array in net.state_dict().items()})
    with pytest.raises(DataError, match="must be finite"):
        effective_field(net, x)
