"""Gradients as operations of their own."""

from dataclasses import dataclass
from typing import Any, Self

from pellucid.errors import FileError
from pellucid.ops.base import Candidate, Op, Results, Types, op_from_dict
from pellucid.types import TensorType


@dataclass(frozen=True)
class Backward(Op):
    """The gradient of the op ``of`` with respect to its arguments ``wrt``.

    Inputs are dy and what ``of.saved(wrt)`` names; ``types`` are those of the forward inputs. Results are one
    gradient for each name in ``wrt``.
    """

    of: Op
    wrt: tuple[str, ...]
    types: Types

    @property
    def arguments(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("dy", *self.of.saved(self.wrt))

    @property
    def optional(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.of.optional

    @property
    def results(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"d{name}" for name in self.wrt)

    def infer(self, *_: Any) -> tuple[TensorType, ...]:
        types = dict(zip(self.of.arguments, self.types, strict=True))
        return tuple(t for name in self.wrt if (t := types[name]) is not None)

    def macs(self, *_: Any) -> int:
        """Each weighted gradient repeats the forward products once; a bias or scale adds none."""
        return self.of.macs(*self.types) * len({"x", "weight"} & set(self.wrt))

    def reference(self, dy: Any, *saved: Any) -> Results:
        names = self.of.saved(self.wrt)
        return self.of.reference_backward(self.wrt, self.types, dy, **dict(zip(names, saved, strict=True)))

    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(c.name, lambda op, _, c=c: c.bind(op.of, op.types), lambda op, _, c=c: c.rejects(op.of, op.types))
            for c in self.of.backward_candidates(self.wrt)
        )

    def __str__(self) -> str:
        return f"Backward({self.of.kind})"

    def as_dict(self) -> dict[str, Any]:
        types = [None if t is None else [t.shape, t.dtype] for t in self.types]
        return {"kind": self.kind, "of": self.of.as_dict(), "wrt": self.wrt, "types": types}

    @classmethod
    def from_attributes(cls, attributes: dict[str, Any]) -> Self:
        try:
            types = tuple(None if t is None else TensorType(tuple(t[0]), t[1]) for t in attributes["types"])
            return cls(op_from_dict(attributes["of"]), tuple(attributes["wrt"]), types)
        except (KeyError, TypeError, IndexError) as error:
            raise FileError(f"The operation Backward lacks or breaks an attribute: {error}.") from None
