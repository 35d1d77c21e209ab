"""Inspect: a network and a picture, and what the one makes of the other, down to a single cell's arithmetic."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Message, Nothing, Tensor
from pellucid.studio.messages.reasons import (
    InspectAttributionAsked,
    InspectAttributionStanding,
    InspectDreamAsked,
    InspectDreamStanding,
    InspectFiltersAsked,
    InspectFiltersStanding,
    InspectPatchesAsked,
    InspectPatchesStanding,
)
from pellucid.studio.messages.subjects import Box, Index, InspectSubject, LayerName, Target


class InspectZoo(Message):
    """A network of the zoo, which has random weights: its name and the image (C, H, W) that it takes."""

    name: str
    shape: list[int]


class InspectChoices(Message):
    """What can be looked into, and the data sets on this machine whose pictures can be looked at."""

    shipped: list[str]
    runs: list[str]
    zoo: list[InspectZoo]
    data: list[str]


class InspectNetworkAsked(Message):
    """Which network: see :class:`pellucid.studio.networks.Networks`."""

    target: Target


class InspectLayer(Message):
    """A layer before anything was computed: its result as maps (C, H, W) or numbers (C,), and what it reads.

    ``kernel`` and ``stride`` are (rows, columns) of a window; ``field`` is how many pixels (rows, columns) a cell sees,
    None where each sees the whole image. ``plane`` says whether its result is maps.
    """

    name: str
    op: str
    shape: list[int]
    plane: bool
    reads: list[str]
    parameters: int
    kernel: list[int] | None
    stride: list[int] | None
    groups: int | None
    field: list[float] | None


class InspectNetwork(Message):
    """A network: ``kind`` says where its weights come from, ``image`` what the graph calls the picture.

    ``classes`` are empty where it gives no scores; ``data`` is what it was trained on, if it says so.
    """

    target: str
    kind: Literal["shipped", "run", "upload", "random"]
    name: str
    shape: list[int]
    classes: list[str]
    data: str | None
    image: str
    parameters: int
    layers: list[InspectLayer]


class InspectLookAsked(Message):
    """What the network says of the picture; and the layers whose maps are wanted, reduced to ``side`` at most."""

    subject: InspectSubject
    layers: list[LayerName] = Field(default=[], max_length=80)
    side: int = Field(default=28, ge=4, le=64)


class InspectScore(Message):
    """A class's score, before any softmax at the end, and its probability."""

    index: int
    name: str
    score: float
    probability: float


class InspectMaps(Message):
    """A layer's maps for an overview: whole numbers −127 … 127, of (count, height, width), as base64.

    127 stands for ``limit``. Where maps are larger than was asked for, each number is the mean of a block; ``count``
    is less than ``of`` where there are more maps than an overview shows. ``dead`` counts maps that are 0 everywhere.
    """

    layer: str
    count: int
    of: int
    height: int
    width: int
    limit: float
    low: float
    high: float
    dead: int
    data: str


class InspectLook(Message):
    """The picture as the network sees it, (C, H, W) from 0 to 1, the likeliest classes, and the maps."""

    seen: Tensor
    scores: list[InspectScore]
    maps: list[InspectMaps]


class InspectChannelAsked(Message):
    """A channel of a layer; of its inputs ``most`` are shown, from the ``first`` of those that count most."""

    subject: InspectSubject
    layer: LayerName
    channel: Index
    first: int = Field(default=0, ge=0)
    most: int = Field(default=8, ge=1, le=64)


class InspectProduct(Message):
    """An input's map, its kernel, and the map that the two make."""

    channel: int
    input: Tensor
    kernel: Tensor
    partial: Tensor


class InspectSource(Message):
    """A map that the channel reads."""

    layer: str
    channel: int
    map: Tensor


class InspectActivation(Message):
    """What the activation right behind the layer makes of the channel."""

    layer: str
    op: str
    map: Tensor


class InspectChannel(Message):
    """A channel: its map, and what it is the sum of, or what it reads where it is no sum of products.

    ``rest`` is the sum of the partial maps that are not shown; ``error`` how far all of them and the bias, added up,
    are from the engine's map. ``source`` names what the maps of ``products`` belong to.
    """

    layer: str
    op: str
    channel: int
    of: int
    map: Tensor
    bias: float | None
    source: str | None
    products: list[InspectProduct]
    inputs: int
    rest: Tensor | None
    error: float | None
    sources: list[InspectSource]
    activation: InspectActivation | None


class InspectCellAsked(Message):
    """A cell of a layer: channel, row and column of maps, the number of a vector's unit.

    ``most`` is how many channels of what it reads are written out.
    """

    subject: InspectSubject
    layer: LayerName
    channel: Index
    y: Index | None = None
    x: Index | None = None
    most: int = Field(default=3, ge=1, le=64)


class InspectGrid(Message):
    """One channel of what was read; where it is multiplied, its weights, the products, and what they come to.

    ``winner`` is (row, column) of the number that a maximum took. ``top`` and ``left`` are the first row and column.
    """

    kind: Literal["grid"]
    layer: str
    channel: int
    rows: list[str]
    columns: list[str]
    values: Tensor
    weights: Tensor | None
    products: Tensor | None
    total: float | None
    winner: tuple[int, int] | None


class InspectRow(Message):
    """One number of a list."""

    place: str
    numbers: list[float]
    won: bool


class InspectLine(Message):
    """A number with its name; ``others`` is how many numbers or channels that are not shown it stands for, if any."""

    kind: Literal["line"]
    name: str
    value: float
    others: int | None


class InspectListing(Message):
    """Numbers one below the other, and what those that are not shown come to."""

    kind: Literal["listing"]
    caption: str
    columns: list[str]
    rows: list[InspectRow]
    rest: InspectLine | None


class InspectStep(Message):
    """A step of arithmetic."""

    name: str
    numbers: str
    value: float


class InspectBox(Message):
    """What the cell depends on in a layer, or in the image: (y0, x0, y1, x1), ends excluded."""

    layer: str
    box: Box


class InspectCell(Message):
    """A cell's arithmetic.

    ``value`` is the engine's number, ``explained`` what the numbers shown come to in float64; they differ by
    ``error``, and rounding allows ``bound``, None where there is no limit. ``after`` is what an activation right behind
    makes of it. ``text`` is all of it in words.
    """

    layer: str
    op: str
    engine: str
    channel: int
    y: int | None
    x: int | None
    formula: str
    pieces: list[Annotated[InspectGrid | InspectListing | InspectLine, Field(discriminator="kind")]]
    steps: list[InspectStep]
    bias: float
    value: float
    explained: float
    error: float
    bound: float | None
    after: InspectStep | None
    boxes: list[InspectBox]
    text: str


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "inspect.choices": (Nothing, InspectChoices),
    "inspect.network": (InspectNetworkAsked, InspectNetwork),
    "inspect.look": (InspectLookAsked, InspectLook),
    "inspect.channel": (InspectChannelAsked, InspectChannel),
    "inspect.cell": (InspectCellAsked, InspectCell),
    "inspect.attribution": (InspectAttributionAsked, InspectAttributionStanding),
    "inspect.dream": (InspectDreamAsked, InspectDreamStanding),
    "inspect.patches": (InspectPatchesAsked, InspectPatchesStanding),
    "inspect.filters": (InspectFiltersAsked, InspectFiltersStanding),
}
