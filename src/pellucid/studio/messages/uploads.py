"""What is told about a file that was uploaded."""

from typing import Literal

from pellucid.studio.messages.base import Message


class Kept(Message):
    """An uploaded file: how to ask for it, what it is, and the size of a picture, upright (None of a model)."""

    id: str
    kind: Literal["image", "model"]
    name: str
    width: int | None = None
    height: int | None = None


class Failure(Message):
    """Why there is no answer, in a sentence."""

    error: str


TOLD = (Kept, Failure)
"""What the page must know, though it does not come as the answer to a question."""
