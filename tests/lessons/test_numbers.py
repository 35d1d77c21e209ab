"""The numbers of the prose: each function against the worked examples, PyTorch or plain arithmetic."""

import json
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from pellucid.errors import ParameterError
from pellucid.lessons.chapters import chapters
from pellucid.lessons.exercises.bank import questions, terms
from pellucid.lessons.numbers import NUMBERS, computed, filled, written

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text("utf-8"))


def number(text):
    return float(text.replace(",", "").replace("−", "-").removesuffix(" %"))


@pytest.mark.parametrize("row", GOLDEN["parameter_counts"], ids=str)
def test_parameters(row):
    if row["layer"] == "conv":
        call = (
            f"parameters {row['in']} {row['out']} {row['kernel']} groups={row.get('groups', 1)} bias={int(row['bias'])}"
        )
    else:
        call = f"dense {row['in']} {row['out']} bias={int(row['bias'])}"
    assert computed(call) == f"{row['parameters']:,}"


@pytest.mark.parametrize("row", GOLDEN["output_sizes"], ids=str)
def test_sizes(row):
    call = f"size {row['input']} {row['kernel']} padding={row['padding']} stride={row['stride']}"
    assert computed(call) == str(row["output"])


def test_macs_and_flops():
    (row,) = GOLDEN["macs"]
    layer = f"{row['in']} {row['out']} {row['kernel']} {row['output_hw'][0]}"
    assert number(computed(f"macs {layer}")) == row["macs"]
    assert number(computed(f"flops {layer}")) == 2 * row["macs"]


@pytest.mark.parametrize("row", GOLDEN["receptive_fields"], ids=str)
def test_fields(row):
    if "layers" in row:
        call = "field " + " ".join(f"{kernel}/{stride}" for kernel, stride in row["layers"])
        assert computed(call) == str(row["fields"][-1])
    else:
        assert computed("layers-to-see 224") == str(row["layers_needed"])


def test_a_dilated_field():
    spans = torch.zeros(1, 1, 1, 60, requires_grad=True)
    y = spans
    for dilation in (1, 2, 4):
        y = nn.functional.conv2d(y, torch.ones(1, 1, 1, 3), dilation=(1, dilation))
    y[..., 20].backward()
    assert computed("field 3 3@2 3@4") == str(int((spans.grad != 0).sum()))


@pytest.mark.parametrize(
    ("call", "ratio"),
    [
        ("dense 3072 10240 bias=1 over parameters 3 10 5", 41404.6),
        ("parameters 256 256 3 bias=0 over bottleneck 256 64", 8.42),
        ("parameters 64 64 3 bias=0 over separable 64 3", 7.89),
        ("parameters 64 64 3 bias=0 over parameters 64 64 3 bias=0 groups=4", 4.0),
    ],
)
def test_ratios(call, ratio):
    assert ratio in {row["ratio"] for row in GOLDEN["ratios"]}
    assert number(computed(call)) == pytest.approx(ratio, abs=0.5 if ratio > 100 else 0.005)


def test_both_readings_of_the_dense_layer():
    assert computed("dense 784 32 over parameters 1 32 3 bias=0") == "87.1"
    assert computed("dense 784 25088 over parameters 1 32 3 bias=0") == "68,295"


@pytest.mark.parametrize("row", [row for row in GOLDEN["networks"] if "parameters" in row], ids=lambda row: row["name"])
def test_networks(row):
    assert number(computed(f"network {row['name']}")) == row["parameters"]
    if "conv_parameters" in row:
        assert number(computed(f"kind {row['name']} Conv2d")) == row["conv_parameters"]
        assert number(computed(f"kind {row['name']} Linear")) == row["linear_parameters"]
        assert computed(f"share {row['name']} Linear") == f"{row['linear_share_percent']} %"


def test_the_funnel():
    (row,) = [row for row in GOLDEN["networks"] if row["name"] == "funnel"]
    for place, shape in enumerate(row["stages"], 1):
        assert computed(f"shape funnel pool{place}") == "×".join(map(str, shape))


def test_cells_of_maps():
    cell, sobel, bar = GOLDEN["examples"][:3]
    assert computed("answer worked vertical-edge 0 0") == f"−{-cell['cell_value']}"
    assert computed("turned worked vertical-edge 0 0") == str(-cell["cell_value"])
    assert number(computed("answer step sobel-x 0 0")) == sobel["output"][0][0]
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert number(computed(f"pooled bar vertical-edge {y} {x}")) == bar["pool"]["output"][y][x]


def test_shares_and_losses():
    scores = torch.tensor([2.0, 1.0, 0.0])
    for place in range(3):
        assert number(computed(f"probability {place} 2 1 0")) == round(100 * scores.softmax(0)[place].item())
        wanted = nn.functional.cross_entropy(scores, torch.tensor(place)).item()
        assert number(computed(f"loss {place} 2 1 0")) == pytest.approx(wanted, abs=0.005)


def test_small_sums():
    assert (computed("product 3 224 224"), computed("uncovered 8 3 stride=2")) == ("150,528", "1")


def test_what_cannot_be_computed_is_refused():
    with pytest.raises(ParameterError, match="There is no number 'sizes' for the prose; the nearest is size"):
        filled("{sizes 3}")


def test_numbers_are_written_as_in_prose():
    assert [written(value) for value in (0.5, -1020.0, 1e6, 8.4216)] == ["0.5", "−1,020", "1,000,000", "8.42"]


def test_every_function_is_used():
    folder = Path(__file__).parents[2] / "src" / "pellucid" / "lessons"
    text = "".join(
        file.read_text("utf-8") for part in ("course", "bank") for file in (folder / part).iterdir() if file.is_file()
    )
    called = {name for call in re.findall(r"\{([^{}]+)\}", text) for name in re.findall(r"(?:^| over )([a-z-]+)", call)}
    assert called == set(NUMBERS)


GIVEN = {
    "pixels": "0 28 32 224 3 87 100", "convolution": "5 3 1 2 0 180", "edges": "0 1 2 −1 −2 255",
    "sizes": "1 2 3 3.5 5 7 8 32",
    "channels": "1 2 3 5 10 25 32 64", "pooling": "0 2 3 4", "fields": "1 2 3 4 5 224", "cheaper": "1 3 4 50 64 256",
    "learning": "0 1 2 5 7", "architectures": "1 3 5 1998 2012 2014 2015 2022",
}  # fmt: skip
"""Numbers that chapters are free to choose: sizes, counts of channels, years. All others must be computed."""


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_numbers_that_are_not_computed_are_ones_that_were_chosen(chapter):
    folder = Path(__file__).parents[2] / "src" / "pellucid" / "lessons" / "course"
    text = (folder / f"{chapter.number:02}-{chapter.name}.md").read_text("utf-8").partition("\n## ")[2]
    prose = re.sub(r"\{[^{}]+\}|\([a-z]+:[^)]*\)|^figure:.*$|ResNet-50|LeNet-5", "", text, flags=re.MULTILINE)
    bare = set(re.findall(r"(?<![\w.,])−?\d[\d,]*(?:\.\d+)?", prose))
    assert {one.rstrip(",.") for one in bare} <= set(GIVEN[chapter.name].split())


def test_there_are_no_holes():
    texts = [block.text for chapter in chapters() for section in chapter.sections for block in section.blocks]
    texts += [part for one in questions() for choice in (one.right, *one.wrong) for part in (choice.text, choice.why)]
    texts += terms().values()
    assert not [text for text in texts if "{" in text or "](" in text or "**" in text]
