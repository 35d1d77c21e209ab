"""Which kernel computes an op: the first candidate that does not reject it."""

from dataclasses import dataclass

from pellucid.ops.base import Kernel, Op, Types


@dataclass(frozen=True)
class Choice:
    """The chosen kernel, its name, and who rejected the op before it and why."""

    name: str
    kernel: Kernel
    rejected: tuple[tuple[str, str], ...]


def choose(op: Op, types: Types) -> Choice:
    """Take the first candidate that accepts; the reference stands last and accepts everything."""
    rejected: list[tuple[str, str]] = []
    for candidate in op.candidates():
        reason = candidate.rejects(op, types)
        if reason is None:
            return Choice(candidate.name, candidate.bind(op, types), tuple(rejected))
        rejected.append((candidate.name, reason))
    return Choice("reference", op.reference, tuple(rejected))
