"""Training runs: what they are told, and what they tell while they train and afterwards."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Message, Nothing, Tensor

RunName = Annotated[str, Field(max_length=100)]
RunState = Literal["waiting", "training", "stopping", "elsewhere", "paused", "interrupted", "failed", "finished"]
"""``elsewhere`` is trained by another program, ``interrupted`` was killed; the others are what they say."""

MOST_PICTURES = 24
"""Of one kind of confusion that are shown."""


class TrainSettings(Message):
    """What to train, on what, and how: the options of ``pellucid train``.

    ``network`` is a name of the zoo or a listing, as :mod:`pellucid.zoo.listing` has them.
    """

    network: str = Field("pooled28", max_length=4000)
    data: str = Field("fashion-mnist-mini", max_length=100)
    epochs: int = Field(8, ge=1, le=1000)
    batch_size: int = Field(64, ge=1, le=4096)
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = Field(0.05, gt=0, le=100)
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "one-cycle"
    augment: str = Field("flip", max_length=200)
    seed: int = Field(0, ge=0, lt=2**53)


class TrainNetwork(Message):
    """A network of the zoo; ``small`` ones are quick to train here."""

    name: str
    parameters: int
    small: bool


class TrainData(Message):
    """A data set that has a name; ``here`` says whether it is on this machine, else ``command`` fetches it."""

    name: str
    pictures: int
    shape: list[int]
    classes: list[str]
    here: bool
    command: str


class TrainChoices(Message):
    """What can be chosen."""

    networks: list[TrainNetwork]
    data: list[TrainData]
    folder: str


class TrainRun(Message):
    """A run by its name."""

    run: RunName


class TrainBrief(Message):
    """A line in the list of runs; ``accuracy`` is that of the test, or of the last validation before it."""

    run: str
    state: RunState
    network: str
    data: str
    augment: str
    epoch: int
    epochs: int
    accuracy: float | None
    tested: bool
    created: float


class TrainRuns(Message):
    """All runs of the folder, the latest first."""

    runs: list[TrainBrief]


class TrainNewsAsked(Message):
    """What has come after a step."""

    run: RunName
    after: int = Field(0, ge=0)


class TrainPoint(Message):
    """Means over the steps since the last point, over the images that were trained on."""

    step: int
    loss: float
    accuracy: float
    learning_rate: float


class TrainEpoch(Message):
    """The end of an epoch; validation is on images held back."""

    epoch: int
    step: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None


class TrainNews(Message):
    """How a run stands; ``points`` are those after the step asked about, all others are whole.

    ``seconds`` were trained so far, ``seconds_left`` are likely to follow; both count training and not the test.
    ``accuracy`` is that of the test at the end; ``frames`` is the step of the last filters.
    """

    run: str
    state: RunState
    reason: str
    settings: TrainSettings
    name: str
    created: float
    step: int
    steps: int
    steps_per_epoch: int
    points: list[TrainPoint]
    history: list[TrainEpoch]
    seconds: float
    seconds_left: float | None
    images_per_second: float | None
    accuracy: float | None
    can_conclude: bool
    frames: int


class TrainFrame(Message):
    """The filters of the first convolution, (O, C, KH, KW), after a step."""

    step: int
    epoch: float
    weights: Tensor


class TrainFrames(Message):
    """Filters after the step asked about; ``layer`` is "" where the network has no convolution of its own weights."""

    layer: str
    frames: list[TrainFrame]


class TrainMistake(Message):
    """A test image: its class, what it was called and how surely, and its pixels (C, H, W) from 0 to 1."""

    index: int
    truth: int
    called: int
    sure: float
    pixels: Tensor


class TrainResults(Message):
    """The test at the end. ``confusion`` has a row for each true class and a column for each that it was called.

    ``totals`` are the images of each true class.

    ``uncertainty`` is half the width of the accuracy's 95 % interval; ``worst`` are the surest mistakes.
    """

    accuracy: float
    uncertainty: float
    loss: float
    images: int
    classes: list[str]
    per_class: list[float | None]
    confusion: list[list[int]]
    totals: list[int]
    worst: list[TrainMistake]


class TrainConfusedAsked(Message):
    """Images of one cell of the confusion matrix."""

    run: RunName
    truth: int = Field(ge=0)
    called: int = Field(ge=0)


class TrainConfused(Message):
    """The surest of them, at most so many as fit on a page, and how many there are."""

    pictures: list[TrainMistake]
    count: int


class TrainPair(Message):
    """Two runs."""

    first: RunName
    second: RunName


class TrainDifference(Message):
    """A setting that differs, as text; "" where there is none."""

    setting: str
    first: str
    second: str


class TrainFacts(Message):
    """What a run is and came to. None where it is not known (yet)."""

    parameters: int | None
    macs: int | None
    seconds: float | None
    accuracy: float | None
    uncertainty: float | None
    loss: float | None


class TrainComparison(Message):
    """Two runs beside one another."""

    differences: list[TrainDifference]
    first: TrainFacts
    second: TrainFacts


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "train.choices": (Nothing, TrainChoices),
    "train.runs": (Nothing, TrainRuns),
    "train.start": (TrainSettings, TrainRun),
    "train.resume": (TrainRun, TrainRun),
    "train.pause": (TrainRun, TrainRun),
    "train.conclude": (TrainRun, TrainRun),
    "train.delete": (TrainRun, Nothing),
    "train.news": (TrainNewsAsked, TrainNews),
    "train.filters": (TrainNewsAsked, TrainFrames),
    "train.results": (TrainRun, TrainResults),
    "train.confused": (TrainConfusedAsked, TrainConfused),
    "train.compare": (TrainPair, TrainComparison),
}
