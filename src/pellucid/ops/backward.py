"""Gradients as operations of their own."""

from dataclasses import dataclass
from typing import Any, Self

from pellucid.errors import FileError, ParameterError, ShapeError
from pellucid.ops.base import Candidate, Op, Results, Types, op_from_dict, type_from_lists
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

    def __post_init__(self) -> None:
        if type(self.of).reference_backward is Op.reference_backward:
            raise ParameterError(f"{self.of.kind} has no Backward: its gradient is made of other operations, or none.")
        if not self.wrt or not any(set(self.wrt) <= set(group) for group in self.of.gradient_groups()):
            raise ParameterError(
                f"The 'wrt' parameter of {self} must be arguments with a gradient, of one group among "
                f"{self.of.gradient_groups()}; got {self.wrt}."
            )

    @property
    def arguments(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("dy", *self.of.saved(self.wrt))

    @property
    def optional(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.of.optional

    @property
    def results(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"d{name}" for name in self.wrt)

    def infer(self, *types: TensorType | None) -> tuple[TensorType, ...]:
        results = dict(zip(self.of.results, self.of.checked_infer(self.types), strict=True))
        inputs = dict(zip(self.of.arguments, self.types, strict=True))
        expected = {"dy": results[self.of.results[0]], **inputs, **results}
        for name, type_ in zip(self.arguments, types, strict=True):
            if type_ != expected[name]:
                raise ShapeError(f"needs its input '{name}' to be {expected[name]}, got {type_}.")
        gradients = tuple(type_ for name in self.wrt if (type_ := inputs[name]) is not None)
        if len(gradients) < len(self.wrt):
            raise ShapeError(f"differentiates by {self.wrt}, some of which are absent from {self.types}.")
        return gradients

    def macs(self, *_: Any) -> int:
        """Each weighted gradient repeats the forward products once; a bias or scale adds none."""
        return self.of.macs(*self.types) * len({"x", "weight"} & set(self.wrt))

    def reference(self, dy: Any, *saved: Any) -> Results:
        names = self.of.saved(self.wrt)
        return self.of.reference_backward(self.wrt, self.types, dy, **dict(zip(names, saved, strict=True)))

    def candidates(self) -> tuple[Candidate, ...]:
        return tuple(_on_forward_types(candidate) for candidate in self.of.backward_candidates(self.wrt))

    def __str__(self) -> str:
        return f"Backward({self.of.kind})"

    def as_dict(self) -> dict[str, Any]:
        types = [None if t is None else [t.shape, t.dtype] for t in self.types]
        return {"kind": self.kind, "of": self.of.as_dict(), "wrt": self.wrt, "types": types}

    @classmethod
    def from_attributes(cls, attributes: dict[str, Any]) -> Self:
        try:
            types = tuple(
                None if pair is None else type_from_lists(pair[0], pair[1], "an input of Backward")
                for pair in attributes["types"]
            )
            return cls(op_from_dict(attributes["of"]), tuple(attributes["wrt"]), types)
        except (KeyError, TypeError, IndexError) as error:
            raise FileError(f"The operation Backward lacks or breaks an attribute: {error}.") from None


def _on_forward_types(candidate: Candidate) -> Candidate:
    """Let a kernel for a gradient see the op and the types of the forward pass."""
    bind, lower = candidate.bind, candidate.lower
    return candidate.within(
        lambda op, _: (op.of, op.types),
        lower and (lambda work, op, _, *epilogue: lower(work, op.of, op.types, *epilogue)),
        bind and (lambda op, _: bind(op.of, op.types)),
    )
