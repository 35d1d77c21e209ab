"""A cell's products must add up to what the engine computed, whatever the settings of the convolution."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.trace import Trace, trace
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
    (layer,) = t
    return [t.cell("conv", channel=c, y=y, x=x) for c, y, x in np.ndindex(layer.output.shape)]


@quick
@given(convolutions())
def test_on_whole_numbers_the_sum_is_exact(drawn: tuple) -> None:
    net, shape = drawn
    t = trace(net, fill(net, shape, whole=True))

    for cell in cells(t):
        assert cell.products.sum() + cell.bias == cell.value == cell.preactivation
        assert cell.value == t["conv"].output[cell.channel, cell.y, cell.x]
        np.testing.assert_array_equal(cell.products, cell.patch * cell.weights)


@quick
@given(convolutions())
def test_on_real_numbers_the_sum_is_within_rounding(drawn: tuple) -> None:
    net, shape = drawn

    for cell in cells(trace(net, fill(net, shape, whole=False))):
        terms = cell.products.size + 1
        magnitude = abs(cell.products).sum() + abs(cell.bias)
        assert abs(cell.preactivation - cell.value) <= terms * np.finfo(np.float32).eps * magnitude


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


def test_text_writes_the_worked_cell_out() -> None:
    net = nn.Sequential({"edge": nn.Conv2d(1, 1, 3)})
    net.load_state_dict({"edge.weight": [[[[1, 0, -1]] * 3]], "edge.bias": [0]})
    image = np.float32([[2, 1, 3, 0, 1], [0, 2, 1, 3, 2], [1, 0, 2, 1, 0], [3, 1, 0, 2, 1], [2, 3, 1, 0, 2]])

    text = trace(net, image[None]).cell("edge", channel=0, y=0, x=0).text()

    assert text.splitlines() == [
        "edge, channel 0, row 0, column 0",
        "  input channel 0: patch × weights",
        "     2×1 +  1×0 + 3×-1",
        "     0×1 +  2×0 + 1×-1",
        "     1×1 +  0×0 + 2×-1",
        "    = -3",
        "  sum -3 + bias 0 = -3",
        "  pixels behind it: rows 0 to 2, columns 0 to 2",
    ]


def test_text_of_many_channels_writes_four_out_and_sums_the_rest() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(7, 1, 1, bias=False)})
    net.load_state_dict({"conv.weight": np.float32([1, -9, 2, 8, 7, 3, -6]).reshape(1, 7, 1, 1)})
    text = trace(net, np.ones((7, 1, 1), np.float32)).cell("conv", 0, 0, 0).text()

    assert [line for line in text.splitlines() if "input channel" in line] == [
        "  input channel 1: patch × weights",
        "  input channel 3: patch × weights",
        "  input channel 4: patch × weights",
        "  input channel 6: patch × weights",
        "  the other 3 input channels: 6",
    ]
    assert "sum 6 + bias 0 = 6" in text


def test_a_cell_of_nothing_but_padding_says_so() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 1, padding=1)})
    cell = trace(net, np.ones((1, 2, 2), np.float32)).cell("conv", 0, 0, 0)

    assert cell.box == (0, 0, 0, 0)
    assert "none, only padding" in cell.text()


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


def test_other_layers_are_not_written_out_yet() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 2, 2), "pool": nn.MaxPool2d(2)})
    with pytest.raises(pel.ParameterError, match="Only convolutions are written out so far; 'pool' is MaxPool2d"):
        trace(net, np.ones((1, 4, 5), np.float32)).cell("pool", 0, 0, 0)
