"""Which kernel computes an op: the first candidate that does not reject it."""

from dataclasses import dataclass

from pellucid.ops.base import Candidate, Kernel, Op, Types
from pellucid.ops.lowering import Work


@dataclass(frozen=True)
class Choice:
    """The chosen kernel and its name, and who rejected the op before it and why."""

    op: Op
    types: Types
    candidate: Candidate
    rejected: tuple[tuple[str, str], ...] = ()

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


def choose(op: Op, types: Types) -> Choice:
    """Take the first candidate that accepts; the reference stands last and accepts everything."""
    rejected: list[tuple[str, str]] = []
    for candidate in op.candidates():
        reason = candidate.rejects(op, types)
        if reason is None:
            return Choice(op, types, candidate, tuple(rejected))
        rejected.append((candidate.name, reason))
    return by_definition(op, types, tuple(rejected))


def by_definition(op: Op, types: Types, rejected: tuple[tuple[str, str], ...] = ()) -> Choice:
    """Take the reference."""
    return Choice(op, types, Candidate("reference", bind=lambda op, _: op.reference), rejected)
