"""Dropout."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid import reference
from pellucid.errors import ShapeError
from pellucid.ops.base import Candidate, Op, Results, Types, check_choice, check_floating, check_integers, check_number
from pellucid.ops.lowering import Work
from pellucid.types import Array, TensorType


@dataclass(frozen=True)
class Dropout(Op):
    """In training, set a share p of the values to zero and scale the others by 1/(1 − p); else pass x on.

    ``key`` is uint64 (seed, step); ``salt`` tells the dropouts of one network apart. The same key always drops the
    same values, which is what makes an interrupted training run repeatable. ``per_channel`` drops whole maps.
    """

    p: float = 0.5
    salt: int = 0
    per_channel: bool = False
    training: bool = False

    arguments: ClassVar = ("x", "key")
    optional: ClassVar = ("key",)

    def __post_init__(self) -> None:
        check_number(self, "p", self.p, minimum=0, maximum=1)
        check_integers(self, "salt", self.salt, minimum=0, shape=())
        check_choice(self, "per_channel", self.per_channel, (False, True))
        check_choice(self, "training", self.training, (False, True))

    @property
    def results(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("y", "mask") if self.training else ("y",)

    def infer(self, x: TensorType, key: TensorType | None) -> tuple[TensorType, ...]:
        check_floating(x)
        if self.per_channel and len(x.shape) < 3:
            raise ShapeError(f"drops whole channels and needs an input (N, C, …) of at least 3 axes, got {x.shape}.")
        if not self.training:
            return (x,)
        if key != TensorType((2,), "uint64"):
            raise ShapeError(f"needs a key uint64(2,) of seed and step in training, got {key}.")
        mask = (*x.shape[:2], *(1 for _ in x.shape[2:])) if self.per_channel else x.shape
        return x, TensorType(mask, "bool")

    def reference(self, x: Array, key: Any) -> Results:
        if not self.training:
            return (x,)
        return reference.dropout(x, key, p=self.p, salt=self.salt, per_channel=self.per_channel)

    def saved(self, wrt: tuple[str, ...]) -> tuple[str, ...]:
        return ("mask",) if self.training else ()

    def reference_backward(self, wrt: tuple[str, ...], types: Types, dy: Array, **saved: Any) -> Results:
        return (reference.dropout_backward(dy, saved["mask"], p=self.p) if self.training else dy,)

    def candidates(self) -> tuple[Candidate, ...]:
        return (Candidate("identity", lower=_lower_identity, rejects=_rejects),)

    def backward_candidates(self, wrt: tuple[str, ...]) -> tuple[Candidate, ...]:
        return (Candidate("identity", lower=_lower_identity, rejects=_rejects),)


def _lower_identity(work: Work, op: Dropout, types: Types) -> None:
    work.same(0)


def _rejects(op: Dropout, types: Types) -> str | None:
    return "training: passes everything on" if op.training else None
