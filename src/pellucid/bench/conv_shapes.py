"""Shapes of convolutions, as text: one a line in ``benchmarks/shapes/NETWORK.txt``."""

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from pellucid.errors import FileError, ParameterError
from pellucid.types import Shape

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE / "shapes", _HERE.parents[2] / "benchmarks" / "shapes")
"""In an installed package, and in the repository."""

_NEEDED = ("n", "c", "h", "w", "k", "r", "s")
_USUAL = {"stride": 1, "pad": 0, "group": 1}
_NOTATION = "n64 c32 h28 w28 k32 r3 s3 stride1 pad1 group1"


@dataclass(frozen=True)
class ConvShape:
    """A convolution of images (n, c, h, w) with k filters of r × s cells.

    >>> str(ConvShape.parse("n64 c32 h28 w28 k32 r3 s3 stride1 pad1 group1"))
    'n64c32h28w28k32r3s3pad1'
    """

    n: int
    c: int
    h: int
    w: int
    k: int
    r: int
    s: int
    stride: int = 1
    pad: int = 0
    group: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < (name != "pad"):
                raise ParameterError(f"'{name}' of a convolution's shape must be at least 1; got {value}.")
        if self.c % self.group or self.k % self.group:
            raise ParameterError(
                f"The {self.group} groups of a convolution's shape must divide its {self.c} channels and "
                f"{self.k} filters."
            )
        if self.h + 2 * self.pad < self.r or self.w + 2 * self.pad < self.s:
            raise ParameterError(f"The kernel of a convolution's shape must fit into the image; got '{self}'.")

    @classmethod
    def parse(cls, text: str) -> "ConvShape":
        """Read the notation, with or without spaces; stride, pad and group may be left out.

        Raises ParameterError where it is not one.
        """
        pairs = re.findall(r"([a-z]+)(\d{1,9})\s*", text)
        read = {name: int(number) for name, number in pairs}
        written = "".join(name + number for name, number in pairs)
        complete = set(_NEEDED) <= set(read) <= {*_NEEDED, *_USUAL}
        if written != "".join(text.split()) or len(read) != len(pairs) or not complete:
            raise ParameterError(f"The shape of a convolution must be like '{_NOTATION}'; got {text!r:.100}.")
        return cls(**read)

    def __str__(self) -> str:
        needed = "".join(f"{name}{getattr(self, name)}" for name in _NEEDED)
        return needed + "".join(f"{n}{getattr(self, n)}" for n, usual in _USUAL.items() if getattr(self, n) != usual)

    @property
    def input(self) -> Shape:
        """Shape (n, c, h, w) of the images."""
        return self.n, self.c, self.h, self.w

    @property
    def weight(self) -> Shape:
        """Shape (k, c / group, r, s) of the filters."""
        return self.k, self.c // self.group, self.r, self.s


def read(path: Path) -> list[ConvShape]:
    """Read a file of shapes; "#" begins a comment.

    Raises FileError where it cannot be read, or naming the line that is not a shape.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The shapes in '{path}' cannot be read: {error}.") from error
    shapes = []
    for number, line in enumerate(lines, start=1):
        if text := line.partition("#")[0].strip():
            try:
                shapes.append(ConvShape.parse(text))
            except ParameterError as error:
                raise FileError(f"'{path}', line {number}: {error}") from None
    if len(set(map(astuple, shapes))) != len(shapes):
        raise FileError(f"'{path}' must name each shape once; some stand there twice.")
    return shapes


def listed() -> Iterator[tuple[str, ConvShape]]:
    """Yield (network, shape) from all files. Raises FileError where the folder is missing."""
    folder = next((place for place in _PLACES if place.is_dir()), None)
    if folder is None:
        raise FileError(f"The folder of shapes must be at '{_PLACES[0]}'; it is missing; install pellucid again.")
    for path in sorted(folder.glob("*.txt")):
        for shape in read(path):
            yield path.stem, shape
