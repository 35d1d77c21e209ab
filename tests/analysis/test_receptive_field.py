"""The box of a cell against perturbation: a pixel belongs to it if changing it changes the cell."""

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid.analysis.receptive_field import border_source, input_box
from pellucid.graph import Plan
from pellucid.reference import pad


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Conv2d(1, 1, 1, stride=2)
        self.far = nn.Conv2d(1, 1, 5, stride=2, padding=2)

    def forward(self, x):
        return self.near(x) + self.far(x)


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(1, 2, 1)
        self.b = nn.Conv2d(1, 2, 3, padding=2, dilation=2)
        self.join = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.join(nn.functional.cat([self.a(x), self.b(x)], 1))


class Gated(nn.Module):
    """A squeeze-and-excitation gate: every cell depends on the whole image through the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x):
        y = self.conv(x)
        return y * y.mean((2, 3), keepdim=True)


NETWORKS = {
    "strided": lambda: nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.ReLU(), nn.Conv2d(1, 1, 3, padding=1)),
    "same, even kernel": lambda: nn.Sequential(nn.Conv2d(1, 1, 4, padding="same"), nn.AvgPool2d(3, 2, 1)),
    "dilated": lambda: nn.Sequential(nn.Conv2d(1, 1, 3, dilation=3), nn.Conv2d(1, 1, 2, padding=1)),
    "ceil": lambda: nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(1, 1, 2)),
    "circular": lambda: nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
    "reflect": lambda: nn.Sequential(nn.Conv2d(1, 1, 5, padding=2, padding_mode="reflect"), nn.Conv2d(1, 1, 2)),
    "replicate": lambda: nn.Conv2d(1, 1, 5, padding=4, padding_mode="replicate"),
    "transposed": lambda: nn.Sequential(nn.AvgPool2d(2), nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)),
    "transposed with gaps": lambda: nn.ConvTranspose2d(1, 1, 1, stride=2),
    "global": lambda: nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveAvgPool2d(1)),
    "padding only": lambda: nn.Conv2d(1, 1, 1, padding=1),
    "residual": Residual,
    "branches": Branches,
    "gated": Gated,
    "the picture's own statistics": lambda: nn.Sequential(
        nn.Conv2d(1, 1, 2), nn.BatchNorm2d(1, track_running_stats=False), nn.MaxPool2d(2)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_box_is_what_perturbing_pixels_shows(name: str) -> None:
    net = NETWORKS[name]().double().eval()
    for parameter in net.parameters():  # positive numbers: nothing cancels, no ReLU is dead
        parameter.data = np.random.default_rng(0).uniform(0.5, 1.0, parameter.shape)
    graph = net.graph((1, 1, 9, 8))
    plan = Plan(graph, "reference")
    image = np.random.default_rng(1).uniform(0.5, 1.0, (1, 1, 9, 8))

    def run(pixels: np.ndarray) -> np.ndarray:
        (result,) = plan.run({"x": pixels, next(iter(graph.inputs)): pixels, **net.arrays()}).values()
        return result[0, 0]

    before = run(image)
    seen = np.zeros((*before.shape, 9, 8), bool)
    for y, x in np.ndindex(9, 8):
        changed = image.copy()
        changed[0, 0, y, x] += 1
        seen[:, :, y, x] = run(changed) != before

    (output,) = graph.outputs.values()
    for y, x in np.ndindex(before.shape):
        rows, columns = seen[y, x].any(1).nonzero()[0], seen[y, x].any(0).nonzero()[0]
        expected = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if len(rows) else (0, 0, 0, 0)
        assert input_box(graph, output, y, x) == expected, (name, y, x)


def test_flattening_sees_everything() -> None:
    graph = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(24, 3)).graph((1, 1, 6, 5))

    assert input_box(graph, graph.value("2"), 0, 0) == (0, 0, 6, 5)


def test_explicit_padding_layer_shifts_the_box() -> None:
    graph = nn.Sequential(nn.ZeroPad2d((2, 0, 1, 0)), nn.Conv2d(1, 1, 3)).graph((1, 1, 6, 6))
    (output,) = graph.outputs.values()

    assert input_box(graph, output, 0, 0) == (0, 0, 2, 1)


@pytest.mark.parametrize("border", ["replicate", "reflect", "circular"])
def test_border_source_is_the_references_padding(border: str) -> None:
    padded = pad(np.arange(5.0), [(4, 4)], mode=border)

    assert [border_source(cell, 5, border) for cell in range(-4, 9)] == padded.tolist()
