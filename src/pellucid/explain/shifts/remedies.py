"""Remedies for what a network does not bear: the same training, of networks that are built or taught otherwise."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid import nn, zoo
from pellucid.data import Dataset
from pellucid.errors import ParameterError
from pellucid.explain.shifts.conditions import CONDITIONS, Condition
from pellucid.explain.shifts.shift import OnProgress, ShiftRecord, shift
from pellucid.nn import Module
from pellucid.train.callbacks import Callback
from pellucid.train.fit import fit
from pellucid.train.settings import RunSettings


@dataclass(frozen=True)
class Remedy:
    """A network of the zoo, and what is done to its training pictures."""

    name: str
    network: str
    augment: str
    about: str


REMEDIES = (
    Remedy("plain", "pooled28", "none", "as it is"),
    Remedy("augmented", "pooled28", "shift=2,rotate=180", "on pictures turned and moved"),
    Remedy("BlurPool", "pooled28-blur", "none", "maxima blurred, then sampled"),
    Remedy("p4", "pooled28-p4", "none", "kernels in four orientations"),
)
"""Those that are tried where nobody chooses others: the first is what the others are compared with."""


@dataclass(frozen=True)
class Tried:
    """A trained remedy and what it bears."""

    remedy: Remedy
    parameters: int
    seconds: float
    record: ShiftRecord

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        about = {"name": self.remedy.name, "network": self.remedy.network, "augment": self.remedy.augment}
        return {
            **about, "about": self.remedy.about, "parameters": self.parameters, "seconds": self.seconds,
            "record": self.record.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Remedies that were trained alike: on the same pictures, for as many epochs, from the same seed."""

    data: str
    epochs: int
    seed: int
    tried: tuple[Tried, ...]

    @property
    def length(self) -> str:
        """How long each was trained, in words."""
        return f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"

    def __getitem__(self, name: str) -> ShiftRecord:
        """Return the record of a remedy. Raises ParameterError where it was not tried."""
        found = {one.remedy.name: one.record for one in self.tried}
        if name not in found:
            raise ParameterError(f"There is no remedy {name!r}; there are {', '.join(found)}.")
        return found[name]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        about = {"data": self.data, "epochs": self.epochs, "seed": self.seed}
        return {**about, "remedies": [one.as_dict() for one in self.tried]}


def compare_remedies(
    train: Dataset,
    test: Dataset,
    *,
    remedies: Sequence[Remedy] = REMEDIES,
    epochs: int = 8,
    images: int = 1000,
    seed: int = 0,
    conditions: Sequence[Condition] = CONDITIONS,
    watch: Callable[[Remedy], Sequence[Callback]] = lambda _: (),
    progress: OnProgress | None = None,
) -> Comparison:
    """Train every remedy by the recipe of ``pellucid train`` and measure it with :func:`pellucid.shift`.

    ``watch`` is asked, before each training, who listens to it; ``progress`` hears of the measurements. Raises
    ShapeError where the pictures do not fit a network, and what training and measuring raise.
    """
    tried = []
    for remedy in remedies:
        started = time.perf_counter()
        net = _trained(remedy, train, epochs, seed, watch(remedy))
        seconds = time.perf_counter() - started
        record = shift(net, test, conditions=conditions, images=images, seed=seed, progress=progress)
        parameters = sum(parameter.reading.size for parameter in net.parameters())
        tried.append(Tried(remedy, parameters, seconds, record))
    return Comparison(train.name, epochs, seed, tuple(tried))


def _trained(remedy: Remedy, train: Dataset, epochs: int, seed: int, callbacks: Sequence[Callback]) -> Module:
    settings = RunSettings(network=remedy.network, augment=remedy.augment, epochs=epochs, seed=seed)
    nn.manual_seed(seed)
    net = zoo.build(remedy.network, input=train.images.shape[1:], classes=len(train.classes))
    fit(
        net, train, epochs=epochs, batch_size=settings.batch_size, optimizer=settings.make_optimizer(),
        schedule=settings.schedule, augment=remedy.augment, seed=seed, callbacks=callbacks, progress=False,
    )  # fmt: skip
    return net
