"""Which layers follow a shift, beside loops that compare cell by cell."""

from fractions import Fraction

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid import zoo
from pellucid.explain.shifts.equivariance import SHIFTS, equivariance


def inputs(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype("float32")


def measured(net, x):
    layers, poolings = equivariance(net, x)
    return {layer.layer: layer for layer in layers}, {pooling.layer: pooling for pooling in poolings}


def test_a_convolution_makes_no_error_whatever_its_border():
    for mode in ("zeros", "reflect", "circular"):
        nn.manual_seed(0)
        net = nn.Sequential({"conv": nn.Conv2d(2, 3, 5, padding=2, padding_mode=mode, dilation=2), "relu": nn.ReLU()})
        layers, _ = measured(net, inputs(3, 2, 12, 24))
        assert list(layers) == ["conv", "relu"]
        for layer in layers.values():
            assert layer.jump == 1
            assert max(layer.errors) < 1e-6


def test_what_is_sampled_follows_steps_of_the_stride_only():
    nn.manual_seed(0)
    for strided in (nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Conv2d(2, 2, 3, stride=2, padding=1), nn.BlurPool2d()):
        layers, _ = measured(nn.Sequential({"here": strided}), inputs(3, 2, 12, 24))
        errors = layers["here"].errors
        assert layers["here"].jump == 2
        assert max(errors[1::2]) < 1e-6
        assert min(errors[0::2]) > 0.02


def test_blur_lessens_the_error():
    x = np.cumsum(inputs(4, 3, 16, 32), axis=3)
    plain, _ = measured(nn.Sequential({"pool": nn.MaxPool2d(2)}), x)
    blurred, _ = measured(nn.Sequential({"max": nn.MaxPool2d(2, stride=1), "blur": nn.BlurPool2d()}), x)
    assert blurred["blur"].errors[0] < plain["pool"].errors[0]
    assert max(blurred["max"].errors) == 0


def by_hand(net, x, layer, shift, size, jump, first):
    """Compare cell by cell; a cell's field begins at ``first + jump · column`` and is ``size`` wide."""
    graph = nn.Sequential(
        *[module for name, module in net.named_children()][: list(dict(net.named_children())).index(layer) + 1]
    )
    after = np.zeros_like(x)
    after[..., shift:] = x[..., :-shift]
    old, new = graph(x), graph(after)
    cells = Fraction(shift, jump)
    difference = norm = 0.0
    for column in range(old.shape[3]):
        sources = {column - cells // 1: 1 - cells % 1, column - cells // 1 - 1: cells % 1}
        sources = {int(place): float(weight) for place, weight in sources.items() if weight}
        begins = [first + jump * place for place in (*sources, column)]
        if min(sources) < 0 or min(begins) < 0 or max(begins) + size > x.shape[3]:
            continue
        expected = sum(weight * old[..., place].astype(float) for place, weight in sources.items())
        difference += ((new[..., column] - expected) ** 2).sum()
        norm += (expected**2).sum()
    return np.sqrt(difference / norm) if norm else None


def test_errors_are_those_of_a_loop_over_cells():
    nn.manual_seed(3)
    net = nn.Sequential(
        {
            "conv1": nn.Conv2d(1, 3, 3, padding=1),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(3, 4, 3, padding=1),
            "pool2": nn.MaxPool2d(3, stride=2, padding=1),
        }
    )
    x = inputs(5, 1, 8, 40)
    layers, _ = measured(net, x)
    fields = {"conv1": (3, 1, -1), "pool1": (4, 2, -1), "conv2": (8, 2, -3), "pool2": (12, 4, -5)}
    for name, (size, jump, first) in fields.items():
        assert layers[name].jump == jump
        expected = [by_hand(net, x, name, shift, size, jump, first) for shift in SHIFTS]
        np.testing.assert_allclose(layers[name].errors, expected, rtol=1e-4, atol=1e-6)


def test_batches_add_up(monkeypatch):
    nn.manual_seed(0)
    net, x = zoo.build("tiny"), inputs(7, 1, 28, 28)
    whole = equivariance(net, x)
    monkeypatch.setattr("pellucid.explain.shifts.equivariance._BYTES", 60_000)  # two images of this network
    parts = equivariance(net, x)
    for one, other in zip(whole[0], parts[0], strict=True):
        np.testing.assert_allclose(one.errors, other.errors, rtol=1e-6, atol=1e-6)
    assert whole[1] == parts[1]


def test_a_layer_whose_cells_all_reach_the_border_has_no_error_to_tell():
    nn.manual_seed(0)
    net = nn.Sequential(
        {"conv": nn.Conv2d(1, 1, 9, padding=4), "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    )
    layers, _ = measured(net, inputs(2, 1, 12, 12))
    assert list(layers) == ["conv"]
    assert layers["conv"].errors[3:] == (None,) * 5
    assert None not in layers["conv"].errors[:3]


def test_a_dead_layer_makes_no_error():
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 3), "relu": nn.ReLU()})
    net.load_state_dict({"conv.weight": np.zeros((1, 1, 3, 3)), "conv.bias": [-1]})
    layers, _ = measured(net, inputs(2, 1, 12, 16))
    assert layers["relu"].errors == (0.0,) * 8


def test_layers_of_several_operations_go_by_their_own_name_and_modes_come_back():
    net = zoo.build("pooled28-p4").train()
    layers, poolings = measured(net, inputs(2, 1, 28, 28))
    assert list(layers) == ["conv1", "relu1", "conv2", "relu2", "pool1", "conv3", "relu3", "pool2"]
    assert list(poolings) == ["pool1", "pool2"]
    assert net.training
    record = layers["pool2"].as_dict()
    assert (record["layer"], record["op"], record["jump"]) == ("pool2", "MaxPool2d", 4)


def shares(pool, maps, side, stride, moved):
    """Count cell by cell what one pooling leaves unchanged."""
    counts = dict.fromkeys(("cells", "same", "live", "same_live", "maps", "same_maps"), 0)
    shifted = np.zeros_like(maps)
    shifted[..., moved:] = maps[..., :-moved]
    before, after = pool(maps), pool(shifted)
    for n, c in np.ndindex(before.shape[:2]):
        lives, kept = False, True
        for y, x in np.ndindex(before.shape[2:]):
            if x * stride < moved or x * stride + side > maps.shape[3]:
                continue
            one, other = before[n, c, y, x], after[n, c, y, x]
            counts["cells"] += 1
            counts["same"] += one == other
            counts["live"] += one != 0 or other != 0
            counts["same_live"] += one == other and one != 0
            lives, kept = lives or one != 0 or other != 0, kept and one == other
        counts["maps"] += lives
        counts["same_maps"] += lives and kept
    return counts


@pytest.mark.parametrize(("side", "stride"), [(2, 2), (3, 2), (2, 1), (4, 4)])
def test_what_pooling_leaves_unchanged_is_what_a_loop_counts(side, stride):
    pool = nn.MaxPool2d(side, stride)
    maps = np.maximum(np.random.default_rng(0).integers(-3, 3, (3, 2, 9, 20)), 0).astype("float32")
    maps[0, 0] = 0
    maps[1, 1] = 2
    _, poolings = measured(nn.Sequential({"pool": pool}), maps)
    found = poolings["pool"]
    assert (found.side, found.stride, found.jump) == (side, stride, 1)
    for moved in range(1, side + 1):
        counts = shares(pool, maps, side, stride, moved)
        assert found.unchanged[moved - 1] == counts["same"] / counts["cells"]
        assert found.live[moved - 1] == counts["same_live"] / counts["live"]
        assert found.maps[moved - 1] == counts["same_maps"] / counts["maps"]
        old, new = maps[..., moved:], maps[..., :-moved]
        live = (old != 0) | (new != 0)
        assert found.entering[moved - 1] == (old == new)[live].mean()


def test_a_maximum_that_stays_in_its_window_is_not_missed():
    """One bright cell in the left column of its window: moved by one it stays there, by two it leaves."""
    maps = np.zeros((1, 1, 2, 8), np.float32)
    maps[..., 2] = 5
    _, poolings = measured(nn.Sequential({"pool": nn.MaxPool2d(2)}), maps)
    assert poolings["pool"].live == (1.0, 0.0)
    assert poolings["pool"].maps == (1.0, 0.0)
    assert poolings["pool"].entering == (0.0, 0.0)


def test_a_pooling_without_anything_to_count_says_so():
    _, poolings = measured(nn.Sequential({"pool": nn.MaxPool2d(2)}), np.zeros((1, 1, 4, 8), np.float32))
    assert poolings["pool"].live == (None, None)
    assert poolings["pool"].unchanged == (1.0, 1.0)
    assert poolings["pool"].as_dict()["moved"] == [1, 2]
