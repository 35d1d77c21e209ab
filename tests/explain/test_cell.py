"""A cell's products must add up to what the engine computed, whatever the settings of the convolution."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.trace import Trace, trace
from pellucid.ops.modes import PRECISION
from tests.explain.networks import small
from tests.strategies import quick


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[nn.Module, tuple[int, int, int]]:
    groups = draw(st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    mode = draw(st.sampled_from(["zeros", "replicate", "reflect", "circular"]))
    layer = nn.Conv2d(
        groups * draw(st.integers(1, 3)),
        groups * draw(st.integers(1, 2)),
        kernel,
        stride=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        padding=draw(st.tuples(st.integers(0, 3), st.integers(0, 3))),
        dilation=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=mode,
    )
    return nn.Sequential({"conv": layer}), (layer.in_channels, draw(st.integers(7, 9)), draw(st.integers(7, 9)))


def fill(net: nn.Module, shape: tuple[int, ...], *, whole: bool) -> np.ndarray:
    rng = np.random.default_rng(3)

    def numbers(of: tuple[int, ...]) -> np.ndarray:
        return (rng.integers(-4, 5, of) if whole else rng.standard_normal(of)).astype(np.float32)

    for parameter in net.parameters():
        parameter.data = numbers(parameter.shape)
    return numbers(shape)


def cells(t: Trace) -> list:
    """Return some of the cells, the corners among them."""
    (layer,) = t
    places = list(np.ndindex(layer.output.shape))
    chosen = {0, len(places) - 1, *np.random.default_rng(0).integers(len(places), size=12).tolist()}
    return [t.cell("conv", *places[number]) for number in sorted(chosen)]


@quick
@given(convolutions())
def test_on_whole_numbers_the_sum_is_exact(drawn: tuple) -> None:
    net, shape = drawn
    t = trace(net, fill(net, shape, whole=True))

    for cell in cells(t):
        assert cell.products.sum() + cell.bias == cell.value == cell.preactivation == cell.explained
        assert cell.error == cell.bound == 0
        assert cell.value == t["conv"].output[cell.channel, cell.y, cell.x]
        np.testing.assert_array_equal(cell.products, cell.patch * cell.weights)


@quick
@given(convolutions())
def test_on_real_numbers_the_sum_is_within_rounding(drawn: tuple) -> None:
    net, shape = drawn

    for cell in cells(trace(net, fill(net, shape, whole=False))):
        terms = cell.products.size + 1
        magnitude = abs(cell.products).sum() + abs(cell.bias)
        assert cell.error == abs(cell.preactivation - cell.value) <= cell.bound
        assert cell.bound <= 1.001 * terms * np.finfo(np.float32).eps * magnitude + 1e-30


def test_patch_and_weights_are_those_of_the_group() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(4, 6, 3, groups=2, bias=False)})
    image = fill(net, (4, 5, 5), whole=True)
    cell = trace(net, image).cell("conv", channel=4, y=1, x=2)

    assert cell.channels == range(2, 4)
    np.testing.assert_array_equal(cell.patch, image[2:4, 1:4, 2:5])
    np.testing.assert_array_equal(cell.weights, net.state_dict()["conv.weight"][4])
    assert cell.bias == 0


def test_pytorch_agrees_on_the_patch() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(2, 1, 3, stride=2, padding=1, dilation=2)})
    image = fill(net, (2, 9, 9), whole=True)
    columns = torch.nn.functional.unfold(torch.from_numpy(image[None]), 3, dilation=2, padding=1, stride=2)
    t = trace(net, image)
    _, rows, width = t["conv"].output.shape

    for y, x in np.ndindex(rows, width):
        expected = columns[0, :, y * width + x].numpy().reshape(2, 3, 3)
        np.testing.assert_array_equal(t.cell("conv", channel=0, y=y, x=x).patch, expected)


def test_true_convolution_shows_the_flipped_weights() -> None:
    class Flipped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3))

        def forward(self, x):
            return nn.functional.conv2d(x, self.weight, flip=True)

    t = trace(Flipped(), np.ones((1, 3, 3), np.float32) * np.arange(3, dtype=np.float32))
    (layer,) = t
    cell = t.cell(layer.name, channel=0, y=0, x=0)

    assert cell.weights[0, 0].tolist() == [8, 7, 6]
    assert cell.products.sum() == cell.value


def test_activation_and_box() -> None:
    pel.manual_seed(1)
    net = pel.zoo.build("pooled28")
    t = trace(net, np.random.default_rng(0).standard_normal((1, 28, 28)).astype(np.float32))
    cell = t.cell("conv2", channel=3, y=5, x=7)

    assert cell.products.shape == (32, 3, 3)
    assert cell.box == (3, 5, 8, 10)
    assert cell.activation is not None
    assert (cell.activation.layer, cell.activation.op) == ("relu2", "ReLU")
    assert cell.activation.value == t["relu2"].output[3, 5, 7] == max(0.0, np.float32(cell.value))
    assert t.cell("conv1", channel=0, y=0, x=0).box == (0, 0, 2, 2)


def test_no_activation_where_several_layers_read_the_result() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(1, 1, 1), nn.ReLU()

        def forward(self, x):
            y = self.conv(x)
            return y + self.relu(y)

    assert trace(Fork(), np.ones((1, 2, 2), np.float32)).cell("conv", 0, 0, 0).activation is None


def test_a_cell_of_nothing_but_padding_says_so() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 1, padding=1)})
    cell = trace(net, np.ones((1, 2, 2), np.float32)).cell("conv", 0, 0, 0)

    assert cell.box == (0, 0, 0, 0)
    assert "pixels behind it: none" in cell.text()
    assert cell.sources == ()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"channel": 2, "y": 0, "x": 0}, "'channel' parameter of cell must be 0 to 1, because 'conv' is 2×3×4"),
        ({"channel": 0, "y": 3, "x": 0}, "'y' parameter of cell must be 0 to 2, .*; got 3"),
        ({"channel": 0, "y": 0, "x": -1}, "'x' parameter of cell must be 0 to 3, .*; got -1"),
        ({"channel": 0, "y": 0.5, "x": 0}, "'y' parameter of cell must be 0 to 2, .*; got 0.5"),
    ],
)
def test_cells_outside_the_map_are_refused(place: dict, message: str) -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 2, 2)})
    with pytest.raises(pel.ParameterError, match=message):
        trace(net, np.ones((1, 4, 5), np.float32)).cell("conv", **place)


@pytest.mark.parametrize(
    ("layer", "place", "message"),
    [
        (
            "conv",
            (0,),
            r"A cell of 'conv' must be given by 3 numbers, because the layer is 2×3×4 \(C×H×W\); got \(0,\)",
        ),
        ("fc", (0, 0, 0), r"A cell of 'fc' must be given by 1 number, because the layer is 3 \(K\); got \(0, 0, 0\)"),
        ("fc", (3,), r"'channel' parameter of cell must be 0 to 2, because 'fc' is 3 \(K\); got 3"),
        ("fc", (None, 1), r"'channel' parameter of cell must be given where a later one is; got \(None, 1\)"),
        ("conv", (0, None, 1), r"'y' parameter of cell must be given where a later one is; got \(0, None, 1\)"),
        ("conv", (0, 0, 0, None, 1), r"'axis 3' parameter of cell must be given where a later one is"),
    ],
)
def test_a_place_has_as_many_numbers_as_the_layer_has_axes(layer: str, place: tuple, message: str) -> None:
    with pytest.raises(pel.ParameterError, match=message):
        small().cell(layer, *place)


def test_sources_lead_from_a_logit_to_the_pixels() -> None:
    t, seen, todo = small(), set(), [("softmax", (1,))]
    while todo:
        name, place = todo.pop()
        cell = t.cell(name, *place)
        for source in cell.sources:
            if source.layer == "x":
                assert source.value == t.image[source.index]
                seen.add(source.index)
            else:
                assert source.value == t[source.layer].output[source.index]
                todo.append((source.layer, source.index))
    assert seen == {(0, y, x) for y, x in np.ndindex(3, 5)}  # the last row of conv is in no window of pool
    assert t.cell("softmax", 1).box == (0, 0, 3, 5)


def test_weighted_sources_add_up() -> None:
    t = small()
    for name in ("conv", "fc", "pool", "flatten"):
        for place in np.ndindex(t[name].shape):
            cell = t.cell(name, *place)
            total = sum(source.value * source.weight for source in cell.sources) + cell.bias
            assert total == pytest.approx(cell.explained, abs=1e-12)
    assert {source.weight for source in t.cell("softmax", 0).sources} == {None}


def test_the_winner_of_a_maximum() -> None:
    t = small()
    for place in np.ndindex(t["pool"].shape):
        cell = t.cell("pool", *place)
        assert cell.winner is not None
        assert cell.winner.layer == "relu"
        assert cell.winner.value == t["relu"].output[cell.winner.index] == cell.value
        assert sum(weight == 1 for weight in cell.weights.flat) == 1
    assert t.cell("conv", 0, 0, 0).winner is None


def test_batch_norm_and_softmax_show_their_numbers() -> None:
    t = small()
    norm, softmax = t.cell("norm", 1, 2, 3), t.cell("softmax", 2)
    mean, variance = (float(t.graph and t._values[f"norm.running_{name}"][1]) for name in ("mean", "var"))
    x = float(t["conv"].output[1, 2, 3])

    deviation = math.sqrt(variance + 1e-5)
    assert [step.value for step in norm.steps[:3]] == [x - mean, deviation, (x - mean) / deviation]
    assert norm.steps[0].numbers == f"{x:.4g} − {mean:.4g}".replace("-", "−")
    exponentials = np.exp(t["fc"].output.astype(float) - t["fc"].output.max())
    np.testing.assert_allclose(softmax.operands[0].terms, exponentials)
    assert softmax.steps[2].value == pytest.approx(exponentials.sum())
    assert softmax.value == pytest.approx(exponentials[2] / exponentials.sum())


def test_moves_say_where_a_number_was() -> None:
    t = small()
    for k in range(4):
        (source,) = t.cell("flatten", k).sources
        assert (source.layer, source.index) == ("pool", tuple(map(int, np.unravel_index(k, t["pool"].shape))))
        assert t.cell("flatten", k).box == t.cell("pool", *source.index).box


def test_what_is_read_from_a_parameter_has_no_pixels() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(np.float32([2, 3]).reshape(1, 2, 1, 1))

        def forward(self, x):
            return x * self.scale

    t = trace(Scaled(), np.ones((2, 3, 3), np.float32))
    (layer,) = t
    sources = {source.layer: source for source in t.cell(layer.name, 1, 2, 0).sources}

    assert sources["x"].index == (1, 2, 0)
    assert sources["scale"].value == 3
    assert t.cell(layer.name, 1, 2, 0).box == (2, 0, 3, 1)


def test_float64_is_explained_to_its_own_last_digits() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(3, 2, 3, padding=1), "norm": nn.GroupNorm(1, 2)}).double()
    t = trace(net, np.random.default_rng(0).standard_normal((3, 6, 6)))
    for name in ("conv", "norm"):
        for place in np.ndindex(t[name].shape):
            cell = t.cell(name, *place)
            assert cell.error <= cell.bound < 1e-12


def test_winograds_rounding_has_its_own_bound() -> None:
    pel.manual_seed(0)
    net = nn.Sequential({"conv": nn.Conv2d(32, 32, 3, padding=1, bias=False)})
    image = np.random.default_rng(0).integers(-4, 5, (32, 12, 12)).astype(np.float32)
    net.get_submodule("conv").weight.data = np.ones((32, 32, 3, 3), np.float32)
    fast = trace(net, image).cell("conv", 3, 5, 5)
    with PRECISION.during("strict"):
        strict = trace(net, image).cell("conv", 3, 5, 5)

    assert "winograd" in fast.kernel
    assert "winograd" not in strict.kernel
    assert fast.error <= fast.bound > 0
    assert strict.error == strict.bound == 0  # whole numbers: exact in any order, but not when they are transformed


def test_a_cell_of_several_axes_is_found_by_all_of_them() -> None:
    class Tokens(nn.Module):
        def forward(self, x):
            return x.flatten(2).permute(0, 2, 1)

    t = trace(Tokens(), np.arange(12, dtype=np.float32).reshape(2, 2, 3))
    last = list(t)[-1]
    assert last.shape == (6, 2)
    cell = t.cell(last.name, 4, 1)

    assert cell.value == 10
    assert cell.box == (1, 1, 2, 2)
    assert cell.text().startswith(f"{last.name}, place (4, 1)")
    with pytest.raises(AttributeError, match="has no x"):
        _ = cell.x


def test_what_is_flat_has_no_channels() -> None:
    assert small().cell("pool", 1, 0, 0).channels == range(1, 2)
    with pytest.raises(AttributeError, match="A cell of 'fc' was read from no channels: 'flatten' is flat"):
        _ = small().cell("fc", 0).channels


def test_a_norm_by_the_pictures_own_statistics_sees_the_whole_picture() -> None:
    net = nn.Sequential({"c": nn.Conv2d(1, 1, 1), "bn": nn.BatchNorm2d(1, track_running_stats=False)})
    cell = trace(net, np.random.default_rng(0).standard_normal((1, 6, 6)).astype(np.float32)).cell("bn", 0, 3, 3)

    assert cell.box == (0, 0, 6, 6)
    assert len({source.index for source in cell.sources}) == 36


def test_a_negative_variance_is_nan_as_in_the_engine() -> None:
    net = nn.Sequential({"bn": nn.BatchNorm2d(1)})
    net.get_submodule("bn").running_var.data = np.float32([-1])
    cell = trace(net, np.ones((1, 2, 2), np.float32)).cell("bn", 0, 0, 0)

    assert math.isnan(cell.value)
    assert math.isnan(cell.explained)
    assert cell.error == 0
    assert "the engine computed nan, exactly that" in cell.text()


def test_winograds_algorithm_is_named() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(32, 32, 3, padding=1, bias=False)})
    t = trace(net, np.random.default_rng(0).integers(-4, 5, (32, 12, 12)).astype(np.float32))
    assert "by Winograd's algorithm" in t.cell("conv", 3, 5, 5).text()
    assert "Winograd" not in small().cell("conv", 0, 0, 0).text()


EXTREMES = np.float32([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e20, -1e20, 1e-45, 0, -1.5, 2, 800])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinity_nan_and_overflow_keep_every_promise(dtype: str) -> None:
    """Every number of every layer, with no warning: the error is at most the bound, which is a number."""
    layers = {
        **{f"conv{size}": nn.Conv2d(2, 2, size, padding=size // 2) for size in (1, 2, 3)},
        "norm": nn.BatchNorm2d(2),
        "own": nn.BatchNorm2d(2, track_running_stats=False),
        "group": nn.GroupNorm(1, 2),
        "lrn": nn.LocalResponseNorm(2),
        "power": nn.LPPool2d(2, 2),
        "average": nn.AvgPool2d(2),
        "max": nn.MaxPool2d(2),
        "up": nn.Upsample(scale_factor=2, mode="bilinear"),
        "softmax": nn.Softmax(1),
        "log": nn.LogSoftmax(1),
        **{kind: getattr(nn, kind)() for kind in ("ReLU", "ReLU6", "LeakyReLU", "ELU", "Sigmoid", "Tanh", "SiLU")},
        **{kind: getattr(nn, kind)() for kind in ("GELU", "Hardswish", "Hardsigmoid")},
    }
    numbers = EXTREMES.astype(dtype) * (1 if dtype == "float32" else 1e250)
    images = np.random.default_rng(1).choice(numbers, (4, 2, 5, 5))
    for name, layer in layers.items():
        net = nn.Sequential({name: layer, "dtype": nn.Conv2d(2, 2, 1)})
        net = net.double() if dtype == "float64" else net
        for image in images:
            # as_input refuses such pixels; layers behind others still meet them
            t = Trace(net.eval().graph((1, 2, 5, 5)), {"x": image[None].copy(), **net.arrays()})
            for place in np.ndindex(t[name].shape):
                cell = t.cell(name, *place)
                assert cell.error <= cell.bound, (image, cell.text())
            assert cell._repr_html_()
            assert json.dumps(cell.as_dict(), allow_nan=False)


def test_winograds_bound_holds_beside_infinity_and_nan() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(32, 32, 3, padding=1)})
    rng = np.random.default_rng(2)
    image = rng.standard_normal((1, 32, 12, 24)).astype(np.float32)
    image[0, :, :, 12:] = rng.choice(EXTREMES, (32, 12, 12), p=[0.001, 0.001, 0.001, *[0.997 / 9] * 9])
    t = Trace(net.eval().graph(image.shape), {"x": image, **net.arrays()})
    assert "winograd" in t["conv"].kernel

    cells = [t.cell("conv", *(int(i) for i in rng.integers((32, 12, 24)))) for _ in range(150)]
    assert all(cell.error <= cell.bound for cell in cells)
    assert {math.isfinite(cell.bound) for cell in cells} == {True, False}
