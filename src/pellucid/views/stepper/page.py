"""The player: one HTML page that holds all frames and needs nothing but itself."""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pellucid.explain.numbers import number
from pellucid.explain.steps.frame import Grid, Scene, Slopes, frame, scene
from pellucid.explain.trace import Trace
from pellucid.views.figures import FONT
from pellucid.views.stepper.draw import PHASES, maps
from pellucid.views.stepper.layout import layout
from pellucid.views.stepper.marks import DARK, THEME, Mark, attributes

if TYPE_CHECKING:
    from jinja2 import Template


def page(trace: Trace, title: str, times: Sequence[int], slopes: Slopes | None = None) -> str:
    """Return the player of a trace's steps as HTML; ``times`` are milliseconds of each step.

    The page loads nothing and forbids itself to; without JavaScript it shows the maps as tables.
    """
    from markupsafe import Markup

    stage = scene(trace, slopes)
    width = layout(stage).width
    style = template("step.css.j2").render(font=Markup(FONT), light=THEME, dark=DARK, width=width)
    script = template("step.js.j2").render()
    told = data(trace, times, slopes)
    return template("step.html.j2").render(
        title=title,
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
        phases=[
            {"title": PHASES[p.name], "first": p.first, "count": p.count} for p in stage.phases if p.name in PHASES
        ],
        last=len(stage) - 1,
        turn=next((phase.first for phase in stage.phases if phase.name == "back"), None),
        width=width,
        height=maps(stage, frame(trace, 0, slopes)).height,
        sentence=told["frames"][0]["sentence"],
        grids=[_table(grid) for grid in stage.grids],
        data=Markup(json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")),
    )


def data(trace: Trace, times: Sequence[int], slopes: Slopes | None = None) -> dict[str, Any]:
    """Return what the player plays: all marks, and which of them each frame adds to the one before or takes away."""
    stage: Scene = scene(trace, slopes)
    numbers: dict[Mark, int] = {}
    frames, before = [], frozenset[int]()
    for step in range(len(stage)):
        shown = frame(trace, step, slopes)
        now = frozenset(numbers.setdefault(mark, len(numbers)) for mark in maps(stage, shown).marks)
        frames.append({"sentence": shown.sentence, "add": sorted(now - before), "drop": sorted(before - now)})
        before = now
    return {"frames": frames, "marks": [{"layer": m.layer, **attributes(m)} for m in numbers], "times": list(times)}


def template(name: str) -> "Template":
    """Return a template of this package; what is put into it is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    settings: dict[str, Any] = {"autoescape": True, "undefined": StrictUndefined}
    return Environment(
        loader=PackageLoader("pellucid.views"), trim_blocks=True, lstrip_blocks=True, **settings
    ).get_template(name)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _table(grid: Grid) -> dict[str, Any]:
    rows = [[number(value) for value in row] for row in grid.values]
    return {"title": grid.title, "size": grid.size, "inner": grid.inner, "notes": grid.notes, "rows": rows}
