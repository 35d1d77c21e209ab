import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pellucid.errors import PellucidError
from pellucid.lessons import chapters, numbers
from pellucid.lessons.exercises.kinds import KINDS, exercise
from pellucid.studio.answers import ROOMS, answer
from pellucid.studio.studio import Studio
from tests.studio.told import array

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text("utf-8"))


@pytest.fixture
def ask(tmp_path):
    studio = Studio(tmp_path)
    yield lambda question, /, **asked: answer(f"lessons.{question}", asked, studio)
    studio.close()


def test_the_contents_lead_to_every_chapter_and_back(ask):
    contents = ask("contents")
    assert [head.number for head in contents.chapters] == list(range(1, 11))
    assert contents.kinds == list(KINDS)
    found = [ask("chapter", name=head.name) for head in contents.chapters]
    assert [one.head for one in found] == contents.chapters
    assert [one.before for one in found] == [None, *contents.chapters[:-1]]
    assert [one.after for one in found] == [*contents.chapters[1:], None]
    for one in found:
        assert all(section.blocks for section in one.sections)


def test_links_lead_to_rooms_chapters_and_exercises_that_there_are(ask):
    names = [head.name for head in ask("contents").chapters]
    places = {"room": ROOMS, "chapter": names, "exercise": list(KINDS)}
    for chapter in chapters.chapters():
        assert set(chapter.exercises) <= set(KINDS)
        for block in (block for section in chapter.sections for block in section.blocks):
            for span in (span for line in block.lines for span in line if span.kind in places):
                assert span.to.partition("?")[0] in places[span.kind]


def test_an_unknown_chapter_is_refused(ask):
    with pytest.raises(PellucidError, match="There is no chapter 'poolings'; the nearest are pooling"):
        ask("chapter", name="poolings")


@pytest.mark.parametrize("place", range(len(KINDS)))
def test_exercises_are_asked_and_graded_by_kind_and_seed(ask, place):
    asked = ask("exercise", seed=7, place=place)
    again = exercise(asked.kind, asked.seed)
    assert asked.question == again.question
    solved = again.form.solved
    grade = ask("grade", kind=asked.kind, seed=asked.seed, answer=solved)
    assert grade.right
    wrong = {"number": -5, "choice": (solved + 1) % 4 if asked.form == "choice" else 0, "kernel": [[0.0] * 3] * 3}
    answer_ = wrong.get(asked.form) if asked.form != "match" else solved[1:] + solved[:1]
    grade = ask("grade", kind=asked.kind, seed=asked.seed, answer=answer_)
    assert not grade.right
    assert grade.why
    assert grade.solution


