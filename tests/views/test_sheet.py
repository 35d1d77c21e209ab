from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from pellucid.errors import FileError, ParameterError
from pellucid.views.anatomy import funnel
from pellucid.views.diagram import diagram
from pellucid.views.sheet import Sheet, fitted, measure, save
from tests.views.drawings import graph

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
