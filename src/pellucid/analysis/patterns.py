"""The classical pattern of networks, [(conv-relu)×N-pool]×M-(fc-relu)×K and a last dense layer: counted and built.

It is that of LeNet-5 (LeCun et al. 1998), AlexNet (Krizhevsky et al. 2012) and VGG (Simonyan and Zisserman 2015),
written as in the notes of Stanford's course CS231n. Kernels are 3 wide and keep the size, poolings halve it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pellucid.analysis.fields import Reach
from pellucid.analysis.summary import size
from pellucid.geometry import Axis
from pellucid.types import Pair, Shape
from pellucid.zoo.written import Layer

CONVOLUTION = Axis(kernel=3, before=1, after=1)
POOLING = Axis(kernel=2, stride=2)


@dataclass(frozen=True, slots=True)
class Pattern:
    """The numbers of [(conv-relu)×N-pool]×M-(fc-relu)×K.

    ``convolutions`` is N, ``channels`` has a number for each of the M stages, ``dense`` the K widths.

    >>> str(Pattern(2, (8, 16, 32), (128,)))
    '[(conv-relu)×2-pool]×3-(fc-relu)×1-fc'
    """

    convolutions: int
    channels: tuple[int, ...]
    dense: tuple[int, ...] = ()

    @property
    def stages(self) -> int:
        """How often the maps are halved: M."""
        return len(self.channels)

    def __str__(self) -> str:
        dense = f"(fc-relu)×{len(self.dense)}-" if self.dense else ""
        return f"[(conv-relu)×{self.convolutions}-pool]×{self.stages}-{dense}fc"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pattern, counted for an image and classes.

    ``field`` is how many pixels a side a cell of the last maps sees; ``convolved`` and ``hidden`` are the parameters
    of the convolutions and of the dense layers before the last.
    """

    pattern: Pattern
    parameters: int
    macs: int
    field: int
    convolved: int
    hidden: int

    @property
    def is_balanced(self) -> bool:
        """Whether the dense layers before the last hold no more parameters than the convolutions."""
        return self.hidden <= self.convolved


def count(pattern: Pattern, image: Shape, classes: int) -> Candidate:
    """Count a pattern by the formulas that a summary prints; asking its graph takes hundreds of times longer.

    >>> count(Pattern(1, (4,)), (1, 28, 28), 10).parameters     # 4·(1·3·3 + 1) + 10·(4·14·14 + 1)
    7890
    """
    channels, height, width = image
    convolved = macs = 0
    for filters in pattern.channels:
        for _ in range(pattern.convolutions):
            weights = filters * channels * CONVOLUTION.kernel**2
            convolved += weights + filters
            macs += weights * height * width
            channels = filters
        height, width = halved((height, width))
    features, dense = channels * height * width, []
    for cells in (*pattern.dense, classes):
        dense.append(cells * (features + 1))
        macs += cells * features
        features = cells
    seen = field(pattern.convolutions, pattern.stages)
    return Candidate(pattern, convolved + sum(dense), macs, seen, convolved, sum(dense[:-1]))


@cache
def field(convolutions: int, stages: int) -> int:
    """Return how many pixels a side a cell of the last maps sees.

    >>> field(convolutions=2, stages=4)     # 1 + (2·2 + 1)·(2⁴ − 1)
    76
    """
    reach = Reach()
    for _ in range(stages):
        for _ in range(convolutions):
            reach = reach.through(CONVOLUTION)
        reach = reach.through(POOLING)
    return int(reach.size)


def halved(sides: Pair) -> Pair:
    """Return what pooling leaves of an image's sides."""
    return POOLING.output_size(sides[0]), POOLING.output_size(sides[1])


def parts(pattern: Pattern, image: Shape, classes: int) -> Iterator[tuple[str, list[Layer]]]:
    """Yield each stage's layers and the dense ones, with a title that tells their shapes."""
    square = (("kernel_size", CONVOLUTION.kernel), ("padding", CONVOLUTION.before))
    shape = image
    for number, filters in enumerate(pattern.channels, 1):
        sources = (shape[0], *[filters] * (pattern.convolutions - 1))
        layers = [
            layer for channels in sources for layer in (Layer("Conv2d", (channels, filters), square), Layer("ReLU"))
        ]
        after = (filters, *halved((shape[1], shape[2])))
        yield f"stage {number}: {size(shape)} → {size(after)}", [*layers, Layer("MaxPool2d", (POOLING.kernel,))]
        shape = after
    features = shape[0] * shape[1] * shape[2]
    title, layers = f"{size(shape)} → {classes}", [Layer("Flatten")]
    for cells in pattern.dense:
        layers += [Layer("Linear", (features, cells)), Layer("ReLU")]
        features = cells
    yield title, [*layers, Layer("Linear", (features, classes))]
