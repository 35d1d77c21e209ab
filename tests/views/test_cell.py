"""A cell on a terminal and as a page: every number on it is the cell's."""

import re

import numpy as np
import pytest
from rich.console import Console

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.cell import Cell
from pellucid.explain.trace import Trace, trace
from pellucid.views import cell as views
from tests.views.page import Page


@pytest.fixture(scope="module")
def seen() -> Trace:
    pel.manual_seed(0)
    net = nn.Sequential(
        {
            "conv": nn.Conv2d(2, 6, 3, padding=1),
            "pool": nn.MaxPool2d(2),
            "wide": nn.Conv2d(6, 2, 4),
            "norm": nn.BatchNorm2d(2),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(50, 20),
            "softmax": nn.Softmax(1),
        }
    )
    return trace(net, np.random.default_rng(1).standard_normal((2, 16, 16)).astype(np.float32))


LAYERS = pytest.mark.parametrize("name", ["conv", "pool", "wide", "norm", "flatten", "fc", "softmax"])


def printed(cell: Cell, width: int = 80) -> str:
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(views.table(cell))
    return capture.get()


@LAYERS
def test_the_table_fits_a_terminal_and_says_what_the_engine_computed(seen: Trace, name: str) -> None:
    cell = seen.cell(name, *seen[name].largest)
    text = printed(cell)

    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"{name}, ")
    assert f"The engine computed {cell.value:.9g}".replace("-", "−") in text
    assert "…" not in text
    for step in cell.steps:
        assert step.name in text


def test_a_patch_stands_under_its_rows_and_columns(seen: Trace) -> None:
    cell = seen.cell("conv", 1, 0, 5)
    lines = printed(cell).splitlines()
    heads = [line.split() for line in lines if re.fullmatch(r"[ \d]+", line) and line.strip()]

    assert heads == [["4", "5", "6"]] * 2
    assert sum(line.startswith("border") for line in lines) == 2  # row −1 of both channels
    values, weights = (line.split() for line in lines[lines.index(next(x for x in lines if x.startswith("0 "))) :][:2])
    assert values == ["0", *(f"{value:.4g}".replace("-", "−") for value in cell.patch[0, 1])]
    assert weights[1::2] == [f"{weight:.4g}".replace("-", "−") for weight in cell.weights[0, 1]]


def test_the_winner_is_marked(seen: Trace) -> None:
    cell = seen.cell("pool", 0, 2, 3)
    assert f"[{cell.value:.4g}]".replace("-", "−") in printed(cell)
    assert cell._repr_html_().count('title="the largest"') == 1


def test_many_numbers_are_abridged_with_their_sum(seen: Trace) -> None:
    cell = seen.cell("fc", 3)
    text = printed(cell)
    rest = sorted(cell.products, key=abs)[:-8]

    assert "flatten: 8 of 50 numbers with the largest product" in text
    assert re.search(rf"the other 42 together +{sum(rest):.4g}".replace("-", "−"), text)


def test_layers_are_listed_with_their_shapes(seen: Trace) -> None:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(views.layers(seen))
    lines = [line.split() for line in capture.get().splitlines()]

    assert lines[2] == ["conv", "Conv2d", "6×16×16", "1,536"]
    assert lines[-1] == ["softmax", "Softmax", "20", "20"]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_page_marks_the_box_in_the_picture(seen: Trace, channels: int) -> None:
    cell = seen.cell("pool", 2, 1, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (channels, 16, 16)).astype(np.uint8)
    html = views.page(cell, pixels, "With <weights>, on a picture.")
    page = Page(html)
    (mark,) = page.all("rect")
    y0, x0, y1, x1 = cell.box

    assert (mark["x"], mark["y"], mark["width"], mark["height"]) == (f"{x0}", f"{y0}", f"{x1 - x0}", f"{y1 - y0}")
    assert "With &lt;weights&gt;, on a picture." in html
    assert cell._repr_html_() in html
    assert not re.search(r"https?:|<script|<link", html)
    (drawing,) = page.all("svg")
    assert drawing["aria-label"] == (
        f"The picture; pixels behind the cell, marked: rows {y0} to {y1 - 1}, columns {x0} to {x1 - 1}"
    )
