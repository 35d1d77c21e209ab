import json
import tracemalloc

import numpy as np
import pytest
import torch

import pellucid as pel
import pellucid.nn as nn
from pellucid.analysis.counting import Counting
from pellucid.analysis.memory import memory
from pellucid.analysis.summary import amount, octets, summarise, summary
from pellucid.nn.random import skip_init


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
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 2))
    net[0].bias.requires_grad = False
    record = summary(net, (1, 5, 5), batch=2, counting=Counting("flops", bias=True)).as_dict()
    first, norm, flat, last = record["layers"]

    assert json.loads(json.dumps(record)) == record
    assert {name: record[name] for name in ("input", "batch", "counting")} == {
        "input": [1, 5, 5],
        "batch": 2,
        "counting": {"unit": "flops", "bias": True, "norm": False, "activation": False},
    }
    assert first == {
        "name": "0",
        "op": "Conv2d",
        "output": [2, 3, 3],
        "parameters": 20,
        "trainable": 18,
        "buffers": 0,
        "macs": 2 * 162,
        "operations": 2 * (2 * 162 + 18),
        "share": 2 * (2 * 162 + 18) / (2 * (2 * 162 + 18) + 2 * (2 * 36 + 2)),
        "activation_bytes": 2 * 18 * 4,
        "receptive_field": [3, 3],
        "jump": [1, 1],
        "centre": [1, 1],
        "sees_whole_image": False,
    }
    assert (norm["parameters"], norm["buffers"], norm["operations"]) == (4, 4, 0)
    assert (flat["receptive_field"], flat["jump"], flat["sees_whole_image"]) == ([5, 5], None, True)
    assert record["totals"] == {
        "parameters": 62,
        "trainable": 60,
        "buffers": 4,
        "unused": 0,
        "macs": 2 * (162 + 36),
        "operations": first["operations"] + last["operations"],
        "parameter_bytes": 62 * 4,
        "activation_bytes": 2 * (18 + 18 + 18 + 2) * 4,
        "peak_inference_bytes": 66 * 4 + 2 * (25 + 18) * 4,
        "peak_training_bytes": record["totals"]["peak_training_bytes"],
    }
    assert record["kinds"] == {
        "Linear": {"parameters": 38, "operations": last["operations"]},
        "Conv2d": {"parameters": 20, "operations": first["operations"]},
        "BatchNorm": {"parameters": 4, "operations": 0},
    }
    assert record["warnings"] == ["The last maps, of '1', see 3 × 3 of 5 × 5 pixels."]


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
    (total,) = (line for line in text.splitlines() if line.startswith("total"))
    assert total.split() == ["total", "2", "81"]


def test_a_graph_can_be_summarised_too() -> None:
    graph = pel.zoo.build("tiny").eval().graph((1, 1, 28, 28))

    assert summarise(graph) == summary(pel.zoo.build("tiny"), (1, 28, 28))


def test_batch_statistics_are_no_parameters() -> None:
    found = summary(nn.BatchNorm2d(5), (5, 4, 4))

    assert found.parameters == 10
    assert np.prod(found.layers[0].output) == 80


def test_markdown_and_html_say_what_the_text_says() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential({"<b>|": nn.Conv2d(3, 64, 3, padding=1), "pool": nn.MaxPool2d(2)})

        def forward(self, x: object) -> object:
            return self.layers(x)

    found = summary(Odd(), (3, 224, 225))
    markdown, html = found.markdown().splitlines(), found._repr_html_()

    assert markdown[0] == "| layer | op | output | parameters | MACs | share | field |"
    assert markdown[2] == "| layers.<b>\\| | Conv2d | 64×224×225 | 1,792 | 87.09 M | 100.0 % | 3 |"
    assert markdown[4].startswith("| **total** | ")
    assert "- 'layers.pool' never reads the last 1 of 225 columns: its stride of 2 does not divide." in markdown
    assert "<td>layers.&lt;b&gt;|</td>" in html
    assert html.count("<tr>") == 4
    assert "never reads the last 1 of 225 columns" in html


def test_warnings_name_what_is_worth_a_look() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2), *(nn.Conv2d(1, 1, 5, padding=2) for _ in range(4)))
    warnings = summary(net, (1, 17, 20)).warnings

    assert warnings == (
        "From '3' on, fields exceed the image: 20 × 20 pixels there, of 17 × 20.",
        "'1' never reads the last 1 of 15 rows: its stride of 2 does not divide.",
    )
    assert summary(nn.Conv2d(1, 1, 3), (1, 3, 3)).warnings == ()
    assert summary(nn.Linear(5, 2), (5,)).warnings == ()


