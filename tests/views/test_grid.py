import numpy as np
import pytest

from pellucid.views import scales
from pellucid.views.grid import PIXEL, Grid, layout, limit, mosaic, paint, paint_photos, sized
from pellucid.views.scales import Scale
from pellucid.views.sheet import Sheet


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 31, 64, 100, 512, 1000])
@pytest.mark.parametrize("plane", [(1, 1), (7, 7), (28, 28), (112, 112), (5, 40), (40, 5)])
def test_tiles_lie_in_the_width_and_not_on_each_other(count: int, plane: tuple[int, int]) -> None:
    grid = layout(count, plane, 568, least=7, most=66, tallest=330, caption=9)
    boxes = np.array([grid.place(index) for index in range(count)])

    assert grid.columns * grid.rows >= count
    assert (boxes[:, 0] + boxes[:, 2]).max() <= grid.width <= 568 + 1e-6
    assert (boxes[:, 1] + boxes[:, 3]).max() <= grid.height
    assert grid.tile[0] * PIXEL <= 66
    assert grid.step[0] > grid.tile[0]
    assert grid.step[1] >= grid.tile[1] + 9 / PIXEL - 1


def test_cells_are_whole_pixels_where_pixels_suffice() -> None:
    for count in (4, 32, 256):
        grid = layout(count, (14, 14), 568, least=7, most=66, tallest=330)
        assert grid.tile[0] % 14 == grid.tile[1] % 14 == 0


def test_full_rows_are_preferred_and_few_tiles_stand_in_one() -> None:
    assert layout(64, (28, 28), 568, least=15, most=66, tallest=330).columns == 16
    assert layout(6, (28, 28), 568, least=15, most=66, tallest=330).rows == 1


def test_the_mosaic_holds_every_number_where_its_tile_lies() -> None:
    rng = np.random.default_rng(0)
    tiles = rng.standard_normal((10, 4, 3)).astype(np.float32)
    grid = layout(10, (4, 3), 300, least=20, most=60, tallest=200)
    picture = mosaic(grid, tiles)
    factor = grid.tile[0] // 3

    assert factor > 1
    for index, tile in enumerate(tiles):
        row, column = divmod(index, grid.columns)
        y, x = row * grid.step[1], column * grid.step[0]
        for cell_y in range(4):
            for cell_x in range(3):
                top, left = y + cell_y * factor, x + cell_x * factor
                assert (picture[top : top + factor, left : left + factor] == tile[cell_y, cell_x]).all()
    assert np.isfinite(picture).sum() == 10 * grid.tile[0] * grid.tile[1]


def test_large_tiles_are_averaged() -> None:
    values = np.arange(64.0).reshape(8, 8)

    np.testing.assert_allclose(sized(values, 4, 4), values.reshape(4, 2, 4, 2).mean(axis=(1, 3)), rtol=1e-6)
    assert sized(np.full((8, 8, 3), 7, np.uint8), 3, 3).tolist() == np.full((3, 3, 3), 7).tolist()


def test_scales_of_their_own_turn_numbers_into_shares() -> None:
    tiles = np.array([[[-1.0, 2.0]], [[0.5, 0.25]], [[0.0, 0.0]]])
    grid = Grid(3, 3, (2, 1), (3, 1))
    sheet = Sheet(100, 50, "")
    paint(sheet, grid, tiles, [scales.signed(tile, scales.WEIGHTS) for tile in tiles], 0, 0)
    (picture,) = sheet.figure.axes[0].images

    assert picture.get_clim() == (-1, 1)
    shown = np.ma.filled(picture.get_array().astype(float), np.nan)
    np.testing.assert_array_equal(shown, [[-0.5, 1, np.nan, 1, 0.5, np.nan, 0, 0]])


def test_one_scale_keeps_the_numbers_and_pictures_keep_their_pixels() -> None:
    tiles = np.array([[[-1.0, 2.0]], [[0.5, 0.25]]])
    grid = Grid(2, 2, (2, 1), (3, 1))
    sheet = Sheet(100, 50, "")
    paint(sheet, grid, tiles, [Scale(-4.0, 4.0, scales.ACTIVATIONS)], 0, 0)
    paint_photos(sheet, grid, np.full((2, 1, 2, 3), 9, np.uint8), 0, 20)
    numbers, photos = sheet.figure.axes[0].images

    assert numbers.get_clim() == (-4, 4)
    np.testing.assert_array_equal(np.ma.filled(numbers.get_array(), 7), [[-1, 2, 7, 0.5, 0.25]])
    assert photos.get_array()[0, :, 0].tolist() == [9, 9, 233, 9, 9]


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (Scale(-0.5, 0.5, scales.WEIGHTS), "±0.5"),
        (Scale(-123.4, 123.4, scales.ACTIVATIONS), "±123"),
        (Scale(0, 0.0012, scales.POSITIVE), "0–0.0012"),
        (Scale(0, 0, scales.POSITIVE), "0–0"),
    ],
)
def test_limits_are_written_with_their_signs(scale: Scale, words: str) -> None:
    assert limit(scale) == words
