import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.data import Dataset
from pellucid.explain.exciting import exciting_patches


@pytest.fixture
def net() -> nn.Module:
    pel.manual_seed(0)
    return nn.Sequential(
        {
            "conv1": nn.Conv2d(1, 5, 5, stride=2, padding=2),
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(5, 3, 3, padding=1),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(27, 4),
        }
    )


@pytest.fixture
def dataset() -> Dataset:
    """Some pictures twice, so that there are ties, and flat ones, whose cells are all alike."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 1, 12, 12), np.uint8)
    images[15:] = images[:5]
    images[7:9] = 90
    return Dataset.from_arrays(images, [index % 3 for index in range(20)], classes=("bag", "coat", "shoe"))


def by_hand(net: nn.Module, dataset: Dataset, layer: str, channel: int) -> list[tuple[float, int, int]]:
    """(value, image, place) of the best cell of each image, best first."""
    best = []
    for index in range(len(dataset)):
        cells = pel.trace(net, dataset.inputs(slice(index, index + 1))[0])[layer].output[channel].ravel().tolist()
        value = max(cells)
        best.append((value, index, cells.index(value)))
    return sorted(best, key=lambda found: (-found[0], found[1]))


@pytest.mark.parametrize("layer", ["conv1", "relu1", "pool1", "conv2"])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_best_cells_are_those_of_a_full_search(
    net: nn.Module, dataset: Dataset, layer: str, batch_size: int
) -> None:
    found = exciting_patches(net, dataset, layer, top=6, batch_size=batch_size)
    width = {"conv1": 6, "relu1": 6, "pool1": 3, "conv2": 3}[layer]

    for channel, patches in found.items():
        expected = by_hand(net, dataset, layer, channel)[:6]
        np.testing.assert_allclose([patch.value for patch in patches], [one[0] for one in expected], rtol=1e-5)
        # pictures that are there twice give the same value up to rounding; which is first must not be left to it
        pairs = [(patch.index % 15, patch.place) for patch in patches]
        assert sorted(pairs) == sorted((index % 15, divmod(place, width)) for _, index, place in expected)
        assert len({patch.index for patch in patches}) == 6


def test_of_equal_cells_the_first_is_taken(net: nn.Module) -> None:
    images = np.zeros((5, 1, 12, 12), np.uint8)
    found = exciting_patches(net, Dataset.from_arrays(images, [0, 1, 0, 1, 0]), "relu1", top=3, batch_size=2)
    copy = nn.Sequential({"relu": nn.ReLU()})
    ones = Dataset.from_arrays(np.ones((4, 1, 2, 2), np.float32), [0, 1, 0, 1])

    assert all([patch.index for patch in patches] == [0, 1, 2] for patches in found.values())
    assert [patch.place for patch in exciting_patches(copy, ones, "relu")[0]] == [(0, 0)] * 4


def test_boxes_are_what_the_cell_sees_and_frames_go_over_the_border(net: nn.Module) -> None:
    images = np.zeros((3, 1, 12, 12), np.float32)
    images[0, 0, 0, 0] = images[1, 0, 6, 6] = images[2, 0, 11, 11] = 9
    weight = np.zeros((5, 1, 5, 5), np.float32)
    weight[:, :, 2, 2] = 1
    weight[:, :, 3, 3] = 0.5  # so that the pixel in the corner, which no window's middle reaches, is seen, too
    net.get_submodule("conv1").weight.data = weight
    dataset = Dataset.from_arrays(images, [0, 1, 1])
    first, middle, last = sorted(exciting_patches(net, dataset, "conv1", [0])[0], key=lambda patch: patch.index)

    assert (first.place, first.box, first.frame) == ((0, 0), (0, 0, 3, 3), (-2, -2, 3, 3))
    assert (middle.place, middle.box, middle.frame) == ((3, 3), (4, 4, 9, 9), (4, 4, 9, 9))
    assert (last.place, last.box, last.frame) == ((5, 5), (8, 8, 12, 12), (8, 8, 13, 13))
    assert (first.label, last.label) == ("0", "1")


def test_a_field_as_large_as_the_image_is_framed_by_the_image(net: nn.Module, dataset: Dataset) -> None:
    for layer in ("conv2", "fc"):
        patch = exciting_patches(net, dataset, layer, [0], 1)[0][0]
        assert patch.frame == (0, 0, 12, 12)
    assert patch.place is None
    assert patch.box == (0, 0, 12, 12)
    assert patch.as_dict()["place"] is None


def test_numbers_without_places_are_searched_too(net: nn.Module, dataset: Dataset) -> None:
    outputs = net.eval()(dataset.inputs())
    found = exciting_patches(net, dataset, "fc", [3, 1], 4, batch_size=6)

    assert list(found) == [3, 1]
    for channel, patches in found.items():
        best = np.sort(outputs[:, channel])[::-1][:4]
        np.testing.assert_allclose([patch.value for patch in patches], best, rtol=1e-5)


def test_dropout_is_off_and_progress_counts_images(net: nn.Module, dataset: Dataset) -> None:
    dropping = nn.Sequential({"drop": nn.Dropout(0.9), "conv": nn.Conv2d(1, 1, 3)})
    counts: list[tuple[int, int]] = []
    settings = {"top": 3, "batch_size": 8, "progress": lambda *count: counts.append(count)}
    one = exciting_patches(dropping, dataset, "conv", **settings)

    assert counts == [(8, 20), (16, 20), (20, 20)]
    assert one == exciting_patches(dropping, dataset, "conv", top=3, batch_size=8)
    assert dropping.training
    assert len(exciting_patches(net, dataset, "conv1", top=99)[0]) == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "conv9"}, "There is no layer 'conv9'; the nearest are conv[12], conv[12]"),
        ({"layer": "conv1", "channels": [5]}, "The channels of 'conv1' must be among 0 to 4; got 5"),
        ({"layer": "conv1", "top": 0}, "'top' parameter .* must be a whole number of at least 1; got 0"),
        ({"layer": "conv1", "top": 2.5}, "'top' parameter .* must be a whole number of at least 1; got 2.5"),
        ({"layer": "conv1", "batch_size": 0}, "'batch_size' parameter .* of at least 1; got 0"),
    ],
)
def test_unsuitable_settings_are_refused(net: nn.Module, dataset: Dataset, arguments: dict, message: str) -> None:
    with pytest.raises(pel.ParameterError, match=message):
        exciting_patches(net, dataset, **arguments)


def test_unsuitable_images_and_weights_are_refused(net: nn.Module, dataset: Dataset) -> None:
    colour = Dataset.from_arrays(np.zeros((2, 3, 12, 12), np.uint8), [0, 1])
    with pytest.raises(pel.ShapeError, match="'conv1' needs 1 channels"):
        exciting_patches(net, colour, "conv1")
    net.get_submodule("conv1").weight.data[0] = np.nan
    with pytest.raises(pel.DataError, match="results of 'conv1' must be finite"):
        exciting_patches(net, dataset, "conv1")


def test_statistics_of_other_images_change_nothing(dataset: Dataset) -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 3, 3), "norm": nn.BatchNorm2d(3, track_running_stats=False)}).eval()

    for channel, patches in exciting_patches(net, dataset, "norm", top=5, batch_size=7).items():
        expected = by_hand(net, dataset, "norm", channel)[:5]
        np.testing.assert_allclose([patch.value for patch in patches], [one[0] for one in expected], rtol=1e-5)


@pytest.mark.parametrize("border", ["circular", "replicate", "reflect"])
def test_no_frame_is_larger_than_the_image_where_borders_repeat_it(border: str) -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 3, padding=3, dilation=3, padding_mode=border)})
    net.get_submodule("conv").weight.data[:] = 1
    images = np.zeros((81, 1, 9, 9), np.float32)
    images[range(81), 0, np.arange(81) // 9, np.arange(81) % 9] = 1  # a pixel in every place
    for patch in exciting_patches(net, Dataset.from_arrays(images, [0, 1] * 40 + [0]), "conv", top=81)[0]:
        (y0, x0, y1, x1), (top, left, bottom, right) = patch.frame, patch.box
        assert y1 - y0 <= 9
        assert x1 - x0 <= 9
        assert y0 <= top < bottom <= y1
        assert x0 <= left < right <= x1


def test_a_map_of_one_cell_has_a_box_of_its_own() -> None:
    net = nn.Sequential({"conv": nn.Conv2d(1, 1, 3, stride=9)})
    images = np.zeros((2, 1, 8, 6), np.float32)
    patch = exciting_patches(net, Dataset.from_arrays(images, [0, 1]), "conv")[0][0]

    assert (patch.place, patch.box, patch.frame) == ((0, 0), (0, 0, 3, 3), (0, 0, 3, 3))