def test_kinds_are_chosen(ask):
    assert [ask("exercise", seed=1, place=place, kinds=["cell", "size"]).kind for place in range(3)] == [
        "cell", "size", "cell",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "asked", "reason"),
    [
        ("exercise", {"seed": 1, "place": 0, "kinds": ["sise"]}, "There is no kind of exercise 'sise'"),
        ("grade", {"kind": "size", "seed": 1, "answer": "many"}, "The answer must be a number"),
        ("grade", {"kind": "design", "seed": 1, "answer": [[1.0]]}, "3 rows of 3 numbers"),
        ("grade", {"kind": "size", "seed": -1, "answer": 1}, "'seed' of lessons.grade"),
        ("convolve", {"picture": [[1.0, 2.0], [1.0]], "kernel": [[1.0]]}, "rows of equal length; got 2, 1"),
        ("convolve", {"picture": [[1.0]], "kernel": [[1.0] * 2] * 2}, "does not fit"),
        ("field", {"layers": [{"kernel": 9, "stride": 4}] * 4}, "at most 128 pixels wide"),
        ("funnel", {"network": "../secret"}, "no network"),
        ("scores", {"scores": [1.0, 2.0], "label": 2}, "the label one of them"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(ask, name, asked, reason):
    with pytest.raises(PellucidError, match=reason):
        ask(name, **asked)


def test_a_kernel_is_tried_before_it_is_handed_in(ask):
    seed = next(seed for seed in range(99) if exercise("design", seed).form.goal.name == "upright")
    rows = [[-1, 2, -1]] * 3
    assert [trial.passed for trial in ask("attempt", seed=seed, kernel=rows).trials] == [True] * 4
    trials = ask("attempt", seed=seed, kernel=[[1, 1, 1]] * 3).trials
    assert [bool(trial.said) for trial in trials] == [not trial.passed for trial in trials]
    assert not all(trial.passed for trial in trials)


def test_a_sheet_is_a_page(ask):
    sheet = ask("sheet", seed=7, count=3)
    assert sheet.name == "pellucid-exercises-7.html"
    assert sheet.html.startswith("<!doctype html>")
    assert sheet.html.count("<li><p>") == 3


def test_the_bar_of_the_worked_examples_is_convolved_rectified_and_pooled(ask):
    stock = {one.name: one.rows for one in ask("stock").pictures}
    kernels = {one.name: one.rows for one in ask("stock").kernels}
    golden = next(example for example in GOLDEN["examples"] if example["id"] == "bar-conv-relu-pool")
    assert stock["bar"] == golden["image"]
    asked = {"picture": stock["bar"], "kernel": kernels["vertical-edge"], "relu": True, "pool": 2, "cell": (0, 3)}
    found = ask("convolve", **asked)
    assert [stage.name for stage in found.stages] == ["conv", "relu", "pool"]
    maps = [array(stage.map).tolist() for stage in found.stages]
    assert maps == [golden["conv"], golden["relu"], golden["pool"]["output"]]
    assert found.stages[0].rows == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert found.stages[2].columns == [[0, 1], [2, 3]]
    assert found.sum.endswith("= 18")


def test_strides_and_padding_read_what_they_should(ask):
    rng = np.random.default_rng(0)
    picture, kernel = rng.integers(0, 9, (7, 8)).astype(float), rng.integers(-3, 4, (3, 2)).astype(float)
    found = ask("convolve", picture=picture.tolist(), kernel=kernel.tolist(), stride=2, padding=1)
    (stage,) = found.stages
    wanted = F.conv2d(torch.tensor(picture)[None, None], torch.tensor(kernel)[None, None], stride=2, padding=1)
    assert np.array_equal(array(stage.map), wanted[0, 0].numpy())
    assert (stage.rows[0], stage.columns[-1]) == ([-1, 0, 1], [7, 8])


def test_counts_are_those_of_both_readings(ask):
    found = ask("counts", what="dense", before=1, after=32, kernel=3, size=28)
    assert {row.part: row.parameters for row in found.rows} == {
        "convolution": 288, "dense-one-per-filter": 25_088, "dense-same-output": 19_668_992,
    }  # fmt: skip


@pytest.mark.parametrize("row", [row for row in GOLDEN["parameter_counts"] if row["layer"] == "conv" and row["bias"]])
def test_a_layer_is_counted(ask, row):
    found = ask("layer", before=row["in"], after=row["out"], kernel=row["kernel"], size=8)
    assert found.parameters == row["parameters"]
    assert found.parameters_formula.endswith(f"= {row['parameters']:,}")
    assert found.biases == row["out"]


def test_a_layers_work_is_counted(ask):
    (row,) = GOLDEN["macs"]
    found = ask("layer", before=row["in"], after=row["out"], kernel=row["kernel"], size=32)
    assert (found.macs, found.output) == (row["macs"], 32)


def test_the_filter_of_three_channels_is_pytorchs(ask):
    found = ask("channels", row=1, column=1)
    picture, kernels = torch.tensor(array(found.picture)), torch.tensor(array(found.kernels))
    wanted = F.conv2d(picture[None], kernels[None], torch.tensor([found.bias]))[0, 0].numpy()
    assert np.array_equal(array(found.map), wanted)
    assert sum(found.parts) + found.bias == wanted[1, 1]
    assert found.sum.endswith(f"= {wanted[1, 1]:.0f}".replace("-", "−"))


@pytest.mark.parametrize("row", [row for row in GOLDEN["receptive_fields"] if "layers" in row])
def test_fields_are_those_of_the_worked_examples(ask, row):
    found = ask("field", layers=[{"kernel": kernel, "stride": stride} for kernel, stride in row["layers"]])
    assert len(found.rows[0].behind) == row["fields"][-1]
    assert [int(one.formula.split(",")[0].rpartition(" ")[2]) for one in found.rows[1:]] == row["fields"]


def test_scores_are_pytorchs(ask):
    scores = torch.tensor([[1.5, -0.5, 3.0]], requires_grad=True)
    loss = F.cross_entropy(scores, torch.tensor([2]))
    loss.backward()
    found = ask("scores", scores=[1.5, -0.5, 3.0], label=2)
    assert found.loss == pytest.approx(loss.item(), rel=1e-6)
    assert found.probabilities == pytest.approx(scores.softmax(1)[0].tolist(), rel=1e-6)
    assert found.gradient == pytest.approx(scores.grad[0].tolist(), rel=1e-6)


def sizes(found):
    return [[stage.channels, *stage.plane] for stage in found.stages]


def test_funnels_are_those_of_the_worked_examples(ask):
    golden = {network["name"]: network for network in GOLDEN["networks"]}
    found = ask("funnel", network="funnel")
    assert [stage for stage in golden["funnel"]["stages"] if stage not in sizes(found)] == []
    found = ask("funnel", network="lenet5-rgb")
    assert (found.parameters, found.kinds) == (62_006, {"Linear": 59_134, "Conv2d": 2_872})
    assert [size[0] for size in sizes(found)] == [3, 6, 6, 16, 16, 120, 84, 10]
    assert len(found.networks) == 8


def test_a_turned_picture_is_classified_otherwise(ask):
    upright, turned = (ask("turned", index=2, degrees=degrees) for degrees in (0, 90))
    best = [one.classes[int(np.argmax(one.probabilities))] for one in (upright, turned)]
    assert (upright.truth, best) == ("Trouser", ["Trouser", "Bag"])
    assert sum(turned.probabilities) == pytest.approx(1, abs=1e-5)
    assert np.allclose(array(turned.picture), np.rot90(array(upright.picture)), atol=2 / 255)
    assert np.array_equal(array(ask("pixels", index=2).picture), np.rint(255 * array(upright.picture)))


def test_filters_are_the_networks(ask):
    assert ask("filters").filters.shape == [32, 3, 3]
    assert len(base64.b64decode(ask("filters").filters.data)) == 32 * 9 * 4


def test_no_number_is_left_uncomputed():
    for chapter in chapters.chapters():
        for section in chapter.sections:
            assert not any("{" in block.text for block in section.blocks)
    with pytest.raises(PellucidError, match="There is no number 'parameter'"):
        numbers.filled("{parameter 1}")
