"""A sheet to draw on: in points, from the upper left corner, written as SVG or PNG."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.sax.saxutils import escape

import numpy as np

from pellucid.errors import ParameterError
from pellucid.files import replacing
from pellucid.types import Array
from pellucid.views.figures import FONT, THEMED
from pellucid.views.scales import LEVELS, Scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point: TypeAlias = tuple[float, float]

INK, MUTED, RULE, BLUE, ORANGE = (light for _, _, light, _ in THEMED)
PAPER = "#ffffff"
AMBER = "#f5a300"
"""Of the window that is being looked through; dark enough on white, light enough on every scale."""
WIDTH = 600
"""Points: 800 pixels of a page."""

_MEASURED = "DejaVu Sans"
"""What text is measured with; it comes with Matplotlib."""
_PIXELS_PER_INCH = 192
"""Of a PNG: two pixels for each of a page's."""


class Sheet:
    """A figure of a width and height in points.

    The line ``title`` and the longer text ``about`` are read to those who cannot see it.
    """

    def __init__(self, width: float, height: float, title: str, about: str = "") -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / 72, height / 72), facecolor=PAPER)
        self.figure.set_label(f"{title}\n{about}" if about else title)
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(height, 0)

    def text(
        self,
        place: Point,
        words: str,
        *,
        size: float = 8,
        colour: str = INK,
        bold: bool = False,
        align: str = "left",
        width: float | None = None,
    ) -> None:
        """Write a line whose middle is at the height of ``place``; what is wider than ``width`` is cut."""
        words = " ".join(words.split())  # names from outside may hold tabs and line ends
        written = words if width is None else fitted(words, width, size, bold)
        self.axes.text(*place, written, color=colour, ha=align, va="center_baseline", **_style(size, bold))

    def polygon(self, points: Sequence[Point], face: str, edge: str = "none", width: float = 0.8) -> None:
        """Fill an area."""
        from matplotlib.patches import Polygon

        self.axes.add_patch(Polygon(points, facecolor=face, edgecolor=edge, linewidth=width, joinstyle="round"))

    def box(self, x: float, y: float, width: float, height: float, face: str, edge: str = "none") -> None:
        """Fill a rectangle with rounded corners."""
        from matplotlib.patches import FancyBboxPatch

        round_ = f"round,pad=0,rounding_size={min(3, width / 2, height / 2)}"
        patch = FancyBboxPatch((x, y), width, height, round_, facecolor=face, edgecolor=edge, linewidth=0.8)
        self.axes.add_patch(patch)

    def line(
        self,
        points: Sequence[Point],
        colour: str = MUTED,
        *,
        width: float = 1,
        dashed: bool = False,
        on_top: bool = False,
    ) -> None:
        """Draw a line through points, below areas or on top of them."""
        x, y = zip(*points, strict=True)
        style: dict[str, Any] = {"dashes": (3, 2)} if dashed else {}
        height = 3 if on_top else 0.5
        self.axes.plot(x, y, color=colour, linewidth=width, solid_joinstyle="round", zorder=height, **style)

    def picture(self, values: Array, x: float, y: float, width: float, height: float, scale: Scale) -> None:
        """Fill a rectangle with numbers (H, W) in the colours of a scale."""
        low, high = (scale.low, scale.high) if scale.high > scale.low else (scale.low - 1, scale.low + 1)
        self._show(values, x, y, width, height, cmap=scale.colours, vmin=low, vmax=high)

    def photo(self, pixels: Array, x: float, y: float, width: float, height: float) -> None:
        """Fill a rectangle with a picture, uint8 (H, W) or (H, W, 3)."""
        self._show(
            pixels, x, y, width, height, **({"cmap": "gray", "vmin": 0, "vmax": 255} if pixels.ndim == 2 else {})
        )

    def legend(self, scale: Scale, x: float, y: float, width: float) -> None:
        """Draw all colours of a scale, 9 points high, and below them its numbers: both ends, and 0 between."""
        self.picture(np.linspace(scale.low, scale.high, LEVELS)[None], x, y, width, 9, scale)
        marks = scale.marks
        places = (
            (("left", 0.0), ("right", 1.0)) if len(marks) == 2 else (("left", 0.0), ("center", 0.5), ("right", 1.0))
        )
        for mark, (align, share) in zip(marks, places, strict=True):
            self.text((x + share * width, y + 17), mark, size=7, align=align)

    def _show(self, values: Array, x: float, y: float, width: float, height: float, **colours: Any) -> None:
        style: dict[str, Any] = {"interpolation": "nearest", "aspect": "auto", "zorder": 1}
        self.axes.imshow(values, extent=(x, x + width, y + height, y), **style, **colours)
        self.axes.set_xlim(0, self.width)
        self.axes.set_ylim(self.height, 0)

    def arrow_head(self, tip: Point, colour: str = MUTED) -> None:
        """Draw the tip of an arrow that points down."""
        x, y = tip
        self.polygon([(x - 2.4, y - 4), (x + 2.4, y - 4), (x, y)], colour)


