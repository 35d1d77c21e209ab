"""Frames of the steps as text: in the colours of a terminal, or plain."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.text import Text

from pellucid.explain.steps.frame import Frame, Grid, Scene
from pellucid.types import Pair
from pellucid.views.sheet import AMBER
from pellucid.views.stepper.colours import GONE, faded, on, ramp_of
from pellucid.views.stepper.draw import PHASES
from pellucid.views.stepper.numbers import decimals, short

_GAP = 3
_LIT = f"bold underline #1b1f24 on {AMBER}"
_KEYS = "space plays and pauses · ← → step · Home · End · b backward · q quits"


@dataclass(frozen=True, slots=True)
class _Block:
    """A map as lines of one width."""

    lines: tuple[Text, ...]
    width: int


def screen(scene: Scene, frame: Frame, width: int, height: int, *, is_playing: bool) -> Text:
    """Lay a frame out for a terminal: all maps with their numbers, or as much as there is room for."""
    head = Text(f"step {frame.step} of {len(scene) - 1}{'  ' if is_playing else ', paused  '}", "dim")
    names = [phase.name for phase in scene.phases if phase.name in PHASES]
    for index, name in enumerate(names):
        head.append(" › " if index else "", "dim")
        head.append(PHASES[name], "bold" if name == frame.phase else "dim")
    said = [Text(line) for line in wrap(frame.sentence, max(1, width))]
    foot = Text(_KEYS, "dim")
    foot.truncate(width, overflow="ellipsis")
    head.truncate(width, overflow="ellipsis")
    room = height - len(said) - 4
    body = _fitting(scene, frame, width, room)
    return Text("\n").join([head, Text(), *body, Text(), *said, foot])


def plain(scene: Scene, frame: Frame, width: int) -> str:
    """Write the maps of a frame, their sizes and the formulas; numbers of a border are in parentheses."""
    blocks = [_block(scene, grid, frame, signs=False, notes=True) for grid in scene.grids]
    return "\n".join(line.plain.rstrip() for line in _flow(blocks, width))


def _fitting(scene: Scene, frame: Frame, width: int, room: int) -> list[Text]:
    """Show all maps, those of this step or the one that it fills, with numbers or signs: what there is room for."""
    every, present = list(scene.grids), _present(scene, frame)
    choices = [(grids, signs) for grids in (every, present) for signs in (False, True)]
    for grids, signs in (choices[0], choices[2], choices[1], choices[3], (present[-1:], False), (present[-1:], True)):
        lines = _flow([_block(scene, grid, frame, signs=signs) for grid in grids], width)
        if len(lines) <= room and all(len(line.plain) <= width for line in lines):
            return lines
    return [Text("The maps need more room.", "dim")]


def _present(scene: Scene, frame: Frame) -> list[Grid]:
    if frame.work is None:
        return [scene.grid("image"), scene.grid("kernel")]
    names = [*(lit.grid for lit in frame.work.lit), frame.work.grid]
    return [scene.grid(name) for name in names]


def _block(scene: Scene, grid: Grid, frame: Frame, *, signs: bool, notes: bool = False) -> _Block:
    """Write a map with its name; ``signs`` leaves only +, − and 0 of its numbers."""
    lit = _lit(grid, frame)
    (top, _), (left, _) = grid.border
    places = decimals([value for row in grid.values for value in row], 3)
    cells = [
        [_sign(value) if signs else _word(grid, (y - top, x - left), value, places) for x, value in enumerate(row)]
        for y, row in enumerate(grid.values)
    ]
    wide = max(len(word) for row in cells for word in row)
    lines = [Text(f"{grid.title} {grid.inner[0]}×{grid.inner[1]}", "bold")]
    for y, row in enumerate(frame.maps[grid.name]):
        line = Text()
        for x, value in enumerate(row):
            place = (y - top, x - left)
            mark = "╱" if place in grid.unseen else " "
            word = "·" if value is None else cells[y][x]
            style = _LIT if place in lit else _style(scene, grid, (y, x), value)
            line.append(f"{word:>{wide}}{mark}", style)
        lines.append(line)
    if notes:
        lines += [Text(note, "dim") for note in grid.notes]
        lines += [Text("╱ covered by no window", "dim")] if grid.unseen else []
    return _Block(tuple(lines), max(len(line.plain) for line in lines))


def _lit(grid: Grid, frame: Frame) -> set[Pair]:
    """Return the cells that a step reads or fills."""
    if frame.work is None:
        return set()
    lit = {cell for lit in frame.work.lit if lit.grid == grid.name for cell in lit.cells}
    return lit | ({frame.work.target} if frame.work.grid == grid.name else set())


def _sign(value: float) -> str:
    return "+" if value > 0 else "−" if value < 0 else "0"


def _word(grid: Grid, cell: Pair, value: float, places: int) -> str:
    text = short(value, places)
    return text if grid.holds(cell) else f"({text})"


def _style(scene: Scene, grid: Grid, cell: Pair, value: float | None) -> str:
    if value is None:
        return "dim"
    (top, _), (left, _) = grid.border
    face = ramp_of(scene, grid.name).colour(value)
    if grid.name == "relu" and scene.grid("conv").values[cell[0]][cell[1]] < 0:
        face = GONE
    if not grid.holds((cell[0] - top, cell[1] - left)):
        face = faded(face)
    return f"{on(face)} on {face}"


def _flow(blocks: Sequence[_Block], width: int) -> list[Text]:
    """Put blocks beside each other, and below where there is no more room."""
    rows: list[list[_Block]] = []
    for block in blocks:
        used = sum(one.width + _GAP for one in rows[-1]) if rows else 0
        if rows and used + block.width <= width:
            rows[-1].append(block)
        else:
            rows.append([block])
    lines: list[Text] = []
    for row in rows:
        lines += [Text()] if lines else []
        for index in range(max(len(block.lines) for block in row)):
            line = Text()
            for block in row:
                part = block.lines[index] if index < len(block.lines) else Text()
                line.append_text(part)
                line.append(" " * (block.width - len(part.plain) + (_GAP if block is not row[-1] else 0)))
            lines.append(line)
    return lines
