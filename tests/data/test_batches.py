import numpy as np
import pytest

from pellucid.data import Dataset, batches, order
from pellucid.data.augment import parse
from pellucid.errors import ParameterError

N = 23
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 1, 8, 8), dtype=np.uint8)
IMAGES[:, 0, 0, 0] = np.arange(N)
DATASET = Dataset.from_arrays(IMAGES, np.arange(N) % 3)
INPUTS = DATASET.inputs()


def test_an_epoch_visits_every_image_once_with_its_label() -> None:
    seen = []
    for step, (number, inputs, labels) in enumerate(batches(DATASET, 5, seed=0, epoch=0)):
        assert number == step
        assert inputs.dtype == np.float32
        assert len(inputs) == len(labels) == (5 if step < 4 else 3)
        which = [int(np.flatnonzero((one == INPUTS).all(axis=(1, 2, 3)))[0]) for one in inputs]
        assert labels.tolist() == [i % 3 for i in which]
        seen += which
    assert sorted(seen) == list(range(N))
    assert np.array_equal(seen, order(N, seed=0, epoch=0))


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(order(N, seed=seed, epoch=epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_a_resumed_epoch_is_bitwise_the_rest_of_a_whole_one() -> None:
    arguments = {"seed": 5, "epoch": 2, "augment": parse("flip,shift=1,rotate=20,crop=1,brightness=0.3,erase=0.2")}
    whole = list(batches(DATASET, 4, **arguments))
    assert len(whole) == 6
    for start in range(7):
        rest = list(batches(DATASET, 4, start=start, **arguments))
        assert [step for step, _, _ in rest] == list(range(start, 6))
        for (_, inputs, labels), (_, expected, expected_labels) in zip(rest, whole[start:], strict=True):
            assert np.array_equal(inputs, expected)
            assert np.array_equal(labels, expected_labels)


def test_unshuffled_batches_keep_the_order() -> None:
    inputs = np.concatenate([x for _, x, _ in batches(DATASET, 7, seed=0, epoch=9, shuffle=False)])
    assert np.array_equal(inputs, INPUTS)


def test_augmentation_leaves_the_data_set_as_it_was() -> None:
    before = DATASET.images.copy()
    list(batches(DATASET, 7, seed=0, epoch=0, augment=parse("flip,shift=2,brightness=0.5,erase=0.2"), shuffle=False))
    assert np.array_equal(DATASET.images, before)


def test_bad_settings_are_refused_before_the_first_batch() -> None:
    with pytest.raises(ParameterError, match="'batch_size' parameter must be at least 1; got 0"):
        batches(DATASET, 0, seed=0, epoch=0)
    with pytest.raises(ParameterError, match="'start' parameter must be at least 0; got -1"):
        batches(DATASET, 1, seed=0, epoch=0, start=-1)
    with pytest.raises(ParameterError, match="'seed' parameter"):
        batches(DATASET, 1, seed=-1, epoch=0)
