import json
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid as pel
from pellucid.analysis.alternatives import Alternative, Comparison
from pellucid.analysis.compare import compare, convolutions, dense_equivalents, downsampling, heads
from pellucid.nn import random

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text(encoding="utf-8"))
RATIOS = [row["ratio"] for row in GOLDEN["ratios"]]


def counted(what: dict[str, Any]) -> int:
    """Look a worked parameter count up."""
    (row,) = (row for row in GOLDEN["parameter_counts"] if what.items() <= row.items())
    return row["parameters"]


def fake(times: Mapping[str, float]) -> Callable[..., dict[str, float]]:
    """Make a timer that knows the seconds of some names; all others take one."""

    def timer(runs: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
        return {name: times.get(name, 1.0) for name in runs}

    return timer


def test_the_worked_ratio_of_a_dense_layer() -> None:
    found = dense_equivalents(3, 10, 5, 32, 32, bias=True)

    assert found["convolution"].parameters == counted({"layer": "conv", "in": 3, "out": 10, "bias": True})
    assert found["convolution"].macs == GOLDEN["macs"][0]["macs"]
    assert found["dense, same output"].parameters == counted({"layer": "linear", "in": 3072, "out": 10240})
    assert round(found["dense, same output"].parameter_ratio, 1) == RATIOS[0]


def test_both_readings_of_a_dense_equivalent() -> None:
    found = dense_equivalents(1, 32, 3, 28, 28)
    conv, filters, full = found.alternatives

    assert (conv.parameters, filters.parameters, full.parameters) == (288, 25_088, 19_668_992)
    assert round(filters.parameter_ratio) == 87
    assert round(full.parameter_ratio) == 68_295
    assert (conv.output, filters.output, full.output) == ((32, 28, 28), (32,), (25_088,))
    for number in ("288", "25,088", "19,668,992", "68,295"):
        assert number in str(found)


def test_the_worked_ratio_of_a_bottleneck_gives_biases_to_the_bottleneck_only() -> None:
    without, with_biases = (convolutions(256, 256, 3, 8, 8, bias=bias) for bias in (False, True))

    assert without["standard"].parameters == counted({"in": 256, "out": 256})
    assert with_biases["bottleneck"].parameters == sum(
        counted({"layer": "conv", "in": inputs, "out": outputs, "kernel": kernel, "bias": True})
        for inputs, outputs, kernel in ((256, 64, 1), (64, 64, 3), (64, 256, 1))
    )
    assert round(without["standard"].parameters / with_biases["bottleneck"].parameters, 2) == RATIOS[1]
    assert round(1 / with_biases["bottleneck"].parameter_ratio, 2) == 8.43
    assert round(1 / without["bottleneck"].parameter_ratio, 2) == 8.47


def test_the_worked_ratios_of_groups() -> None:
    found = convolutions(64, 64, 3, 56, 56)

    assert found["depthwise-separable"].parameters == 576 + 4096
    assert round(1 / found["depthwise-separable"].parameter_ratio, 2) == RATIOS[2]
    assert 1 / found["4 groups"].parameter_ratio == RATIOS[3]
    assert found["4 groups"].parameters == counted({"groups": 4})
    assert found["depthwise"].parameters == counted({"groups": 64})


def groups_of(found: Comparison) -> list[str]:
    return [row.name for row in found.alternatives[1:-3]]


def test_groups_go_from_one_to_depthwise() -> None:
    assert groups_of(convolutions(64, 64, 3, 8, 8)) == [
        "2 groups", "4 groups", "8 groups", "16 groups", "32 groups", "depthwise",
    ]  # fmt: skip
    assert groups_of(convolutions(12, 24, 3, 8, 8)) == ["2 groups", "4 groups", "depthwise"]
    assert groups_of(convolutions(24, 12, 3, 8, 8)) == ["2 groups", "4 groups", "12 groups"]
    assert groups_of(convolutions(3, 64, 3, 8, 8)) == []
    assert groups_of(convolutions(1, 1, 3, 8, 8)) == []


numbers = st.integers(1, 40)
sizes = st.integers(2, 33)


@settings(max_examples=25)
@given(numbers, numbers, st.integers(1, 6), sizes, sizes, st.booleans())
def test_counts_follow_the_formulas(c: int, o: int, k: int, h: int, w: int, bias: bool) -> None:
    def conv(inputs: int, outputs: int, kernel: int, groups: int = 1) -> np.ndarray:
        weights = outputs * inputs // groups * kernel * kernel
        return np.array([weights + bias * outputs, weights * h * w])

    found = compare(c, o, k, h, w, bias=bias)
    narrow, wide = max(1, o // 4), 6 * c
    expected = {
        "standard": conv(c, o, k),
        "depthwise-separable": conv(c, c, k, c) + conv(c, o, 1),
        "bottleneck": conv(c, narrow, 1) + conv(narrow, narrow, k) + conv(narrow, o, 1),
        "inverted bottleneck": conv(c, wide, 1) + conv(wide, wide, k, wide) + conv(wide, o, 1),
    }
    rows = {row.name: row for row in found["convolutions"].alternatives}
    for name, counts in expected.items():
        assert [rows[name].parameters, rows[name].macs] == list(counts)
    for name in groups_of(found["convolutions"]):
        groups = c if name == "depthwise" else int(name.split()[0])
        assert [rows[name].parameters, rows[name].macs] == list(conv(c, o, k, groups))
    assert {row.output for row in rows.values()} == {(o, h, w)}

    units = o * h * w
    full, filters = found["dense"]["dense, same output"], found["dense"]["dense, one per filter"]
    assert (full.parameters, full.macs) == (units * (c * h * w + bias), units * c * h * w)
    assert (filters.parameters, filters.macs) == (o * (c * h * w + bias), o * c * h * w)
    flat, mean = found["heads"].alternatives
    assert (flat.parameters, flat.macs, flat.output) == (10 * (o * h * w + bias), 10 * o * h * w, (10,))
    assert (mean.parameters, mean.macs, mean.output) == (10 * (o + bias), 10 * o, (10,))


@settings(max_examples=25)
@given(numbers, numbers, st.integers(1, 6), sizes, sizes)
def test_ratios_are_to_the_first_and_texts_fit_80_columns(c: int, o: int, k: int, h: int, w: int) -> None:
    for comparison in compare(c, o, k, h, w).values():
        first = comparison.alternatives[0]
        assert (first.parameter_ratio, first.mac_ratio) == (1, 1)
        for row in comparison.alternatives:
            assert row.parameter_ratio * first.parameters == pytest.approx(row.parameters)
            assert row.mac_ratio * first.macs == pytest.approx(row.macs)
        rows = tuple(replace(row, milliseconds=1234.5) for row in comparison.alternatives)
        assert max(map(len, str(replace(comparison, alternatives=rows)).splitlines())) <= 80


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 7)])
def test_ways_to_halve_maps_have_pytorchs_shapes(height: int, width: int) -> None:
    found = downsampling(4, 6, 3, height, width)
    image = torch.zeros(1, 4, height, width)
    conv = torch.nn.Conv2d(4, 6, 3, padding=1, bias=False)
    expected = {
        "convolution + max pool": torch.nn.Sequential(conv, torch.nn.MaxPool2d(2)),
        "convolution, stride 2": torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False),
        "max pool": torch.nn.MaxPool2d(2),
        "average pool": torch.nn.AvgPool2d(2),
    }

    assert [row.name for row in found.alternatives] == list(expected)
    for name, net in expected.items():
        assert found[name].output == tuple(net(image).shape[1:])
        assert found[name].parameters == sum(parameter.numel() for parameter in net.parameters())
    assert found["max pool"].macs == found["average pool"].macs == 0
    assert found["convolution + max pool"].macs == 6 * height * width * 36


