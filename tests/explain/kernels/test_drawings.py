from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data import registry
from pellucid.errors import DataError, FileError, ParameterError
from pellucid.explain.kernels.drawings import DRAWINGS, card, line, open_picture
from pellucid.explain.kernels.exhibits import exhibit
from pellucid.explain.kernels.gallery import kernel


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_grey_from_black_to_white(name: str) -> None:
    drawn = open_picture(name)
    assert drawn.dtype == np.float32
    assert (drawn.min(), drawn.max()) == (0, 1)


def test_lines_lie_at_their_angle() -> None:
    np.testing.assert_array_equal(line(90, 9), line(0, 9).T)
    np.testing.assert_allclose(line(45, 9), line(135, 9)[::-1], atol=1e-6)
    assert line(45, 9)[0, 8] == 1  # rises to the right


def test_pictures_are_read_from_files_and_rows(tmp_path: Path) -> None:
    colours = np.zeros((300, 200, 3), np.uint8)
    colours[..., 1] = 200
    Image.fromarray(colours).save(tmp_path / "a.png")
    whole, small = open_picture(str(tmp_path / "a.png")), open_picture(str(tmp_path / "a.png"), 60)

    assert (whole.shape, small.shape, whole.dtype) == ((300, 200), (60, 40), np.float32)
    assert whole[0, 0] == pytest.approx(round(0.587 * 200) / 255)
    np.testing.assert_array_equal(open_picture("0,1/2; −1,2"), [[0, 0.5], [-1, 2]])


@pytest.mark.parametrize(("source", "error"), [("nothing.png", FileError), ("1,2;3", ParameterError), ("", FileError)])
def test_what_is_no_picture_is_refused(source: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"picture|image"):
        open_picture(source)


def test_a_text_file_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("words")
    with pytest.raises(DataError, match="must be an image"):
        open_picture(str(tmp_path / "a.png"))


def test_an_exhibit_says_whether_its_answer_has_signs() -> None:
    signed = {name: exhibit(name, kernel(name), card()).is_signed for name in ("sobel-x", "log", "sharpen", "emboss")}
    assert signed == {"sobel-x": True, "log": True, "sharpen": False, "emboss": False}
    assert exhibit("negative", -kernel("box-blur"), card()).is_signed
    np.testing.assert_array_equal(exhibit("identity", kernel("identity"), card()).answer, card())


def test_a_data_sets_test_picture_is_a_picture() -> None:
    _, test = registry.load("fashion-mnist-mini")
    np.testing.assert_array_equal(open_picture("fashion-mnist-mini:17"), test.images[17, 0].astype(np.float32) / 255)
    with pytest.raises(DataError, match=r"The picture of 'fashion-mnist-mini' must be 0 to \d+, as DATA:INDEX"):
        open_picture("fashion-mnist-mini:99999")
    with pytest.raises(FileError, match="The image 'fashion-mnist-mini:٢' must be"):
        open_picture("fashion-mnist-mini:٢")


def test_test_pictures_in_colours_become_grey(tmp_path: Path) -> None:
    images = np.zeros((4, 3, 6, 5), np.uint8)
    images[:, 1] = 200
    labels = np.array([0, 1, 0, 1])
    np.savez(
        tmp_path / "a.npz",
        **{
            f"{part}_{what}": made
            for part in ("train", "test")
            for what, made in (("images", images), ("labels", labels))
        },
    )
    found = open_picture(f"{tmp_path / 'a.npz'}:0")

    assert found.shape == (6, 5)
    np.testing.assert_allclose(found, round(0.587 * 200) / 255)


def test_bytes_of_a_picture_are_shares() -> None:
    np.testing.assert_allclose(exhibit("k", [[1]], np.full((2, 2), 51, np.uint8)).answer, 0.2)
