"""The stepper: a scene of maps, and what each step does."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Border, Message, Nothing

Number = Annotated[float, Field(ge=-1e9, le=1e9)]
Cells = Annotated[int, Field(ge=1, le=40)]
Rows = tuple[tuple[float, ...], ...]
Pair = tuple[int, int]

MOVES = 64
"""Steps that are told at a time."""


class Layers(Message):
    """What may be set of convolution and pooling; see :class:`pellucid.explain.steps.layers.Settings`."""

    stride: Cells = 1
    padding: Annotated[int, Field(ge=0, le=12)] | Literal["valid", "same", "full"] = 0
    border: Border = "zeros"
    dilation: Cells = 1
    flip: bool = False
    pool: Literal["max", "average", "none"] = "max"
    pool_size: Cells = 2
    pool_stride: Cells | None = None
    ceil: bool = False


class StepperSetting(Layers):
    """All that the steps follow from; ``start`` is the cell of the last map whose gradients are shown, all by None."""

    image: list[Annotated[list[Number], Field(max_length=16)]] = Field(max_length=16)
    kernel: list[Annotated[list[Number], Field(max_length=7)]] = Field(max_length=7)
    bias: Number = 0.0
    backward: bool = False
    start: tuple[Annotated[int, Field(ge=0, le=40)], Annotated[int, Field(ge=0, le=40)]] | None = None


class StepperAsked(Message):
    """The scene, with what the steps about one of them do."""

    setting: StepperSetting
    near: int = Field(ge=0, le=100_000)


class StepperGrid(Message):
    """A map; see :class:`pellucid.explain.steps.records.Grid`."""

    name: str
    title: str
    values: Rows
    border: tuple[Pair, Pair]
    unseen: list[Pair]
    notes: tuple[str, ...]


class StepperPhase(Message):
    """A run of steps that fill one map."""

    name: str
    first: int
    count: int


class StepperLit(Message):
    """Cells that a step reads; those of a border lie outside the map."""

    grid: str
    cells: tuple[Pair, ...]


class StepperWork(Message):
    """The arithmetic of a step; see :class:`pellucid.explain.steps.records.Work`."""

    grid: str
    target: Pair
    lit: list[StepperLit]
    patch: Rows
    weights: Rows
    products: Rows
    bias: float
    total: float
    value: float


class StepperMove(Message):
    """What one step does, and the sentence on it."""

    phase: str
    work: StepperWork | None
    sentence: str


class StepperMoves(Message):
    """Consecutive steps, from the step ``first``."""

    first: int
    moves: list[StepperMove]


class StepperScene(StepperMoves):
    """All maps, the phases, how many milliseconds each step is to be looked at, and what the kernel is called."""

    grids: list[StepperGrid]
    phases: list[StepperPhase]
    durations: tuple[int, ...]
    kernel: str
    description: str


class StepperSaving(Message):
    """The steps as a file."""

    setting: StepperSetting
    format: Literal["gif", "png", "svg", "html"]


class StepperFile(Message):
    """A file: its name, kind (MIME type), and content as base64."""

    name: str
    kind: str
    data: str


class StepperImage(Message):
    """A picture to begin with."""

    name: str
    values: Rows


class StepperKernel(Message):
    """A kernel of the gallery, and what it is for."""

    name: str
    about: str
    values: Rows


class StepperChoices(Message):
    """What there is to begin with."""

    images: list[StepperImage]
    kernels: list[StepperKernel]


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "stepper.scene": (StepperAsked, StepperScene),
    "stepper.moves": (StepperAsked, StepperMoves),
    "stepper.save": (StepperSaving, StepperFile),
    "stepper.choices": (Nothing, StepperChoices),
}
