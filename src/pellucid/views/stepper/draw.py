"""A frame of the steps as a drawing: the maps so far, the amber window, the products, the legend, the sentence."""

from collections.abc import Iterator
from functools import lru_cache, partial

from pellucid.explain.numbers import number
from pellucid.explain.steps.frame import Frame, Grid, Lit, Scene, Work
from pellucid.views.sheet import wrapped
from pellucid.views.stepper.colours import GONE, faded, on, ramp_of, ramps
from pellucid.views.stepper.layout import FORMULA, LABEL, PRODUCTS, Layout, Place, layout
from pellucid.views.stepper.marks import Box, Drawing, Line, Mark, Words, measure
from pellucid.views.stepper.numbers import fitted

_CELLS, _TEXT, _LINES, _WINDOW = range(4)
"""Layers, from below."""
_MARGIN, _HEAD, _SAID, _LEGEND = 30, 76, 74, 44
_SENTENCE, _SENTENCE_LINES = 16, 2
PHASES = {
    "conv": "convolution",
    "relu": "ReLU",
    "pool": "pool",
    "d_relu": "back to ReLU",
    "d_conv": "convolution",
    "d_kernel": "kernel",
    "d_bias": "bias",
    "d_image": "image",
}
_UNSEEN = "#c2410c"


def poster(scene: Scene, frame: Frame) -> Drawing:
    """Draw a frame with its title, its sentence and the way so far: for pictures that stand alone."""
    stage = maps(scene, frame)
    inner = max(stage.width, 580)
    track = Box(_CELLS, 0, 50 - _HEAD, inner, 4, "soft")
    moving = [*stage.moving, *_head(scene, frame, inner), *_sentence(frame.sentence, inner, stage.height + 30)]
    size = inner + 2 * _MARGIN, _HEAD + stage.height + _SAID
    return Drawing(*size, (track, *stage.still), tuple(moving), (-_MARGIN, -_HEAD))


def maps(scene: Scene, frame: Frame) -> Drawing:
    """Draw the maps of a frame and the legend of their colours."""
    places = layout(scene)
    still = [*_around(scene)]
    for grid in scene.grids:
        filled, empty = _filled(scene, grid.name), _empty(scene, grid.name)
        for row, whole, soft in zip(frame.maps[grid.name], filled, empty, strict=True):
            for value, drawn, box in zip(row, whole, soft, strict=True):
                if value is None:
                    still.append(box)
                else:
                    still += drawn
    moving = [] if frame.work is None else list(_window(scene, places, frame.phase, frame.work))
    height = places.height + 24 + _LEGEND * (2 if "d_relu" in scene else 1)
    return Drawing(places.width, height, tuple(still), tuple(moving))


@lru_cache(8)
def _around(scene: Scene) -> tuple[Mark, ...]:
    """Draw what never changes: names, signs, legend."""
    places = layout(scene)
    marks = [mark for grid in scene.grids for mark in _labels(places.places[grid.name])]
    marks += [Words(_TEXT, x, y, sign, 20, "muted", align="middle") for x, y, sign in places.signs]
    return *marks, *_legend(scene, places.height + 24)


def _labels(place: Place) -> Iterator[Mark]:
    yield Words(_TEXT, place.x, place.y - 13, place.label, LABEL, "ink", bold=True)
    if place.sized:
        x = place.x + measure(place.label, LABEL, True)
        yield Words(_TEXT, x, place.y - 13, place.sized.replace(" ", "\u00a0"), LABEL, "muted")
    for index, line in enumerate(place.captions):
        yield Words(_TEXT, place.x, place.y + place.height + 13 + 17 * index, line, FORMULA, "muted")


@lru_cache(64)
def _filled(scene: Scene, name: str) -> list[list[list[Mark]]]:
    """Draw all cells of a map."""
    grid, place = scene.grid(name), layout(scene).places[name]
    return [[list(_cell(scene, grid, place, y, x)) for x in range(grid.size[1])] for y in range(grid.size[0])]


@lru_cache(64)
def _empty(scene: Scene, name: str) -> list[list[Mark]]:
    """Draw all cells of a map as they are before they are filled."""
    grid, place = scene.grid(name), layout(scene).places[name]
    return [[_box(place, y, x, "soft") for x in range(grid.size[1])] for y in range(grid.size[0])]


