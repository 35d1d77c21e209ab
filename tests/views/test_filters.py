import numpy as np
import pytest

import pellucid as pel
from pellucid.explain.filters import Filters, gabor_study
from pellucid.views.filters import filters_sheet
from tests.views.drawings import check_legible, texts


def made(*shape: int, first: bool = True, groups: int = 1) -> Filters:
    weights = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return Filters("conv1", weights, None, (1, 1), groups, first, tuple(range(shape[0])))


@pytest.mark.parametrize(
    ("shape", "scale"),
    [
        ((1, 1, 3, 3), "layer"),
        ((32, 1, 3, 3), "local"),
        ((6, 1, 5, 5), "local"),
        ((96, 1, 7, 7), "layer"),
        ((4, 1, 1, 1), "layer"),
        ((6, 3, 5, 5), "local"),
        ((64, 3, 7, 7), "local"),
        ((64, 3, 11, 11), "layer"),
        ((2, 3, 1, 1), "layer"),
        ((16, 6, 5, 5), "layer"),
        ((512, 512, 3, 3), "local"),
        ((64, 256, 1, 1), "layer"),
        ((1000, 512, 1, 1), "local"),
        ((8, 2, 3, 1), "layer"),
    ],
)
def test_filters_of_any_shape_are_legible(shape: tuple[int, ...], scale: str) -> None:
    check_legible(filters_sheet(made(*shape), scale=scale, title="Filters of a network", subtitle="its weights"))


def test_small_filters_show_their_numbers() -> None:
    weights = np.array([[1, 0, -1], [2, 0, -2], [1, -0.001, -1]], np.float32)[None, None] / 4
    figure = filters_sheet(Filters("sobel", weights, None, (2, 2), 1, True, (0,)))

    numbers = ["0.25", "0.00", "−0.25", "0.50", "0.00", "−0.50", "0.25", "0.00", "−0.25"]
    assert texts(figure)[-9:] == numbers
    assert "sobel · 1 filter of 1×3×3, stride 2×2" in texts(figure)
    assert figure.get_label().endswith("sobel: 1 filter of 1×3×3, stride 2×2, weights from −0.5 to 0.5.")
    assert {image.get_cmap().name for image in figure.axes[0].images} == {"PuOr_r"}


def test_negative_cells_without_numbers_are_marked() -> None:
    weights = np.zeros((1, 1, 7, 7), np.float32)
    weights[0, 0, 2, 3], weights[0, 0, 5, 1], weights[0, 0, 0, 0] = -1.0, -0.3, 1.0
    axes = filters_sheet(Filters("conv1", weights, None, (1, 1), 1, True, (0,))).axes[0]
    left, right, bottom, top = axes.images[-1].get_extent()
    cell = (right - left) / 7
    marked = {
        (int((np.nanmean(y) - top) / cell), int((np.nanmean(x) - left) / cell))
        for x, y in (line.get_data() for line in axes.lines)
    }

    assert bottom > top
    assert marked == {(2, 3), (5, 1)}


def test_colour_filters_are_shown_as_colours_and_by_channel() -> None:
    weights = np.zeros((2, 3, 5, 5), np.float32)
    weights[0, 0], weights[1, 2] = 0.5, -0.25
    figure = filters_sheet(Filters("conv1", weights, None, (1, 1), 1, True, (0, 1)))
    colours, _, signed = figure.axes[0].images
    tile = colours.get_array().shape[0]

    assert colours.get_array()[0, 0].tolist() == [255, 128, 128]
    assert colours.get_array()[0, -1].tolist() == [128, 128, 64]
    values = np.ma.filled(signed.get_array(), np.nan)
    assert signed.get_clim() == (-0.5, 0.5)
    assert set(np.unique(values[np.isfinite(values)])) == {-0.25, 0, 0.5}
    assert tile % 5 == 0


def test_deeper_filters_are_rows_of_kernels() -> None:
    filters = made(3, 4, 2, 2, first=False, groups=2)
    figure = filters_sheet(filters, scale="layer")
    shown = np.ma.filled(figure.axes[0].images[-1].get_array(), np.nan)
    cell = round(shown.shape[1] / (4 * 3 - 1))

    for out in range(3):
        for channel in range(4):
            y, x = out * 3 * cell, channel * 3 * cell
            kernel = shown[y : y + 2 * cell : cell, x : x + 2 * cell : cell]
            np.testing.assert_array_equal(kernel, filters.weights[out, channel])
    assert any("each input channel of its group, one of 2" in text for text in texts(figure))
    norms = [f"{norm:.2f}" for norm in filters.norms]
    assert [text for text in texts(figure) if text in norms] == norms


def test_what_is_left_out_is_told() -> None:
    assert any("32 of 64 rows; 32 of 64 columns" in text for text in texts(filters_sheet(made(64, 64, 3, 3))))
    assert any(text.endswith("; 256 of 300") for text in texts(filters_sheet(made(300, 1, 3, 3))))


@pytest.mark.parametrize("shape", [(2, 1, 5, 5), (32, 1, 7, 7), (20, 3, 5, 5)])
def test_gabor_fits_stand_beside_the_filters(shape: tuple[int, ...]) -> None:
    filters = made(*shape)
    study = gabor_study(filters, np.array([0.2, 0.3, 0.4]))
    figure = filters_sheet(filters, study)
    written = texts(figure)

    check_legible(figure)
    assert [text for text in written if text.startswith("R² ")] == [f"R² {fit.r2:.2f}" for fit in study.fits]
    assert f"median {study.median:.2f}" in written
    assert "median 0.30" in written
    assert f"Median R² of Gabor functions: {study.median:.2f}; of random filters 0.30." in figure.get_label()
    shown = np.ma.filled(figure.axes[0].images[-1].get_array(), np.nan)
    side = shape[3]
    pair = np.concatenate([study.planes[0], study.fits[0].gabor.draw(side, side)], axis=1)
    pair /= abs(pair).max()
    factor = next(size for size in range(1, 99) if np.isnan(shown[0, size * side]))  # pixels of a cell
    cells = shown[: side * factor : factor, : (2 * side + 1) * factor : factor]
    np.testing.assert_allclose(np.delete(cells, side, axis=1), pair, atol=1e-6)


def test_constant_filters_are_called_so() -> None:
    filters = Filters("conv1", np.zeros((2, 1, 5, 5)), None, (1, 1), 1, True, (0, 1))
    figure = filters_sheet(filters, gabor_study(filters, np.array([0.5])))

    check_legible(figure)
    assert texts(figure).count("constant") == 2


def test_only_known_scales_are_taken() -> None:
    with pytest.raises(pel.ParameterError, match="'scale' of filters must be one of local, layer; got 'global'"):
        filters_sheet(made(1, 1, 3, 3), scale="global")