def tint(colour: str, share: float) -> str:
    """Mix a colour with white.

    >>> tint("#1f5fa8", 0.5)
    '#8fafd4'
    """
    parts = (int(colour[index : index + 2], 16) for index in (1, 3, 5))
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in parts)


@lru_cache(4096)
def measure(words: str, size: float, bold: bool = False) -> float:
    """Return the width of a line of text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    properties = FontProperties(family=_MEASURED, size=size, weight="bold" if bold else "normal")
    with _any_script():
        width: float = text_to_path.get_text_width_height_descent(words, properties, ismath=False)[0]
    return width


@contextmanager
def _any_script() -> Iterator[None]:
    """Let words of a script that the font lacks pass: an SVG shows them in the reader's font, a PNG as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def fitted(words: str, width: float, size: float, bold: bool = False) -> str:
    """Cut a line to a width."""
    if measure(words, size, bold) <= width:
        return words
    while words and measure(words + "…", size, bold) > width:
        words = words[:-1]
    return words.rstrip(" ,·") + "…"


def wrapped(text: str, width: float, measured: Callable[[str], float]) -> list[str]:
    """Break a text between words into lines of a width.

    >>> wrapped("a bar of three", 6, len)
    ['a bar', 'of', 'three']
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measured(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def check_picture(path: str | os.PathLike[str]) -> Path:
    """Raise ParameterError where a file's name does not say that it is SVG or PNG."""
    path = Path(path)
    if path.suffix.lower() not in (".svg", ".png"):
        raise ParameterError(f"The picture's file must end in .svg or .png; got '{path}'.")
    return path


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as SVG or PNG, as the file's name says; the same figure gives the same bytes.

    Raises ParameterError where the name ends otherwise, FileError where the file cannot be written.
    """
    import matplotlib

    path = check_picture(path)
    kind = path.suffix.lower()[1:]
    file = io.BytesIO()
    title, _, about = str(figure.get_label()).partition("\n")
    if kind == "svg":
        metadata: dict[str, Any] = {"Date": None, "Creator": None, "Title": title}
        with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pellucid"}), _any_script():
            figure.savefig(file, format="svg", metadata=metadata)
        svg = file.getvalue().decode().replace(f"'{_MEASURED}'", FONT).replace(_MEASURED, FONT)
        drawn = (svg.replace("</title>", f"</title>\n <desc>{escape(about)}</desc>", 1) if about else svg).encode()
    else:
        metadata = {"Software": None, "Title": title} | ({"Description": about} if about else {})
        with _any_script():
            figure.savefig(file, format="png", dpi=_PIXELS_PER_INCH, metadata=metadata)
        drawn = file.getvalue()
    with replacing(path) as temporary:
        temporary.write_bytes(drawn)


def _style(size: float, bold: bool) -> dict[str, Any]:
    weight = "bold" if bold else "normal"
    return {"fontsize": size, "fontweight": weight, "family": _MEASURED, "parse_math": False}
