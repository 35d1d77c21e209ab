"""Everything that decides how a run of ``pellucid train`` goes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pellucid import zoo
from pellucid.data.augment import parse
from pellucid.errors import ParameterError
from pellucid.nn.losses import cross_entropy
from pellucid.train.loop import Recipe
from pellucid.train.optim import SGD, Adam, AdamW, Optimizer
from pellucid.train.schedules import schedule_named
from pellucid.zoo.listing import is_listing

_OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}


@dataclass(frozen=True)
class RunSettings:
    """Network, data and recipe of a run, by name and number; the seed decides everything random.

    ``network`` is a name of the zoo or a listing (see :mod:`pellucid.zoo.listing`), which is fitted to the data.
    ``validation`` is the share of the training images that is held back to watch progress; the test set is looked
    at once, at the end. Raises ParameterError for the first setting that breaks its rule.

    >>> RunSettings(epochs=1).network
    'pooled28'
    """

    network: str = "pooled28"
    data: str = "fashion-mnist-mini"
    epochs: int = 8
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    schedule: str = "one-cycle"
    warmup: int = 0
    augment: str = "flip"
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    early_stopping: int | None = None
    validation: float = 0.1
    checkpoint_steps: int | None = None
    checkpoint_seconds: float | None = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("network", "data", "augment"):
            if not isinstance(getattr(self, name), str):
                raise ParameterError(f"The '{name}' parameter must be text; got {getattr(self, name)!r}.")
        zoo.usual_input(self.network)
        if not 0 <= self.validation < 1:
            raise ParameterError(f"The 'validation' parameter must be from 0 up to below 1; got {self.validation!r}.")
        if not 0 <= self.label_smoothing <= 1:
            raise ParameterError(f"The 'label_smoothing' parameter must be from 0 to 1; got {self.label_smoothing!r}.")
        if self.early_stopping is not None and not self.validation:
            raise ParameterError("Early stopping needs validation images; set 'validation' above 0, such as 0.1.")
        for name in ("checkpoint_steps", "checkpoint_seconds"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise ParameterError(f"The '{name}' parameter must be above 0; got {getattr(self, name)!r}.")
        self.make_optimizer()
        self.make_recipe()

    @property
    def called(self) -> str:
        """What the network is called: its name, or "design" for a listing."""
        return "design" if is_listing(self.network) else self.network

    def make_optimizer(self) -> Optimizer:
        """Build the optimiser."""
        if self.optimizer not in _OPTIMIZERS:
            raise ParameterError(
                f"The 'optimizer' parameter must be one of {', '.join(_OPTIMIZERS)}; got {self.optimizer!r}."
            )
        if self.optimizer == "sgd":
            nesterov = self.nesterov and self.momentum > 0
            return SGD(self.learning_rate, self.momentum, self.weight_decay, nesterov)
        return _OPTIMIZERS[self.optimizer](self.learning_rate, weight_decay=self.weight_decay)

    def make_recipe(self) -> Recipe:
        """Build the recipe."""

        def loss(output: Any, target: Any) -> Any:
            return cross_entropy(output, target, label_smoothing=self.label_smoothing)

        return Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            schedule=schedule_named(self.schedule),
            warmup=self.warmup,
            loss=loss,
            augment=parse(self.augment) if self.augment else None,
            clip_norm=self.clip_norm,
            early_stopping=self.early_stopping,
            seed=self.seed,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Rebuild from :meth:`as_dict`. Raises ParameterError where it is not one."""
        known = {field.name for field in fields(cls)}
        if not isinstance(record, dict) or set(record) != known:
            raise ParameterError("The run's settings are not those of this version; start a new run.")
        try:
            return cls(**record)
        except TypeError as error:
            raise ParameterError(f"The run's settings are damaged: {error}") from None
