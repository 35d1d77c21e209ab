"""Geometry: sizes and borders, groups, dense equivalents, receptive fields."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Border, Message, Tensor

MOST_LAYERS = 12
LARGEST_PICTURE = 16
"""Rows and columns of the largest image whose numbers are written out."""

_Kernel = Annotated[int, Field(ge=1, le=31)]
_Channels = Annotated[int, Field(ge=1, le=1024)]
_Side = Annotated[int, Field(ge=2, le=224)]


class GeometryWindowAsked(Message):
    """A window on an image of ``size`` cells a side; ``padding`` in cells, or by its name."""

    size: int = Field(ge=1, le=512)
    kernel: _Kernel
    stride: int = Field(ge=1, le=32)
    padding: Annotated[int, Field(ge=0, le=64)] | Literal["valid", "same", "full"]
    dilation: int = Field(ge=1, le=32)
    ceil: bool = False
    border: Border = "zeros"


class GeometryWindow(Message):
    """How the window slides along a side: see :class:`pellucid.analysis.windows.Sliding`.

    ``padded`` is a small image with its border, and ``sums`` what the window adds up at each stop; None where the
    image is too large to be written out. ``borderless`` says why there is no such border.
    """

    output: int
    formula: str
    before: int
    after: int
    overhang: int
    extent: int
    starts: list[int]
    taps: list[int]
    unread: list[int]
    padded: Tensor | None
    sums: Tensor | None
    borderless: str


class GeometryConvolution(Message):
    """A convolution that keeps the size of its maps."""

    channels_in: _Channels
    channels_out: _Channels
    kernel: Annotated[int, Field(ge=1, le=11)]
    size: _Side
    bias: bool = False


class GeometryPart(Message):
    """One of the convolutions of which a kind consists."""

    channels_in: int
    channels_out: int
    kernel: int
    groups: int


class GeometryKind(Message):
    """A way to do the same work, and what it costs beside the standard convolution."""

    name: str
    what: str
    parts: list[GeometryPart]
    parameters: int
    macs: int
    parameter_ratio: float
    mac_ratio: float


class GeometryKinds(Message):
    """The kinds of convolution, the standard one first."""

    kinds: list[GeometryKind]
    finding: str


class GeometryTime(Message):
    """What one image takes: the median of some runs in turn; what that makes a second, and what the time goes into.

    ``reuse`` is in how many products each number that is read or written takes part. A kind that is too large to be
    timed has no time.
    """

    name: str
    milliseconds: float | None
    giga_macs: float | None
    reuse: float
    bound: Literal["arithmetic", "memory", "overhead"] | None


class GeometryTimes(Message):
    """The times of all kinds, with how many runs each had, on so many threads."""

    times: list[GeometryTime]
    runs: int
    threads: int


class GeometryDenseAsked(Message):
    """A convolution, and what is counted beside it."""

    convolution: GeometryConvolution
    batch: int = Field(default=1, ge=1, le=1024)
    flops: bool = False
    biases: bool = False


class GeometryEquivalent(Message):
    """The convolution, or a dense layer that could stand in its place; numbers written out, for they may be large."""

    name: Literal["convolution", "dense, one per filter", "dense, same output"]
    outputs: int
    parameters: int
    operations: int
    parameter_ratio: float
    operation_ratio: float
    formula: str


class GeometryDense(Message):
    """The convolution and its dense equivalents in both readings."""

    rows: list[GeometryEquivalent]
    finding: str


class GeometryLayer(Message):
    """A convolution, or a pooling, of a stack."""

    kind: Literal["conv", "pool"]
    kernel: _Kernel
    stride: Annotated[int, Field(ge=1, le=16)]
    padding: Annotated[int, Field(ge=0, le=64)]
    dilation: Annotated[int, Field(ge=1, le=32)]


class GeometryStackAsked(Message):
    """Layers on an image of ``size`` cells a side."""

    size: int = Field(ge=4, le=64)
    layers: list[GeometryLayer] = Field(min_length=1, max_length=MOST_LAYERS)


class GeometryStage(Message):
    """A layer of a stack: the size of its map, the field of its cells and the way from one to the next.

    Cell i reads the cells ``starts[i] + taps`` of the layer below. ``covers`` says how the field compares to the image.
    A layer that does not fit has an ``error`` and passes on what it gets.
    """

    name: str
    size: int
    field: int
    jump: int
    formula: str
    starts: list[int]
    taps: list[int]
    covers: Literal["less", "all", "more"]
    remarks: list[str]
    error: str


class GeometryStack(Message):
    """The layers of a stack, the first one first, on an image of so many cells a side."""

    image: int
    stages: list[GeometryStage]


class GeometryEffective(Message):
    """What moves the middle cell of the last layer: the mean magnitude of its gradient by each pixel.

    ``side`` is that of the square that holds 95 % of it, ``field`` that of the theoretical field; ``first`` and
    ``last`` bound what of that lies on the image.
    """

    map: Tensor
    side: int
    field: int
    first: int
    last: int


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "geometry.window": (GeometryWindowAsked, GeometryWindow),
    "geometry.kinds": (GeometryConvolution, GeometryKinds),
    "geometry.times": (GeometryConvolution, GeometryTimes),
    "geometry.dense": (GeometryDenseAsked, GeometryDense),
    "geometry.stack": (GeometryStackAsked, GeometryStack),
    "geometry.effective": (GeometryStackAsked, GeometryEffective),
}
