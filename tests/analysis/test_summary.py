import json
import tracemalloc

import numpy as np
import pytest
import torch

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.summary import summarise, summary


def test_totals_of_the_first_lessons_network_equal_the_arithmetic() -> None:
    found = summary(pel.zoo.build("pooled28"), (1, 28, 28))

    assert found.parameters == 430_890
    assert {layer.name: layer.parameters for layer in found.layers if layer.parameters} == {
        "conv1": 320,
        "conv2": 9_248,
        "conv3": 18_496,
        "fc1": 401_536,
        "fc2": 1_290,
    }
    by_hand = 28 * 28 * 32 * (9 + 32 * 9) + 14 * 14 * 64 * 32 * 9 + 3136 * 128 + 128 * 10
    assert found.macs == by_hand


def test_parameters_and_shapes_equal_pytorchs() -> None:
    def layers(library: object) -> list:
        return [
            library.Conv2d(3, 8, 5, stride=2, padding=1, groups=1),
            library.BatchNorm2d(8),
            library.Conv2d(8, 16, 3, groups=4, bias=False),
            library.ConvTranspose2d(16, 6, 2, stride=2),
            library.Flatten(),
            library.Linear(6 * 26 * 26, 7),
        ]

    theirs = layers(torch.nn)
    ours = summary(nn.Sequential(*layers(nn)), (3, 32, 32))

    image = torch.zeros(1, 3, 32, 32)
    for layer, expected in zip(ours.layers, theirs, strict=True):
        image = expected.eval()(image)
        assert layer.output == tuple(image.shape[1:])
        assert layer.parameters == sum(parameter.numel() for parameter in expected.parameters())


def test_a_shared_parameter_counts_once() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1)

        def forward(self, x: object) -> object:
            return self.conv(self.conv(x))

    found = summary(Twice(), (2, 6, 6))

    assert [layer.parameters for layer in found.layers] == [38, 0]
    assert found.parameters == 38
    assert found.macs == 2 * 2 * 36 * 18


def test_as_dict_is_json_of_the_documented_form() -> None:
    record = summary(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), (1, 5, 5)).as_dict()

    assert json.loads(json.dumps(record)) == {
        "input": [1, 5, 5],
        "layers": [
            {"name": "0", "op": "Conv2d", "output": [2, 3, 3], "parameters": 20, "macs": 162},
            {"name": "1", "op": "ReLU", "output": [2, 3, 3], "parameters": 0, "macs": 0},
        ],
        "totals": {"parameters": 20, "macs": 162},
    }


def test_modes_of_the_modules_are_left_as_they_were() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    net.get_submodule("1").eval()

    found = summary(net, (1, 5, 5))

    assert [module.training for module in net.modules()] == [True, True, False, True]
    assert [layer.op for layer in found.layers] == ["Conv2d", "BatchNorm", "Dropout"]


def test_a_bad_design_names_the_layer() -> None:
    net = nn.Sequential({"stem": nn.Conv2d(1, 2, 3), "head": nn.Conv2d(3, 2, 3)})

    with pytest.raises(pel.ShapeError, match="'head' needs 3 channels"):
        summary(net, (1, 8, 8))


@pytest.mark.parametrize("shape", [(), (1, 1, 28, 28), (1, 0, 28), (1, 2.5, 3)])
def test_a_shape_that_is_none_is_refused(shape: tuple) -> None:
    with pytest.raises(pel.ParameterError, match=r"'shape' parameter of summary must be \(C, H, W\)"):
        summary(pel.zoo.build("tiny"), shape)


def test_no_array_of_the_networks_size_is_made() -> None:
    net = nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.Conv2d(64, 64, 3, padding=1))
    tracemalloc.start()
    summary(net, (1, 2000, 2000))  # a map of it takes 1 GB
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6


def test_text_fits_80_columns_whatever_the_names() -> None:
    inner: nn.Module = nn.Conv2d(1, 1, 1)
    for depth in range(12):
        inner = nn.Sequential({f"a_long_name_{depth}": inner})
    text = str(summary(inner, (1, 9, 9)))

    assert max(map(len, text.splitlines())) <= 80
    assert "a_long_name_0" in text
    assert text.splitlines()[-1].split() == ["total", "2", "81"]


def test_a_graph_can_be_summarised_too() -> None:
    graph = pel.zoo.build("tiny").eval().graph((1, 1, 28, 28))

    assert summarise(graph) == summary(pel.zoo.build("tiny"), (1, 28, 28))


def test_batch_statistics_are_no_parameters() -> None:
    found = summary(nn.BatchNorm2d(5), (5, 4, 4))

    assert found.parameters == 10
    assert np.prod(found.layers[0].output) == 80
