"""Why a kernel was chosen: who rejected each operation of a network before, with which words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pellucid import zoo
from pellucid.bench.tasks import differentiated
from pellucid.errors import ParameterError
from pellucid.graph import Graph, Plan


@dataclass(frozen=True)
class Explained:
    """One operation of a plan, the kernel that computes it, and (kernel, reason) of those that do not."""

    name: str
    op: str
    kernel: str
    rejected: tuple[tuple[str, str], ...]


def explain(target: str) -> list[Explained]:
    """Explain the kernels of a network of the zoo, of inference and of a training step: "NET" or "NET/bN".

    Raises ParameterError where there is no such network.
    """
    name, _, batch = target.partition("/")
    if batch and not re.fullmatch(r"b[1-9]\d{0,5}", batch):
        raise ParameterError(f"A network is named as NET or NET/bN, N being the size of the batch; got {target!r}.")
    net = zoo.build(name)
    shape = (int(batch[1:] or 1) if batch else 1, *net.metadata["input"])
    inference = list(_choices(Plan(net.eval().graph(shape))))
    graph, gradients = differentiated(net, shape)  # in evaluation mode: one image has no statistics
    training = _choices(Plan(graph, keep=gradients))
    known = {row.name for row in inference}
    return [*inference, *(row for row in training if row.name not in known)]


def kernels(graph: Graph, wanted: tuple[str, ...] = ()) -> set[str]:
    """Return the names of the kernels that compute a graph's outputs, and the values named ``wanted``."""
    return {row.kernel for row in _choices(Plan(graph, keep=wanted))}


def _choices(plan: Plan) -> Iterator[Explained]:
    """Read a plan: the one place that knows how its choices are kept."""
    for step in plan.steps:
        yield Explained(step.node.name, str(step.node.op), step.choice.name, step.choice.rejected)
