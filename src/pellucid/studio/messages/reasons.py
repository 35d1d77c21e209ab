"""Inspect, what takes seconds: which pixels count, what excites a unit, which filters were learned."""

from typing import Annotated

from pydantic import Field

from pellucid.studio.messages.base import Message, Standing, Tensor
from pellucid.studio.messages.subjects import Box, Index, InspectSubject, LayerName, Target


class InspectAttributionAsked(Message):
    """Which pixels a class's score comes from, by a method; by default of the likeliest class."""

    subject: InspectSubject
    method: Annotated[str, Field(max_length=40)]
    index: Index | None = None
    sanity: bool = False


class InspectAttribution(Message):
    """The map (H, W) on the image, and what it says; ``verdict`` is that of the sanity check, if it was asked for."""

    map: Tensor
    name: str
    words: list[str]
    verdict: list[str]


class InspectAttributionStanding(Standing):
    """How far an attribution is."""

    result: InspectAttribution | None


class InspectDreamAsked(Message):
    """What picture excites a channel of a layer most, or a cell of it, or a unit; ``seed`` gives another one."""

    target: Target
    layer: LayerName
    channel: Index
    y: Index | None = None
    x: Index | None = None
    seed: int = Field(default=0, ge=0, lt=1 << 31)


class InspectDream(Message):
    """The picture (C, H, W) from 0 to 1, its score, that of where it began, and the best of a data set's pictures."""

    picture: Tensor
    score: float
    start: float
    best: float | None
    data: str | None
    scores: Tensor
    stuck: bool
    what: str


class InspectDreamStanding(Standing):
    """How far a dream is."""

    result: InspectDream | None


class InspectPatchesAsked(Message):
    """Which parts of a data set's pictures excite a channel most."""

    target: Target
    layer: LayerName
    channel: Index
    data: str = Field(max_length=100)


class InspectPatch(Message):
    """A picture's part: the whole picture (C, H, W) from 0 to 1, and the box of what the cell sees."""

    value: float
    index: int
    label: str
    picture: Tensor
    box: Box


class InspectPatches(Message):
    """The parts, the most exciting first, of so many pictures."""

    patches: list[InspectPatch]
    pictures: int


class InspectPatchesStanding(Standing):
    """How far the search for patches is."""

    result: InspectPatches | None


class InspectFiltersAsked(Message):
    """The filters of a convolution, by default of the first."""

    target: Target
    layer: LayerName | None = None


class InspectGabor(Message):
    """A Gabor function fitted to a filter: the plane that was fitted, the function's values there, and how well."""

    plane: Tensor
    fitted: Tensor
    r2: float | None


class InspectFilters(Message):
    """Filters (O, C, KH, KW) of a layer, at most so many as are shown ``of`` all; their lengths.

    ``gabors`` are empty where filters are too small for a fit, which has nine numbers; ``random_r2`` is what random
    filters of that size reach in the median, ``median_r2`` what these do.
    """

    layer: str
    of: int
    weights: Tensor
    norms: list[float]
    gabors: list[InspectGabor]
    median_r2: float | None
    random_r2: float | None


class InspectFiltersStanding(Standing):
    """How far the look at filters is."""

    result: InspectFilters | None
