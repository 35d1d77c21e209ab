"""Every step's numbers are those of PyTorch, and a frame depends on nothing but its trace and its step."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid as pel
import pellucid.nn as nn
from pellucid.errors import ParameterError, PellucidError
from pellucid.explain.steps.frame import Frame, Scene, frame, moves, pipeline, scene, slopes
from pellucid.explain.trace import Trace, trace

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "worked_examples.json").read_text(encoding="utf-8"))
EXAMPLES = {example["id"]: example for example in GOLDEN["examples"]}
BAR = EXAMPLES["bar-conv-relu-pool"]
BORDERS = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}


def last(t: Trace) -> Frame:
    return frame(t, len(scene(t)) - 1)


def whole(rows: Any) -> list[list[float]]:
    return [list(row) for row in rows]


def test_the_bar_reads_as_in_the_lesson() -> None:
    t = pipeline(BAR["image"], BAR["kernel"])
    found = last(t).maps

    assert len(scene(t)) == 1 + 16 + 16 + 4
    assert whole(found["conv"]) == BAR["conv"]
    assert whole(found["relu"]) == BAR["relu"]
    assert whole(found["pool"]) == BAR["pool"]["output"]


def test_the_transposed_bar_gives_the_transposed_maps() -> None:
    t = pipeline(np.transpose(BAR["image"]), np.transpose(BAR["kernel"]))

    assert whole(last(t).maps["conv"]) == np.transpose(BAR["conv"]).tolist()
    assert whole(last(t).maps["pool"]) == [[0, 0], [27, 27]]


@pytest.mark.parametrize("name", ["vertical-edge-cell", "sobel-on-step"])
def test_the_worked_convolutions(name: str) -> None:
    example = EXAMPLES[name]
    t = pipeline(example["image"], example["kernel"], pool="none")

    assert len(scene(t)) == 1 + 9 + 9
    if "cell" in example:
        assert frame(t, 1).work.value == example["cell_value"]
    else:
        assert whole(last(t).maps["conv"]) == example["output"]


@pytest.mark.parametrize("name", ["maxpool-a", "maxpool-b"])
def test_the_worked_poolings(name: str) -> None:
    t = pipeline(EXAMPLES[name]["image"], [[1]])

    assert whole(last(t).maps["pool"]) == EXAMPLES[name]["output"]


def test_what_each_kind_of_step_says() -> None:
    t = pipeline(BAR["image"], BAR["kernel"], bias=2)
    back = slopes(t)

    def said(step: int) -> str:
        return frame(t, step, back).sentence

    assert said(0) == "The 3×3 window of the kernel has 4×4 places on the 6×6 image."
    assert said(3) == ("Row 0, column 2: 0·1 + 0·0 + 0·(−1) + 9·1 + 9·0 + 0·(−1) + 9·1 + 9·0 + 0·(−1) + bias 2 = 20.")
    assert said(17) == "Row 0, column 0: −16 is negative, so ReLU makes it 0."
    assert said(19) == "Row 0, column 2: 20 is positive and stays."
    assert said(34) == "Row 0, column 1: the largest of 20, 20, 29 and 29 is 29."
    assert said(37) == (
        "Now back: by how much does the sum of the pool grow as a number grows? As its own cells do, by 1 each."
    )
    assert said(44) == "ReLU at row 1, column 2: it won the window at row 0, column 1 and gets its gradient, 1."
    assert said(45) == "ReLU at row 1, column 3: it won no window, so it gets 0."
    assert said(54) == "Convolution at row 0, column 0: ReLU stopped −16, so the gradient stops: 0."
    assert said(60) == "Convolution at row 1, column 2: 29 passed ReLU, so its gradient passes, too: 1."
    assert said(70) == "Weight at row 0, column 0: pixel · gradient, over all windows: 9·1 + 9·1 + 14 zeros = 18."
    assert said(79) == "The bias is in every cell, so it gets all their gradients: 1 + 1 = 2."
    assert said(90) == (
        "Pixel at row 1, column 4: gradient · weight, over the windows that saw it: 0·(−1) + 0·0 + 1·(−1) + 0·0 = −1."
    )


def test_what_an_average_and_one_chosen_cell_say() -> None:
    t = pipeline(BAR["image"], BAR["kernel"], pool="average")
    back = slopes(t, (0, 1))
    turn = next(phase.first for phase in scene(t, back).phases if phase.name == "back")

    assert frame(t, 34).sentence == "Row 0, column 1: the mean of 4 cells is (18 + 18 + 27 + 27) / 4 = 22.5."
    assert frame(t, turn, back).sentence.startswith(
        "Now back: by how much does the cell of the pool at row 0, column 1"
    )
    assert frame(t, turn + 3, back).sentence == ("ReLU at row 0, column 2: its share of each window: 1·0.25 = 0.25.")
    hanging = pipeline([[1, 2, 3]] * 3, [[1]], pool="average", ceil=True)
    assert last(hanging).sentence == "Row 1, column 1: the mean of one cell is itself, 3."


def test_sizes_are_told_with_their_numbers() -> None:
    t = pipeline(np.ones((7, 6)), np.ones((3, 2)), stride=2, padding=1, dilation=2, pool_size=2, ceil=True)
    notes = {grid.name: grid.notes for grid in scene(t).grids}

    assert notes["image"] == ("padding 1, zeros",)
    assert notes["conv"] == (
        "rows ⌊(7 − 5 + 2·1)/2⌋ + 1 = 3",
        "columns ⌊(6 − 3 + 2·1)/2⌋ + 1 = 3",
        "3 taps, 2 apart, reach over 5",
        "2 taps, 2 apart, reach over 3",
    )
    assert notes["pool"] == ("windows of 2×2", "⌈(3 − 2)/2⌉ + 1 = 2")


def test_flipping_is_the_cross_correlation_with_the_turned_kernel() -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.integers(-9, 10, (6, 7)), rng.integers(-3, 4, (3, 2))
    true = pipeline(image, kernel, flip=True, padding=1)
    turned = pipeline(image, kernel[::-1, ::-1], padding=1)

    assert last(true).maps == last(turned).maps
    assert scene(true).grid("kernel").title == "kernel, turned by 180°"
    assert slopes(true).kernel.tolist() == slopes(turned).kernel[::-1, ::-1].tolist()
    numbers = [frame(t, len(scene(t, back)) - 1, back).maps for t, back in ((t, slopes(t)) for t in (true, turned))]
    assert numbers[0] == numbers[1]


@st.composite
def chains(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a pipeline, perhaps of one that cannot be."""
    return {
        "size": draw(st.tuples(st.integers(1, 8), st.integers(1, 8))),
        "kernel": draw(st.tuples(st.integers(1, 4), st.integers(1, 4))),
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.sampled_from([0, 1, 2, (0, 1), "valid", "same", "full"])),
        "border": draw(st.sampled_from(list(BORDERS))),
        "dilation": draw(st.integers(1, 2)),
        "flip": draw(st.booleans()),
        "bias": draw(st.sampled_from([0.0, 2.0, -1.5])),
        "pool": draw(st.sampled_from(["max", "average", "none"])),
        "pool_size": draw(st.integers(1, 3)),
        "pool_stride": draw(st.sampled_from([None, 1, 2, 3])),
        "ceil": draw(st.booleans()),
        "is_whole": draw(st.booleans()),
    }


