from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data.photos import Photo
from pellucid.explain.photo import edges, filter_photo
from pellucid.views.photos import direction_picture, directions, save_edges, save_filtered, signed_picture
from pellucid.views.scales import palette

PHOTO = np.random.default_rng(0).integers(0, 256, (300, 400)).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (20, 28), (300, 400), (400, 1700)])
def test_signed_answers_are_red_white_and_blue_above_their_legend(size: tuple[int, int]) -> None:
    height, width = size
    made = filter_photo(np.resize(PHOTO, size), [[-1, 1]])
    picture = signed_picture(made, "difference").pixels
    colours = palette("RdBu_r").astype(int)

    assert picture.dtype == np.uint8
    assert picture.shape[1] == max(width, 360)
    assert picture.shape[0] > height + 40
    assert (picture[:height, width:] == 255).all()
    shade = np.rint((made.values.clip(made.low, made.high) / (made.high or 1) + 1) * 127).astype(int)
    assert np.array_equal(picture[:height, :width], colours[shade])
    legend = picture[height:]
    for end in (colours[0], colours[127], colours[254]):
        assert (legend == end).all(axis=2).any()


def test_directions_have_colours_of_one_lightness() -> None:
    """CIE's lightness, by another formula than that which made them."""
    light = directions() / 255
    linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    assert np.ptp(lightness) < 12
    red, blue = 0, 2
    assert directions()[0].argmax() == red
    assert directions()[240].argmax() == blue
    assert abs(np.diff(directions().astype(int), axis=0, append=directions()[:1])).max() <= 20  # no seam at 0°


def test_edges_have_the_colour_of_their_direction_and_fade_to_white() -> None:
    photo = np.zeros((80, 400), np.uint8)
    photo[:, 100:200] = 200  # grows to the right at 100, to the left at 200
    photo[40:, 300:] = 20  # a tenth as strong, downwards
    found = edges(photo, "prewitt")
    picture, colours = direction_picture(found).pixels, directions().astype(int)

    assert np.array_equal(picture[10, 100], colours[0])
    assert np.array_equal(picture[10, 200], colours[180])
    assert found.magnitude[40, 350] == 60
    assert abs(picture[40, 350] - (255 + (colours[270] - 255) * 60 / found.limit)).max() <= 0.51
    assert (picture[10, 20:80] == 255).all()


def test_a_legend_is_opaque_below_a_photo_with_alpha() -> None:
    alpha = np.full(PHOTO.shape, 77, np.uint8)
    made = filter_photo(Photo(PHOTO, alpha), [[-1, 1]])
    for picture in (signed_picture(made, "x"), direction_picture(edges(Photo(PHOTO, alpha)))):
        assert picture.alpha is not None
        assert (picture.alpha[:300] == 77).all()
        assert (picture.alpha[300:] == 255).all()
    deep = Photo(PHOTO.astype(np.uint16) * 257, alpha.astype(np.uint16) * 257)
    picture = signed_picture(filter_photo(deep, [[-1, 1]]), "x")
    assert picture.alpha is not None
    assert (picture.alpha[:300] == 77).all()


def test_files_have_words_for_those_who_cannot_see_them(tmp_path: Path) -> None:
    save_filtered(filter_photo(PHOTO, [[-1, 1]], border="zeros"), tmp_path / "a.png", "difference", "cat.jpg")
    text = Image.open(tmp_path / "a.png").text
    assert text["Title"] == "cat.jpg filtered by difference"
    assert text["Description"].startswith("Answers signed, −")
    assert text["Description"].endswith("border: zeros.")

    save_edges(edges(PHOTO), tmp_path / "m.png", tmp_path / "d.png", "cat.jpg")
    magnitude, direction = Image.open(tmp_path / "m.png"), Image.open(tmp_path / "d.png")
    assert magnitude.mode == "L"
    assert magnitude.size == (400, 300)
    assert "white where it grows by" in magnitude.text["Description"]
    assert direction.text["Title"] == "sobel direction of cat.jpg"
