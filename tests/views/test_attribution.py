from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from pellucid.explain.attribution.attribute import METHODS
from pellucid.explain.attribution.record import TITLES, Attribution
from pellucid.explain.attribution.sanity import Sanity, Stage
from pellucid.types import Array
from pellucid.views.attribution import attribution, attributions
from tests.views.drawings import check_legible, texts

PLACED = "90 % of the positive attribution lies in rows 2–5, columns 3–4."


def image(channels: int = 1, rows: int = 12, columns: int = 12) -> Array:
    return np.random.default_rng(0).integers(0, 256, (channels, rows, columns), np.uint8)


def found(method: str = "gradient", channels: int = 1, rows: int = 12, columns: int = 12) -> Attribution:
    values = np.zeros((channels, rows, columns), np.float32)
    values[:, 2:6, 3:5] = 1
    values[:, 8, 7] = -0.5
    return Attribution(method, values, values.sum(axis=0), 3, "cat", -2.5, 0.25, words=("The score.", PLACED))


def cam(method: str = "grad-cam") -> Attribution:
    cells = np.float32([[0, 1], [2, 4]])
    return replace(found(method), map=cells, summary=np.kron(cells, np.ones((6, 6), np.float32)), layer="relu2")


def sanity(of: Attribution, stages: int = 8) -> Sanity:
    made = [Stage((f"layer{index}.conv",), of.summary * (1 + index), 0.9 - 0.2 * index) for index in range(stages)]
    return Sanity(of, tuple(made), 0)


def pictures(figure: Figure) -> list[Array]:
    return [np.asarray(picture.get_array()) for picture in figure.axes[0].images]


@pytest.mark.parametrize(("channels", "rows", "columns"), [(1, 12, 12), (3, 12, 30), (3, 40, 12)])
def test_the_map_its_signs_and_its_words(channels: int, rows: int, columns: int) -> None:
    shape = channels, rows, columns
    figure = attribution(image(*shape), found("gradient", *shape))
    photo, drawn, ramp, over, *_ = pictures(figure)

    check_legible(figure)
    assert figure.get_label() == f"Gradient for “cat”\nThe score. {PLACED}"
    assert photo.shape[:2] == over.shape[:2] == (rows, columns)
    np.testing.assert_array_equal(drawn, found("gradient", *shape).summary)
    assert ramp[0, 0] == -ramp[0, -1] == -channels
    assert {f"−{channels}", "0", f"+{channels}", "class 3, score −2.5, probability 25 %", PLACED, "+"} <= {
        *texts(figure)
    }


def test_boxes_hold_what_the_words_say() -> None:
    figure = attribution(image(), found())
    left, _, _, top = figure.axes[0].images[3].get_extent()
    pixel = (600 - 2 * 16 - 2 * 20) / 3 / 12
    positive, negative = [line for line in figure.axes[0].lines if line.get_linewidth() == 1.1]

    assert sorted(set((positive.get_xdata() - left) / pixel)) == pytest.approx([3, 5])
    assert sorted(set((positive.get_ydata() - top) / pixel)) == pytest.approx([2, 6])
    assert sorted(set((negative.get_xdata() - left) / pixel)) == pytest.approx([7, 8])
    assert positive.get_linestyle() != negative.get_linestyle()


def test_cells_of_a_layer_and_the_line_at_half_of_their_maximum() -> None:
    figure = attribution(image(), cam())
    _, cells, ramp, over, *_ = pictures(figure)

    check_legible(figure)
    np.testing.assert_array_equal(cells, cam().map)
    assert (ramp[0, 0], ramp[0, -1]) == (0, 4)
    assert len(over) == 504
    assert np.ptp(over[-1, -1].astype(int)) > 60  # yellow where the map is largest, whatever the image
    assert {"2 × 2 cells of relu2", "on the image; the line is at half the maximum"} <= {*texts(figure)}
    assert any(collection.get_paths() for collection in figure.axes[0].collections)


def test_a_blank_map_is_not_painted_and_its_words_are_written() -> None:
    zeros = np.zeros((1, 12, 12), np.float32)
    blank = replace(found(), map=zeros, summary=zeros[0], words=("The score.", "The map is blank: no gradient passes."))
    figure, several = attribution(image(), blank), attributions(image(), [blank, cam()])

    assert len(pictures(figure)) == 3
    assert texts(figure).count("0 everywhere") == 2
    assert "The map is blank: no gradient passes." in texts(figure)
    assert "0 everywhere" in texts(several)
    assert "Gradient: The map is blank: no gradient passes." in several.get_label()
    check_legible(several)


@pytest.mark.parametrize("stages", [1, 8])
@pytest.mark.parametrize("of", [found(), cam()], ids=["signed", "cells"])
def test_the_stages_of_a_check(of: Attribution, stages: int) -> None:
    checked = sanity(of, stages)
    figure = attribution(image(), of, checked)

    check_legible(figure)
    assert "as learned" in texts(figure)
    assert [word for word in texts(figure) if word == "0.90"] == ["0.90"]
    np.testing.assert_array_equal(pictures(figure)[-1], checked.stages[-1].summary)
    assert checked.words[0] in figure.get_label()


@pytest.mark.parametrize("count", [1, 10])
def test_methods_side_by_side(count: int) -> None:
    each = [cam(name) if "cam" in name else found(name) for name in METHODS][:count]
    figure = attributions(image(), each, [sanity(one) for one in each])

    check_legible(figure)
    assert [text for text in texts(figure) if text in TITLES.values()] == [TITLES[name] for name in METHODS][:count]
    assert "layer0.conv random 0.90, all −0.50" in texts(figure)
    assert "Gradient: 100 % of what is positive lies in rows 2–5, columns 3–4." in figure.get_label()
    assert list(TITLES) == list(METHODS)


def test_what_lies_beyond_the_scale_is_said() -> None:
    values = np.ones((1, 20, 20), np.float32)
    values[0, 0, 0] = -50
    figure = attribution(image(1, 20, 20), replace(found(), map=values, summary=values[0]))

    assert "attribution; the largest is −50" in texts(figure)
    assert "+1" in texts(figure)


def test_channels_that_cancel_everywhere_are_not_painted() -> None:
    values = np.ones((2, 12, 12), np.float32)
    values[1] = -1
    cancelled = replace(found(), map=values, summary=values.sum(axis=0))
    figure = attribution(image(), cancelled)

    assert texts(figure).count("0 everywhere") == 2
    assert not {"−0", "+0"} & {*texts(figure)}


def test_a_map_that_is_negative_alone_is_not_called_blank() -> None:
    against = replace(found(), map=-abs(found().map), summary=-abs(found().summary))
    zeros = np.zeros((12, 12), np.float32)
    blank = replace(found(), map=zeros[None], summary=zeros, words=("S.", "The map is blank: x.", "It adds up to 0."))
    figure = attributions(image(), [against, blank])

    assert {"nothing is positive", "blank"} <= {*texts(figure)}
    assert "The map is blank: x. It adds up to 0." in figure.get_label()


def test_a_check_without_a_verdict_and_a_score_without_a_probability() -> None:
    alone = replace(found(), probability=None)
    unchecked = Sanity(alone, (), 0)
    for figure in (attribution(image(), alone, unchecked), attributions(image(), [alone], [unchecked])):
        check_legible(figure)
        assert unchecked.words[0] in figure.get_label()
        assert any(text.startswith("class 3, score −2.5") and "probability" not in text for text in texts(figure))
        assert "as learned" not in texts(figure)