def test_nothing_is_measured_unless_asked() -> None:
    found = compare(4, 4, 3, 8, 8)

    assert {row.milliseconds for comparison in found.values() for row in comparison.alternatives} == {None}
    assert not any("takes" in comparison.finding for comparison in found.values())
    assert not any("ms" in str(comparison).splitlines()[0] for comparison in found.values())


def test_what_is_timed_are_the_networks_that_were_counted() -> None:
    shapes: dict[str, tuple[int, ...]] = {}

    def timer(runs: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
        shapes.update({name: run().shape for name, run in runs.items()})
        return dict.fromkeys(runs, 0.002)

    for comparison in compare(4, 6, 3, 8, 10, bias=True, timer=timer).values():
        for row in comparison.alternatives:
            assert row.milliseconds == 2
            assert shapes[row.name] == (1, *row.output)


def test_what_is_timed_has_weights() -> None:
    def timer(runs: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
        assert all(np.abs(run()).max() > 0.01 for run in runs.values())
        return dict.fromkeys(runs, 0.001)

    assert convolutions(4, 4, 3, 6, 6, timer=timer)["standard"].milliseconds == 1


def test_timing_leaves_the_random_numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random._State, "generator", None)

    assert heads(4, 4, 4, timer=fake({}))["flatten + dense"].milliseconds == 1000


def test_large_dense_layers_are_neither_made_nor_timed() -> None:
    tracemalloc.start()
    found = dense_equivalents(3, 32, 3, 224, 224, timer=fake({}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    conv, filters, full = found.alternatives

    assert full.parameters == 150_528 * 32 * 224 * 224
    assert (conv.milliseconds, filters.milliseconds, full.milliseconds) == (1000, 1000, None)
    assert peak < 1e8  # the smaller dense layer takes 19 MB, the larger one 967 GB
    assert "–" in str(found).splitlines()[4]
    assert dense_equivalents(1, 32, 3, 28, 28, timer=fake({}))["dense, same output"].milliseconds is None


def test_findings_name_the_numbers() -> None:
    found = compare(16, 16, 3, 8, 8, timer=fake({
        "depthwise-separable": 0.25, "bottleneck": 0.8, "inverted bottleneck": 3.0, "convolution, stride 2": 0.97
    }))  # fmt: skip

    assert found["dense"].finding == (
        "Beside the convolution, a dense layer with one unit for each filter has 7.11 times the parameters and gives "
        "only 16 numbers; one that gives all 1,024 has 455 times the parameters."
    )
    assert found["convolutions"].finding == (
        "Beside the standard convolution, the depthwise-separable one has 1/5.76 of the parameters and takes 1/4 of "
        "the time; the bottleneck has 1/8.47 of the parameters and takes 80 % of the time; the inverted bottleneck "
        "has 1.71 times the parameters and takes 3 times the time."
    )
    assert found["downsampling"].finding.endswith("does 1/4 of the multiply-adds and takes as much time.")
    assert "has 160 parameters instead of 10,240 and takes as much time." in found["heads"].finding


def test_signs_in_the_table() -> None:
    def ratios(ratio: float) -> str:
        rows = [Alternative("a", "", (1,), 1, 1, one, one, None) for one in (1.0, ratio)]
        return " ".join(str(Comparison("", tuple(rows), "")).splitlines()[3].split()[2:4])

    assert ratios(1 / 7.89) == "÷ 7.89"
    assert ratios(1 / 64) == "÷ 64"
    assert ratios(12.34) == "× 12.3"
    assert ratios(68_295.1) == "× 68,295"
    assert ratios(279_724_700.0) == "× 279.7"
    assert ratios(1.004) == ratios(0.997) == ratios(0) == "1"


def test_as_dict_is_json_of_the_documented_form() -> None:
    record = heads(4, 2, 2, 3, timer=fake({"flatten + dense": 0.5})).as_dict()

    assert json.loads(json.dumps(record)) == record
    assert list(record) == ["title", "finding", "alternatives"]
    assert record["alternatives"][0] == {
        "name": "flatten + dense",
        "what": "a weight for each cell and class",
        "output": [3],
        "parameters": 48,
        "macs": 48,
        "parameter_ratio": 1.0,
        "mac_ratio": 1.0,
        "milliseconds": 500.0,
        "operations": 48,
        "moved": 99,
    }


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"in_channels": 0}, "'in_channels' parameter of compare must be a whole number from 1 to 4,096; got 0"),
        ({"out_channels": 4097}, "'out_channels' .* got 4097"),
        ({"kernel": 2.0}, "'kernel' parameter of compare must be a whole number from 1 to 31; got 2.0"),
        ({"kernel": True}, "'kernel' .* got True"),
        ({"height": 1}, "'height' parameter of compare must be a whole number from 2 to 4,096; got 1"),
        ({"width": "8"}, "'width' .* got '8'"),
    ],
)
def test_numbers_out_of_range_are_refused(change: dict[str, Any], rule: str) -> None:
    usual = {"in_channels": 4, "out_channels": 4, "kernel": 3, "height": 8, "width": 8}
    for function in (compare, dense_equivalents, convolutions, downsampling):
        with pytest.raises(pel.ParameterError, match=rule):
            function(**usual | change)


def test_classes_out_of_range_are_refused() -> None:
    with pytest.raises(pel.ParameterError, match="'classes' parameter of compare"):
        heads(4, 8, 8, 0)