def built(chosen: dict[str, Any]) -> tuple[Trace | None, np.ndarray, np.ndarray]:
    options = {name: value for name, value in chosen.items() if name not in ("size", "kernel", "is_whole")}
    rng = np.random.default_rng(1)

    def numbers(shape: tuple[int, int]) -> np.ndarray:
        return rng.integers(-4, 5, shape).astype(float) if chosen["is_whole"] else rng.standard_normal(shape)

    image, kernel = numbers(chosen["size"]), numbers(chosen["kernel"])
    try:
        return pipeline(image, kernel, **options), image, kernel
    except PellucidError:
        return None, image, kernel


def by_torch(chosen: dict[str, Any], t: Trace, image: np.ndarray, kernel: np.ndarray) -> dict[str, torch.Tensor]:
    """The maps, and after going back from ones their gradients."""
    x, weight = (torch.tensor(array[None, None], requires_grad=True) for array in (image, kernel))
    bias = torch.tensor([chosen["bias"]], dtype=torch.float64, requires_grad=True)
    (top, bottom), (left, right) = scene(t).grid("image").border
    around = F.pad(x, (left, right, top, bottom), mode=BORDERS[chosen["border"]])
    slid = weight.flip(2, 3) if chosen["flip"] else weight
    found = {"conv": F.conv2d(around, slid, bias, chosen["stride"], 0, chosen["dilation"])}
    found["relu"] = F.relu(found["conv"])
    if chosen["pool"] != "none":
        pool = F.max_pool2d if chosen["pool"] == "max" else F.avg_pool2d
        found["pool"] = pool(found["relu"], chosen["pool_size"], chosen["pool_stride"], ceil_mode=chosen["ceil"])
    for map_ in found.values():
        map_.retain_grad()
    list(found.values())[-1].sum().backward()
    return {**found, "image": x, "kernel": weight, "bias": bias}


