"""The steps of convolve → ReLU → pool for eyes: as animation, as a strip of key frames, as a drawing, as a page.

All of them draw the same frames; nothing is computed here.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pellucid.errors import ParameterError
from pellucid.explain.numbers import number
from pellucid.explain.steps.frame import Frame, Scene, Slopes, frame, scene
from pellucid.explain.trace import Trace
from pellucid.files import replacing, write_text
from pellucid.views.stepper.draw import poster
from pellucid.views.stepper.marks import Drawing

FORMATS = (".gif", ".png", ".svg", ".html")

_FIRST, _THEN, _SLOW = 1400, 450, 1200
"""Milliseconds of a phase's first two steps, which are to be read, of the others, and of each in a short phase."""
_LONGEST, _SHORTEST = 16_000, 40
"""Milliseconds of a phase's other steps together, and of one step."""
_TURN, _LAST = 2600, 5000
_FRAMES = 600
"""Steps up to which an animation shows every one; of more, it leaves some out where many are alike."""


def check_format(path: str | os.PathLike[str]) -> Path:
    """Raise ParameterError where a file's name says no format that steps can be written in."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ParameterError(f"The file of the steps must end in {', '.join(FORMATS[:-1])} or .html; got '{path}'.")
    return path


def save(
    trace: Trace,
    path: str | os.PathLike[str],
    slopes: Slopes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the steps as the file's name says: .gif moves, .png shows key frames, .svg the last one, .html plays.

    ``progress`` is told how many of how many frames are drawn. Raises ParameterError where the name ends otherwise,
    FileError where the file cannot be written.
    """
    path = check_format(path)
    stage = scene(trace, slopes)
    kind = path.suffix.lower()
    if kind == ".html":
        from pellucid.views.stepper.page import page

        write_text(path, page(trace, title(stage), durations(stage), slopes))
    elif kind == ".svg":
        write_text(path, _svg(stage, frame(trace, len(stage) - 1, slopes)))
    else:
        from pellucid.views.stepper.raster import gif, strip

        about = title(stage), description(stage)
        keys = [poster(stage, frame(trace, step, slopes)) for step in key_steps(trace, slopes)]
        if kind == ".gif":
            steps, times = animated(stage)
            data = gif(_drawings(trace, stage, slopes, steps, progress), keys, times, about)
        else:
            data = strip(keys, about)
        with replacing(path) as temporary:
            temporary.write_bytes(data)


def durations(stage: Scene) -> tuple[int, ...]:
    """Return how many milliseconds each step is shown: a phase's first ones longer, long phases faster."""
    times: list[int] = []
    for phase in stage.phases:
        if phase.name in ("start", "back"):
            times.append(_TURN)
        elif phase.count <= 6:
            times += [_SLOW] * phase.count
        else:
            rest = phase.count - 2
            times += [_FIRST, _FIRST, *[max(_SHORTEST, min(_THEN, _LONGEST // rest // 10 * 10))] * rest]
    return *times[:-1], _LAST


def animated(stage: Scene) -> tuple[list[int], tuple[int, ...]]:
    """Return the steps that an animation shows, and for how many milliseconds each.

    Those are all, unless there are very many: then every second, third or so, shown for as long as those after it that
    are left out would be. A phase's first two and its last are always among them.
    """
    every, times = -(-len(stage) // _FRAMES), durations(stage)
    steps = [
        phase.first + index
        for phase in stage.phases
        for index in range(phase.count)
        if index < 2 or index % every == 0 or index == phase.count - 1
    ]
    ends = [*steps[1:], len(stage)]
    return steps, tuple(sum(times[step:end]) for step, end in zip(steps, ends, strict=True))


def key_steps(trace: Trace, slopes: Slopes | None = None) -> list[int]:
    """Return the steps that tell the story: of each phase the one that does most, of the last the last."""
    stage = scene(trace, slopes)
    return [
        phase.first + phase.count - 1 if phase is stage.phases[-1] else _strongest(trace, slopes, stage, phase.name)
        for phase in stage.phases
        if phase.name in stage and phase.name != "d_bias"
    ]


def _strongest(trace: Trace, slopes: Slopes | None, stage: Scene, name: str) -> int:
    """Return the step of a phase that fills the largest number; at ReLU, the one that takes the most away."""
    phase = next(phase for phase in stage.phases if phase.name == name)
    grid = stage.grid("conv" if name == "relu" else name)
    sign = -1 if name == "relu" else 1
    values = [value for row in grid.values for value in row]
    return phase.first + max(range(phase.count), key=lambda index: sign * values[index])


def title(stage: Scene) -> str:
    """Say in one line what is shown."""
    (rows, columns), (high, wide) = stage.grid("image").inner, stage.grid("kernel").size
    layers = ", ".join(grid.title for grid in stage.grids if grid.name in ("conv", "relu", "pool"))
    back = ", and their gradients" if "d_conv" in stage else ""
    return f"A {rows}×{columns} image and a {high}×{wide} kernel, step by step: {layers}{back}"


def description(stage: Scene) -> str:
    """Give all maps in words and numbers, for those who cannot see them."""
    lines = []
    for grid in stage.grids:
        rows, columns = grid.size
        numbers = "; ".join(" ".join(number(value) for value in row) for row in grid.values)
        border = " with its border" if grid.size != grid.inner else ""
        lines.append(f"{grid.title[0].upper()}{grid.title[1:]}{border}, {rows}×{columns}: {numbers}.")
    return " ".join(lines)


def _drawings(
    trace: Trace,
    stage: Scene,
    slopes: Slopes | None,
    steps: Sequence[int],
    progress: Callable[[int, int], None] | None,
) -> Iterator[Drawing]:
    for count, step in enumerate(steps, 1):
        yield poster(stage, frame(trace, step, slopes))
        if progress is not None:
            progress(count, len(steps))


def _svg(stage: Scene, shown: Frame) -> str:
    from pellucid.views.figures import FONT
    from pellucid.views.stepper.marks import THEME, attributes
    from pellucid.views.stepper.page import template

    drawing = poster(stage, shown)
    marks = [{name: THEME.get(value, value) for name, value in attributes(mark).items()} for mark in drawing.marks]
    about = {"title": title(stage), "description": f"{description(stage)} {shown.sentence}"}
    return template("step.svg.j2").render(drawing=drawing, marks=marks, font=FONT, paper=THEME["paper"], **about)
