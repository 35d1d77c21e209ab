"""One table, written as text, Markdown or HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

_WIDTH = 80
_GAP = "  "
_SECOND = 12
"""Columns that the second one keeps."""


@dataclass(frozen=True)
class Table:
    """Rows of words under headings; ``numbers`` are the columns that stand to the right. ``notes`` follow below."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    total: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()
    notes: Sequence[str] = field(default_factory=tuple)

    def text(self, width: int = _WIDTH) -> str:
        """Write lines of at most so many columns: words of the second column, then of the first, are cut to fit.

        >>> print(Table(("layer", "MACs"), [("conv1", "324")], numbers=frozenset({1})).text())
        layer  MACs
        ───────────
        conv1   324
        """
        lines = [self.headings, *self.rows, *([self.total] if self.total else [])]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.headings))]
        for i, least in ((1, _SECOND), (0, len(self.headings[0]))):
            excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
            widths[i] = max(widths[i] - max(0, excess), min(widths[i], least))
        rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
        written = [self._line(self.headings, widths), rule, *(self._line(row, widths) for row in self.rows)]
        if self.total:
            written += [rule, self._line(self.total, widths)]
        return "\n".join([*written, *([""] if self.notes else []), *self.notes])

    def markdown(self) -> str:
        """Write a table of Markdown.

        >>> print(Table(("layer", "MACs"), [("conv1", "324")], numbers=frozenset({1})).markdown())
        | layer | MACs |
        | --- | ---: |
        | conv1 | 324 |
        """
        rule = tuple("---:" if i in self.numbers else "---" for i in range(len(self.headings)))
        total = tuple(f"**{word}**" if word else "" for word in self.total)
        lines = [self.headings, rule, *self.rows, *([total] if total else [])]
        written = ["| " + " | ".join(word.replace("|", "\\|") for word in line) + " |" for line in lines]
        return "\n".join([*written, *([""] if self.notes else []), *(f"- {note}" for note in self.notes)])

    def html(self) -> str:
        """Write a table of HTML, everything in it escaped."""
        head = self._html_row("th", self.headings)
        body = "".join(self._html_row("td", row) for row in self.rows)
        foot = f"<tfoot>{self._html_row('th', self.total)}</tfoot>" if self.total else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table>{notes}"

    def _line(self, words: Sequence[str], widths: Sequence[int]) -> str:
        first = words[0] if len(words[0]) <= widths[0] else "…" + words[0][1 - widths[0] :]
        second = words[1] if len(words[1]) <= widths[1] else words[1][: widths[1] - 1] + "…"
        cells = [
            word.rjust(width) if i in self.numbers else word.ljust(width)
            for i, (word, width) in enumerate(zip([first, second, *words[2:]], widths, strict=True))
        ]
        return _GAP.join(cells).rstrip()

    def _html_row(self, tag: str, words: Sequence[str]) -> str:
        style = ' style="text-align: right"'
        cells = (f"<{tag}{style if i in self.numbers else ''}>{escape(word)}</{tag}>" for i, word in enumerate(words))
        return f"<tr>{''.join(cells)}</tr>"
