"""Ways to do the same work: counted, set in proportion to the first, and timed where they are small enough."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import prod
from textwrap import wrap
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from pellucid import nn, ops
from pellucid.analysis.counting import Counting
from pellucid.analysis.summary import Summary, amount, size, summarise, summary
from pellucid.analysis.tables import Table
from pellucid.graph import Graph
from pellucid.nn.random import skip_init
from pellucid.types import Shape, TensorType

Timer: TypeAlias = Callable[[Mapping[str, Callable[[], Any]]], Mapping[str, float]]
"""Times runs: names and runs in, seconds out; :func:`pellucid.bench.measure.interleaved` is one."""

_EXACT = 1_000_000_000
"""A table whose counts are all below this writes them in full."""

_LARGE = 10_000_000
"""Ratios below this are written in full."""

_NOISE = 0.05
"""Differences of time below this share are none."""

_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to do the work: ``what`` says which in a few words.

    ``output`` is the result's shape without the batch; ``macs`` are multiply-adds for one image, ``operations`` what
    was asked to be counted. The ratios are its counts as multiples of those of the comparison's first alternative.
    ``moved`` are the numbers that its layers read and write, weights included. ``milliseconds`` for one image is None
    where it was not measured.
    """

    name: str
    what: str
    output: Shape
    parameters: int
    macs: int
    parameter_ratio: float
    mac_ratio: float
    milliseconds: float | None
    operations: int = 0
    moved: int = 0


