"""Which kernel computes an op: the first candidate that does not reject it, or of those that have a cost the least."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pellucid.ops.base import Candidate, Kernel, Op, Types
from pellucid.ops.lowering import Work

Reasons = tuple[tuple[str, str], ...]
"""(kernel, why not) for some kernels."""


@dataclass(frozen=True)
class Choice:
    """The chosen kernel and its name, and who else might have been, and why it is not."""

    op: Op
    types: Types
    candidate: Candidate
    rejected: Reasons = ()

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.candidate.name

    def function(self) -> Kernel:
        """Return the kernel as a function of arrays, where it is one."""
        assert self.candidate.bind is not None
        return self.candidate.bind(self.op, self.types)

    def lower(self, work: Work) -> None:
        """Add the kernel's calls."""
        if self.candidate.lower is not None:
            self.candidate.lower(work, self.op, self.types)
            return
        outputs = tuple(work.plain_result(index) for index in range(len(work.outputs)))
        work.python(self.function(), tuple(work.given(index) for index in range(len(work.inputs))), outputs)


@dataclass(frozen=True)
class Rivals:
    """The first candidate that accepts an op, with all others that do if they have a cost; and who rejected it."""

    op: Op
    types: Types
    candidates: tuple[Candidate, ...]
    rejected: Reasons

    @classmethod
    def of(cls, op: Op, types: Types) -> "Rivals":
        """Ask all candidates, in order; after the first that accepts without a cost nobody is asked."""
        rivals: list[Candidate] = []
        rejected: list[tuple[str, str]] = []
        for candidate in op.candidates():
            if rivals and candidate.cost is None:
                continue
            reason = candidate.rejects(op, types)
            if reason is not None:
                rejected.append((candidate.name, reason))
                continue
            rivals.append(candidate)
            if candidate.cost is None:
                break
        return cls(op, types, tuple(rivals), tuple(rejected))

    def decide(self, measure: Callable[["Rivals"], Mapping[str, float]], words: str) -> Choice:
        """Take the candidate of the least size; of the others it is said how many times as large theirs is.

        ``measure`` is asked for sizes only where there are several; where there is none the reference is taken.
        """
        if not self.candidates:
            return by_definition(self.op, self.types, self.rejected)
        if len(self.candidates) == 1:
            return Choice(self.op, self.types, self.candidates[0], self.rejected)
        sizes = measure(self)
        best = min(self.candidates, key=lambda candidate: sizes[candidate.name])
        others = tuple(
            (candidate.name, words.format(sizes[candidate.name] / sizes[best.name]))
            for candidate in self.candidates
            if candidate is not best
        )
        return Choice(self.op, self.types, best, self.rejected + others)


def choose(op: Op, types: Types) -> Choice:
    """Take the candidate that costs least; the reference, which accepts everything, stands last."""
    return Rivals.of(op, types).decide(_costs, "{:.2f} times the work")


def _costs(rivals: Rivals) -> dict[str, float]:
    return {one.name: one.cost(rivals.op, rivals.types) for one in rivals.candidates if one.cost}


def by_definition(op: Op, types: Types, rejected: Reasons = ()) -> Choice:
    """Take the reference."""
    return Choice(op, types, Candidate("reference", bind=lambda op, _: op.reference), rejected)
