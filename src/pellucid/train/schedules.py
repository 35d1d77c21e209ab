"""Learning rate schedules: the share of the full rate at each step of a training of known length."""

import math
from dataclasses import dataclass

from pellucid.errors import ParameterError


@dataclass(frozen=True)
class Constant:
    """The full rate throughout."""

    def factor(self, progress: float) -> float:
        """Share of the full rate when this share of the training is done."""
        return 1.0


@dataclass(frozen=True)
class Step:
    """The rate times ``factor_per_step`` after each of ``steps`` equal parts but the last."""

    steps: int = 3
    factor_per_step: float = 0.1

    def factor(self, progress: float) -> float:
        """Share of the full rate when this share of the training is done."""
        return self.factor_per_step ** min(int(progress * self.steps), self.steps - 1)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine wave from the full rate down to nothing (Loshchilov & Hutter 2017)."""

    def factor(self, progress: float) -> float:
        """Share of the full rate when this share of the training is done."""
        return (1 + math.cos(math.pi * progress)) / 2


@dataclass(frozen=True)
class OneCycle:
    """Up from 1/25 of the rate in the first 30 %, then down to 1/250,000, both along half cosines (Smith 2018).

    The shape and its constants are those of PyTorch's OneCycleLR.
    """

    rise: float = 0.3
    start: float = 1 / 25
    end: float = 1 / 250_000

    def factor(self, progress: float) -> float:
        """Share of the full rate when this share of the training is done."""
        if progress < self.rise:
            return _between(self.start, 1.0, progress / self.rise)
        return _between(1.0, self.end, (progress - self.rise) / (1 - self.rise))


Schedule = Constant | Step | Cosine | OneCycle
SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "cosine": Cosine,
    "one-cycle": OneCycle,
}


def rate_factor(schedule: Schedule, step: int, steps: int, warmup: int = 0) -> float:
    """Share of the full rate at a step, counted from 0, of a training of ``steps``.

    The first ``warmup`` steps rise in a straight line; the schedule covers the rest.

    >>> [rate_factor(Constant(), step, 10, warmup=4) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    if step < warmup:
        return (step + 1) / warmup * schedule.factor(0.0)
    rest = max(1, steps - warmup - 1)
    return schedule.factor(min(1.0, (step - warmup) / rest))


def schedule_named(name: str) -> Schedule:
    """Make the schedule of a name. Raises ParameterError where there is none."""
    if name not in SCHEDULES:
        raise ParameterError(f"The 'schedule' parameter must be one of {', '.join(SCHEDULES)}; got {name!r}.")
    return SCHEDULES[name]()


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
