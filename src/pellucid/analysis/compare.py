"""Layers side by side that could stand in each other's place: what each costs, and how long it takes.

Four comparisons for one convolution of given channels, kernel and image: dense layers, other kinds of convolution,
ways to halve the maps, and last layers. Sizes and counts are those of networks built for it; a dense layer, which
may have more weights than the memory holds, is counted from its shapes.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from math import gcd
from typing import NamedTuple

from pellucid import nn
from pellucid.analysis.alternatives import (
    Alternative,
    Comparison,
    Count,
    Most,
    Timer,
    and_time,
    built,
    counted,
    dense,
    measured,
    sequence,
    share,
)
from pellucid.errors import ParameterError
from pellucid.geometry import named_padding
from pellucid.types import Padding

CHANNELS, KERNEL, SIZE = 4096, 31, 4096
"""The largest that are compared."""

_MOST = Most()
_EXPANSION = 6
_NARROWING = 4
_CLASSES = 10


def compare(
    in_channels: int,
    out_channels: int,
    kernel: int,
    height: int,
    width: int,
    *,
    bias: bool = False,
    timer: Timer | None = None,
) -> dict[str, Comparison]:
    """Make the comparisons "dense", "convolutions", "downsampling" and "heads" for one convolution.

    Raises ParameterError where a number is out of its range.

    >>> list(compare(8, 8, 3, 10, 10))
    ['dense', 'convolutions', 'downsampling', 'heads']
    """
    five = in_channels, out_channels, kernel, height, width
    return {
        "dense": dense_equivalents(*five, bias=bias, timer=timer),
        "convolutions": convolutions(*five, bias=bias, timer=timer),
        "downsampling": downsampling(*five, bias=bias, timer=timer),
        "heads": heads(out_channels, height, width, bias=bias, timer=timer),
    }


def dense_equivalents(
    in_channels: int,
    out_channels: int,
    kernel: int,
    height: int,
    width: int,
    *,
    bias: bool = False,
    timer: Timer | None = None,
    count: Count | None = None,
) -> Comparison:
    """Set a convolution beside dense layers, in both readings of "equivalent".

    "dense, one per filter" has a unit where the convolution has a filter, and gives one number for each;
    "dense, same output" has a unit for each number of the convolution's output. Both are counted from their shapes,
    for they may be larger than the memory; ``count`` says what counts as their operations. Raises ParameterError where
    a number is out of its range.

    >>> print(dense_equivalents(1, 32, 3, 28, 28))
                           parameters                  MACs
    ───────────────────────────────────────────────────────────────
    convolution                   288               225,792
    dense, one per filter      25,088  × 87.1        25,088  ÷ 9
    dense, same output     19,668,992  × 68,295  19,668,992  × 87.1
    <BLANKLINE>
    Beside the convolution, a dense layer with one unit for each filter has 87.1
    times the parameters and gives only 32 numbers; one that gives all 25,088 has
    68,295 times the parameters.
    """
    _check(in_channels=in_channels, out_channels=out_channels, kernel=kernel, height=height, width=width)
    shape = in_channels, height, width
    units, count = out_channels * height * width, count or Count()
    make = partial(_conv, in_channels, out_channels, kernel, bias=bias)
    first, filters, full = measured(
        shape,
        [
            built("convolution", "filters slide", shape, make, count),
            dense("dense, one per filter", "a unit for each filter", shape, out_channels, bias, count),
            dense("dense, same output", "a unit for each number of the output", shape, units, bias, count),
        ],
        timer,
    )
    finding = (
        f"Beside the convolution, a dense layer with one unit for each filter has "
        f"{share(filters.parameter_ratio, 'parameters')} and gives only {counted(out_channels)}; one that gives all "
        f"{units:,} has {share(full.parameter_ratio, 'parameters')}."
    )
    return Comparison("A dense layer instead of the convolution", (first, filters, full), finding)


def convolutions(
    in_channels: int,
    out_channels: int,
    kernel: int,
    height: int,
    width: int,
    *,
    bias: bool = False,
    timer: Timer | None = None,
    most: Most = _MOST,
) -> Comparison:
    """Set the kinds of convolution side by side: standard, in ever more groups, depthwise-separable, bottlenecks.

    The bottleneck works in a quarter of the output's channels (He et al. 2016, arXiv:1512.03385), the inverted one
    in six times the input's, one by one (Sandler et al. 2018, arXiv:1801.04381). Only the convolutions: norms and
    activations between them cost little beside. Those beyond ``most`` are not timed. Raises ParameterError where a
    number is out of its range.

    >>> convolutions(64, 64, 3, 56, 56)["depthwise-separable"].parameters
    4672
    """
    _check(in_channels=in_channels, out_channels=out_channels, kernel=kernel, height=height, width=width)
    shape, choices = (in_channels, height, width), []
    for name, what, parts in kinds(in_channels, out_channels, kernel):
        layers = [
            partial(_conv, before, after, side, groups=groups, bias=bias) for before, after, side, groups in parts
        ]
        choices.append(built(name, what, shape, layers[0] if len(layers) == 1 else partial(sequence, *layers)))
    rows = measured(shape, choices, timer, most)
    return Comparison("Kinds of convolution", rows, _finding_of_convolutions(rows))


class Part(NamedTuple):
    """One of the convolutions of which a kind consists."""

    in_channels: int
    out_channels: int
    kernel: int
    groups: int


def kinds(in_channels: int, out_channels: int, kernel: int) -> Iterator[tuple[str, str, tuple[Part, ...]]]:
    """Yield name, description and parts of the kinds that :func:`convolutions` sets side by side."""
    narrow, wide = max(1, out_channels // _NARROWING), _EXPANSION * in_channels
    yield "standard", "all channels at once", (Part(in_channels, out_channels, kernel, 1),)
    for groups in _group_counts(gcd(in_channels, out_channels)):
        is_depthwise = groups == in_channels
        what = "each channel by itself" if is_depthwise else f"{groups} groups of channels apart"
        name = "depthwise" if is_depthwise else f"{groups} groups"
        yield name, what, (Part(in_channels, out_channels, kernel, groups),)
    yield (
        "depthwise-separable",
        "each channel by itself, then 1×1 to mix",
        (
            Part(in_channels, in_channels, kernel, in_channels),
            Part(in_channels, out_channels, 1, 1),
        ),
    )
    yield (
        "bottleneck",
        f"1×1 to {narrow} channels, the kernel there, 1×1 back",
        (
            Part(in_channels, narrow, 1, 1),
            Part(narrow, narrow, kernel, 1),
            Part(narrow, out_channels, 1, 1),
        ),
    )
    yield (
        "inverted bottleneck",
        f"1×1 to {wide} channels, each by itself, 1×1 back",
        (
            Part(in_channels, wide, 1, 1),
            Part(wide, wide, kernel, wide),
            Part(wide, out_channels, 1, 1),
        ),
    )


def downsampling(
    in_channels: int,
    out_channels: int,
    kernel: int,
    height: int,
    width: int,
    *,
    bias: bool = False,
    timer: Timer | None = None,
) -> Comparison:
    """Set the ways to halve maps side by side: pooling after the convolution, a stride of 2, pooling alone.

    Raises ParameterError where a number is out of its range.

    >>> downsampling(64, 64, 3, 56, 56)["convolution, stride 2"].mac_ratio
    0.25
    """
    _check(in_channels=in_channels, out_channels=out_channels, kernel=kernel, height=height, width=width)
    shape = in_channels, height, width
    conv = partial(_conv, in_channels, out_channels, kernel, bias=bias)
    rows = measured(
        shape,
        [
            built("convolution + max pool", "all cells, of 2×2 the largest", shape, partial(
                sequence, conv, partial(nn.MaxPool2d, 2)
            )),
            built("convolution, stride 2", "every other cell", shape, partial(conv, stride=2)),
            built("max pool", "of 2×2 the largest", shape, partial(nn.MaxPool2d, 2)),
            built("average pool", "of 2×2 the mean", shape, partial(nn.AvgPool2d, 2)),
        ],
        timer,
    )  # fmt: skip
    finding = (
        f"Pooling has no parameters and keeps its {counted(in_channels, 'channel')}; a convolution of stride 2 learns "
        f"how to shrink, with {counted(rows[1].parameters, 'parameter')}, and, beside a convolution that is pooled "
        f"afterwards, does {share(rows[1].mac_ratio, 'multiply-adds')}{and_time(rows[1], rows[0])}."
    )
    return Comparison("Halving the maps", rows, finding, resizes=True)


def heads(
    channels: int,
    height: int,
    width: int,
    classes: int = _CLASSES,
    *,
    bias: bool = False,
    timer: Timer | None = None,
) -> Comparison:
    """Set two last layers side by side: a dense layer on all cells, or on each channel's mean (arXiv:1312.4400).

    Raises ParameterError where a number is out of its range.

    >>> heads(64, 7, 7)["global average + dense"].parameters
    640
    """
    _check(channels=channels, height=height, width=width, classes=classes)
    shape = channels, height, width
    rows = measured(
        shape,
        [
            dense("flatten + dense", "a weight for each cell and class", shape, classes, bias),
            built("global average + dense", "a weight for each channel and class", shape, partial(
                sequence, partial(nn.AdaptiveAvgPool2d, 1), nn.Flatten, partial(nn.Linear, channels, classes, bias)
            )),
        ],
        timer,
    )  # fmt: skip
    finding = (
        f"Global average pooling leaves one number of the {height * width:,} in each channel, so that the dense layer "
        f"has {counted(rows[1].parameters, 'parameter')} instead of {rows[0].parameters:,}{and_time(rows[1], rows[0])}."
    )
    return Comparison(f"The last layer, for {classes:,} classes", rows, finding)


def _check(**numbers: int) -> None:
    """Raise ParameterError where a number is out of its range."""
    for name, value in numbers.items():
        least, most = {"kernel": (1, KERNEL), "height": (2, SIZE), "width": (2, SIZE)}.get(name, (1, CHANNELS))
        if type(value) is not int or not least <= value <= most:
            raise ParameterError(
                f"The '{name}' parameter of compare must be a whole number from {least} to {most:,}; got {value!r}."
            )


def _conv(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False
) -> nn.Module:
    """Make a convolution that keeps the size, but for its stride."""
    padding: Padding = named_padding("same", (kernel, kernel), (1, 1), (1, 1))
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)


def _group_counts(channels: int) -> Iterator[int]:
    """Yield ever larger divisors of a number, each a multiple of the one before, down to channels by themselves."""
    groups = 1
    while groups < channels:
        rest = channels // groups
        groups *= next(factor for factor in range(2, rest + 1) if rest % factor == 0)
        yield groups


def _finding_of_convolutions(rows: Sequence[Alternative]) -> str:
    names = "depthwise-separable one", "bottleneck", "inverted bottleneck"
    found = "; ".join(
        f"the {name} has {share(row.parameter_ratio, 'parameters')}{and_time(row, rows[0])}"
        for name, row in zip(names, rows[-3:], strict=True)
    )
    return f"Beside the standard convolution, {found}."
