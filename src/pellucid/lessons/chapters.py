"""The chapters of the course, read from the files in ``course/``.

A file begins with "# title", a summary and "exercises: kind …". Each "## heading" begins a section; "figure: name
key=value …" says what stands beside it. The rest is in the notation of ``markup.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pellucid.errors import ParameterError, nearest
from pellucid.lessons.markup import Block, blocks

PARTS: dict[str, tuple[str, ...]] = {
    "channels": ("picture", "kernels", "bias", "sum", "map"),
    "convolve": ("picture", "kernel", "window", "sum", "map", "positive", "negative", "relu", "pool"),
    "counts": (
        "convolution", "dense-one-per-filter", "dense-same-output", "standard", "4-groups", "depthwise",
        "depthwise-separable",
    ),
    "field": ("pixels", "middle", "jump"),
    "filters": ("filter",),
    "funnel": ("maps", "channels", "dense"),
    "layer": ("weights", "biases", "maps"),
    "pixels": ("pixel", "right", "below", "vector"),
    "scores": ("scores", "shares", "loss", "gradient"),
    "turned": ("picture", "shares"),
    "windows": ("window", "padding", "unseen", "output", "formula"),
}  # fmt: skip
"""What words can light, by figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Which figure stands beside a section, and how it is set at first."""

    name: str
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a chapter, with the figure beside it."""

    title: str
    figure: Figure
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter: ``name`` stands in addresses, ``exercises`` are the kinds that go with it."""

    number: int
    name: str
    title: str
    summary: str
    exercises: tuple[str, ...]
    sections: tuple[Section, ...]


@cache
def chapters() -> tuple[Chapter, ...]:
    """Return all chapters, in order.

    >>> [chapter.name for chapter in chapters()][:3]
    ['pixels', 'convolution', 'edges']
    """
    folder = files("pellucid.lessons") / "course"
    found = sorted(
        (file.name, file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".md")
    )
    return tuple(read(*one) for one in found)


def chapter(name: str) -> Chapter:
    """Return a chapter by its name or number. Raises ParameterError, with the nearest names, where there is none.

    >>> chapter("2").name
    'convolution'
    """
    found = {key: one for one in chapters() for key in (one.name, str(one.number))}
    if name not in found:
        raise ParameterError(f"There is no chapter {name!r:.60}; {nearest(name, [one.name for one in chapters()])}.")
    return found[name]


def read(file: str, text: str) -> Chapter:
    """Read a chapter from a file named such as "03-edges.md". Raises ParameterError where it breaks the notation."""
    head, *rest = re.split(r"^## ", text, flags=re.MULTILINE)
    title, summary, kinds = (part.strip() for part in re.split(r"\n\s*\n", head.strip()))
    number, _, name = file.removesuffix(".md").partition("-")
    return Chapter(
        number=int(number),
        name=name,
        title=title.removeprefix("# "),
        summary=summary,
        exercises=tuple(kinds.removeprefix("exercises:").split()),
        sections=tuple(_section(part, file) for part in rest),
    )


def _section(text: str, file: str) -> Section:
    title, first, prose = (part.strip() for part in re.split(r"\n\s*\n", text, maxsplit=2))
    name, *settings = first.removeprefix("figure:").split()
    if name not in PARTS:
        raise ParameterError(f"There is no figure '{name}' for {file}; {nearest(name, PARTS)}.")
    found = blocks(prose)
    for span in (span for block in found for line in block.lines for span in line if span.kind == "part"):
        if span.to not in PARTS[name]:
            raise ParameterError(
                f"The figure '{name}' of {file} has no part '{span.to}'; {nearest(span.to, PARTS[name])}."
            )
    return Section(title, Figure(name, dict(setting.split("=", 1) for setting in settings)), found)
