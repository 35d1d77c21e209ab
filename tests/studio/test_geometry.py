import json
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import PellucidError
from pellucid.studio.answers import answer
from pellucid.studio.rooms import geometry
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_array

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text("utf-8"))
CONV = {"channels_in": 64, "channels_out": 64, "kernel": 3, "size": 14}


@pytest.fixture
def ask(tmp_path):
    studio = Studio(tmp_path)
    yield lambda name, **asked: answer(f"geometry.{name}", asked, studio)
    studio.close()


def layer(kind="conv", kernel=3, stride=1, padding=0, dilation=1):
    return {"kind": kind, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}


@pytest.mark.parametrize("example", GOLDEN["output_sizes"])
def test_sizes_are_those_of_the_worked_examples(ask, example):
    found = ask(
        "window", size=example["input"], kernel=example["kernel"], padding=example["padding"],
        stride=example["stride"], dilation=1,
    )  # fmt: skip
    assert found.output == example["output"] == len(found.starts)


@pytest.mark.parametrize("example", GOLDEN["named_padding"])
def test_named_paddings_are_those_of_the_worked_examples(ask, example):
    found = ask("window", size=9, kernel=example["kernel"], padding=example["name"], stride=1, dilation=1)
    assert found.before == found.after == example["padding"]


def test_a_border_is_written_out_with_what_the_window_sums(ask):
    found = ask("window", size=7, kernel=3, stride=3, padding=1, dilation=1, border="circular")
    padded = to_array(found.padded, None, None)
    assert np.array_equal(padded, np.pad(geometry.picture(7), 1, "wrap"))
    sums = to_array(found.sums, None, None)
    assert sums.shape == (3, 3)
    assert sums[1, 2] == padded[3:6, 6:9].sum()
    assert found.formula == "⌊(7 + 2·1 − 3) / 3⌋ + 1 = 3"


def test_a_border_that_cannot_be_is_said_and_the_sizes_stay(ask):
    found = ask("window", size=3, kernel=3, stride=1, padding=3, dilation=1, border="reflect")
    assert found.output == 7
    assert found.padded is None
    assert "3" in found.borderless
    assert ask("window", size=200, kernel=3, stride=1, padding=3, dilation=1).padded is None


def test_a_window_that_does_not_fit_is_refused_in_a_sentence(ask):
    with pytest.raises(PellucidError, match=r"^The layer has a window of 9 on an input of 5"):
        ask("window", size=5, kernel=9, stride=1, padding=0, dilation=1)


def test_kinds_have_the_ratios_of_the_worked_examples(ask):
    found = {kind.name: kind for kind in ask("kinds", **CONV).kinds}
    assert [kind.parts[0].groups for kind in found.values()] == [1, 2, 4, 8, 16, 32, 64, 64, 1, 1]
    for kind in found.values():
        weights = (part.channels_in // part.groups * part.channels_out * part.kernel**2 for part in kind.parts)
        assert sum(weights) == kind.parameters
    assert found["standard"].parameters == 36_864
    assert round(1 / found["depthwise-separable"].parameter_ratio, 2) == 7.89
    assert round(1 / found["4 groups"].mac_ratio, 2) == 4.0
    wide = {kind.name: kind for kind in ask("kinds", **CONV | {"channels_in": 256, "channels_out": 256}).kinds}
    assert wide["bottleneck"].parameters * 8.4 < wide["standard"].parameters


def test_what_would_take_long_is_not_timed(ask, monkeypatch):
    monkeypatch.setattr(geometry, "in_turns", lambda contenders, seconds: {name: [1.0] for name in contenders})
    found = ask("times", channels_in=1024, channels_out=1024, kernel=3, size=14)
    macs = {kind.name: kind.macs for kind in ask("kinds", channels_in=1024, channels_out=1024, kernel=3, size=14).kinds}
    timed = {time.name for time in found.times if time.milliseconds is not None}
    assert {"32 groups", "depthwise", "bottleneck"} <= timed
    assert all(macs[name] <= 400_000_000 for name in timed)
    assert "standard" not in timed


def test_times_are_measured_for_every_kind_that_is_small_enough(ask, monkeypatch):
    monkeypatch.setattr(geometry, "_SECONDS", 0.0)
    found = ask("times", **CONV | {"channels_in": 8, "channels_out": 8})
    names = [kind.name for kind in ask("kinds", **CONV | {"channels_in": 8, "channels_out": 8}).kinds]
    assert [time.name for time in found.times] == names
    for time in found.times:
        assert time.milliseconds > 0
        assert time.bound in ("arithmetic", "memory", "overhead")
    assert found.times[0].reuse == pytest.approx(8 * 8 * 9 * 14 * 14 / (8 * 14 * 14 * 2 + 8 * 8 * 9))
    assert found.runs == 3


def test_turns_alternate():
    order = []
    times = geometry.in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, seconds=60)
    assert order[:4] == ["a", "b", "a", "b"]
    assert {name: len(found) for name, found in times.items()} == {"a": 15, "b": 15}


