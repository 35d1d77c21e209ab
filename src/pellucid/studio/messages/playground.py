"""The playground: a drawing, and what kernels make of it at once."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import KERNEL_SIZE, Border, Message, Nothing, Picture, Tensor

LARGEST = 64
"""Rows and columns of the largest drawing."""
MOST_KERNELS = 12

Side = Annotated[int, Field(ge=8, le=LARGEST)]
Place = Annotated[int, Field(ge=0, lt=LARGEST)]
KernelSide = Annotated[int, Field(ge=1, le=KERNEL_SIZE)]


class PlaygroundMapsAsked(Message):
    """A drawing (H, W) of numbers from 0 to 1, and kernels (KH, KW); ``flip`` turns each by 180° first."""

    drawing: Tensor
    kernels: list[Tensor] = Field(min_length=1, max_length=MOST_KERNELS)
    border: Border = "zeros"
    flip: bool = False


class PlaygroundResponse(Message):
    """How strongly a kernel of norm 1 answers: the mean square of its map, its largest and its smallest number."""

    energy: float
    largest: float
    smallest: float


class PlaygroundMaps(Message):
    """The map of each kernel, (K, H, W), how strongly each answers, and who answers most: kernels by their numbers."""

    maps: Tensor
    responses: list[PlaygroundResponse]
    order: list[int]


class PlaygroundCellAsked(Message):
    """One cell of one kernel's map."""

    drawing: Tensor
    kernel: Tensor
    border: Border = "zeros"
    flip: bool = False
    y: Place
    x: Place


class PlaygroundCell(Message):
    """Where a cell's number comes from: patch × weights = products, all (KH, KW), and their sum.

    The weights lie as they were slid. ``top`` and ``left`` say where the window begins on the drawing, which it may
    overhang; ``rows`` and ``columns`` from where its numbers were read, −1 where the border's zeros were. ``explained``
    is the sum of the products shown in float64, at most ``bound`` away from the engine's ``value``.
    """

    patch: Tensor
    weights: Tensor
    products: Tensor
    top: int
    left: int
    rows: list[int]
    columns: list[int]
    value: float
    explained: float
    bound: float


class PlaygroundReachAsked(Message):
    """One pixel of a drawing of this size, and the sizes of kernels."""

    height: Side
    width: Side
    kernels: list[tuple[KernelSide, KernelSide]] = Field(max_length=MOST_KERNELS)
    border: Border = "zeros"
    y: Place
    x: Place


class PlaygroundReached(Message):
    """The rows and columns of a map whose cells read the pixel."""

    rows: list[int]
    columns: list[int]


class PlaygroundReach(Message):
    """What each kernel's map has of the pixel."""

    maps: list[PlaygroundReached]


class PlaygroundKernelAsked(Message):
    """A kernel (KH, KW) that wants a name."""

    kernel: Tensor


class PlaygroundMatch(Message):
    """Which kernel of the gallery it is: ``scale`` times that, mirrored left to right if so, then turned.

    ``settings`` are what its name is followed by ("size=5,sigma=1.20"); ``error`` is what is left over, as a share.
    """

    name: str
    settings: str
    scale: str
    turn: int
    mirrored: bool
    error: float
    also: list[str]


class PlaygroundKernel(Message):
    """What is known of a kernel; see :class:`pellucid.explain.kernels.describe.Description`.

    ``edges`` is the angle of the lines or edges that it prefers, degrees counter-clockwise from the horizontal, and
    ``bright`` the side that edges are answered most from; ``column`` times ``row`` is the kernel where it is separable.
    """

    match: PlaygroundMatch | None
    zero: bool
    total: str
    balanced: bool
    parity: Literal["even", "odd", "neither"]
    unchanged: list[str]
    opposite: list[str]
    column: list[str] | None
    row: list[str] | None
    rank: int
    bright: float | None
    edges: float | None
    detector: bool
    band: Literal["all-pass", "low-pass", "band-pass", "high-pass", "boost", "none"]


class PlaygroundExhibit(Message):
    """A kernel of the gallery, by the text that `read_kernel` reads; formulas scaled to 1, in hundredths."""

    name: str
    text: str
    kernel: Tensor


class PlaygroundGallery(Message):
    """The kernels of the gallery that fit, in its order."""

    kernels: list[PlaygroundExhibit]


class PlaygroundPictureAsked(Message):
    """A picture that is to be drawn on a grid with sides of ``size``."""

    picture: Picture
    size: Side


class PlaygroundPicture(Message):
    """It, in the middle cut to a square, grey, reduced: (size, size) from 0 to 1."""

    drawing: Tensor


class PlaygroundSamples(Message):
    """The data sets on this machine, and how many test pictures each has."""

    data: dict[str, int]


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "playground.maps": (PlaygroundMapsAsked, PlaygroundMaps),
    "playground.cell": (PlaygroundCellAsked, PlaygroundCell),
    "playground.reach": (PlaygroundReachAsked, PlaygroundReach),
    "playground.kernel": (PlaygroundKernelAsked, PlaygroundKernel),
    "playground.gallery": (Nothing, PlaygroundGallery),
    "playground.picture": (PlaygroundPictureAsked, PlaygroundPicture),
    "playground.samples": (Nothing, PlaygroundSamples),
}
