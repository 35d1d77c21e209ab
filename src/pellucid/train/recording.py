"""What a run writes down while it trains, for eyes: the curve of its steps, and its first filters as they change.

Both files hold a JSON object a line and stay small, however long the training is. A run that goes on after a kill
drops the lines after its checkpoint, as it computes those steps again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import FileError
from pellucid.files import write_text
from pellucid.ops import Conv2d
from pellucid.train.callbacks import Callback, Progress
from pellucid.train.loop import Trainer

STEPS, FILTERS = "steps.jsonl", "filters.jsonl"
MOST_POINTS = 600
"""Lines of the steps' file at most."""

_MOST_EPOCHS = 48
"""Epochs after which filters are written at most."""
_EARLY = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Parts of the first epoch after which they are written, too: most happens there."""
_MOST_NUMBERS = 8192
"""Numbers of the filters that are written at once, at most: whole filters, the first ones."""


class Recording(Callback):
    """Writes mean loss and accuracy of every so many steps, and the filters of the first convolution at some."""

    def __init__(self, trainer: Trainer, out: Path) -> None:
        self._trainer, self._out = trainer, out
        self._filters: _First | None = None
        self._moments: set[int] = set()
        self._before, self._window = _Sums(), _Sums()
        self._seconds = 0.0

    def begin(self, progress: Progress) -> None:
        """Take up the files where the training is."""
        kept = {name: [line for line in lines(self._out / name) if line["step"] <= progress.step] for name in _FILES}
        for name, records in kept.items():
            write_text(self._out / name, "".join(json.dumps(record) + "\n" for record in records))
        self._seconds = kept[STEPS][-1]["seconds"] if kept[STEPS] else 0.0
        self._before = _Sums.of(progress)
        self._filters = _first_filters(self._trainer)
        self._moments = moments(progress.steps_per_epoch, progress.epochs)
        if not kept[FILTERS] and progress.step == 0:
            self._write_filters(progress)

    def step(self, progress: Progress) -> None:
        """Write if it is time."""
        now = _Sums.of(progress)
        self._window += now - self._before
        self._before = now
        if progress.step % -(-progress.steps // MOST_POINTS) == 0 or progress.step == progress.steps:
            self._write_point(progress)
        if progress.step in self._moments:
            self._write_filters(progress)

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        """Count anew, as the progress does."""
        self._before = _Sums()

    def _write_point(self, progress: Progress) -> None:
        window = self._window
        point = {
            "step": progress.step,
            "loss": round(window.loss / window.seen, 6),
            "accuracy": round(window.correct / window.seen, 6),
            "learning_rate": progress.learning_rate,
            "seconds": round(self._seconds + progress.seconds, 3),
        }
        _append(self._out / STEPS, point)
        self._window = _Sums()

    def _write_filters(self, progress: Progress) -> None:
        if self._filters is None:
            return
        weights = self._trainer.net.arrays()[self._filters.weight]
        weights = np.ascontiguousarray(weights[: max(1, _MOST_NUMBERS // weights[0].size)], "<f4")
        data = base64.b64encode(weights.data).decode()
        record = {"step": progress.step, "layer": self._filters.layer, "shape": weights.shape, "data": data}
        _append(self._out / FILTERS, record)


_FILES = (STEPS, FILTERS)
_STEP: Mapping[str, type] = {"step": int}
_KINDS: dict[str, Mapping[str, type]] = {
    STEPS: {**_STEP, **dict.fromkeys(("loss", "accuracy", "learning_rate", "seconds"), float)},
    FILTERS: {**_STEP, "layer": str, "shape": list, "data": str},
}


@dataclass(frozen=True, slots=True)
class _First:
    """The first convolution: its layer and the name of its weights."""

    layer: str
    weight: str


@dataclass(frozen=True, slots=True)
class _Sums:
    """What progress counts from the start of its epoch."""

    seen: int = 0
    loss: float = 0.0
    correct: int = 0

    @classmethod
    def of(cls, progress: Progress) -> _Sums:
        return cls(progress.seen, progress.loss_sum, progress.correct)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(self.seen + other.seen, self.loss + other.loss, self.correct + other.correct)

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(self.seen - other.seen, self.loss - other.loss, self.correct - other.correct)


def moments(steps_per_epoch: int, epochs: int) -> set[int]:
    """Return the steps after which filters are written: a few of the first epoch, then the ends of epochs.

    >>> sorted(moments(64, 3))
    [0, 2, 4, 8, 16, 32, 64, 128, 192]
    """
    early = {max(1, round(share * steps_per_epoch)) for share in _EARLY}
    every = -(-epochs // _MOST_EPOCHS)
    return {0, *early, *(steps_per_epoch * epoch for epoch in (*range(every, epochs, every), epochs))}


def lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines; what is damaged or half written is left out, and there need be no file."""
    return list(_lines(path))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if not path.is_file():  # none yet, or a pipe, which would never end
            return
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileError(f"'{path}' cannot be read: {error.strerror or error}") from None
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and is_whole(record, _KINDS.get(path.name, _STEP)):
            yield record


def is_whole(record: dict[str, Any], kinds: Mapping[str, type]) -> bool:
    """Tell whether a record has all of these, each of its kind; a float may be written as a whole number.

    >>> is_whole({"step": 1, "loss": 2}, {"step": int, "loss": float}), is_whole({"step": "1"}, {"step": int})
    (True, False)
    """
    return all(
        isinstance(value := record.get(name), (int, float) if kind is float else kind) and not isinstance(value, bool)
        for name, kind in kinds.items()
    )


def _append(path: Path, record: dict[str, Any]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
    except OSError as error:
        raise FileError(f"'{path}' cannot be written: {error.strerror or error}; free some space.") from None


def _first_filters(trainer: Trainer) -> _First | None:
    """Find the first convolution whose weights are a parameter."""
    with trainer.net.evaluating():
        graph = trainer.net.graph((1, *trainer.train.images.shape[1:]))
    for node in graph.nodes:
        weight = node.inputs[1] if isinstance(node.op, Conv2d) else None
        if weight is not None and weight.name in graph.parameters:
            return _First(node.name, weight.name)
    return None
