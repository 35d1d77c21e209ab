"""Proposing a network of the classical pattern that keeps given budgets, with the reasons for its numbers.

A bounded set of networks [(conv-relu)×N-pool]×M-(fc-relu)×K is counted, see :mod:`pellucid.analysis.patterns`; the
channels double from stage to stage. Of those that keep the budgets, the first by this rule is proposed:

1. the last maps see the whole image, or the field that was asked, or come as near to it as any;
2. as many channels as possible;
3. no larger a field than that needs;
4. the widest dense layer, as long as it holds no more parameters than the convolutions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from pellucid import nn
from pellucid.analysis.patterns import POOLING, Candidate, Pattern, count, field, halved, parts
from pellucid.analysis.summary import Summary, size, summary
from pellucid.errors import ParameterError
from pellucid.nn.random import skip_init
from pellucid.nn.settings import is_integer, positive
from pellucid.types import Pair, Shape

_CONVOLUTIONS = (1, 2, 3)
_FIRST_CHANNELS = (4, 6, 8, 12, 16, 24, 32, 48, 64)
_MOST_CHANNELS = 512
_DENSE: tuple[tuple[int, ...], ...] = ((), (64,), (128,), (256,), (512,))
_FEWEST_CELLS = 3
"""Rows or columns that pooling leaves at least: fewer say little of where something was."""
_LARGEST = 2**20
"""Channels, rows, columns and classes at most: far beyond what any memory holds."""
_USUAL_PARAMETERS = 1_000_000
"""The budget where none is given."""


class Breach(NamedTuple):
    """A budget that a candidate breaks: by what factor, what the budget would have to be, what the candidate takes."""

    factor: Fraction
    rule: str
    taken: str


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most parameters and multiply-adds of one image, the least field in pixels; None where anything will do."""

    parameters: int | None = None
    macs: int | None = None
    receptive_field: int | None = None

    def breaches(self, candidate: Candidate) -> list[Breach]:
        """Return the budgets that a candidate breaks, the one it breaks most first."""
        found = []
        for name, most, taken in (
            ("parameters", self.parameters, candidate.parameters),
            ("multiply-adds", self.macs, candidate.macs),
        ):
            if most is not None and taken > most:
                rule = f"the budget of {name} must be at least {taken:,}, got {most:,}"
                found.append(Breach(Fraction(taken, most), rule, f"{taken:,} {name}, more than {most:,}"))
        least, seen = self.receptive_field, candidate.field
        if least is not None and seen < least:
            rule = f"the receptive field must be at most {seen:,}, got {least:,}"
            found.append(Breach(Fraction(least, seen), rule, f"a field of {seen:,}, less than {least:,}"))
        return sorted(found, reverse=True)


