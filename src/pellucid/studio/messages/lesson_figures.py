"""What the figures of the lessons ask and tell: their questions are among those of ``lessons.py``."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.architect import ArchitectStage
from pellucid.studio.messages.base import Message, Tensor

Rows = Annotated[list[Annotated[list[float], Field(max_length=12)]], Field(min_length=1, max_length=12)]
Name = Annotated[str, Field(max_length=40)]


class NamedNumbers(Message):
    """A picture or a kernel by its name."""

    name: str
    rows: list[list[float]]


class LessonStock(Message):
    """Pictures and kernels to choose from."""

    pictures: list[NamedNumbers]
    kernels: list[NamedNumbers]


class ConvolveAsked(Message):
    """A kernel on a picture; ``cell`` is one of the convolution's, whose sum is told; ``pool`` 0 means none."""

    picture: Rows
    kernel: Rows
    stride: int = Field(default=1, ge=1, le=6)
    padding: int = Field(default=0, ge=0, le=6)
    relu: bool = False
    pool: int = Field(default=0, ge=0, le=4)
    cell: tuple[int, int] | None = None


class ConvolveStage(Message):
    """A map, and the rows and columns of the map before it that each of its rows and columns reads."""

    name: Literal["conv", "relu", "pool"]
    map: Tensor
    rows: list[list[int]]
    columns: list[list[int]]


class Convolved(Message):
    """All maps, and the sum behind the cell."""

    stages: list[ConvolveStage]
    sum: str


class PixelsAsked(Message):
    """A test picture of clothes."""

    index: int = Field(ge=0, lt=1000)


class LessonPixels(Message):
    """A picture (28, 28) from 0 to 255, and what it shows."""

    picture: Tensor
    truth: str


class LayerAsked(Message):
    """A convolution, its padding such that a stride of 1 keeps the size."""

    before: int = Field(ge=1, le=512)
    after: int = Field(ge=1, le=512)
    kernel: int = Field(ge=1, le=11)
    size: int = Field(ge=2, le=256)
    stride: int = Field(default=1, ge=1, le=4)


class LayerCounted(Message):
    """What a layer holds and does: formulas with their numbers put in."""

    output: int
    parameters: int
    biases: int
    macs: int
    parameters_formula: str
    macs_formula: str


class CountsAsked(LayerAsked):
    """Layers beside a convolution."""

    what: Literal["dense", "convolutions", "heads", "downsampling"]


class CountsRow(Message):
    """One way to do the work; ``part`` is what words of the prose call it."""

    part: str
    name: str
    what: str
    parameters: int
    macs: int
    parameter_ratio: float
    mac_ratio: float


class LessonCounts(Message):
    """Ways to do the same, and what they show."""

    rows: list[CountsRow]
    finding: str


class CellAsked(Message):
    """A cell of a map."""

    row: int = Field(ge=0, le=12)
    column: int = Field(ge=0, le=12)


class LessonChannels(Message):
    """A picture and a filter of three channels, its map, and one cell's sum."""

    picture: Tensor
    kernels: Tensor
    map: Tensor
    bias: float
    parts: list[float]
    sum: str


class FieldLayer(Message):
    """A layer with a window."""

    kernel: int = Field(ge=1, le=9)
    stride: int = Field(default=1, ge=1, le=4)
    dilation: int = Field(default=1, ge=1, le=4)


class FieldAsked(Message):
    """A stack of layers, the first one first."""

    layers: list[FieldLayer] = Field(min_length=1, max_length=6)


class FieldRow(Message):
    """A row of cells, and those behind the cell at the top; cell i stands above pixel ``first + i · jump``."""

    cells: int
    behind: list[int]
    first: float
    jump: int
    formula: str


class LessonField(Message):
    """Rows from the pixels upwards."""

    rows: list[FieldRow]


class ScoresAsked(Message):
    """Scores of classes, and which is right."""

    scores: list[Annotated[float, Field(ge=-50, le=50)]] = Field(min_length=2, max_length=10)
    label: int = Field(ge=0, lt=10)


class LessonScores(Message):
    """Shares, the loss, and its slope along each score."""

    probabilities: list[float]
    loss: float
    gradient: list[float]


class LessonFilters(Message):
    """The first filters of a trained network, (N, KH, KW)."""

    filters: Tensor


class FunnelAsked(Message):
    """A network of the zoo."""

    network: Name


class LessonFunnel(Message):
    """The sizes that a network goes through, and its parameters by kind of layer, the most first."""

    networks: list[str]
    stages: list[ArchitectStage]
    kinds: dict[str, int]
    parameters: int


class TurnedAsked(PixelsAsked):
    """A test picture, turned."""

    degrees: float = Field(ge=-360, le=360)


class LessonTurned(Message):
    """What a network makes of a turned picture (28, 28)."""

    picture: Tensor
    truth: str
    classes: list[str]
    probabilities: list[float]
