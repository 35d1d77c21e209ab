"""Make a shipped network of a training run: its weights as half floats, which is half the bytes.

    pellucid train --data mnist --epochs 8 --augment shift=2,rotate=10 --validation 0.05 --out RUN
    python tools/make_pretrained.py RUN digits

    pellucid train --data fashion-mnist --epochs 12 --augment flip,shift=1 --validation 0.05 --out RUN
    python tools/make_pretrained.py RUN fashion

A path of the data may follow. Prints the accuracy on the test set before and after the rounding to half floats, which
changes nothing that matters.
"""

import sys
from pathlib import Path

import numpy as np

import pellucid as pel
from pellucid.interop import tensors
from pellucid.train.evaluate import evaluate

DATA = {"digits": "mnist", "fashion": "fashion-mnist"}
TARGET = Path(__file__).parents[1] / "src/pellucid/interop/weights"


def make(run: Path, name: str, data: str) -> None:
    source, target = run / "model.safetensors", TARGET / f"{name}.safetensors"
    arrays, record = tensors.read(source, "model")
    record["metadata"] |= {"data": DATA[name]}
    tensors.write(target, {key: array.astype(np.float16) for key, array in arrays.items()}, record)
    _, test = pel.datasets.load(data)
    for path in (source, target):
        print(f"{path}: {100 * evaluate(pel.load(path), test).accuracy:.2f} % of the test images")


if __name__ == "__main__":
    run, name, *data = sys.argv[1:]
    make(Path(run), name, *(data or [DATA[name]]))
