"""Networks as short texts: blocks in a row, each of which takes its channels from the one before.

``1x28x28to10-conv32.k3.p1-relu-pool2-flatten-linear128-relu-linear`` says: for images of 1×28×28 and 10 classes, a
convolution to 32 channels with kernels of 3 and padding 1, ReLU, 2×2 pooling, and so on; what is left out is as usual
in PyTorch, and the last block has as many outputs as there are classes. ``kinds.py`` has the words and letters. Such a
text stands wherever a network's name does: ``zoo.build(text)``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pellucid import nn
from pellucid.errors import ParameterError, PellucidError, ShapeError, nearest
from pellucid.nn.random import skip_init
from pellucid.types import Shape
from pellucid.zoo.kinds import KINDS, Kind, Setting
from pellucid.zoo.written import RESIDUAL, Layer, indented

MOST_BLOCKS = 120
_LONGEST = 4000
_HEAD = re.compile(r"(\d{1,5})x(\d{1,5})x(\d{1,5})to(\d{1,6})")
_WORD = re.compile(rf"({'|'.join(sorted(KINDS, key=len, reverse=True))})(\d{{0,6}})")
_SETTING = re.compile(r"([a-z])(\d{1,6})")
_LARGEST = 4096
_MOST_CLASSES = 65536


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a listing: its kind's word, and the settings that are not the usual ones, in the kind's order.

    >>> str(Block.of("conv", out_channels=32, kernel_size=3, padding=1))
    'conv32.p1'
    """

    word: str
    given: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, word: str, **settings: int) -> Block:
        """Make a block. Raises ParameterError where there is no such kind or setting, or a number is out of range."""
        if word not in KINDS:
            raise ParameterError(f"There is no block {word!r:.40}; {nearest(word, KINDS)}.")
        known = {setting.name: setting for setting in KINDS[word].settings}
        for name, value in settings.items():
            if name not in known:
                raise ParameterError(f"A block '{word}' has no setting {name!r:.40}; {nearest(name, known)}.")
            _check(word, known[name], value)
        named = ((name, settings.get(name, setting.usual)) for name, setting in known.items())
        return cls(word, tuple((name, value) for name, value in named if value != known[name].usual))

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return KINDS[self.word]

    def settings(self, classes: int = 0) -> dict[str, int]:
        """Return all settings; the outputs of a block that fits the classes are theirs, if given."""
        found = {setting.name: setting.usual for setting in self.kind.settings} | dict(self.given)
        if self.kind.fits_classes and classes:
            first = self.kind.settings[0].name
            found[first] = found[first] or classes
        return found

    def __str__(self) -> str:
        given, text = dict(self.given), self.word
        for setting in self.kind.settings:
            if setting.name in given:
                text += f".{setting.letter}{given[setting.name]}" if setting.letter else str(given[setting.name])
        return text


