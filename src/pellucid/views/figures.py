"""Curves as SVG that follows the page: light or dark, in the reader's own font."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.views.pictures import data_uri

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# Colours that Matplotlib writes and the style below then takes the place of: (placeholder, name, light, dark).
_INK = ("#010101", "ink", "#1b1f24", "#e8e6e1")
_MUTED = ("#020202", "muted", "#5b626b", "#a3a9b1")
_RULE = ("#030303", "rule", "#dfe2e6", "#363b42")
_SERIES = (("#040404", "first", "#1f5fa8", "#7ab8f5"), ("#050505", "second", "#b4530a", "#f3ad4e"))
THEMED = (_INK, _MUTED, _RULE, *_SERIES)

_SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text: the browser sets it
    "svg.hashsalt": "pellucid",  # the same history gives the same bytes
    "font.family": "DejaVu Sans",  # what Matplotlib measures with; it comes with Matplotlib
    "font.size": 11,
    "axes.edgecolor": _RULE[0],
    "axes.labelcolor": _MUTED[0],
    "text.color": _INK[0],
    "text.parse_math": False,
    "xtick.color": _MUTED[0],
    "ytick.color": _MUTED[0],
}


@dataclass(frozen=True, slots=True)
class Curve:
    """A line over the epochs, named at its end."""

    name: str
    values: Sequence[float]


def curves(epochs: Sequence[int], lines: Sequence[Curve], *, percent: bool = False) -> str:
    """Draw one or two curves over the epochs and return the picture as an SVG address.

    ``percent`` writes shares as percentages.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(4.8, 3.1), facecolor="none")
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.12, 0.16, 0.69, 0.79), facecolor="none")
        axes.grid(axis="y", color=_RULE[0], linewidth=0.8)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, pad=6)
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        if percent:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
        axes.set_xlabel("epoch", loc="right")
        for line, (colour, *_) in zip(lines, _SERIES, strict=False):
            marker = "o" if len(epochs) < 15 else None
            axes.plot(epochs, line.values, color=colour, linewidth=1.8, marker=marker, markersize=3.5)
        if len(epochs) == 1:
            axes.set_xticks(list(epochs))
        _name_lines(axes, epochs, lines)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return data_uri(_themed(file.getvalue()).encode(), "svg+xml")


def _name_lines(axes: Any, epochs: Sequence[int], lines: Sequence[Curve]) -> None:
    """Write each line's name beside its end, apart from each other where the ends meet."""
    low, high = axes.get_ylim()
    apart = 0.085 * (high - low)
    places = [line.values[-1] for line in lines]
    if len(places) == 2 and abs(places[0] - places[1]) < apart:
        middle, sign = sum(places) / 2, 1 if places[0] >= places[1] else -1
        places = [middle + sign * apart / 2, middle - sign * apart / 2]
    for line, place, (colour, *_) in zip(lines, places, _SERIES, strict=False):
        axes.annotate(
            line.name,
            (epochs[-1], place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
        )


def _themed(svg: str) -> str:
    """Let the reader's light or dark setting choose the colours, and the reader's system the font."""
    style = _style(2) + "@media (prefers-color-scheme: dark) {" + _style(3) + "}"
    for placeholder, name, *_ in THEMED:
        svg = svg.replace(placeholder, f"var(--{name})")
    svg = svg.replace("'DejaVu Sans'", FONT).replace("DejaVu Sans", FONT)
    head, mark, body = svg[svg.index("<svg") :].partition(">")
    return f"{head}{mark}<style>{style}</style>{body}"


def _style(column: int) -> str:
    return ":root {" + "".join(f"--{entry[1]}: {entry[column]};" for entry in THEMED) + "}"


def learning_curves(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Draw loss and accuracy of a history's records; returns {"loss": address, "accuracy": address}."""
    epochs = [int(record["epoch"]) for record in history]
    drawn = {}
    for what in ("loss", "accuracy"):
        lines = [Curve("training", [record[what] for record in history])]
        held_back = [record.get(f"validation_{what}") for record in history]
        if all(value is not None for value in held_back):
            lines.append(Curve("validation", [float(value) for value in held_back if value is not None]))
        drawn[what] = curves(epochs, lines, percent=what == "accuracy")
    return drawn