@settings(max_examples=80, deadline=None)
@given(chains())
def test_every_step_adds_up_to_what_pytorch_computes(chosen: dict[str, Any]) -> None:
    t, image, kernel = built(chosen)
    if t is None:
        return
    back = slopes(t)
    stage, expected = scene(t, back), by_torch(chosen, t, image, kernel)
    frames = [frame(t, step, back) for step in range(len(stage))]

    values = {
        name: (expected[name.removeprefix("d_")].grad if name.startswith("d_") else expected[name]).detach().squeeze(0)
        for name in (grid.name for grid in stage.grids)
    }
    values = {name: value.numpy().reshape(-1) for name, value in values.items()}
    if chosen["flip"]:
        values["kernel"], values["d_kernel"] = values["kernel"][::-1], values["d_kernel"][::-1]
    for phase in stage.phases:
        if phase.name not in stage:
            continue
        steps = frames[phase.first : phase.first + phase.count]
        np.testing.assert_allclose([one.work.value for one in steps], values[phase.name], rtol=1e-9, atol=1e-9)
        for one in steps:
            products = np.multiply(one.work.patch, one.work.weights)
            np.testing.assert_array_equal(products, one.work.products)
            shown = float(np.sum(one.work.products)) + one.work.bias
            assert shown == pytest.approx(one.work.total, abs=1e-12)
            assert one.work.total == pytest.approx(one.work.value, rel=1e-12, abs=1e-12)
            if chosen["is_whole"] and chosen["bias"] == 2 and chosen["pool"] != "average":
                assert one.work.total == one.work.value
    for grid in stage.grids:
        if grid.name not in ("image", "d_bias"):
            shown = np.array(frames[-1].maps[grid.name], float).ravel()
            np.testing.assert_allclose(shown, values[grid.name], rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(chains(), st.randoms(use_true_random=False))
def test_frames_are_pure_and_fill_one_cell_each(chosen: dict[str, Any], random: Any) -> None:
    t, *_ = built(chosen)
    if t is None:
        return
    back = slopes(t)
    count = len(scene(t, back))
    in_order = [frame(t, step, back) for step in range(count)]
    shuffled = random.sample(range(count), count)

    assert {step: frame(t, step, back) for step in shuffled} == dict(enumerate(in_order))
    assert [one.step for one in in_order] == list(range(count))
    for before, after in itertools.pairwise(in_order):
        new = {
            (name, (y, x))
            for name, rows in after.maps.items()
            for y, row in enumerate(rows)
            for x, value in enumerate(row)
            if before.maps[name][y][x] != value
        }
        if after.work is None:
            assert {name for name, _ in new} == {"d_relu" if chosen["pool"] == "none" else "d_pool"}
        else:
            assert new == {(after.work.grid, after.work.target)}
    assert not any(value is None for rows in in_order[-1].maps.values() for row in rows for value in row)


@settings(max_examples=80, deadline=None)
@given(chains())
def test_windows_lie_where_their_numbers_stand_and_cells_that_none_covers_are_marked(chosen: dict[str, Any]) -> None:
    t, *_ = built(chosen)
    if t is None:
        return
    stage = scene(t)
    seen: dict[str, set[tuple[int, int]]] = {"image": set(), "relu": set()}
    for step in range(1, len(stage)):
        work = frame(t, step).work
        lit = work.lit[0]
        grid = stage.grid(lit.grid)
        (top, _), (left, _) = grid.border
        stands = [grid.values[y + top][x + left] for y, x in lit.cells]
        assert stands == [value for row in work.patch for value in row]
        if work.grid in ("conv", "pool"):
            seen[lit.grid].update(lit.cells)
    for name, cells in seen.items():
        grid = stage.grid(name)
        (top, bottom), (left, right) = grid.border
        rows, columns = grid.inner
        every = set(itertools.product(range(-top, rows + bottom), range(-left, columns + right)))
        expected = every - cells if cells else set()
        assert grid.unseen == expected


@settings(max_examples=60, deadline=None)
@given(chains())
def test_unmarked_pixels_are_those_that_a_convolution_of_ones_depends_on(chosen: dict[str, Any]) -> None:
    t, *_ = built({**chosen, "border": "zeros"})
    if t is None:
        return
    stage = scene(t)
    padding = stage.grid("image").border
    x = torch.zeros(1, 1, *chosen["size"], requires_grad=True)
    around = F.pad(x, (*padding[1], *padding[0]))
    y = F.conv2d(around, torch.ones(1, 1, *chosen["kernel"]), None, chosen["stride"], 0, chosen["dilation"])
    y.sum().backward()

    marked = np.zeros(chosen["size"], bool)
    for cell in filter(stage.grid("image").holds, stage.grid("image").unseen):
        marked[cell] = True
    np.testing.assert_array_equal(marked, x.grad[0, 0].numpy() == 0)


def test_what_the_stride_leaves_over_is_what_the_geometry_counts() -> None:
    t = pipeline(np.ones((8, 9)), np.ones((3, 3)), stride=2, pool_size=2)
    window = t.graph.nodes[0].op.window(*t.graph.nodes[0].types)
    unseen = scene(t).grid("image").unseen

    assert (window.rows.uncovered(8), window.columns.uncovered(9)) == (1, 0)
    assert unseen == {(7, x) for x in range(9)}
    assert scene(t).grid("relu").unseen == {(2, x) for x in range(4)}


def test_the_border_is_read_where_a_window_hangs_over_it() -> None:
    work = frame(pipeline([[1, 2], [3, 4]], np.ones((3, 3)), padding=1, border="replicate", pool="none"), 1).work

    assert work.lit[0].cells[:2] == ((-1, -1), (-1, 0))
    assert work.patch == ((1, 1, 2), (1, 1, 2), (3, 3, 4))


def test_the_gradient_of_one_cell_comes_from_that_cell_alone() -> None:
    t = pipeline(BAR["image"], BAR["kernel"])
    back = slopes(t, (1, 1))

    assert back.start.tolist() == [[0, 0], [0, 1]]
    assert np.argwhere(back.conv).tolist() == [[2, 2]]
    assert back.kernel.tolist() == [[9, 9, 0]] * 3
    assert back.bias == 1


def test_any_trace_of_such_a_network_can_be_stepped_over() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1))
    t = trace(net, np.random.default_rng(0).standard_normal((1, 6, 6)).astype(np.float32))
    back = slopes(t)
    shown = frame(t, len(scene(t, back)) - 1, back)

    np.testing.assert_array_equal(np.array(shown.maps["pool"], np.float32), t["2"].output[0])
    loss, gradients = pel.value_and_grad(net, lambda y, _: y.sum())(t.image[None], np.zeros(1, np.float32))
    assert loss == pytest.approx(np.sum(shown.maps["pool"]), rel=1e-5)
    np.testing.assert_allclose(back.kernel, gradients["0.weight"][0, 0], rtol=1e-5, atol=1e-6)


