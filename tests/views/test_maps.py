import numpy as np
import pytest
from matplotlib.figure import Figure

import pellucid as pel
from pellucid.explain.maps import Maps, feature_maps
from pellucid.views.maps import maps_sheet
from tests.views.drawings import check_legible, texts

GREY = np.zeros((1, 28, 28), np.uint8)


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.ma.filled(image.get_array().astype(float), np.nan) for image in figure.axes[0].images]


def records(*shapes: tuple[int, ...], lowest: float = -1.0) -> list[Maps]:
    rng = np.random.default_rng(0)
    made = []
    for index, shape in enumerate(shapes):
        values = (index + 1) * rng.uniform(lowest, 1, shape).astype(np.float32)
        made.append(Maps(f"layer{index}", "Conv2d", values, tuple(range(shape[0]))))
    return made


def test_the_numbers_of_the_sheet_are_those_of_the_trace() -> None:
    pel.manual_seed(0)
    image = np.random.default_rng(0).standard_normal((1, 28, 28)).astype(np.float32)
    trace = pel.trace(pel.zoo.build("tiny"), image)
    figure = maps_sheet(feature_maps(trace, ["conv1", "relu2"]), GREY, scale="layer")
    by_layer = [picture for picture in pictures(figure) if picture.shape[0] > 40]

    for name, shown in zip(("conv1", "relu2"), by_layer, strict=True):
        assert set(np.unique(shown[np.isfinite(shown)])) == set(np.unique(trace[name].output).astype(float))


def test_scales_reach_as_far_as_they_say() -> None:
    found = records((4, 8, 8), (4, 8, 8))
    largest = [float(abs(one.values).max()) for one in found]

    def limits(scale: str) -> list[float]:
        images = maps_sheet(found, GREY, scale=scale).figure.axes[0].images
        return [image.get_clim()[1] for image in images if np.isnan(np.ma.filled(image.get_array(), np.nan)).any()]

    assert limits("layer") == pytest.approx(largest)
    assert limits("global") == pytest.approx([max(largest)] * 2)
    assert limits("local") == [1, 1]
    written = texts(maps_sheet(found, GREY, scale="local"))
    assert [word for word in written if word.startswith("±")] == [
        f"±{abs(tile).max():.2g}" for one in found for tile in one.values
    ]


def test_signed_and_unsigned_maps_have_their_own_colours() -> None:
    for lowest, colours in ((-1.0, "RdBu_r"), (0.0, "cividis")):
        images = maps_sheet(records((4, 8, 8), lowest=lowest), GREY, scale="layer").axes[0].images
        assert {image.get_cmap().name for image in images[1:]} == {colours}


@pytest.mark.parametrize("count", [1, 2, 9, 64, 130, 1000])
@pytest.mark.parametrize("scale", ["local", "layer", "global"])
def test_any_number_of_channels_is_legible(count: int, scale: str) -> None:
    figure = maps_sheet(records((count, 7, 7)), GREY, scale=scale, title="Feature maps of a network")
    shown = [word for word in texts(figure) if word.isdecimal()]

    check_legible(figure)
    assert "0" in shown
    if scale == "local" and count > 256:
        assert f"256 of {count:,} are shown" in texts(figure)


@pytest.mark.parametrize("shape", [(1,), (10,), (40,), (41,), (128,), (1000,), (3, 1, 30), (2, 224, 224)])
def test_layers_of_any_shape_are_legible(shape: tuple[int, ...]) -> None:
    check_legible(maps_sheet(records(shape, (2, 4, 4)), np.zeros((3, 30, 60), np.uint8), scale="layer"))


def test_chosen_channels_come_in_their_order_and_are_named() -> None:
    values = np.arange(8 * 4, dtype=np.float32).reshape(8, 2, 2)
    figure = maps_sheet([Maps("conv", "Conv2d", values, (7, 2, 5))], GREY, scale="layer", by="max")
    shown = pictures(figure)[-1]
    columns = shown[0][np.isfinite(shown[0])]

    assert [word for word in texts(figure) if word in ("7", "2", "5")] == ["7", "2", "5"]
    assert list(dict.fromkeys(columns)) == [28, 29, 8, 9, 20, 21]
    assert "largest value first" in texts(figure)


def test_dead_channels_are_named_and_read_out() -> None:
    values = np.ones((12, 3, 3))
    values[[1, 2, 3, 8]] = 0
    figure = maps_sheet([Maps("relu", "ReLU", values, tuple(range(12)))], GREY)

    assert "0 everywhere on this image (4 of 12): 1–3, 8" in texts(figure)
    title, about = figure.get_label().split("\n")
    assert title == "Feature maps: relu"
    assert about == "relu: 12 maps of 3×3, from 0 to 1; dead: 1–3, 8."


def test_numbers_become_bars_with_the_names_of_classes() -> None:
    values = np.array([0.5, -2.0, 3.25], np.float32)
    figure = maps_sheet([Maps("fc", "Linear", values, (0, 1, 2))], GREY, classes=("bag", "coat", "shoe"))
    written = texts(figure)

    assert written[-6:] == ["bag", "+0.5", "coat", "−2", "shoe", "+3.25"]
    bars = [patch for patch in figure.axes[0].patches if patch.get_facecolor()[:3] != patch.get_facecolor()[1:4]]
    assert len(bars) >= 6
    assert "0" in texts(maps_sheet([Maps("fc", "Linear", values, (0, 1, 2))], GREY, classes=("bag", "coat")))


def test_only_known_scales_are_taken() -> None:
    with pytest.raises(pel.ParameterError, match="'scale' of maps must be one of local, layer, global; got 'row'"):
        maps_sheet(records((1, 2, 2)), GREY, scale="row")
