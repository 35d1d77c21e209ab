"""What a drawing of steps consists of: boxes, words and lines in pixels, painted by Pillow, as SVG or by a browser.

Colours are "#rrggbb" or one of the names in ``THEME``, which a page may set anew for the dark.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pellucid.views.sheet import AMBER, INK, MUTED, PAPER, RULE

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

THEME = {"paper": PAPER, "ink": INK, "muted": MUTED, "rule": RULE, "soft": "#eef0f2", "amber": AMBER}
DARK = {
    "paper": "#14171a",
    "ink": "#e8e6e1",
    "muted": "#a3a9b1",
    "rule": "#363b42",
    "soft": "#22272c",
    "amber": AMBER,
}


class Box(NamedTuple):
    """A rectangle: filled, unless ``face`` is "none", with an edge that lies around it, unless that is "none"."""

    layer: int
    x: float
    y: float
    width: float
    height: float
    face: str
    edge: str = "none"
    line: float = 0


class Words(NamedTuple):
    """A line of text, its middle at the height of ``y``; ``align`` is left, middle or right of ``x``."""

    layer: int
    x: float
    y: float
    text: str
    size: float
    colour: str
    bold: bool = False
    align: str = "left"


class Line(NamedTuple):
    """A straight line."""

    layer: int
    x0: float
    y0: float
    x1: float
    y1: float
    colour: str
    width: float


Mark: TypeAlias = Box | Words | Line


class Drawing(NamedTuple):
    """Marks of a frame: ``still`` are in all later frames, too, ``moving`` in this one only.

    ``origin`` is the upper left corner.
    """

    width: int
    height: int
    still: tuple[Mark, ...]
    moving: tuple[Mark, ...]
    origin: tuple[int, int] = (0, 0)

    @property
    def marks(self) -> list[Mark]:
        """All marks in the order in which they are painted."""
        return sorted((*self.still, *self.moving), key=lambda mark: mark.layer)


@lru_cache(64)
def font(size: float, bold: bool) -> "FreeTypeFont":
    """Return the face that comes with Matplotlib; Pillow's own lacks ⌊, − and ×."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


@lru_cache(8192)
def measure(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a line of text in pixels."""
    return float(font(size, bold).getlength(text))


def attributes(mark: Mark) -> dict[str, Any]:
    """Return a mark as an SVG element's attributes, its name under "tag", its words under "text"."""
    if isinstance(mark, Box):
        box = {"tag": "rect", "x": mark.x, "y": mark.y, "width": mark.width, "height": mark.height, "fill": mark.face}
        if mark.edge == "none":
            return box
        half = mark.line / 2
        grown = {"x": mark.x - half, "y": mark.y - half, "width": mark.width + mark.line}
        return box | grown | {"height": mark.height + mark.line, "stroke": mark.edge, "stroke-width": mark.line}
    if isinstance(mark, Line):
        ends = {"x1": mark.x0, "y1": mark.y0, "x2": mark.x1, "y2": mark.y1}
        return {"tag": "line", **ends, "stroke": mark.colour, "stroke-width": mark.width}
    anchor = {"left": "start", "middle": "middle", "right": "end"}[mark.align]
    words = {"tag": "text", "x": mark.x, "y": round(mark.y + 0.36 * mark.size, 2), "fill": mark.colour}
    words |= {"font-size": mark.size, "text-anchor": anchor, "text": mark.text}
    return words | ({"font-weight": "bold"} if mark.bold else {})
