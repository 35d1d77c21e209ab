import base64
import io

import numpy as np
import pytest
from PIL import Image

from pellucid.views import scales
from pellucid.views.pictures import mosaic, photo, ramp
from pellucid.views.scales import Scale, palette


def read(address: str) -> Image.Image:
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_photo_keeps_the_pixels() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    colour = np.arange(36, dtype=np.uint8).reshape(3, 3, 4)

    np.testing.assert_array_equal(np.asarray(read(photo(grey))), grey[0])
    np.testing.assert_array_equal(np.asarray(read(photo(colour))), colour.transpose(1, 2, 0))


def test_photo_shrinks_large_pictures() -> None:
    assert read(photo(np.zeros((3, 200, 400), np.uint8), largest=96)).size == (96, 48)


def test_mosaic_places_coloured_tiles_with_transparent_gaps() -> None:
    scale = Scale(-1, 1, scales.WEIGHTS)
    tiles = np.array([[[-1.0, 1.0]], [[0.0, 0.5]], [[1.0, 1.0]]])
    pixels = np.asarray(read(mosaic(tiles, scale, tile=4, columns=2, width=0)).convert("RGBA"))
    colours = palette(scales.WEIGHTS)

    assert pixels.shape == (2 + 3 + 2, 4 + 3 + 4, 4)  # tiles of 2 rows and 4 columns, gaps of 3
    assert pixels[0, 0].tolist() == [*colours[0].tolist(), 255]
    assert pixels[1, 3].tolist() == [*colours[254].tolist(), 255]
    assert pixels[0, 7].tolist() == [*colours[127].tolist(), 255]
    assert pixels[6, 3].tolist() == [*colours[254].tolist(), 255]
    assert (pixels[:, 4:7, 3] == 0).all()
    assert (pixels[2:5, :, 3] == 0).all()
    assert (pixels[5:, 7:, 3] == 0).all()  # the place of the fourth tile


def test_mosaic_averages_tiles_that_are_too_large() -> None:
    tile = np.zeros((1, 8, 8))
    tile[0, :, 4:] = 2.0
    picture = read(mosaic(tile, Scale(0, 2, scales.POSITIVE), tile=4, columns=1, width=0)).convert("RGB")

    assert picture.size == (4, 4)
    assert picture.getpixel((0, 0)) == tuple(palette(scales.POSITIVE)[0])
    assert picture.getpixel((3, 3)) == tuple(palette(scales.POSITIVE)[254])


def test_ramp_shows_every_shade() -> None:
    pixels = np.asarray(read(ramp(scales.POSITIVE)).convert("RGB"))

    np.testing.assert_array_equal(pixels[0], palette(scales.POSITIVE))


@pytest.mark.parametrize("colours", [scales.ACTIVATIONS, scales.WEIGHTS])
def test_signed_scales_are_light_at_zero_and_darker_to_both_sides(colours: str) -> None:
    grey = palette(colours) @ np.array([0.299, 0.587, 0.114])

    assert grey[127] > 240
    assert (np.diff(grey[:120:10]) > 0).all()
    assert (np.diff(grey[135::10]) < 0).all()


def test_cividis_grows_lighter_throughout() -> None:
    assert (np.diff(palette(scales.POSITIVE) @ np.array([0.299, 0.587, 0.114])) >= -1).all()


def test_scales_follow_the_values() -> None:
    assert scales.for_activations(np.array([-1.0, 3.0])) == Scale(-3, 3, scales.ACTIVATIONS)
    assert scales.for_activations(np.array([0.0, 3.0])) == Scale(0, 3, scales.POSITIVE)
    assert scales.signed(np.zeros(3), scales.WEIGHTS).levels(np.zeros(2)).tolist() == [127, 127]
    assert Scale(0, 1, scales.POSITIVE).levels(np.array([-5.0, 5.0])).tolist() == [0, 254]
