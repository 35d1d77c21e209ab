"""Seeded batches that a resumed run repeats exactly."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from pellucid.data import randomness
from pellucid.data.augment import Augmentation
from pellucid.errors import ParameterError
from pellucid.types import Array


class Preparing(Protocol):
    """Turns stored images into a network's input."""

    def normalise(self, images: Array) -> Array:
        """Return float32 (N, C, H, W)."""
        ...


class Source(Protocol):
    """What batches are drawn from: a data set, or anything like one."""

    @property
    def images(self) -> Array:
        """Stored images (N, C, H, W)."""
        ...

    @property
    def labels(self) -> Array:
        """One label for each image, (N,)."""
        ...

    @property
    def preprocessing(self) -> Preparing:
        """Applied after the augmentation."""
        ...

    def __len__(self) -> int: ...


def order(n: int, *, seed: int, epoch: int) -> Array:
    """Return the order in which an epoch visits n images: a permutation, int64 (n,).

    It follows from the seed and the epoch alone, so a run resumed in the middle of an epoch sees the same
    order.

    >>> bool((order(100, seed=0, epoch=1) == order(100, seed=0, epoch=1)).all())
    True
    """
    return randomness.permutation(n, seed, randomness.ORDER, epoch)


def batches(
    dataset: Source,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    start: int = 0,
    augment: Augmentation | None = None,
    shuffle: bool = True,
) -> Iterator[tuple[int, Array, Array]]:
    """Yield (step, inputs, labels) for one epoch: float32 (B, C, H, W) and int64 (B,).

    The last batch may be smaller.

    Parameters
    ----------
    dataset
        Where the images come from; its preprocessing is applied after the augmentation.
    batch_size
        Images per step.
    seed, epoch
        Fix the order and the augmentation.
    start
        The first step to yield: the steps before it are skipped, not computed.
    augment
        Applied to each batch, from (seed, epoch, step) alone.
    shuffle
        Whether to visit the images in the epoch's order or in the data set's.

    Raises
    ------
    ParameterError
        If `batch_size` is below 1 or `start` below 0.

    Examples
    --------
    >>> from pellucid.data.dataset import Dataset
    >>> dataset = Dataset.from_arrays(np.zeros((5, 8, 8), np.uint8), [0, 1, 0, 1, 0])
    >>> [(step, len(labels)) for step, inputs, labels in batches(dataset, 2, seed=0, epoch=0)]
    [(0, 2), (1, 2), (2, 1)]
    """
    if batch_size < 1:
        raise ParameterError(f"The 'batch_size' parameter must be at least 1; got {batch_size}.")
    if start < 0:
        raise ParameterError(f"The 'start' parameter must be at least 0; got {start}.")
    n = len(dataset)
    visit = order(n, seed=seed, epoch=epoch) if shuffle else np.arange(n)

    def produce() -> Iterator[tuple[int, Array, Array]]:
        for step in range(start, -(-n // batch_size)):
            chosen = visit[step * batch_size : (step + 1) * batch_size]
            images = dataset.images[chosen]
            if augment is not None:
                images = augment(images, seed=seed, epoch=epoch, batch=step)
            yield step, dataset.preprocessing.normalise(images), dataset.labels[chosen]

    return produce()
