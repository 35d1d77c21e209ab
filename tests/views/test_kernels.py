import numpy as np
import pytest

from pellucid.explain.kernels.composition import collapse
from pellucid.explain.kernels.drawings import card
from pellucid.explain.kernels.exhibits import exhibit
from pellucid.explain.kernels.gallery import NAMES, kernel, read_kernel
from pellucid.views.kernels import composition, gallery, page
from pellucid.views.sheet import INK, PAPER
from tests.views.drawings import check_legible, texts


@pytest.fixture(scope="module")
def sheet() -> object:
    return gallery([exhibit(name, kernel(name), card()) for name in NAMES])


def test_the_gallery_shows_every_kernel_and_its_answer(sheet: object) -> None:
    written, pictures = texts(sheet), sheet.axes[0].images

    check_legible(sheet)
    assert set(NAMES) <= set(written)
    assert {"−1", "0", "+1", "1", "−10", "÷ 9", "÷ 16"} <= set(written)
    assert len(pictures) == 1 + 3 + 2 * len(NAMES)  # the picture, three legends, weights and answers
    title, about = sheet.get_label().split("\n")
    assert title == f"{len(NAMES)} kernels, and what each makes of a picture"
    assert "prewitt-y: prewitt-y; also horizontal-edge-upward" in about


def test_weights_and_answers_are_what_is_painted(sheet: object) -> None:
    painted = [picture.get_array() for picture in sheet.axes[0].images[4:]]
    for index, name in enumerate(NAMES):
        shown = exhibit(name, kernel(name), card())
        np.testing.assert_array_equal(painted[2 * index], shown.kernel)
        np.testing.assert_array_equal(painted[2 * index + 1], shown.answer)
        scale = sheet.axes[0].images[4 + 2 * index + 1]
        assert scale.get_cmap().name == ("RdBu_r" if shown.is_signed else "gray")


@pytest.mark.parametrize(
    "text",
    [
        "sobel-x",
        "gabor:angle=30",
        "gaussian-blur:size=5",
        "1 2 3 4 5",
        "1;2;3",
        "7",
        "0 0;0 0",
        "0.12345 -0.34567 0.6; -0.71234 0.888 1",
        "log:sigma=6",
        "motion-blur:size=31,angle=20",
    ],
)
@pytest.mark.parametrize("picture", [card(), np.linspace(0, 1, 300, dtype=np.float32).reshape(3, 100)])
def test_a_page_is_legible_whatever_the_kernel_and_the_picture(text: str, picture: np.ndarray) -> None:
    shown = exhibit(text, read_kernel(text), picture)
    figure = page(shown)

    check_legible(figure)
    for word, _ in shown.description.lines():
        assert word in texts(figure)
    assert {"−½", "0", "½", "cycles per pixel, to the right and upwards"} <= set(texts(figure))
    assert figure.get_label() == f"The kernel {text}\n{shown.description.text()}"


def test_numbers_stand_in_their_cells_or_signs_where_they_are_too_long() -> None:
    def cells(text: str) -> list[str]:
        written = texts(page(exhibit("k", read_kernel(text), card())))
        return written[3 : written.index("gain of waves")][:-3]  # before the three numbers of the legend

    assert cells("1,2;-3,1/2") == ["2", "4", "−6", "1"]
    assert "2×2 weights, each ÷ 2" in texts(page(exhibit("k", read_kernel("1,2;-3,1/2"), card())))
    assert cells("0.1234567,-0.3") == ["0.123", "−0.3"]
    assert set(cells("gabor")) == {"+", "−"}
    assert cells("box-blur:size=99") == []


def test_light_is_written_on_dark_and_dark_on_light() -> None:
    figure = page(exhibit("k", read_kernel("5 1; -1 -5"), card()))
    cells = [(text.get_text(), text.get_color()) for text in figure.axes[0].texts[3:7]]

    assert cells == [("5", PAPER), ("1", INK), ("−1", INK), ("−5", PAPER)]


@pytest.mark.parametrize(("first", "second"), [("sobel-x", "sobel-y"), ("gaussian-blur", "gabor"), ("1 -1", "1;-1")])
def test_a_composition_shows_both_ways_and_the_difference(first: str, second: str) -> None:
    found = collapse(card(), read_kernel(first), read_kernel(second))
    figure = composition(found)
    painted = [picture.get_array() for picture in figure.axes[0].images]

    check_legible(figure)
    for map_ in (
        found.first,
        found.second,
        found.composed,
        found.picture,
        found.in_turn,
        found.at_once,
        found.with_relu,
    ):
        assert any(np.array_equal(map_, picture) for picture in painted)
    maps = [picture for picture in figure.axes[0].images if picture.get_array().shape == found.in_turn.shape]
    assert len({picture.get_clim() for picture in maps}) == 1
    assert found.text().split("\n")[-1] in texts(figure)


def test_an_answer_of_zeros_has_no_signed_zeros_in_its_legend() -> None:
    written = texts(page(exhibit("k", [[1, -1]], np.zeros((9, 9)))))
    assert {"−0", "+0"}.isdisjoint(written)
