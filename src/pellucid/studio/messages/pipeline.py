"""The pipeline: all maps of convolve → ReLU → pool at once, with several channels and filters."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Message, Nothing, Picture, Tensor
from pellucid.studio.messages.stepper import Layers, Number, Pair, Rows

Kernel = Annotated[list[Annotated[list[Number], Field(max_length=7)]], Field(max_length=7)]
Filter = Annotated[list[Kernel], Field(max_length=3)]
Place = Annotated[int, Field(ge=0, le=1023)]


class PipelineSetting(Layers):
    """An image (C, H, W), filters (O, C, KH, KW) and a bias for each, and how they are used."""

    image: Tensor
    filters: list[Filter] = Field(max_length=8)
    biases: list[Number] = Field(max_length=8)


class PipelineAsked(Message):
    """All maps; of one filter also what each channel adds to its map."""

    setting: PipelineSetting
    filter: int = Field(ge=0, le=7)


class PipelineWindows(Message):
    """Where the windows of a layer lie: the rows and the columns that each row and column of the result reads.

    Those of a border lie outside the map; ``unseen`` are the cells that no window reads.
    """

    rows: list[tuple[int, ...]]
    columns: list[tuple[int, ...]]
    unseen: list[Pair]
    notes: tuple[str, ...]


class PipelineMaps(Message):
    """All maps: (C, H, W) with its border, (O, H', W'), and ``shares`` (C, H', W') of one filter."""

    bordered: Tensor
    border: tuple[Pair, Pair]
    border_note: str
    conv: Tensor
    relu: Tensor
    pool: Tensor | None
    shares: Tensor
    conv_windows: PipelineWindows
    pool_windows: PipelineWindows | None
    formulas: list[tuple[str, str]]


class PipelinePointed(Message):
    """One cell of a map."""

    setting: PipelineSetting
    layer: Literal["conv", "relu", "pool"]
    channel: Place
    y: Place
    x: Place


class PipelinePart(Message):
    """What a cell read of one channel: patch × weights = products, and their sum."""

    channel: int
    patch: Rows
    weights: Rows
    products: Rows
    total: float


class PipelineCell(Message):
    """One cell taken apart; ``box`` holds the pixels behind it, (y0, x0, y1, x1), ends excluded."""

    parts: list[PipelinePart]
    bias: float
    total: float
    value: float
    box: tuple[int, int, int, int]


class PipelineShown(Message):
    """A picture that is to be made small."""

    picture: Picture


class PipelinePicture(Message):
    """A picture of at most 32×32 pixels, (C, H, W) from 0 to 1, and the rows and columns that it had."""

    image: Tensor
    size: Pair


class PipelinePattern(Message):
    """An image (C, H, W) to begin with."""

    name: str
    image: Tensor


class PipelineChoices(Message):
    """What there is to begin with: patterns, kernels of the gallery, and data sets with so many pictures."""

    patterns: list[PipelinePattern]
    kernels: list[tuple[str, Rows]]
    samples: list[tuple[str, int]]


class PipelineTwo(Message):
    """A map (H, W) and two kernels that follow each other."""

    image: Tensor
    first: Kernel
    second: Kernel


class PipelineCollapse(Message):
    """Two kernels in turn, as one, and with a ReLU between; see :class:`pellucid.explain.kernels.composition.Collapse`.

    ``change`` is what the ReLU changes.
    """

    composed: Rows
    in_turn: Tensor
    at_once: Tensor
    with_relu: Tensor
    change: Tensor
    largest: float
    error: float
    relu_difference: float
    relu_cells: float


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "pipeline.maps": (PipelineAsked, PipelineMaps),
    "pipeline.cell": (PipelinePointed, PipelineCell),
    "pipeline.picture": (PipelineShown, PipelinePicture),
    "pipeline.choices": (Nothing, PipelineChoices),
    "pipeline.collapse": (PipelineTwo, PipelineCollapse),
}