def test_dense_equivalents_in_both_readings(ask):
    conv = {"channels_in": 1, "channels_out": 32, "kernel": 3, "size": 28}
    rows = ask("dense", convolution=conv).rows
    assert [row.parameters for row in rows] == [288, 25_088, 19_668_992]
    assert round(rows[1].parameter_ratio, 1) == 87.1
    assert int(rows[2].parameter_ratio) == 68_295
    assert [row.operations for row in rows] == [225_792, 25_088, 19_668_992]
    assert rows[2].formula == "25,088·1·28·28 = 19,668,992"


def test_what_counts_can_be_chosen(ask):
    conv = {"channels_in": 3, "channels_out": 10, "kernel": 5, "size": 32, "bias": True}
    macs = GOLDEN["macs"][0]["macs"]

    def first(**chosen):
        return ask("dense", convolution=conv, **chosen).rows[0]

    assert first().operations == macs
    assert first(flops=True).operations == 2 * macs
    assert first(biases=True).operations == macs + 10 * 32 * 32
    assert first(batch=8).operations == 8 * macs
    assert first(batch=8).parameters == 760


def test_fields_are_those_of_the_worked_examples(ask):
    for example in GOLDEN["receptive_fields"]:
        if "layers" in example:
            layers = [layer(kernel=kernel, stride=stride) for kernel, stride in example["layers"]]
            found = ask("stack", size=64, layers=layers).stages
            assert [stage.field for stage in found] == example["fields"]


def test_a_stack_tells_what_a_cell_reads_and_what_is_worth_a_look(ask):
    first, pool, last = ask("stack", size=9, layers=[layer(dilation=2), layer("pool", 2, 2), layer()]).stages
    assert (first.size, first.taps, first.starts) == (5, [0, 2, 4], [0, 1, 2, 3, 4])
    assert (pool.size, pool.starts, pool.taps) == (2, [0, 2], [0, 1])
    assert "never reads the last 1 of 5 rows" in " ".join(pool.remarks)
    assert last.error.startswith("Conv2d 'conv2' has a window of 3 on an input of 2")
    covered = ask("stack", size=5, layers=[layer(padding=1), layer(padding=1), layer(padding=1)]).stages
    assert [stage.covers for stage in covered] == ["less", "all", "more"]
    assert covered[2].remarks == ["From 'conv3' on, fields exceed the image: 7 × 7 pixels there, of 5 × 5."]


def test_no_layer_fits(ask):
    (stage,) = ask("stack", size=4, layers=[layer(kernel=5)]).stages
    assert stage.error
    with pytest.raises(PellucidError, match="does not fit"):
        ask("effective", size=4, layers=[layer(kernel=5)])


def test_the_effective_field_lies_within_the_theoretical_one(ask):
    found = ask("effective", size=16, layers=[layer(), layer(), layer()])
    moved = to_array(found.map, 16, 16)
    assert found.field == 7
    assert found.last - found.first == 6
    assert 1 < found.side <= 7
    outside = moved.copy()
    outside[found.first : found.last + 1, found.first : found.last + 1] = 0
    assert not outside.any()
    assert moved.any()
