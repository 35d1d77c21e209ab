import numpy as np
import pytest

from pellucid.explain.exciting import Patch
from pellucid.explain.filters import Filters
from pellucid.views.exciting import cut_out, patches_sheet
from tests.views.drawings import check_legible, texts

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 1, 12, 12), np.uint8)


def patch(index: int, value: float = 1.5, box: tuple = (2, 3, 7, 8), frame: tuple = (2, 3, 7, 8)) -> Patch:
    return Patch(0, value, index, "a class of a rather long name", (3, 4), box, frame)


def test_patches_are_cut_out_of_the_image() -> None:
    drawn = cut_out(IMAGES[2], patch(2), 3)

    assert drawn.shape == (15, 15, 3)
    for channel in range(3):
        np.testing.assert_array_equal(drawn[::3, ::3, channel], IMAGES[2, 0, 2:7, 3:8])
        np.testing.assert_array_equal(drawn[2::3, 2::3, channel], IMAGES[2, 0, 2:7, 3:8])


def test_what_lies_outside_the_image_is_striped() -> None:
    drawn = cut_out(IMAGES[0], patch(0, box=(0, 0, 3, 2), frame=(-2, -3, 3, 2)), 4)
    outside = np.ones(drawn.shape[:2], bool)
    outside[8:, 12:] = False

    np.testing.assert_array_equal(drawn[8::4, 12::4, 0], IMAGES[0, 0, :3, :2])
    assert {tuple(pixel) for pixel in drawn[outside]} == {(233, 236, 240), (210, 215, 222)}


def test_colours_stay_and_fractions_become_bytes() -> None:
    image = RNG.random((3, 8, 8)).astype(np.float32)
    drawn = cut_out(image, patch(0, box=(0, 0, 8, 8), frame=(0, 0, 8, 8)), 1)

    np.testing.assert_array_equal(drawn, np.rint(255 * image).astype(np.uint8).transpose(1, 2, 0))


@pytest.mark.parametrize("top", [1, 5, 9, 16])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_sheets_are_legible(top: int, channels: int | None) -> None:
    found = {
        row: [patch(index % 6, value=-12345.678 / (row + 1), frame=(-3, 3, 7, 8)) for index in range(top)]
        for row in (0, 7, 123)
    }
    filters = None
    if channels:
        weights = RNG.standard_normal((200, channels, 5, 5))
        filters = Filters("conv1", weights, None, (1, 1), 1, True, tuple(range(200)))
    figure = patches_sheet(found, IMAGES, "conv1", filters, title="Exciting patches of a network", subtitle="of data")

    check_legible(figure)
    assert [text for text in texts(figure) if text in ("0", "7", "123")][-3:] == ["0", "7", "123"]
    assert any(text.endswith("stripes: outside the image") for text in texts(figure))
    assert "conv1 · a cell sees 10×5 pixels" in texts(figure)


def test_the_numbers_of_the_record_are_written_and_read_out() -> None:
    figure = patches_sheet({4: [patch(5, 2.5), patch(1, -0.25)]}, IMAGES, "relu2")
    title, about = figure.get_label().split("\n")

    assert "2.5" in texts(figure)
    assert "−0.25" in texts(figure)
    assert title == "Exciting patches: relu2"
    assert about.endswith("Channel 4: 2.5 in image 5 (a class of a rather long name).")


def test_a_channel_that_nothing_excites_is_said_to_be_dead() -> None:
    figure = patches_sheet({0: [patch(0, 0.0), patch(1, 0.0)], 1: [patch(2)]}, IMAGES, "relu1")

    assert "not above 0 on any image" in texts(figure)
    assert len(figure.axes[0].images) == 1


def test_patches_larger_than_their_place_are_shrunk() -> None:
    images = RNG.integers(0, 256, (1, 3, 400, 300), np.uint8)
    whole = patch(0, box=(0, 0, 400, 300), frame=(0, 0, 400, 300))
    (picture,) = patches_sheet({0: [whole] * 9}, images, "fc").axes[0].images[:1]
    left, right, bottom, top = picture.get_extent()

    assert max(picture.get_array().shape) < 200
    assert (bottom - top) / (right - left) == pytest.approx(4 / 3)


def test_of_many_channels_the_first_are_drawn() -> None:
    found = {channel: [patch(0, 1.0)] for channel in range(3000)}
    figure = patches_sheet(found, IMAGES, "fc", subtitle="of data")

    assert "of data · 64 of 3,000 channels" in texts(figure)
    assert figure.get_figheight() < 100
    assert "Channel 64" not in figure.get_label()
