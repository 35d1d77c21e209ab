"""Make the embedded Fashion-MNIST subset from the full set: 500 training and 100 test images of each class.

    python tools/make_fashion_mnist_mini.py [FOLDER_OF_IDX_FILES] [TARGET.npz]

The choice is seeded and the images keep their order, so the same arrays come out on every machine.
"""

import sys
from pathlib import Path

import numpy as np

from pellucid.data import idx, randomness
from pellucid.types import Array

SOURCE = Path("/usr/share/datasets/fashion-mnist")
TARGET = Path(__file__).parents[1] / "src/pellucid/data/embedded/fashion-mnist-mini.npz"
SEED = 2017  # the year of Fashion-MNIST
PER_CLASS = {"train": 500, "test": 100}


def make(source: Path = SOURCE) -> dict[str, Array]:
    arrays = {}
    for part, dataset in zip(("train", "test"), idx.load(source, name="fashion-mnist"), strict=True):
        chosen = []
        for label in range(10):
            members = np.flatnonzero(dataset.labels == label)
            place = randomness.permutation(len(members), SEED, label)
            chosen.append(members[place[: PER_CLASS[part]]])
        kept = np.sort(np.concatenate(chosen))
        arrays[f"{part}_images"] = dataset.images[kept, 0]  # (N, 28, 28)
        arrays[f"{part}_labels"] = dataset.labels[kept].astype(np.uint8)
    return arrays


if __name__ == "__main__":
    source, target = [*map(Path, sys.argv[1:]), *(SOURCE, TARGET)[len(sys.argv) - 1 :]]
    np.savez_compressed(target, **make(source))
