import numpy as np
import pytest

from pellucid.data import Dataset, Preprocessing
from pellucid.errors import DataError, ParameterError
from pellucid.types import Array


def make(n: int = 10, classes: int = 2) -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (n, 3, 4, 5), dtype=np.uint8)
    return Dataset.from_arrays(images, np.arange(n) % classes, name="toy")


def test_a_slice_and_an_index_array_choose_images_and_labels_together() -> None:
    dataset = make()
    chosen = dataset[np.array([7, 2])]
    assert len(dataset[2:5]) == 3
    assert np.array_equal(chosen.images, dataset.images[[7, 2]])
    assert chosen.labels.tolist() == [1, 0]
    assert chosen.preprocessing is dataset.preprocessing


def test_one_index_is_refused_with_a_remedy() -> None:
    with pytest.raises(TypeError, match=r"got 3; for one image use \.images\[3\] and \.labels\[3\]"):
        make()[3]  # type: ignore[index]


def test_inputs_are_normalised_float32() -> None:
    dataset = make()
    inputs = dataset.inputs()
    assert inputs.dtype == np.float32
    assert np.allclose(inputs.mean(axis=(0, 2, 3)), 0, atol=1e-6)
    assert np.allclose(inputs.std(axis=(0, 2, 3)), 1, atol=1e-6)
    assert np.array_equal(dataset.inputs(np.array([4])), inputs[4:5])


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
def test_a_split_is_stratified_complete_and_seeded(fraction: float) -> None:
    counts = {0: 50, 1: 20, 2: 3, 3: 1}
    labels = np.repeat(list(counts), list(counts.values()))
    images = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    dataset = Dataset.from_arrays(images, labels)
    first, second = dataset.split(fraction, seed=4)
    seen = np.concatenate([first.images, second.images]).ravel()
    assert sorted(seen.tolist()) == images.ravel().tolist()
    for label, count in counts.items():
        share = int(second.class_counts()[label])
        assert abs(share - fraction * count) <= 1
        assert (1 <= share < count) if count > 1 else share == 0
    assert np.array_equal(second.images, dataset.split(fraction, seed=4)[1].images)


def test_another_seed_splits_otherwise() -> None:
    dataset = make(100)
    assert not np.array_equal(dataset.split(0.5, 0)[0].images, dataset.split(0.5, 1)[0].images)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_a_fraction_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(ParameterError, match=r"'fraction' parameter of split must lie between 0 and 1; got"):
        make().split(fraction, 0)


IMAGES = np.zeros((4, 1, 2, 2), np.uint8)
LABELS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((4, 4), np.uint8), LABELS, r"images of data set 'toy' must be \(N, C, H, W\); got shape \(4, 4\)"),
        (IMAGES.astype(int), LABELS, "must be uint8 or float32; got int64"),
        (np.zeros((4, 2, 2, 3), np.uint8), LABELS, r"1 or 3 channels on axis 1; got .*; channels last\? images"),
        (
            np.zeros((4, 2, 2, 2), np.uint8),
            LABELS,
            r"1 or 3 channels on axis 1; got \(4, 2, 2, 2\); convert them to grey",
        ),
        (np.zeros((0, 1, 2, 2), np.uint8), LABELS[:0], "must hold at least one image"),
        (np.zeros((4, 1, 0, 2), np.uint8), LABELS, "must hold at least one image of one pixel"),
        (np.full((4, 1, 2, 2), np.nan, np.float32), LABELS, "must be finite; got NaN or infinity in 4 of 4 images"),
        (np.full((4, 1, 2, 2), np.inf), LABELS, "must be finite; got NaN or infinity in 4 of 4 images"),
        (IMAGES, LABELS[:3], "one label per image; got 3 for 4 images"),
        (IMAGES, np.zeros(4, int), r"at least two classes, .*; got 1 \(0\)"),
        (IMAGES, LABELS.astype(float), r"whole numbers \(N,\); got float64"),
        (IMAGES, np.eye(4, dtype=int), r"from one-hot rows take \.argmax\(1\)"),
        (IMAGES, np.array([0, 1, -1, 1]), "must count classes from 0; got -1 at index 2; renumber"),
        (IMAGES, LABELS - 1, "must count classes from 0; got -1 at index 0; renumber"),
        (IMAGES, np.array([0, 1, 2**40, 1]), "must count classes from 0; got 1099511627776"),
    ],
)
def test_unusable_arrays_are_refused(images: Array, labels: Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(images, labels, name="toy")


def test_labels_beyond_the_classes_are_refused() -> None:
    with pytest.raises(DataError, match=r"lie within 0 to 2 \(3 classes\); got 3 at index 1"):
        Dataset.from_arrays(IMAGES, [0, 3, 1, 2], classes=("a", "b", "c"))


def test_the_constructor_converts_nothing() -> None:
    preprocessing = Preprocessing((2, 2), 1, (0.0,), (1.0,))
    with pytest.raises(DataError, match=r"must be int64 \(N,\); got int32"):
        Dataset(IMAGES, LABELS.astype(np.int32), ("a", "b"), "toy", preprocessing)
    with pytest.raises(DataError, match="must be for 3 channels, as its images are; got 1"):
        Dataset(np.zeros((4, 3, 2, 2), np.uint8), LABELS, ("a", "b"), "toy", preprocessing)


def test_a_column_of_labels_and_float64_images_are_converted() -> None:
    dataset = Dataset.from_arrays(np.full((2, 2, 2), 0.25), np.array([[0], [1]], np.uint8))
    assert dataset.images.dtype == np.float32
    assert dataset.images.shape == (2, 1, 2, 2)
    assert dataset.labels.dtype == np.int64
    assert dataset.labels.tolist() == [0, 1]