@dataclass(frozen=True, slots=True)
class Placed:
    """A block in its place: its layer's name, its layer and the shape after it.

    Where it does not fit, ``error`` says why, it has no layer, and the shape stays as it is: the blocks behind it are
    placed as if it were not there.
    """

    block: Block
    name: str
    layer: Layer | None
    output: Shape
    error: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Blocks in a row, for images of shape ``input`` (C, H, W) and a number of classes. ``str()`` gives the text."""

    input: Shape
    classes: int
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if len(self.input) != 3 or not all(1 <= extent <= _LARGEST for extent in self.input):
            raise ParameterError(
                f"The images of a listing must be (C, H, W), each from 1 to {_LARGEST:,}; got {self.input}."
            )
        if not 1 <= self.classes <= _MOST_CLASSES:
            raise ParameterError(f"A listing must have from 1 to {_MOST_CLASSES:,} classes; got {self.classes:,}.")
        if len(self.blocks) > MOST_BLOCKS:
            raise ParameterError(f"A listing may have {MOST_BLOCKS} blocks at most; got {len(self.blocks)}.")

    def __str__(self) -> str:
        head = f"{'x'.join(map(str, self.input))}to{self.classes}"
        return "-".join([head, *map(str, self.blocks)])

    def names(self) -> list[str]:
        """Name the layers after their kinds, with a number where there are several of one.

        >>> parse("1x28x28to10-conv4.p1-relu-pool2-conv8.p1-relu-pool2-flatten-linear").names()
        ['conv1', 'relu1', 'pool1', 'conv2', 'relu2', 'pool2', 'flatten', 'fc']
        """
        times = Counter(block.kind.name for block in self.blocks)
        so_far, found = Counter[str](), []
        for name in (block.kind.name for block in self.blocks):
            so_far[name] += 1
            found.append(f"{name}{so_far[name]}" if times[name] > 1 else name)
        return found

    def placed(self) -> list[Placed]:
        """Follow the shapes through the blocks, and say of each that does not fit why.

        >>> [(place.name, place.output, place.error[:29]) for place in parse("1x8x8to2-linear-flatten").placed()]
        [('fc', (1, 8, 8), 'A dense layer needs a row of '), ('flatten', (64,), '')]
        """
        shape, found = self.input, []
        for block, name in zip(self.blocks, self.names(), strict=True):
            try:
                layer = block.kind.layer(shape, block.settings(self.classes))
                after = _after(layer, name, shape)
            except PellucidError as error:
                found.append(Placed(block, name, None, shape, str(error)))
                continue
            shape = after
            found.append(Placed(block, name, layer, shape))
        return found

    def network(self) -> nn.Module:
        """Build the network, with fresh weights. Raises ShapeError where a block does not fit, or there is none."""
        placed = self.placed()
        for number, place in enumerate(placed, 1):
            if place.error:
                raise ShapeError(f"Block {number}, '{place.block}', does not fit: {place.error}")
        return assembled(placed)

    def code(self, package: str = "pellucid") -> str:
        """Write the blocks that fit as Python: for package "pellucid", or "torch".

        >>> print(parse("1x8x8to2-conv4.p1-relu-gap-flatten-linear").code("torch"))
        import torch.nn as nn
        <BLANKLINE>
        # images of 1×8×8, 2 classes
        net = nn.Sequential(
            # → 4×8×8
            nn.Conv2d(1, 4, kernel_size=3, padding=1),
            nn.ReLU(),
            # → 4×1×1
            nn.AdaptiveAvgPool2d(1),
            # → 4
            nn.Flatten(),
            # → 2
            nn.Linear(4, 2),
        )
        <BLANKLINE>
        """
        shape, lines, needs = self.input, "", False
        for place in self.placed():
            if place.layer is not None:
                lines += f"# → {_size(place.output)}\n" if place.output != shape else ""
                lines += f"{place.layer},\n"
                needs, shape = needs or place.layer.has_residual, place.output
        helper = f"\n\n{RESIDUAL}\n\n" if needs else "\n"
        about = f"# images of {_size(self.input)}, {self.classes:,} classes"
        return f"import {package}.nn as nn\n{helper}{about}\nnet = nn.Sequential(\n{indented(lines)})\n"

    def averaged(self) -> Listing:
        """Put global average pooling and one dense layer in the place of the flattening and all that follows it.

        >>> str(parse("1x8x8to2-conv4-relu-flatten-linear64-relu-linear").averaged())
        '1x8x8to2-conv4-relu-gap-flatten-linear'
        """
        words = [block.word for block in self.blocks]
        kept = list(self.blocks[: words.index("flatten")] if "flatten" in words else self.blocks)
        while kept and kept[-1].word in ("adaptive", "gap", "dropout"):
            kept.pop()
        return replace(self, blocks=(*kept, Block("gap"), Block("flatten"), Block("linear")))


def is_listing(text: str) -> bool:
    """Tell whether a text begins as a listing does, with the size of its images."""
    return _HEAD.match(text) is not None


def parse(text: str) -> Listing:
    """Read a listing. Raises ParameterError where it is none.

    >>> parse("3x32x32to10-conv6.k5-relu-pool2").blocks[0].given
    (('out_channels', 6), ('kernel_size', 5))
    """
    head, *words = text.split("-")
    sizes = _HEAD.fullmatch(head)
    if sizes is None or len(text) > _LONGEST:
        raise ParameterError(
            f"A network's listing must begin with images and classes, such as 1x28x28to10-conv8-relu, and be no longer "
            f"than {_LONGEST:,} signs; got {text[:40]!r}."
        )
    channels, height, width, classes = map(int, sizes.groups())
    return Listing((channels, height, width), classes, tuple(map(_block, words)))


def assembled(placed: Iterable[Placed]) -> nn.Module:
    """Make a network of the blocks that fit. Raises ShapeError where there is none."""
    layers = {place.name: place.layer.make() for place in placed if place.layer is not None}
    if not layers:
        raise ShapeError("A network needs at least one block that fits its images; add one.")
    return nn.Sequential(layers)


def _block(text: str) -> Block:
    first, *rest = text.split(".")
    word = _WORD.fullmatch(first)
    if word is None:
        raise ParameterError(f"There is no block {first!r:.40}; {nearest(first.rstrip('0123456789'), KINDS)}.")
    letters = {setting.letter: setting.name for setting in KINDS[word[1]].settings}
    found = [("", word[2])] if word[2] else []
    for part in rest:
        match = _SETTING.fullmatch(part)
        if match is None:
            raise ParameterError(f"A block's setting must be a letter and a number, such as k3; got {part!r:.40}.")
        found.append((match[1], match[2]))
    settings: dict[str, int] = {}
    for letter, number in found:
        if letter not in letters or letters[letter] in settings:
            known = ", ".join(sorted(letter for letter in letters if letter)) or "none"
            raise ParameterError(f"A block '{word[1]}' has the settings {known}, each once; got {letter + number!r}.")
        settings[letters[letter]] = int(number)
    return Block.of(word[1], **settings)


def _check(word: str, setting: Setting, value: int) -> None:
    if not setting.least <= value <= setting.most:
        raise ParameterError(
            f"The '{setting.name}' of a block '{word}' must be from {setting.least} to {setting.most:,}; got {value:,}."
        )


def _after(layer: Layer, name: str, shape: Shape) -> Shape:
    """Return the shape behind a layer. Raises ShapeError where it does not fit."""
    with skip_init():
        module = nn.Sequential({name: layer.make()})
    with module.evaluating():
        graph = module.graph((1, *shape))
    return next(iter(graph.outputs.values())).shape[1:]


def _size(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
