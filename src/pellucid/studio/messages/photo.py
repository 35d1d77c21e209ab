"""Filters on a person's photo: a quick preview while settings change, the whole photo as a file."""

from typing import Annotated, Literal

from pydantic import Field

from pellucid.studio.messages.base import Border, Message, Nothing, Tensor, Upload

PhotoResult = Literal["clip", "scale", "signed", "absolute"]


class PhotoDrawn(Message):
    """A picture that Pellucid draws."""

    kind: Literal["drawn"]
    name: Literal["landscape", "card"]


PhotoSource = Annotated[PhotoDrawn | Upload, Field(discriminator="kind")]


class PhotoShowAsked(Message):
    """A photo to look at."""

    photo: PhotoSource


class PhotoShown(Message):
    """A photo: its size, bits of a number, and a small version of it, a JPEG file as base64."""

    height: int
    width: int
    bits: int
    colour: bool
    alpha: bool
    preview: str
    preview_height: int
    preview_width: int


class PhotoNamed(Message):
    """A kernel of the gallery, with its settings; a strength s mixes it with the photo, (1 − s)·photo + s·filtered."""

    kind: Literal["named"]
    name: str = Field(max_length=40)
    settings: dict[Literal["size", "angle", "sigma", "wavelength", "phase"], float] = Field(default={})
    strength: float = Field(default=1.0, ge=0, le=4)


class PhotoTyped(Message):
    """A kernel of one's own (KH, KW)."""

    kind: Literal["typed"]
    kernel: Tensor
    strength: float = Field(default=1.0, ge=0, le=4)


class PhotoEdges(Message):
    """Edges, found by a pair of kernels: how strong they are, or their direction in colours."""

    kind: Literal["edges"]
    pair: Literal["sobel", "prewitt", "scharr"]
    shows: Literal["magnitude", "direction"]


PhotoEffect = Annotated[PhotoNamed | PhotoTyped | PhotoEdges, Field(discriminator="kind")]


class PhotoWork(Message):
    """What is to be done to which photo; without a result, the one that suits the kernel."""

    photo: PhotoSource
    effect: PhotoEffect
    border: Border = "reflect"
    result: PhotoResult | None = None


class PhotoPreview(Message):
    """The small photo, filtered, as a JPEG file in base64; ``seconds`` are what the filter alone took.

    ``low`` and ``high`` are the sums that became black and white, or the ends of the signed colours; ``result`` is
    None for edges. ``kernel`` is what was slid over the photo, strength included; ``adjustable`` whether a strength
    means anything, which it does where the kernel's numbers sum to 1.
    """

    preview: str
    result: PhotoResult | None
    low: float
    high: float
    seconds: float
    kernel: Tensor | None
    adjustable: bool


class PhotoSaved(Message):
    """The whole photo, filtered, as a PNG file in base64; ``seconds`` are what the filter alone took."""

    name: str
    file: str
    seconds: float


class PhotoThumb(Message):
    """What an effect makes of a photo: "magnitude" and "direction" of edges, or a kernel's name; JPEG as base64."""

    effect: str
    picture: str


class PhotoThumbs(Message):
    """A few effects to choose from."""

    effects: list[PhotoThumb]


class PhotoSetting(Message):
    """A number that shapes a kernel: from where to where it goes, in which steps, and what it is at first."""

    name: Literal["size", "angle", "sigma", "wavelength", "phase"]
    low: float
    high: float
    step: float
    first: float


class PhotoKernel(Message):
    """A kernel of the gallery and what can be set."""

    name: str
    settings: list[PhotoSetting]


class PhotoKernels(Message):
    """The gallery, and the colours of directions of edges, from 0° on in steps of 30°."""

    kernels: list[PhotoKernel]
    directions: list[str]


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "photo.kernels": (Nothing, PhotoKernels),
    "photo.show": (PhotoShowAsked, PhotoShown),
    "photo.thumbs": (PhotoShowAsked, PhotoThumbs),
    "photo.preview": (PhotoWork, PhotoPreview),
    "photo.save": (PhotoWork, PhotoSaved),
}
