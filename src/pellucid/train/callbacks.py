"""What may listen to a training: displays, checkpoints, one's own code."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """Where a training is. Times are in seconds; they count this process only, not what was done before a resume."""

    epochs: int
    steps_per_epoch: int
    epoch: int = 0
    """Epochs finished."""
    step: int = 0
    """Steps done, of all epochs."""
    seen: int = 0
    """Images seen in this epoch."""
    loss_sum: float = 0.0
    correct: int = 0
    learning_rate: float = 0.0
    started: float = field(default_factory=time.perf_counter)
    seen_here: int = 0
    """Images seen by this process."""

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * self.steps_per_epoch

    @property
    def loss(self) -> float:
        """Mean loss of this epoch so far."""
        return self.loss_sum / max(1, self.seen)

    @property
    def accuracy(self) -> float:
        """Share of this epoch's images so far that were classified rightly."""
        return self.correct / max(1, self.seen)

    @property
    def seconds(self) -> float:
        """Time since this process began to train."""
        return time.perf_counter() - self.started

    @property
    def images_per_second(self) -> float:
        """Images trained on a second by this process, validation and checkpoints included."""
        return self.seen_here / max(self.seconds, 1e-9)


class Callback:
    """Base of what listens: each method may be overridden."""

    def begin(self, progress: Progress) -> None:
        """Hear that training begins."""

    def step(self, progress: Progress) -> None:
        """Hear that a step is done."""

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        """Hear that an epoch is done, with its line of the history."""

    def end(self, progress: Progress) -> None:
        """Hear that training ends, also when it failed."""