@dataclass(frozen=True)
class Comparison:
    """Alternatives, the usual one first, and a sentence of what they show. ``str()`` gives the table."""

    title: str
    alternatives: tuple[Alternative, ...]
    finding: str
    resizes: bool = False
    """True where the alternatives are about sizes, so that the table shows them."""

    def __getitem__(self, name: str) -> Alternative:
        return next(alternative for alternative in self.alternatives if alternative.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: title, finding, and of each alternative all its fields."""
        rows = [asdict(alternative) | {"output": list(alternative.output)} for alternative in self.alternatives]
        return {"title": self.title, "finding": self.finding, "alternatives": rows}

    def table(self) -> Table:
        """Lay the alternatives out."""
        timed = any(alternative.milliseconds is not None for alternative in self.alternatives)
        columns = [0, *([1] if self.resizes else []), 2, 3, 4, 5, *([6] if timed else [])]
        rows = [("", "output", "parameters", "", "MACs", "", "ms"), *self._rows()]
        headings, *lines = [tuple(row[column] for column in columns) for row in rows]
        numbers = frozenset(place for place, column in enumerate(columns) if column in (2, 4, 6))
        return Table(headings, lines, (), numbers, (self.finding,))

    def _rows(self) -> Iterator[tuple[str, ...]]:
        parameters = _column([row.parameters for row in self.alternatives])
        macs = _column([row.macs for row in self.alternatives])
        for row, *counts in zip(self.alternatives, parameters, macs, strict=True):
            time = "–" if row.milliseconds is None else f"{row.milliseconds:.3f}"
            ratios = _sign(row.parameter_ratio), _sign(row.mac_ratio)
            yield row.name, size(row.output), counts[0], ratios[0], counts[1], ratios[1], time

    def __str__(self) -> str:
        table = self.table()
        lines = [line for note in table.notes for line in wrap(note, _WIDTH)]
        return Table(table.headings, table.rows, table.total, table.numbers, lines).text(_WIDTH)


class Most(NamedTuple):
    """Multiply-adds, bytes of weights and bytes in all up to which a network is run to be timed."""

    macs: int = 2_000_000_000
    weights: int = 64_000_000
    memory: int = 256_000_000


class Choice(NamedTuple):
    """An alternative counted, and how to make it."""

    name: str
    what: str
    found: Summary
    make: Callable[[], nn.Module]


def sequence(*layers: Callable[[], nn.Module]) -> nn.Module:
    """Make layers and put them in a row."""
    return nn.Sequential(*(layer() for layer in layers))


class Count(NamedTuple):
    """For how many images operations are counted, and what counts as one."""

    batch: int = 1
    counting: Counting = Counting()


_USUAL, _MOST = Count(), Most()


def built(name: str, what: str, shape: Shape, make: Callable[[], nn.Module], count: Count = _USUAL) -> Choice:
    """Count a network after making it, its weights untouched."""
    with skip_init():
        return Choice(name, what, summary(make(), shape, batch=count.batch, counting=count.counting), make)


def dense(name: str, what: str, shape: Shape, units: int, bias: bool, count: Count = _USUAL) -> Choice:
    """Count a dense layer on an image from its shapes."""
    graph = Graph()
    x = graph.add(ops.Flatten(1, -1), graph.input("x", TensorType((count.batch, *shape))))
    weight = graph.parameter("weight", TensorType((units, x.shape[1])))
    offset = graph.parameter("bias", TensorType((units,))) if bias else None
    graph.outputs["output"] = graph.add(ops.Linear(), x, weight, offset)
    make = partial(sequence, nn.Flatten, partial(nn.Linear, x.shape[1], units, bias))
    return Choice(name, what, summarise(graph, count.counting), make)


def measured(
    shape: Shape, choices: Sequence[Choice], timer: Timer | None, most: Most = _MOST
) -> tuple[Alternative, ...]:
    """Set choices in proportion to the first, and time those that are small enough."""
    first = choices[0].found
    small = [choice for choice in choices if _is_small(choice.found, most)]
    seconds = timer({choice.name: _run(choice, shape) for choice in small}) if timer and small else {}
    return tuple(
        Alternative(
            name=name,
            what=what,
            output=found.layers[-1].output,
            parameters=found.parameters,
            macs=found.macs // found.batch,
            parameter_ratio=found.parameters / first.parameters,
            mac_ratio=found.macs / first.macs,
            milliseconds=1000 * seconds[name] if name in seconds else None,
            operations=found.operations,
            moved=_moved(found),
        )
        for name, what, found, _ in choices
    )


def _moved(found: Summary) -> int:
    """Count the numbers that layers in a row read and write for one image."""
    results = [prod(layer.output) for layer in found.layers]
    return prod(found.input) + 2 * sum(results) - results[-1] + found.parameters


Bound: TypeAlias = Literal["arithmetic", "memory", "overhead"]
"""What time goes into."""


def bounds(rows: Sequence[Alternative]) -> dict[str, Bound]:
    """Say of each timed alternative what its time goes into, the fastest of them being the measure.

    "arithmetic" where it does at least half as many multiply-adds a second as any; "memory" where it moves at least
    half as many numbers a second as any; "overhead" where it does neither: sums too short, or too little work, to keep
    the processor's lanes busy.

    >>> def row(name, macs, moved, ms): return Alternative(name, "", (1,), 1, macs, 1.0, 1.0, ms, macs, moved)
    >>> bounds([row("dense", 1000, 10, 1), row("depthwise", 9, 10, 0.1), row("groups", 90, 10, 1)])
    {'dense': 'arithmetic', 'depthwise': 'memory', 'groups': 'overhead'}
    """
    speeds = {row.name: (row.macs / row.milliseconds, row.moved / row.milliseconds) for row in rows if row.milliseconds}
    most = [max((speed[index] for speed in speeds.values()), default=0.0) for index in (0, 1)]
    return {
        name: "arithmetic" if 2 * macs >= most[0] else "memory" if 2 * moved >= most[1] else "overhead"
        for name, (macs, moved) in speeds.items()
    }


def _is_small(found: Summary, most: Most) -> bool:
    needs = found.macs, found.memory.parameters, found.memory.inference
    return all(need <= limit for need, limit in zip(needs, most, strict=True))


def _run(choice: Choice, shape: Shape) -> Callable[[], Any]:
    """Make a network with weights of its own, and return its run on one image, ready to be timed."""
    rng = np.random.default_rng(0)
    with skip_init():
        net = choice.make().eval()
    for parameter in net.parameters():
        parameter.data = rng.random(parameter.shape, np.float32) - np.float32(0.5)
    image = rng.random((1, *shape), np.float32)
    net(image)
    return partial(net, image)


def _column(counts: Sequence[int]) -> list[str]:
    """Write counts alike: all in full, or, where one is too long for a table, all short."""
    return [f"{count:,}" if max(counts) < _EXACT else amount(count) for count in counts]


def _sign(ratio: float) -> str:
    """Write a ratio for a table: nothing where there is none, or no difference."""
    if ratio == 0 or _is_one(ratio):
        return ""
    return f"× {_factor(ratio)}" if ratio > 1 else f"÷ {_factor(1 / ratio)}"


def _factor(ratio: float) -> str:
    """Write a number of at least 1 with three digits, or all before the point."""
    if ratio >= _LARGE:
        return amount(round(ratio))
    digits = 0 if ratio >= 100 else 1 if ratio >= 10 else 2
    text = f"{ratio:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def _is_one(ratio: float) -> bool:
    return _factor(max(ratio, 1 / ratio)) == "1"


def share(ratio: float, noun: str, equal: str = "as many") -> str:
    """Write a ratio for a sentence."""
    if _is_one(ratio):
        return f"{equal} {noun}"
    if ratio > 1:
        return f"{_factor(ratio)} times the {noun}"
    return f"{100 * ratio:.0f} % of the {noun}" if ratio > 0.5 else f"1/{_factor(1 / ratio)} of the {noun}"


def counted(count: int, noun: str = "number") -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun}" + "s" * (count != 1)


def and_time(row: Alternative, first: Alternative) -> str:
    """Say how long it took, where that was measured."""
    if not row.milliseconds or not first.milliseconds:
        return ""
    ratio = row.milliseconds / first.milliseconds
    return f" and takes {share(1 if abs(ratio - 1) < _NOISE else ratio, 'time', 'as much')}"
