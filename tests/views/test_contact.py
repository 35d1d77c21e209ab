import numpy as np
import pytest

from pellucid.data.photos import Photo
from pellucid.explain.kernels.gallery import NAMES, kernel
from pellucid.explain.photo import filter_photo
from pellucid.views.contact import contact_sheet, on_white, size
from tests.views.drawings import check_legible, texts


def photo(height: int, width: int, *, colour: bool = True) -> Photo:
    shape = (height, width, 3) if colour else (height, width)
    return Photo(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, len(NAMES)])
@pytest.mark.parametrize("shape", [(30, 45), (90, 20), (1, 1), (5, 300)])
def test_every_kernel_has_its_place_and_its_words(count: int, shape: tuple[int, int]) -> None:
    original = photo(*shape)
    frames = [(name, kernel(name), filter_photo(original, kernel(name))) for name in NAMES[:count]]
    figure = contact_sheet("cat.jpg", original, frames, "reduced from 4000×3000 before it was filtered")
    written = texts(figure)

    check_legible(figure)
    assert written[0] == f"cat.jpg, and what {count} kernel{'s make' if count > 1 else ' makes'} of it"
    assert all(name in written for name in NAMES[:count])
    assert f"{shape[1]}×{shape[0]} pixels" in written
    title, _, about = figure.get_label().partition("\n")
    assert title == written[0]
    assert about.startswith("identity: as they are, clipped")


def test_signed_answers_reach_the_ends_of_their_scale() -> None:
    made = filter_photo(photo(30, 40), kernel("sobel-x"))
    figure = contact_sheet("cat.jpg", photo(30, 40), [("sobel-x", kernel("sobel-x"), made)])
    shown = [image for image in figure.axes[0].images if image.get_array().shape == (30, 40)]
    assert [image.get_clim() for image in shown] == [(made.low, made.high)]
    np.testing.assert_array_equal(shown[0].get_array(), made.values)


@pytest.mark.parametrize(("shape", "count", "expected"), [
    ((3000, 4000), 2, (558, 744)), ((3000, 4000), 30, (269, 359)), ((4000, 1000), 2, (930, 232)),
    ((28, 28), 5, (28, 28)), ((1, 5000), 2, (1, 744)),
])  # fmt: skip
def test_photos_are_reduced_to_the_pixels_of_a_sheet(
    shape: tuple[int, int], count: int, expected: tuple[int, int]
) -> None:
    assert size(Photo(np.zeros(shape, np.uint8)), count) == expected


def test_transparent_pixels_are_white() -> None:
    pixels = np.full((1, 3, 3), 1000 * 50, np.uint16)
    found = on_white(Photo(pixels, np.array([[0, 65535, 32768]], np.uint16)))
    assert found[0, :, 0].tolist() == [255, 195, 225]
    grey = on_white(Photo(np.array([[7]], np.uint8), np.array([[0]], np.uint8)))
    assert grey.tolist() == [[255]]