def _cell(scene: Scene, grid: Grid, place: Place, y: int, x: int) -> Iterator[Mark]:
    value, ((top, _), (left, _)) = grid.values[y][x], grid.border
    is_gone = grid.name == "relu" and scene.grid("conv").values[y][x] < 0
    face = GONE if is_gone else ramp_of(scene, grid.name).colour(value)
    is_real = grid.holds((y - top, x - left))
    yield from _number(place, y, x, value, face if is_real else faded(face), pale=not is_real)
    if (y - top, x - left) in grid.unseen:
        yield from _unseen(*place.corner(y, x + 1), round(0.36 * place.cell))


def _unseen(right: float, top: float, size: float) -> Iterator[Mark]:
    """Cut the upper right corner of a cell off."""
    ends = (right - 2 - size, top + 1, right - 2, top + 1 + size)
    yield Line(_LINES, *ends, "#ffffff", 4)
    yield Line(_LINES, *ends, _UNSEEN, 2)


def _box(place: Place, y: int, x: int, face: str) -> Box:
    left, top = place.corner(y, x)
    return Box(_CELLS, left, top, place.cell - 1, place.cell - 1, face)


def _number(place: Place, y: int, x: int, value: float, face: str, *, pale: bool = False) -> Iterator[Mark]:
    """Fill a cell and write its number."""
    yield _box(place, y, x, face)
    left, top = place.corner(y, x)
    half = (place.cell - 1) / 2
    text, size = fitted(value, place.text, place.decimals, place.cell)
    yield Words(_TEXT, left + half, top + half, text, size, "#565c63" if pale else on(face), align="middle")


def _window(scene: Scene, places: Layout, phase: str, work: Work) -> Iterator[Mark]:
    """Frame in amber what is read and what is filled, and write the products where there is place for them."""
    for lit in work.lit:
        yield from _framed(places.places[lit.grid], scene.grid(lit.grid), lit)
    place = places.places[work.grid]
    yield _outline(place, *work.target, 1, 1, 3)
    if phase == "conv":
        yield from _products(scene, places, work)
    if phase in ("conv", "d_kernel"):
        yield from _factors(scene, places, work)
    if phase == "pool" and work.weights[0].count(1.0) == 1 and len(work.weights[0]) > 1:
        winner = work.lit[0].cells[work.weights[0].index(1.0)]
        yield _outline(places.places["relu"], *winner, 1, 1, 2, inset=4)


def _framed(place: Place, grid: Grid, lit: Lit) -> Iterator[Mark]:
    (top, _), (left, _) = grid.border
    cells = {(y + top, x + left) for y, x in lit.cells}
    if not cells:
        return
    ys, xs = {y for y, _ in cells}, {x for _, x in cells}
    high, wide = max(ys) - min(ys) + 1, max(xs) - min(xs) + 1
    if high * wide == len(cells):
        yield _outline(place, min(ys), min(xs), high, wide, 3)
    else:
        yield from (_outline(place, y, x, 1, 1, 2) for y, x in sorted(cells))


def _outline(place: Place, y: int, x: int, high: int, wide: int, line: int, inset: int = 0) -> Box:
    left, top = place.corner(y, x)
    width, height = wide * place.cell - 1 - 2 * inset, high * place.cell - 1 - 2 * inset
    return Box(_WINDOW, left + inset, top + inset, width, height, "none", "amber", line)


def _products(scene: Scene, places: Layout, work: Work) -> Iterator[Mark]:
    place, ramp = places.places[PRODUCTS], ramp_of(scene, PRODUCTS)
    yield from _labels(place)
    for y, row in enumerate(work.products):
        for x, value in enumerate(row):
            yield from _number(place, y, x, value, ramp.colour(value))
    lines = [f"sum {number(work.total - work.bias)}"]
    if work.bias:
        sign = "−" if work.bias < 0 else "+"
        lines.append(f"{sign} bias {number(abs(work.bias))} = {number(work.total)}")
    for index, line in enumerate(lines):
        yield Words(_TEXT, place.x, place.y + place.height + 13 + 17 * index, line, FORMULA, "ink", bold=True)


