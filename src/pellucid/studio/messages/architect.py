"""Architect: a network as a row of blocks, and its account."""

from typing import Annotated

from pydantic import Field

from pellucid.studio.messages.base import Message, Nothing

LONGEST = 4000
"""Signs of the longest listing."""

ArchitectShape = list[int]
"""(C, H, W), or (N,) behind a flattening."""


class ArchitectSetting(Message):
    """A number of a kind of block: its name as in PyTorch, its letter in a listing, its usual value, its range."""

    name: str
    letter: str
    usual: int
    least: int
    most: int


class ArchitectKind(Message):
    """A kind of block. Where it fits the classes, a first setting of 0 means as many as there are classes."""

    word: str
    settings: list[ArchitectSetting]
    fits_classes: bool


class ArchitectNetwork(Message):
    """A network of the zoo: its account in short; without a ``design``, it is no row of blocks."""

    name: str
    input: ArchitectShape
    classes: int
    parameters: int
    macs: int
    layers: int
    paper: str
    design: str


class ArchitectKinds(Message):
    """All kinds of blocks."""

    kinds: list[ArchitectKind]


class ArchitectNetworks(Message):
    """All networks of the zoo."""

    networks: list[ArchitectNetwork]


class ArchitectAsked(Message):
    """A listing, as :mod:`pellucid.zoo.listing` has them, or the name of a network of the zoo."""

    design: Annotated[str, Field(max_length=LONGEST)]


class ArchitectFormula(Message):
    """What is computed, and how, the numbers put in."""

    of: str
    text: str


class ArchitectRow(Message):
    """A layer as ``pellucid summary`` has it; ``field`` and ``jump`` are (rows, columns), none where all is seen."""

    name: str
    op: str
    output: ArchitectShape
    parameters: int
    macs: int
    bytes: int
    field: list[float]
    jump: list[float]
    formulas: list[ArchitectFormula]


class ArchitectValue(Message):
    """A setting of a block as it is."""

    name: str
    value: int


class ArchitectBlock(Message):
    """A block, or a layer of a network that cannot be changed: then ``word`` and ``text`` are empty.

    ``rows`` are its layers; one that does not fit has an ``error`` and none. ``remarks`` are worth a look.
    """

    word: str
    text: str
    name: str
    settings: list[ArchitectValue]
    output: ArchitectShape
    parameters: int
    macs: int
    bytes: int
    rows: list[ArchitectRow]
    error: str
    remarks: list[str]


class ArchitectStage(Message):
    """A solid of the funnel: ``plane`` is (rows, columns), empty where there are only numbers."""

    name: str
    channels: int
    plane: list[int]
    parameters: int
    macs: int


class ArchitectShare(Message):
    """What one kind of layer has of all parameters and multiply-adds."""

    op: str
    parameters: int
    macs: int


class ArchitectHead(Message):
    """The same network with global average pooling and one dense layer in the place of its dense head."""

    design: str
    parameters: int


class ArchitectAccount(Message):
    """A network's account; the numbers are those of ``pellucid summary``.

    ``design`` is its listing in its shortest form, empty where it is no row of blocks; ``name`` that of the zoo. Blocks
    that do not fit are left out of all numbers; ``trainable``: all fit and leave a number for each class.
    """

    design: str
    name: str
    input: ArchitectShape
    classes: int
    blocks: list[ArchitectBlock]
    parameters: int
    buffers: int
    macs: int
    parameter_bytes: int
    activation_bytes: int
    inference_bytes: int
    training_bytes: int
    stages: list[ArchitectStage]
    shares: list[ArchitectShare]
    averaged: ArchitectHead | None
    trainable: bool
    pellucid: str
    torch: str


QUESTIONS: dict[str, tuple[type[Message], type[Message]]] = {
    "architect.kinds": (Nothing, ArchitectKinds),
    "architect.networks": (Nothing, ArchitectNetworks),
    "architect.account": (ArchitectAsked, ArchitectAccount),
}
