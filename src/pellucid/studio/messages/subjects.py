"""A network and a picture: what the rooms that look into networks are asked about."""

from typing import Annotated

from pydantic import Field

from pellucid.studio.messages.base import Message, Picture

Target = Annotated[str, Field(min_length=1, max_length=120)]
LayerName = Annotated[str, Field(min_length=1, max_length=200)]
Index = Annotated[int, Field(ge=0, lt=1 << 20)]
Box = tuple[int, int, int, int]
"""(y0, x0, y1, x1), ends excluded."""


class InspectChange(Message):
    """How the picture is changed before the network sees it; see :mod:`pellucid.explain.shifts.change`."""

    right: float = Field(default=0, ge=-512, le=512)
    down: float = Field(default=0, ge=-512, le=512)
    rotation: float = Field(default=0, ge=-360, le=360)
    scale: float = Field(default=1, ge=0.1, le=10)
    blur: float = Field(default=0, ge=0, le=50)
    contrast: float = Field(default=1, ge=0, le=10)
    brightness: float = Field(default=1, ge=0, le=10)
    inversion: float = Field(default=0, ge=0, le=1)
    noise: float = Field(default=0, ge=0, le=1)


class InspectSubject(Message):
    """A network and a picture.

    ``centred`` lays a drawn digit out as MNIST's are; ``inverted`` makes black of white first, as paper needs.
    """

    target: Target
    picture: Picture
    centred: bool = False
    inverted: bool = False
    change: InspectChange | None = None
