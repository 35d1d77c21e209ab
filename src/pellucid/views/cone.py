"""How far the layers of a network see, as a cone in profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.analysis.fields import Field, Number, covers
from pellucid.graph import Graph
from pellucid.types import Pair
from pellucid.views.outline import contents, describe, main_node, outline
from pellucid.views.sheet import BLUE, INK, MUTED, ORANGE, WIDTH, Sheet, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 16


@dataclass(frozen=True, slots=True)
class Sight:
    """What every cell of a block sees; ``field`` has no size where it is the whole image."""

    name: str
    what: str
    field: Field

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        size, jump = self.field.size, self.field.jump
        return {
            "name": self.name,
            "what": self.what,
            "field": size and [float(extent) for extent in size],
            "jump": jump and [float(extent) for extent in jump],
        }


def sights(graph: Graph) -> tuple[Sight, ...]:
    """Return the fields along the way that all paths share, where they grow."""
    found: list[Sight] = []
    for block in outline(graph):
        field = block.layers[-1].field
        if block.is_trunk and field is not None and (not found or found[-1].field.size != field.size):
            node = main_node(block)
            what = contents(block) if block.is_folded else describe(node)
            found.append(Sight(block.name.removesuffix(f".{node.op.kind.lower()}"), what, field))
    if found and found[0].field.size == (1, 1):
        del found[0]
    return tuple(found)


def cone(graph: Graph, name: str = "") -> Figure:
    """Draw how far each layer sees, in profile, beside the width of the image.

    ``name`` is that of the network, for the heading.

    >>> from pellucid import zoo
    >>> cone(zoo.build("tiny").graph((1, 1, 28, 28))).get_label()
    'Receptive fields: 3, 4, 8, 10, all'
    """
    found = sights(graph)
    image = next(iter(graph.inputs.values())).shape
    plane = (image[-2], image[-1])
    sizes = [_size(sight.field) for sight in found]
    profile = _Profile(plane, found)
    sheet = Sheet(WIDTH, profile.bottom + 40, f"Receptive fields: {', '.join(sizes)}")
    sheet.text((_MARGIN, 18), name or "layer", bold=bool(name), width=176)
    for x, words in ((540, "field"), (584, "jump")):
        sheet.text((x, 18), words, size=7, colour=MUTED, align="right")
    profile.draw(sheet)
    for y, sight, words in zip(profile.heights, found, sizes, strict=True):
        is_all = covers(sight.field, plane)
        sheet.text((_MARGIN, y), sight.name, size=7.5, width=86)
        sheet.text((_MARGIN + 90, y), sight.what, size=6.5, colour=MUTED, width=88)
        sheet.text((540, y), words, bold=is_all, colour=ORANGE if is_all else INK, align="right", size=7.5)
        jump = sight.field.jump and _extent(sight.field.jump)
        sheet.text((584, y), jump or "", size=7.5, colour=MUTED, align="right")
    legend = "Blue: the pixels that a cell sees, across; orange: beyond the image's border, where only padding is."
    sheet.text((_MARGIN, profile.bottom + 14), legend, size=7, colour=MUTED)
    jumps = "Jump: pixels from one cell's field to the next one's. Orange numbers: as large as the image, or larger."
    sheet.text((_MARGIN, profile.bottom + 25), jumps, size=7, colour=MUTED)
    return sheet.figure


class _Profile:
    """Bars as wide as the fields, one below the other; what is beyond the image in another colour."""

    middle, reach, row, thick = 353, 150, 15, 9
    wide = 2.6
    """How many times the image's width is drawn, at most."""

    def __init__(self, plane: Pair, found: Sequence[Sight]) -> None:
        self.image = plane[1]
        self.widths = [sight.field.size[1] if sight.field.size else None for sight in found]
        largest = max((float(width) for width in self.widths if width is not None), default=1.0)
        self.most = min(max(largest, self.image), self.wide * self.image)
        self.heights = [48 + self.row * index for index in range(len(found))]
        self.bottom = 48 + self.row * len(found)

    def draw(self, sheet: Sheet) -> None:
        """Draw the image's borders, the bars, and the cone between them."""
        half = self._half(self.image)
        last: tuple[float, float] = 0.5, 32
        for width, y in zip(self.widths, self.heights, strict=True):
            wide = self._half(self.image if width is None else width)
            corners = [(self.middle + sign * x, at) for sign, x, at in self._between(last, (wide, y - self.thick / 2))]
            if width is not None:
                sheet.polygon(corners, tint(BLUE, 0.1))
            self._bar(sheet, wide, half, y, width)
            last = wide, y + self.thick / 2
        for sign in (-1, 1):
            x = self.middle + sign * half
            sheet.line([(x, 27), (x, self.bottom)], INK, width=0.9, dashed=True, on_top=True)
        sheet.text((self.middle, 18), f"image, {self.image} pixels across", size=7, colour=INK, align="center")

    def _half(self, width: Number) -> float:
        return self.reach * min(float(width), self.most) / self.most

    def _bar(self, sheet: Sheet, wide: float, half: float, y: float, width: Number | None) -> None:
        top, bottom = y - self.thick / 2, y + self.thick / 2
        if wide > half:
            point = 5 if width is not None and width > self.most else 0  # cut off: it goes on
            ends = [(-wide, top), (wide, top), (wide + point, y), (wide, bottom), (-wide, bottom), (-wide - point, y)]
            sheet.polygon([(self.middle + x, at) for x, at in ends], tint(ORANGE, 0.45))
        inside = min(wide, half)
        corners = [(-inside, top), (inside, top), (inside, bottom), (-inside, bottom)]
        sheet.polygon([(self.middle + x, at) for x, at in corners], tint(BLUE, 0.75 if width is not None else 1))
        if width is None:
            sheet.text((self.middle, y), "the whole image", size=6.5, colour="#ffffff", align="center")

    @staticmethod
    def _between(one: tuple[float, float], other: tuple[float, float]) -> list[tuple[int, float, float]]:
        (a, top), (b, bottom) = one, other
        return [(-1, a, top), (1, a, top), (1, b, bottom), (-1, b, bottom)]


def _extent(pair: tuple[Number, Number]) -> str:
    rows, columns = (f"{float(number):.4g}" for number in pair)
    return rows if rows == columns else f"{rows}×{columns}"


def _size(field: Field) -> str:
    return "all" if field.size is None else _extent(field.size)
