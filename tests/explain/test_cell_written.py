"""A cell as text, as HTML and as JSON: nothing is hidden, and everything can be read by a machine."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid.explain.trace import trace
from tests.explain.networks import small


def test_text_writes_the_worked_cell_out() -> None:
    net = nn.Sequential({"edge": nn.Conv2d(1, 1, 3)})
    net.load_state_dict({"edge.weight": [[[[1, 0, -1]] * 3]], "edge.bias": [0]})
    image = np.float32([[2, 1, 3, 0, 1], [0, 2, 1, 3, 2], [1, 0, 2, 1, 0], [3, 1, 0, 2, 1], [2, 3, 1, 0, 2]])

    text = trace(net, image[None]).cell("edge", channel=0, y=0, x=0).text()

    assert text.splitlines() == [
        "edge, channel 0, row 0, column 0",
        "  Conv2d: sum of patch × weights + bias",
        "  x, channel 0: patch × weights",
        "     2×1 +  1×0 + 3×−1",
        "     0×1 +  2×0 + 1×−1",
        "     1×1 +  0×0 + 2×−1",
        "    = −3",
        "  sum of 9 products = −3",
        "  sum + bias = −3 + 0 = −3",
        "  the engine computed −3, exactly that",
        "  pixels behind it: rows 0 to 2, columns 0 to 2",
    ]


def test_text_of_many_channels_writes_four_out_and_sums_the_rest() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(7, 1, 1, bias=False)})
    net.load_state_dict({"conv.weight": np.float32([1, -9, 2, 8, 7, 3, -6]).reshape(1, 7, 1, 1)})
    text = trace(net, np.ones((7, 1, 1), np.float32)).cell("conv", 0, 0, 0).text()

    assert [line for line in text.splitlines() if " channel" in line] == [
        "conv, channel 0, row 0, column 0",
        "  x, channel 1: patch × weights",
        "  x, channel 3: patch × weights",
        "  x, channel 4: patch × weights",
        "  x, channel 6: patch × weights",
        "  the other 3 channels together = 6",
    ]
    assert "  sum of 7 products = 6" in text


def test_json_says_everything() -> None:
    t = small()
    for name in [layer.name for layer in t]:
        cell = t.cell(name, *t[name].largest)
        record = json.loads(json.dumps(cell.as_dict(), allow_nan=False))
        assert (record["layer"], record["value"], record["box"]) == (name, cell.value, list(cell.box))
        assert len(record["operands"]) == len(cell.operands)
        assert record["steps"][-1]["value"] == cell.explained
    assert t.cell("pool", 0, 0, 0).as_dict()["winner"] == list(t.cell("pool", 0, 0, 0).winner.index)


@pytest.mark.parametrize("name", ["conv", "norm", "relu", "pool", "flatten", "fc", "softmax"])
def test_html_is_a_closed_piece_with_labelled_tables(name: str) -> None:
    cell = small().cell(name, *small()[name].largest)
    root = ElementTree.fromstring(cell._repr_html_())

    assert root.tag == "section"
    assert root.get("aria-label")
    assert "Pixels behind it" in root.findall("p")[-1].text
    for table in root.iter("table"):
        assert table.find("caption").text
        assert {th.get("scope") for th in table.iter("th")} <= {"row", "col"}
        assert all(len(row.findall("th")) + len(row.findall("td")) for row in table.iter("tr"))
    assert "http" not in cell._repr_html_()
    assert "<script" not in cell._repr_html_()


def test_names_in_html_are_escaped() -> None:
    net = nn.Sequential({"<b>&": nn.ReLU()})
    assert "&lt;b&gt;&amp;" in trace(net, np.ones((1, 2, 2), np.float32)).cell("<b>&", 0, 0, 0)._repr_html_()


def test_of_many_numbers_the_rest_is_summed_and_nothing_is_lost() -> None:
    net = nn.Sequential({"fc": nn.Linear(100, 1, bias=False)})
    net.load_state_dict({"fc.weight": np.arange(100, dtype=np.float32).reshape(1, 100)})
    text = trace(net, np.ones(100, np.float32)).cell("fc", 0).text()

    assert "  x: 8 of 100 numbers with the largest product" in text
    assert "    x[99]: 1 × 99 = 99" in text
    assert f"    the other 92 together: {sum(range(92))}" in text
    assert f"  sum of 100 products = {sum(range(100))}" in text


def test_nan_beside_numbers_is_shown() -> None:
    net = nn.Sequential(
        {"log": nn.Conv2d(1, 1, 1), "conv": nn.Conv2d(1, 1, 2), "flat": nn.Flatten(), "fc": nn.Linear(4, 1)}
    )
    t = trace(net, np.zeros((1, 3, 3), np.float32))
    spoilt = np.float32([[np.nan, 1, np.inf], [0.5, -2, 0], [3, 1, 1]])
    t._values._given[next(iter(t.graph.inputs))] = spoilt[None, None]
    for name, place in (("log", (0, 0, 0)), ("conv", (0, 0, 0)), ("conv", (0, 1, 1)), ("fc", (0,))):
        root = ElementTree.fromstring(t.cell(name, *place)._repr_html_())
        assert list(root.iter("td"))
    words = "".join(t.cell("conv", 0, 0, 0)._repr_html_())
    assert "<td>nan</td>" in words
    assert "--share:62%" in words


def test_json_of_a_place_in_numpys_numbers() -> None:
    place = np.argwhere(np.ones((2, 2, 2)))[5]
    record = small().cell("relu", *place).as_dict()
    assert json.loads(json.dumps(record))["index"] == [1, 0, 1]


def test_text_and_html_show_the_same_numbers() -> None:
    t = small()
    for name in ("conv", "norm", "pool", "flatten", "fc", "softmax"):
        cell = t.cell(name, *t[name].largest)
        shown = "".join(ElementTree.fromstring(cell._repr_html_()).itertext())
        for line in cell.text().splitlines()[2:]:
            for number in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", line):
                assert number in shown, (name, line)


def test_one_other_is_written_in_the_singular() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(5, 1, 1, bias=False)})
    net.load_state_dict({"conv.weight": np.float32([1, 2, 3, 4, 5]).reshape(1, 5, 1, 1)})
    assert "  the other channel = 1\n" in trace(net, np.ones((5, 1, 1), np.float32)).cell("conv", 0, 0, 0).text()
    net = nn.Sequential({"fc": nn.Linear(9, 1, bias=False)})
    net.load_state_dict({"fc.weight": np.arange(1, 10, dtype=np.float32).reshape(1, 9)})
    assert "    the other one: 1\n" in trace(net, np.ones(9, np.float32)).cell("fc", 0).text()


def test_of_a_large_window_the_largest_numbers_are_listed_with_the_winner_among_them() -> None:
    net = nn.Sequential({"pool": nn.MaxPool2d(12)})
    numbers = np.arange(144, dtype=np.float32).reshape(1, 12, 12) - 200  # magnitudes fall as numbers rise
    text = trace(net, numbers).cell("pool", 0, 0, 0).text()

    assert "  x: the 8 largest of 144 numbers" in text
    assert "    x[0, 11, 11]: −57" in text
    assert "    the largest of the other 136: −65" in text
