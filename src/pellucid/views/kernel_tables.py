"""Kernels in a terminal: the gallery, a description, a composition, a ranking."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pellucid.explain.kernels.composition import Collapse
from pellucid.explain.kernels.describe import Description
from pellucid.explain.kernels.gallery import Entry
from pellucid.explain.kernels.matrices import whole_numbers, write_number
from pellucid.explain.kernels.ranking import Response
from pellucid.explain.numbers import fixed
from pellucid.types import Array
from pellucid.views.text import bar

_COLUMNS, _ROWS = 64, 16
"""Characters and lines that the numbers of a kernel may take."""
_BAR = 18


def entries(found: Sequence[Entry]) -> RenderableType:
    """Lay out the gallery: each kernel with what it does, and its settings where there are more than an angle."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for entry in found:
        about = Text(entry.about)
        if entry.parameters not in ((), ("angle",)):
            about.append(f"\nsettings: {', '.join(entry.parameters)}", style="dim")
        table.add_row(entry.name, about)
    hint = "Settings follow a colon: gabor:size=11,angle=30. Edges and lines can be turned, too: sobel-x:angle=45."
    return Group(table, "", Text(hint, style="dim"))


def description(values: Array, found: Description) -> RenderableType:
    """Lay out a kernel's numbers, where there is room for them, and its description."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for word, said in found.lines():
        table.add_row(word, Text(said))
    return Group(*_numbers(values), table)


def composition(found: Collapse, what: Description) -> RenderableType:
    """Lay out the kernel that two in turn are, and what was found on a picture."""
    return Group(description(found.composed, what), "", Text(found.text()))


def ranking(found: Sequence[Response]) -> Table:
    """Lay out how strongly kernels answer, as bars."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for header in ("kernel", "energy"):
        table.add_column(header, no_wrap=True)
    for header in ("", "smallest", "largest"):
        table.add_column(header, justify="right", no_wrap=True)
    most = max(response.energy for response in found) or 1.0
    for response in found:
        shown = Text(bar(response.energy / most, _BAR).ljust(_BAR), style="blue")
        ends = (_signed(end) for end in (response.smallest, response.largest))
        table.add_row(Text(response.name), shown, f"{response.energy:.4f}", *ends)
    return table


def _signed(value: float) -> str:
    """Write a number with its sign, to a thousandth.

    >>> _signed(-0.25), _signed(0.5), _signed(-0.0001)
    ('−0.250', '+0.500', '0')
    """
    if abs(value) < 0.0005:
        return "0"
    return "+" * (value > 0) + fixed(value, 3)


def _numbers(values: Array) -> list[RenderableType]:
    """Return a kernel's rows of numbers, whole ones over a divisor where they can be; nothing if they are too wide."""
    whole, divisor = whole_numbers(values, 999) or (values, 1)
    words = [[write_number(value) for value in row] for row in whole.tolist()]
    width = max(len(word) for row in words for word in row)
    if (width + 2) * values.shape[1] > _COLUMNS or values.shape[0] > _ROWS:
        return []
    rows = ["  ".join(word.rjust(width) for word in row) for row in words]
    rows[len(rows) // 2] += f"   ÷ {divisor}" if divisor > 1 else ""
    return [Text("\n".join(rows)), ""]