def _factors(scene: Scene, places: Layout, work: Work) -> Iterator[Mark]:
    """Write into each cell of the image's window what it is multiplied with."""
    place, grid = places.places["image"], scene.grid("image")
    size = round(0.24 * place.cell)
    if size < 8:
        return
    (top, _), (left, _) = grid.border
    weights = [weight for row in work.weights for weight in row]
    ramp = ramp_of(scene, "image")
    for (y, x), weight in zip(work.lit[0].cells, weights, strict=True):
        text = f"×{number(weight)}"
        if measure(text, size) > place.cell - 5 or (work.grid == "d_kernel" and not weight):
            continue
        right, above = place.corner(y + top + 1, x + left + 1)
        face = ramp.colour(grid.values[y + top][x + left])
        colour = on(face) if grid.holds((y, x)) else "#3d4248"
        yield Words(_TEXT, right - 4, above - 7, text, size, colour, align="right")


def _legend(scene: Scene, top: int) -> Iterator[Mark]:
    x, y = 0.0, top
    for ramp in ramps(scene):
        if ramp.title == "gradients of maps":
            yield from _notes(scene, x, y)
            x, y = 0.0, top + _LEGEND
        yield Words(_TEXT, x, y + 4, ramp.title, FORMULA, "muted")
        x += measure(ramp.title, FORMULA) + 8
        width = max(96.0, sum(measure(mark, FORMULA - 1) + 9 for mark in ramp.marks))
        step = width / len(ramp.samples)
        yield from (Box(_CELLS, x + i * step, y, step + 0.3, 9, face) for i, face in enumerate(ramp.samples))
        for index, mark in enumerate(ramp.marks):
            share = index / (len(ramp.marks) - 1)
            align = ("left", "middle", "right")[round(2 * share)]
            yield Words(_TEXT, x + share * width, y + 19, mark, FORMULA - 1, "muted", align=align)
        x += width + 28
    if y == top:
        yield from _notes(scene, x, y)


def _notes(scene: Scene, x: float, y: float) -> Iterator[Mark]:
    """Explain what is no colour of a scale."""
    notes = []
    if any(v < 0 for row in scene.grid("conv").values for v in row):
        notes.append(("box", GONE, "made 0 by ReLU"))
    if any(grid.unseen for grid in scene.grids):
        notes.append(("line", _UNSEEN, "covered by no window"))
    for kind, colour, words in notes:
        if kind == "box":
            yield Box(_CELLS, x, y - 2, 13, 13, colour)
        else:
            yield Box(_CELLS, x, y - 2, 13, 13, "soft")
            yield from _unseen(x + 14, y - 2, 8)
        yield Words(_TEXT, x + 19, y + 4, words, FORMULA, "muted")
        x += 19 + measure(words, FORMULA) + 22


def _head(scene: Scene, frame: Frame, width: int) -> Iterator[Mark]:
    """Write the names of the phases, the present one in bold, and show how far the steps are."""
    names = [phase.name for phase in scene.phases if phase.name in PHASES]
    size = 15
    while size > 10 and sum(measure(PHASES[name], size, True) + 22 for name in names) > width - 130:
        size -= 1
    x = 0.0
    for index, name in enumerate(names):
        if index:
            yield Words(_TEXT, x - 11, 30 - _HEAD, "›", size, "muted", align="middle")
        is_now = name == frame.phase
        yield Words(_TEXT, x, 30 - _HEAD, PHASES[name], size, "ink" if is_now else "muted", bold=is_now)
        x += measure(PHASES[name], size, is_now) + 22
    yield Words(_TEXT, width, 30 - _HEAD, f"step {frame.step} of {len(scene) - 1}", 13, "muted", align="right")
    share = frame.step / (len(scene) - 1)
    yield Box(_CELLS, 0, 50 - _HEAD, round(share * width), 4, "amber")


def _sentence(words: str, width: float, top: float) -> Iterator[Mark]:
    size = _SENTENCE
    while size > 9 and len(wrapped(words, width, partial(measure, size=size))) > _SENTENCE_LINES:
        size -= 1
    for index, line in enumerate(wrapped(words, width, partial(measure, size=size))):
        yield Words(_TEXT, 0, top + 23 * index, line, size, "ink")
