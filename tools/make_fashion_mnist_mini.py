"""Make the embedded Fashion-MNIST subset from the full set: 500 training and 100 test images of each class.

    python tools/make_fashion_mnist_mini.py [FOLDER_OF_IDX_FILES] [TARGET.npz]

The first of each class are taken, in their order: no seed was chosen, so none could be chosen well.
"""

import sys
from pathlib import Path

import numpy as np

from pellucid.data import idx
from pellucid.types import Array

SOURCE = Path("/usr/share/datasets/fashion-mnist")
TARGET = Path(__file__).parents[1] / "src/pellucid/data/embedded/fashion-mnist-mini.npz"
PER_CLASS = {"train": 500, "test": 100}


def make(source: Path = SOURCE) -> dict[str, Array]:
    arrays = {}
    for part, dataset in zip(("train", "test"), idx.load(source, name="fashion-mnist"), strict=True):
        chosen = [np.flatnonzero(dataset.labels == label)[: PER_CLASS[part]] for label in range(10)]
        kept = np.sort(np.concatenate(chosen))
        arrays[f"{part}_images"] = dataset.images[kept, 0]  # (N, 28, 28)
        arrays[f"{part}_labels"] = dataset.labels[kept].astype(np.uint8)
    return arrays


if __name__ == "__main__":
    source, target = [*map(Path, sys.argv[1:]), *(SOURCE, TARGET)[len(sys.argv) - 1 :]]
    np.savez_compressed(target, **make(source))