class Reason(NamedTuple):
    """Why a number is what it is."""

    of: str
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A network that keeps its budgets: its pattern, itself with weights at zero, its summary and the reasons.

    ``field`` is how many pixels a side a cell of the last maps sees.
    """

    classes: int
    budgets: Budgets
    pattern: Pattern
    field: int
    network: nn.Module
    summary: Summary
    reasons: tuple[Reason, ...]

    @property
    def purpose(self) -> str:
        """What the network is for: "for 10 classes of 3×64×64 images"."""
        return _purpose(self.summary.input, self.classes)

    def code(self) -> str:
        """Write the network in Python; with ``import torch.nn as nn`` it is the same network in PyTorch."""
        lines = []
        for title, layers in parts(self.pattern, self.summary.input, self.classes):
            lines += [f"    # {title}", *(f"    {layer}," for layer in layers)]
        about = [
            f"# {self.pattern}",
            f"# {self.purpose}",
            f"# {self.summary.parameters:,} parameters, {self.summary.macs:,} multiply-adds",
        ]
        return "\n".join(["import pellucid.nn as nn", "", *about, "net = nn.Sequential(", *lines, ")\n"])

    def as_dict(self) -> dict[str, Any]:
        """Return the proposal as JSON values."""
        return {
            "pattern": str(self.pattern),
            "stages": self.pattern.stages,
            "convolutions": self.pattern.convolutions,
            "channels": list(self.pattern.channels),
            "dense": list(self.pattern.dense),
            "classes": self.classes,
            "receptive_field": self.field,
            "budgets": {name: getattr(self.budgets, name) for name in ("parameters", "macs", "receptive_field")},
            "reasons": {reason.of: reason.text for reason in self.reasons},
            "summary": self.summary.as_dict(),
            "code": self.code(),
        }


def design(
    input: Sequence[int],  # noqa: A002
    classes: int,
    *,
    parameters: int | None = None,
    macs: int | None = None,
    receptive_field: int | None = None,
) -> Proposal:
    """Propose a network for images of shape ``input`` (C, H, W) that keeps the budgets.

    ``parameters`` and ``macs`` (multiply-adds of one image) are not exceeded; every cell of the last maps sees at
    least ``receptive_field`` pixels along each side, the padding included. Without a budget of either kind, a million
    parameters is one, or as many as are needed. Raises ParameterError where a number is none, or where no network of
    the pattern keeps the budgets, naming the tightest and the network that comes nearest.

    >>> proposal = design((3, 64, 64), 10, parameters=100_000)
    >>> str(proposal.pattern), proposal.pattern.channels, proposal.summary.parameters
    ('[(conv-relu)×2-pool]×4-fc', (8, 16, 32, 64), 83858)
    """
    image, classes = _checked_image(input), positive(classes, "classes", "design")
    if classes > _LARGEST:
        raise ParameterError(f"The 'classes' parameter of design must be at most {_LARGEST:,}; got {classes:,}.")
    given = {"parameters": parameters, "macs": macs, "receptive_field": receptive_field}
    budgets = Budgets(**{name: positive(value, name, "design") for name, value in given.items() if value is not None})
    candidates, reasons = _candidates(image, classes), list[Reason]()
    if parameters is None and macs is None:
        budgets = _assumed(candidates, budgets)
        reasons.append(Reason("budget", f"None was given; {budgets.parameters:,} parameters are assumed."))
    fitting = [candidate for candidate in candidates if not budgets.breaches(candidate)]
    if not fitting:
        raise _refusal(candidates, budgets, image, classes)
    wanted = _wanted(image, budgets)
    chosen = max(fitting, key=lambda candidate: _merit(candidate, wanted))
    with skip_init():
        layers = [layer.make() for _, part in parts(chosen.pattern, image, classes) for layer in part]
        network = nn.Sequential(*layers)
    reasons += _Explainer(chosen, budgets, image, classes).reasons()
    return Proposal(classes, budgets, chosen.pattern, chosen.field, network, summary(network, image), tuple(reasons))


def _checked_image(image: Sequence[int]) -> Shape:
    shape = tuple(image)
    is_image = len(shape) == 3 and all(map(is_integer, shape)) and shape[0] >= 1 and min(shape[1:]) >= POOLING.kernel
    if not is_image or max(shape) > _LARGEST:
        raise ParameterError(
            f"The 'input' parameter of design must be (C, H, W), each at most {_LARGEST:,}, with at least 1 channel "
            f"and 2 × 2 pixels, which pooling can halve; got {shape!r:.80}."
        )
    return tuple(int(extent) for extent in shape)


def _candidates(image: Shape, classes: int) -> list[Candidate]:
    found = (
        count(Pattern(convolutions, _doubled(first, stages), dense), image, classes)
        for stages in range(1, _most_stages(image) + 1)
        for convolutions in _CONVOLUTIONS
        for first in _FIRST_CHANNELS
        for dense in _DENSE
    )
    return [candidate for candidate in found if candidate.is_balanced]


def _most_stages(image: Shape) -> int:
    """How often the image can be halved, once in any case."""
    stages, sides = 1, halved((image[1], image[2]))
    while min(sides) >= POOLING.stride * _FEWEST_CELLS:
        stages, sides = stages + 1, halved(sides)
    return stages


def _doubled(first: int, stages: int) -> tuple[int, ...]:
    return tuple(min(first * 2**stage, _MOST_CHANNELS) for stage in range(stages))


def _assumed(candidates: list[Candidate], budgets: Budgets) -> Budgets:
    """Add the usual budget of parameters, or what the smallest candidate takes that sees as much as was asked."""
    least = min((one.parameters for one in candidates if not budgets.breaches(one)), default=0)
    return replace(budgets, parameters=max(least, _USUAL_PARAMETERS))


def _wanted(image: Shape, budgets: Budgets) -> int:
    """How many pixels a side a cell of the last maps should see."""
    return budgets.receptive_field or max(image[1:])


def _merit(candidate: Candidate, wanted: int) -> tuple[int, ...]:
    """Order candidates by the rule of this module."""
    pattern = candidate.pattern
    return min(candidate.field, wanted), pattern.channels[0], -candidate.field, sum(pattern.dense)


def _refusal(candidates: list[Candidate], budgets: Budgets, image: Shape, classes: int) -> ParameterError:
    """Say which budget is too tight, and what the network takes that breaks the fewest budgets and these least."""

    def distance(candidate: Candidate) -> tuple[int, Fraction, int]:
        breaches = budgets.breaches(candidate)
        return len(breaches), breaches[0].factor, candidate.parameters

    nearest = min(candidates, key=distance)
    breaches = budgets.breaches(nearest)
    rules = "; ".join(breach.rule for breach in breaches)
    given = sum(value is not None for value in (budgets.parameters, budgets.macs, budgets.receptive_field))
    which = "The smallest that keeps the others" if len(breaches) < given else "The nearest"
    return ParameterError(
        f"No network [(conv-relu)×N-pool]×M-(fc-relu)×K keeps the budgets {_purpose(image, classes)}: "
        f"{rules}. {which}, {nearest.pattern} from {nearest.pattern.channels[0]} channels, has "
        f"{nearest.parameters:,} parameters, {nearest.macs:,} multiply-adds and a field of {nearest.field:,} pixels."
    )


@dataclass(frozen=True, slots=True)
class _Explainer:
    """Compares the chosen network with its neighbours among the candidates: what each would break."""

    chosen: Candidate
    budgets: Budgets
    image: Shape
    classes: int

    def reasons(self) -> list[Reason]:
        return [
            Reason("stages", self._stages()),
            Reason("convolutions", self._convolutions()),
            Reason("channels", self._channels()),
            Reason("dense layers", self._dense()),
        ]

    def _stages(self) -> str:
        stages = self.chosen.pattern.stages
        sides = left = self.image[1], self.image[2]
        for _ in range(stages):
            left = halved(left)
        text = f"Halved {_times(stages)}, {_across(sides)} pixels become {_across(left)} cells"
        if stages == _most_stages(self.image):
            after = left[0] // POOLING.stride, left[1] // POOLING.stride
            return f"{text}; once more would leave {_across(after)}, fewer than {_FEWEST_CELLS} a side."
        if self._is_seen:
            return f"{text}; the field needs no more."
        return f"{text}; a stage more would take {self._least(self.chosen.pattern.convolutions, stages + 1)}."

    def _convolutions(self) -> str:
        each, stages = self.chosen.pattern.convolutions, self.chosen.pattern.stages
        text = (
            f"{each} in each stage: 1 + ({each}·2 + 1)·(2{_raised(stages)} − 1) = {self.chosen.field} pixels a side "
            "are seen by every cell of the last maps"
        )
        asked = self.budgets.receptive_field
        goal = f"the {asked} asked" if asked else f"the image's {_wanted(self.image, self.budgets)}"
        if self._is_seen:
            fewer = f"; {each - 1} would see {field(each - 1, stages)}" if each > 1 else ""
            return f"{text}, enough for {goal}{fewer}."
        if each == _CONVOLUTIONS[-1]:
            return f"{text}, short of {goal}; more than {each} are not tried."
        return f"{text}, short of {goal}; one more would take {self._least(each + 1, stages)}."

    def _channels(self) -> str:
        pattern = self.chosen.pattern
        first, last = pattern.channels[0], pattern.channels[-1]
        text = f"{first} at first"
        if len(pattern.channels) > 1:
            clipped = last < first * 2 ** (len(pattern.channels) - 1)
            text += f", twice as many in each stage, {'but never more than' if clipped else 'up to'} {last}"
        if first == _FIRST_CHANNELS[-1]:
            return f"{text}; more than {first} at first are not tried."
        more = _FIRST_CHANNELS[_FIRST_CHANNELS.index(first) + 1]
        return f"{text}; {more} at first would take {self._least(pattern.convolutions, pattern.stages, more)}."

    def _dense(self) -> str:
        pattern = self.chosen.pattern
        text = f"1 of {pattern.dense[0]} cells before the classes" if pattern.dense else "None before the classes"
        if pattern.dense == _DENSE[-1]:
            return f"{text}; wider ones are not tried."
        wider = _DENSE[_DENSE.index(pattern.dense) + 1]
        other = count(Pattern(pattern.convolutions, pattern.channels, wider), self.image, self.classes)
        start = f"{text}; one of {wider[0]} cells would"
        if breaches := self.budgets.breaches(other):
            return f"{start} make it {breaches[0].taken}."
        return f"{start} hold {other.hidden:,} parameters, more than the convolutions' {other.convolved:,}."

    @property
    def _is_seen(self) -> bool:
        return self.chosen.field >= _wanted(self.image, self.budgets)

    def _least(self, convolutions: int, stages: int, first: int = _FIRST_CHANNELS[0]) -> str:
        """Tell what the least of such networks takes of the budget that it breaks most."""
        channels = _doubled(first, stages)
        counted = [count(Pattern(convolutions, channels, dense), self.image, self.classes) for dense in _DENSE]
        return "at least " + min(self.budgets.breaches(one)[0] for one in counted if one.is_balanced).taken


def _purpose(image: Shape, classes: int) -> str:
    return f"for {classes:,} {'class' if classes == 1 else 'classes'} of {size(image)} images"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _across(sides: Pair) -> str:
    return f"{sides[0]} × {sides[1]}"


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
