"""A network's layers as boxes from the image down, with the ways that part and meet again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pellucid import ops
from pellucid.analysis.summary import amount
from pellucid.analysis.summary import size as written
from pellucid.graph import Graph
from pellucid.views.layout import NARROW, Layout, Link, Place, lay_out
from pellucid.views.outline import IMAGE, Block, contents, describe, heading, main_node, outline
from pellucid.views.sheet import BLUE, MUTED, ORANGE, PAPER, WIDTH, Point, Sheet, measure, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HALF_GAP = 7
_POOLING = (ops.AdaptiveAvgPool2d, ops.AvgPool2d, ops.LPPool2d, ops.MaxPool2d, ops.Mean)


def diagram(graph: Graph, name: str = "") -> Figure:
    """Draw the layers of a network: operation, name, size of the result (channels first), parameters.

    A large network is drawn part by part, as :func:`pellucid.views.outline.outline` divides it. ``name`` is that of the
    network, for the heading.

    >>> from pellucid import zoo
    >>> diagram(zoo.build("tiny").graph((1, 1, 28, 28))).get_label()
    'Layers: Conv2d 3×3; MaxPool2d 2×2, stride 2; Conv2d 3×3; MaxPool2d 2×2, stride 2; Linear'
    """
    blocks = outline(graph)
    layout = lay_out(blocks, WIDTH)
    titles = [_title(block) for block in blocks]
    sheet = Sheet(WIDTH, layout.height + 16, f"Layers: {'; '.join(titles)}")
    total = sum(block.parameters for block in blocks), sum(block.macs for block in blocks)
    if layout.turn is not None:
        _draw_turn(sheet, layout)
    for link in layout.links:
        _draw_link(sheet, layout, link)
    image = layout.places[IMAGE]
    sheet.box(image.x - image.width / 2, image.y, image.width, image.height, tint(MUTED, 0.12), MUTED)
    _write(sheet, image, "image", "", written(next(iter(graph.inputs.values())).shape[1:]), "")
    for index, (block, title) in enumerate(zip(blocks, titles, strict=True)):
        _draw_block(sheet, layout.places[index], block, title)
    sheet.text((16, 14), heading(name, *total), bold=True)
    return sheet.figure


def _title(block: Block) -> str:
    if block.is_folded:
        return block.name if block.times == 1 else f"{block.times} × {block.name}"
    return describe(main_node(block))


def _draw_block(sheet: Sheet, place: Place, block: Block, title: str) -> None:
    node, is_part = main_node(block), block.is_folded
    if is_part or isinstance(node.op, ops.Conv2d | ops.ConvTranspose2d):
        face, edge = tint(BLUE, 0.14), BLUE
    elif isinstance(node.op, ops.Linear):
        face, edge = tint(ORANGE, 0.16), ORANGE
    else:
        face, edge = tint(MUTED, 0.12) if isinstance(node.op, _POOLING) else PAPER, MUTED
    left = place.x - place.width / 2
    for shift in (4, 2) if block.times > 1 else ():
        sheet.box(left + shift, place.y + shift, place.width, place.height, tint(BLUE, 0.3), PAPER)
    sheet.box(left, place.y, place.width, place.height, face, tint(edge, 0.7))
    if is_part:
        below = contents(block)
    else:
        others = [one.op.kind for one in block.nodes if one is not node]
        below = " · ".join([block.name, ", ".join(others)] if others else [block.name])
    parameters = f"{amount(block.parameters)} parameters" if block.parameters else ""
    _write(sheet, place, title, below, written(block.output), parameters)


def _write(sheet: Sheet, place: Place, title: str, below: str, shape: str, parameters: str) -> None:
    """Fill a box: two lines with the numbers at the right, or three where it is narrow."""
    left, right = place.x - place.width / 2 + 6, place.x + place.width / 2 - 6
    if place.width < NARROW:
        wide = place.width - 10
        numbers = f"{shape} · {parameters.replace('parameters', 'params')}" if parameters else shape
        if measure(numbers, 6.5) > wide:
            numbers = shape
        if measure(below, 6.5) > wide:
            below = below.partition(" · ")[0]
        step = place.height / 3.6
        lines = ((title, 7.5, True), (below, 6.5, False), (numbers, 6.5, False))
        for line, (words, size, bold) in enumerate(lines):
            y = place.y + place.height / 2 + (line - 1) * step
            colour = {"colour": MUTED} if line == 1 else {}
            sheet.text((left - 1, y), words, size=size, bold=bold, width=wide, **colour)
        return
    first, second = place.y + (0.32 if below else 0.5) * place.height, place.y + 0.7 * place.height
    sheet.text((right, first), shape, size=7.5, align="right")
    sheet.text((right, second), parameters, size=6.5, colour=MUTED, align="right")
    sheet.text((left, first), title, bold=True, width=right - left - measure(shape, 7.5) - 6)
    sheet.text((left, second), below, size=6.5, colour=MUTED, width=right - left - measure(parameters, 6.5) - 6)


def _draw_link(sheet: Sheet, layout: Layout, link: Link) -> None:
    """Draw an arrow: out of a box, sideways in the gap below it or in the one above its end, down, and in."""
    source, target = layout.places[link.source], layout.places[link.target]
    start: Point = (source.x, source.bottom)
    if source.column != target.column and layout.turn is not None:
        start = layout.turn[1]
    enter = target.y - _HALF_GAP
    points = [start]
    if link.via is not None:
        points += [(start[0], start[1] + _HALF_GAP), (link.via, start[1] + _HALF_GAP), (link.via, enter)]
    else:
        points += [(start[0], enter)]
    sheet.line([*points, (target.x, enter), (target.x, target.y - 3)])
    sheet.arrow_head((target.x, target.y))


def _draw_turn(sheet: Sheet, layout: Layout) -> None:
    """Lead from the foot of the first column to the head of the second."""
    assert layout.turn is not None
    index, (x, y) = layout.turn
    place = layout.places[index]
    low, between = place.bottom + _HALF_GAP, sheet.width / 2
    sheet.line([(place.x, place.bottom), (place.x, low), (between, low), (between, y), (x, y)])
