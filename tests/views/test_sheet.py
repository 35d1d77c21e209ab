from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from pellucid.errors import FileError, ParameterError
from pellucid.views.anatomy import funnel
from pellucid.views.diagram import diagram
from pellucid.views.scales import WEIGHTS, for_activations, palette, signed
from pellucid.views.sheet import Sheet, fitted, measure, save
from tests.views.drawings import check_legible, graph, texts

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_drawing_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    save(diagram(graph("tiny")), one)
    save(diagram(graph("tiny")), other)

    assert one.read_bytes() == other.read_bytes()


def test_svg_keeps_text_as_text_has_a_title_and_no_date(tmp_path: Path) -> None:
    save(funnel(graph("tiny")), tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(drawn)

    assert "28×28" in {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert next(root.iter(f"{SVG}title")).text == "Funnel: 1×28×28, 4×28×28, 4×14×14, 8×14×14, 8×7×7, 10"
    assert root.get("width") == "600pt"
    assert "system-ui" in drawn
    assert "DejaVu" not in drawn
    assert "dc:date" not in drawn


def test_png_has_two_pixels_for_each_of_a_page(tmp_path: Path) -> None:
    save(Sheet(600, 300, "").figure, tmp_path / "a.PNG")

    with Image.open(tmp_path / "a.PNG") as picture:
        assert picture.size == (1600, 800)


def test_other_files_and_missing_folders_are_refused(tmp_path: Path) -> None:
    figure = Sheet(60, 30, "").figure

    with pytest.raises(ParameterError, match=r"must end in \.svg or \.png; got '.*a\.pdf'"):
        save(figure, tmp_path / "a.pdf")
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        save(figure, tmp_path / "missing" / "a.svg")
    assert list(tmp_path.iterdir()) == []


def test_lines_are_cut_to_a_width() -> None:
    cut = fitted("inception3a.concatenate", 60, 7)

    assert fitted("conv1", 60, 7) == "conv1"
    assert cut.endswith("…")
    assert measure(cut, 7) <= 60 < measure("inception3a.concatenate", 7)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_longer_text_goes_with_the_picture(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    save(Sheet(60, 30, "Maps of conv1", "Channel 3 < channel 4 & others.\nNone is negative.").figure, file)

    if suffix == ".svg":
        root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
        said = next(root.iter(f"{SVG}title")).text, next(root.iter(f"{SVG}desc")).text
    else:
        with Image.open(file) as picture:
            said = picture.info["Title"], picture.info["Description"]
    assert said == ("Maps of conv1", "Channel 3 < channel 4 & others.\nNone is negative.")


def test_numbers_are_painted_as_their_scale_says_beside_a_legend_that_tells_its_ends() -> None:
    sheet = Sheet(100, 50, "")
    values = np.array([[-2.0, 0.0, 1.0]])
    scale = signed(values, WEIGHTS)
    sheet.picture(values, 0, 0, 30, 10, scale)
    sheet.legend(scale, 0, 20, 90)
    painted, ramp = sheet.axes.images

    for image, shades in ((painted, palette(WEIGHTS)[scale.levels(values)[0]]), (ramp, palette(WEIGHTS))):
        shown = image.to_rgba(image.get_array(), bytes=True)[0, :, :3]
        np.testing.assert_allclose(shown.astype(int), shades, atol=4)  # Matplotlib has 256 shades, a palette 255
    assert texts(sheet.figure) == ["−2", "0", "+2"]
    check_legible(sheet.figure)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3)], ids=["grey", "colour"])
def test_a_photo_is_painted_as_it_is(shape: tuple[int, ...]) -> None:
    sheet = Sheet(100, 50, "")
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) * 10
    sheet.photo(pixels, 10, 5, 30, 20)
    (painted,) = sheet.axes.images

    shown = painted.to_rgba(painted.get_array(), bytes=True)[..., :3]
    np.testing.assert_array_equal(shown, pixels if len(shape) == 3 else np.stack([pixels] * 3, axis=-1))
    assert painted.get_extent() == [10, 40, 25, 5]


def test_a_scale_of_nothing_but_zeros_is_painted_too() -> None:
    sheet = Sheet(100, 50, "")
    sheet.picture(np.zeros((2, 2)), 0, 0, 30, 10, for_activations(np.zeros((2, 2))))
    sheet.legend(for_activations(np.zeros(1)), 0, 20, 90)

    assert texts(sheet.figure) == ["0", "0"]


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_names_in_any_script_pass_in_one_line(tmp_path: Path, suffix: str) -> None:
    sheet = Sheet(60, 30, "日本")
    sheet.text((5, 15), "日本\n\tone", width=50)

    assert texts(sheet.figure) == ["日本 one"]
    save(sheet.figure, tmp_path / f"a{suffix}")  # warnings are errors here