def test_a_frame_as_json_and_a_scene_by_name() -> None:
    t = pipeline(BAR["image"], BAR["kernel"])
    told = json.loads(json.dumps(frame(t, 7).as_dict()))

    assert told["work"]["value"] == 27
    assert told["work"]["lit"][0] == {"grid": "image", "cells": [[y, x] for y in (1, 2, 3) for x in (2, 3, 4)]}
    assert isinstance(scene(t), Scene)
    assert "d_conv" not in scene(t)


def test_steps_and_cells_that_do_not_exist_are_refused() -> None:
    t = pipeline(BAR["image"], BAR["kernel"])

    for step in (-1, 37, 1.5, True):
        with pytest.raises(ParameterError, match="'step' parameter of frame must be 0 to 36"):
            frame(t, step)
    for cell in ((2, 0), (0, -1), (0,), (0, 1.0)):
        with pytest.raises(ParameterError, match="'cell' parameter of slopes must be"):
            slopes(t, cell)


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()),
        nn.Sequential(nn.Conv2d(1, 1, 3)),
        nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU()),
        nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sigmoid(), nn.MaxPool2d(2)),
    ],
)
def test_a_trace_of_something_else_is_refused(net: nn.Module) -> None:
    t = trace(net, np.ones((1, 6, 6), np.float32))

    with pytest.raises(ParameterError, match="steps must be those of Conv2d → ReLU"):
        scene(t)


def test_moves_are_what_the_frames_do() -> None:
    t = pipeline(BAR["image"], BAR["kernel"], padding=1)
    back = slopes(t)
    last_step = len(scene(t, back)) - 1
    found = moves(t, range(30, last_step + 9), back)

    assert len(found) == last_step - 29
    for step in (30, 36, 37, 60, 100, last_step):
        shown = frame(t, step, back)
        assert found[step - 30] == (shown.phase, shown.work, shown.sentence)
