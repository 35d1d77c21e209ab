"""The notation of chapters: a little Markdown, computed numbers, and links that light or lead somewhere.

    Text with *emphasis*, **terms**, `code` and {parameters 3 10 5}.     numbers: see numbers.py
    [the window](part:window)           lights that part of the figure beside it, and is lit by it
    [in the stepper](room:stepper?stride=2)      leads to a room with its state set
    [the chapter](chapter:pooling)  [try it](exercise:design)
    - an item of a list
    = a formula on a line of its own

Paragraphs are divided by empty lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pellucid.errors import ParameterError
from pellucid.lessons.numbers import filled

LINKS = ("part", "room", "chapter", "exercise")

_SPAN = re.compile(
    r"\[(?P<words>[^\]]+)\]\((?P<link>[a-z]+):(?P<to>[^)\s]+)\)"
    r"|\*\*(?P<strong>[^*]+)\*\*|\*(?P<emphasis>[^*]+)\*|`(?P<code>[^`]+)`"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Words of one kind: "text", "strong", "emphasis", "code" or one of :data:`LINKS`, which lead ``to`` something."""

    kind: str
    text: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A "paragraph", a "list" of lines or a "formula"."""

    kind: str
    lines: tuple[tuple[Span, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        lines = [[{"kind": span.kind, "text": span.text, "to": span.to} for span in line] for line in self.lines]
        return {"kind": self.kind, "lines": lines}

    @property
    def text(self) -> str:
        """The words alone."""
        return "\n".join("".join(span.text for span in line) for line in self.lines)


def blocks(text: str) -> tuple[Block, ...]:
    r"""Read paragraphs, lists and formulas.

    >>> [block.kind for block in blocks("One.\n\n- two\n- three\n\n= 1 + 1")]
    ['paragraph', 'list', 'formula']
    """
    return tuple(_block(part.strip()) for part in re.split(r"\n\s*\n", text) if part.strip())


def spans(text: str) -> tuple[Span, ...]:
    """Read a line. Raises ParameterError where a link leads to nothing that there is.

    >>> spans("See [the map](part:map), {size 8 3} cells.")[1:]
    (Span(kind='part', text='the map', to='map'), Span(kind='text', text=', 6 cells.', to=''))
    """
    found, end, text = list[Span](), 0, filled(text)
    for match in _SPAN.finditer(text):
        if match.start() > end:
            found.append(Span("text", text[end : match.start()]))
        found.append(_span(match))
        end = match.end()
    if end < len(text):
        found.append(Span("text", text[end:]))
    return tuple(found)


def _block(text: str) -> Block:
    if text.startswith("- "):
        return Block("list", tuple(spans(item) for item in re.split(r"(?:^|\n)- ", text) if item))
    if text.startswith("= "):
        return Block("formula", (spans(text.removeprefix("= ")),))
    return Block("paragraph", (spans(text),))


def _span(match: re.Match[str]) -> Span:
    if match["link"] is None:
        kind = next(kind for kind in ("strong", "emphasis", "code") if match[kind])
        return Span(kind, match[kind])
    if match["link"] not in LINKS:
        raise ParameterError(f"A link must be to one of {', '.join(LINKS)}; got '{match['link']}:{match['to']}'.")
    return Span(match["link"], match["words"], match["to"])