def test_memory_is_that_of_a_chain_counted_by_hand() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 2, 1, bias=False))
    found = memory(net.eval().graph((1, 1, 8, 8)))
    image, maps, last = 64 * 4, 4 * 64 * 4, 2 * 64 * 4
    weights = (36 + 8) * 4

    assert found.parameters == weights
    assert found.activations == maps + maps + last
    assert found.inference == weights + maps + maps  # during ReLU
    assert found.training == weights + weights + image + maps + (maps + maps)  # x of both, y of ReLU; and two slopes


def test_a_residual_keeps_its_image_alive() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1, bias=False)

        def forward(self, x: object) -> object:
            return x + self.conv(nn.functional.relu(self.conv(x)))

    found = memory(Residual().eval().graph((1, 2, 8, 8)))
    assert found.inference - found.parameters == 3 * (2 * 64 * 4)


def test_a_thousand_layers_are_summarised_without_their_weights() -> None:
    net = nn.Sequential(*(layer for _ in range(500) for layer in (nn.Conv2d(2, 2, 3, padding=1), nn.ReLU())))
    tracemalloc.start()
    found = summary(net, (2, 3000, 3000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(found.layers) == 1000
    assert found.layers[-1].field.size == (1001, 1001)
    assert peak < 20e6  # one map takes 72 MB


def test_words_for_large_numbers() -> None:
    assert [amount(count) for count in (0, 9_999_999, 10_000_000, 123_456_789, 10**12, 999_960_000)] == [
        "0", "9,999,999", "10.00 M", "123.5 M", "1.000 T", "1.000 G",
    ]  # fmt: skip
    assert [octets(count) for count in (0, 999, 1000, 10**9)] == ["0 B", "999 B", "1.0 kB", "1.0 GB"]


@pytest.mark.parametrize("batch", [0, -1, 2.0, True])
def test_a_batch_that_is_none_is_refused(batch: object) -> None:
    with pytest.raises(pel.ParameterError, match="'batch' parameter of summary must be a whole number"):
        summary(pel.zoo.build("tiny"), (1, 28, 28), batch=batch)


def test_what_is_frozen_unused_or_shared_is_said() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Conv2d(2, 2, 3, padding=1), nn.Linear(100, 100)

        def forward(self, x: object) -> object:
            return self.used(self.used(x))

    net = Odd()
    free = summary(net, (2, 8, 8))
    net.used.weight.requires_grad = False
    frozen = summary(net, (2, 8, 8))

    assert (free.parameters, free.trainable, free.unused) == (38, 38, 10_100)
    assert frozen.trainable == 2
    assert free.memory.training - frozen.memory.training >= 36 * 4
    assert "10,100 more that no layer uses" in str(free)
    assert "36 of them frozen" in str(frozen)
    first, second = (dict(layer.formulas) for layer in free.layers)
    assert first["parameters"] == "2·(2·3·3 + 1) = 38"
    assert "parameters" not in second


def test_names_from_outside_do_nothing_to_a_terminal() -> None:
    text = str(summary(nn.Sequential({"\x1b[31mred\nnext": nn.Conv2d(1, 1, 3, stride=2)}), (1, 6, 6)))

    assert "\x1b" not in text
    assert "�[31mred�next" in text


def test_windows_that_skip_cells_on_purpose_are_no_surprise() -> None:
    assert not [line for line in summary(nn.Conv2d(1, 1, 1, 2), (1, 16, 16)).warnings if "never" in line]
    (line,) = (line for line in summary(nn.Conv2d(1, 1, 3, (2, 3)), (1, 8, 8)).warnings if "never" in line)
    assert line.endswith("the last 1 of 8 rows and the last 2 of 8 columns: its strides of 2 and 3 do not divide.")


def test_a_last_window_that_would_begin_in_the_padding_is_left_out() -> None:
    formulas = summary(nn.MaxPool2d(2, 2, 1, ceil_mode=True), (1, 5, 5)).layers[0].formulas

    assert formulas[0].text == "⌈(5 + 2·1 − 2) / 2⌉ + 1 − 1 = 3"


def test_kernels_that_are_turned_count_for_the_layer_that_reads_them() -> None:
    with skip_init():
        found = summary(pel.zoo.build("pooled28-p4"), (1, 28, 28))

    assert [layer.name for layer in found.layers[:3]] == ["conv1.conv2d", "relu1", "conv2.conv2d"]
    assert [layer.parameters for layer in found.layers[:3]] == [16 * 9 + 16, 0, 16 * 16 * 4 * 9 + 16]
    assert found.parameters == 429_978
    assert set(found.kinds()) == {"Conv2d", "Linear"}
