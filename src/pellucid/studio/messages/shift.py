"""Shift lab: what moves a network's answers. The changed picture itself is asked for by "inspect.look"."""

from pydantic import Field

from pellucid.studio.messages.base import Message, Nothing, Standing
from pellucid.studio.messages.subjects import Target


class ShiftCurveAsked(Message):
    """How a network bears one kind of change, on pictures of a data set's test part that it must know."""

    target: Target
    data: str = Field(max_length=100)
    condition: str = Field(max_length=20)


class ShiftCurve(Message):
    """Accuracy, and mean probability of the true class, for each value of a change."""

    condition: str
    unit: str
    unchanged: float
    values: list[float]
    accuracy: list[float]
    confidence: list[float]
    images: int


class ShiftCurveStanding(Standing):
    """How far a curve is."""

    result: ShiftCurve | None


class ShiftLayersAsked(Message):
    """How far a network's layers follow shifts of a data set's pictures."""

    target: Target
    data: str = Field(max_length=100)


class ShiftLayer(Message):
    """How far a layer is from following a shift by 1, 2, … pixels: ‖f(shift x) − shift f(x)‖ / ‖shift f(x)‖.

    None where nothing can be compared. ``jump`` is the pixels from one cell to the next.
    """

    layer: str
    op: str
    jump: float
    errors: list[float | None]


class ShiftPooling(Message):
    """Of the cells of a max pooling that are not 0, the share that keep their number when the map moves by 1, 2, ….

    ``entering`` is the same for the map that enters: what would be left without pooling.
    """

    layer: str
    side: int
    stride: int
    live: list[float | None]
    entering: list[float | None]


class ShiftLayers(Message):
    """Layers and poolings, measured on so many pictures."""

    shifts: list[int]
    layers: list[ShiftLayer]
    poolings: list[ShiftPooling]
    images: int


class ShiftLayersStanding(Standing):
    """How far the measuring of layers is."""

    result: ShiftLayers | None


class ShiftRemedy(Message):
    """A network that was trained in another way: what was done, and its curves."""

    name: str
    network: str
    augment: str
    parameters: int
    accuracy: float
    curves: list[ShiftCurve]


class ShiftRemedies(Message):
    """Remedies that were trained alike, once, when this version was made: on which data, how long, from which seed."""

    data: str
    epochs: int
    seed: int
    remedies: list[ShiftRemedy]


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "shift.curve": (ShiftCurveAsked, ShiftCurveStanding),
    "shift.layers": (ShiftLayersAsked, ShiftLayersStanding),
    "shift.remedies": (Nothing, ShiftRemedies),
}
