"""Finished runs without the training: what the views read, made from random images and fresh networks."""

import json
from pathlib import Path

import numpy as np

import pellucid as pel
import pellucid.nn as nn
from pellucid import machine
from pellucid.data import Dataset
from pellucid.train.evaluate import evaluate
from pellucid.train.run import RUN, Outcome
from pellucid.train.settings import RunSettings


def history(epochs: int = 3, *, validation: bool = True) -> list[dict]:
    records = []
    for epoch in range(1, epochs + 1):
        record = {"epoch": epoch, "step": 10 * epoch, "loss": 2 / epoch, "accuracy": 1 - 0.5 / epoch}
        if validation:
            record |= {"validation_loss": 2.2 / epoch, "validation_accuracy": 1 - 0.6 / epoch}
        records.append(record | {"learning_rate": 0.05, "images_per_second": 1234.5, "seconds": 1.5 * epoch})
    return records


def dataset(shape: tuple[int, int, int], classes: tuple[str, ...], count: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(classes)
    images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    return Dataset.from_arrays(images, labels, classes=classes, name="made up")


def outcome(
    folder: Path,
    net: nn.Module | None = None,
    *,
    shape: tuple[int, int, int] = (1, 28, 28),
    classes: tuple[str, ...] = ("cat", "dog", "<b>eel & co.</b>"),
    epochs: int = 3,
    validation: bool = True,
) -> Outcome:
    pel.manual_seed(0)
    net = net or pel.zoo.build("tiny", input=shape, classes=len(classes))
    initial = net.state_dict()
    rng = np.random.default_rng(5)
    for parameter in net.parameters():
        parameter.data = parameter.data + rng.normal(0, 0.05, parameter.shape).astype(np.float32)
    train, test = dataset(shape, classes, 40, 1), dataset(shape, classes, 30, 2)
    (folder / RUN).write_text(json.dumps({"machine": machine.describe()}))
    return Outcome(
        out=folder,
        settings=RunSettings(network="tiny", epochs=epochs, validation=0.1 if validation else 0.0),
        net=net.eval(),
        initial=initial,
        history=history(epochs, validation=validation),
        evaluation=evaluate(net, test),
        train=train,
        test=test,
        seconds=75.0,
    )
