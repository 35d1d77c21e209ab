"""What all messages have in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_NUMBERS = 1 << 20
"""Numbers that a tensor from outside may hold."""
KERNEL_SIZE = 7
"""Rows and columns of the largest kernel that is typed."""


class Message(BaseModel):
    """Base of all messages: what is not declared is refused, and nothing changes once it is there."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class Tensor(Message):
    """Numbers: their shape, and float32 values in row-major order, little-endian, as base64."""

    shape: list[Annotated[int, Field(ge=0, le=MOST_NUMBERS)]] = Field(max_length=5)
    data: str = Field(max_length=MOST_NUMBERS * 16 // 3)


class Drawing(Message):
    """A picture drawn in the page: (C, H, W) numbers from 0 to 1."""

    kind: Literal["drawing"]
    values: Tensor


class Sample(Message):
    """A picture of a data set's test part."""

    kind: Literal["sample"]
    data: str = Field(max_length=100)
    index: int = Field(ge=0)


class Upload(Message):
    """A picture that was uploaded; see :mod:`pellucid.studio.uploads`."""

    kind: Literal["upload"]
    id: str = Field(max_length=64)


Picture = Annotated[Drawing | Sample | Upload, Field(discriminator="kind")]
"""Any picture that a room may be shown."""


Border = Literal["zeros", "replicate", "reflect", "circular"]
"""What stands around a picture."""


class Standing(Message):
    """How far work of seconds is: ``done`` steps ``of`` so many. Ask again until there is a ``result``."""

    done: int
    of: int


class Nothing(Message):
    """What is asked with, where there is nothing to say."""
