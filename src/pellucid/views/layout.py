"""Where the blocks of a diagram stand: from top to bottom, what runs side by side beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.views.outline import IMAGE, Block

WIDEST, _GAP, _TRACK, _BETWEEN = 250.0, 14.0, 12.0, 8.0
LOW, HIGH, NARROW = 27.0, 36.0, 180.0
"""Heights of a box, of three lines where it is narrower than ``NARROW``."""
_TOP = 38.0
_MOST_ROWS, _MOST_SPLIT_LANES = 16, 2


@dataclass(frozen=True, slots=True)
class Place:
    """A box: the middle of its upper edge, its size, and which column of the sheet it is in."""

    x: float
    y: float
    width: float
    height: float
    column: int

    @property
    def bottom(self) -> float:
        """Height of the lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Link:
    """An arrow from block to block; ``via`` is where it goes down if not straight above its end."""

    source: int
    target: int
    via: float | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the blocks (the image's has the key IMAGE), the arrows, and the height of all.

    ``turn`` is the block behind which the second column begins, and the point from which it goes on there.
    """

    places: dict[int, Place]
    links: tuple[Link, ...]
    height: float
    turn: tuple[int, tuple[float, float]] | None


class _Section:
    """What lies between two blocks of the trunk, in lanes; ways past the lanes run in tracks at their right."""

    def __init__(self, blocks: Sequence[Block], members: Sequence[int], end: int, ranks: dict[int, int]) -> None:
        self.lanes: dict[int, int] = {}
        self.tracks: dict[tuple[int, int], int] = {}
        self.straight: dict[tuple[int, int], int] = {}
        last: list[int] = []
        for index in members:
            lane = next((lane for lane, at in enumerate(last) if at in blocks[index].sources), len(last))
            last[lane : lane + 1] = [index]
            self.lanes[index] = lane
        self.count = len(last)
        taken: list[int] = []
        for target in (*members, end):
            for source in sorted(blocks[target].sources, key=lambda one: -ranks[one]):
                if ranks[target] - ranks[source] > 1:
                    self._route(source, target, ranks, taken)

    def _route(self, source: int, target: int, ranks: dict[int, int], taken: list[int]) -> None:
        """Find a way down past the rows between: a lane that is empty there, else a track of its own."""
        rows = range(ranks[source] + 1, ranks[target])
        for one in (source, target):
            lane = self.lanes.get(one)
            full = any(self.lanes[index] == lane and ranks[index] in rows for index in self.lanes)
            if lane is not None and not full:
                self.straight[source, target] = lane
                return
        track = next((track for track, until in enumerate(taken) if until <= ranks[source]), len(taken))
        taken[track : track + 1] = [ranks[target]]
        self.tracks[source, target] = track

    @property
    def track_count(self) -> int:
        return max(self.tracks.values(), default=-1) + 1


def lay_out(blocks: Sequence[Block], width: float) -> Layout:
    """Place blocks on a sheet of a width, in two columns where that is long and leaves room."""
    ranks, sections = _sections(blocks)
    rows = max(ranks.values()) + 1
    most = max((section.count for section, _ in sections), default=1)
    turn = _turn(blocks, ranks, rows) if rows > _MOST_ROWS and most <= _MOST_SPLIT_LANES else None
    room = width - 32 if turn is None else (width - 48) / 2
    middles = [width / 2] if turn is None else [16 + room / 2, width - 16 - room / 2]
    xs, widths, links = _across(blocks, sections, room)
    heights = dict.fromkeys(range(rows), 0.0)
    for index, rank in ranks.items():
        heights[rank] = max(heights[rank], HIGH if widths[index] < NARROW else LOW)
    split = rows if turn is None else ranks[turn] + 1
    tops, y = [], _TOP
    for rank in range(rows):
        y = _TOP if rank == split else y
        tops.append(y)
        y += heights[rank] + _GAP
    bottom = max(top + heights[rank] for rank, top in enumerate(tops))
    places = {
        index: Place(middles[rank >= split] + xs[index], tops[rank], widths[index], heights[rank], int(rank >= split))
        for index, rank in ranks.items()
    }
    moved = tuple(
        Link(link.source, link.target, None if link.via is None else link.via + middles[places[link.target].column])
        for link in links
    )
    return Layout(places, moved, bottom, None if turn is None else (turn, (middles[1], _TOP - _GAP)))


def _sections(blocks: Sequence[Block]) -> tuple[dict[int, int], list[tuple[_Section, int]]]:
    """Return every block's row, and the sections with the block that ends each."""
    ranks, found = {IMAGE: 0}, []
    members: list[int] = []
    for index, block in enumerate(blocks):
        sources = block.sources or (IMAGE,)
        ranks[index] = 1 + max(ranks[source] for source in sources)
        members.append(index)
        if block.is_trunk or index == len(blocks) - 1:
            ranks[index] = 1 + max(ranks[one] for one in (*sources, *members[:-1]))
            found.append((_Section(blocks, members[:-1], index, ranks), index))
            members = []
    return ranks, found


def _turn(blocks: Sequence[Block], ranks: dict[int, int], rows: int) -> int:
    """Return the block of the trunk that is nearest to the middle."""
    trunk = [index for index, block in enumerate(blocks[:-1]) if block.is_trunk]
    return min(trunk, key=lambda index: abs(2 * (ranks[index] + 1) - rows))


def _across(
    blocks: Sequence[Block], sections: Sequence[tuple[_Section, int]], room: float
) -> tuple[dict[int, float], dict[int, float], list[Link]]:
    """Return, from the middle of a column, where blocks stand, how wide they are, and where arrows go down."""
    xs, widths, links = {IMAGE: 0.0}, {IMAGE: min(WIDEST, room)}, []
    for section, end in sections:
        free = room - 2 * section.track_count * _TRACK
        wide = min(WIDEST, free / max(section.count, 1) - _BETWEEN)
        step = wide + _BETWEEN
        lanes = [(lane - (section.count - 1) / 2) * step for lane in range(section.count)]
        right = max(section.count, 1) / 2 * step + _TRACK / 2
        for index, lane in section.lanes.items():
            xs[index], widths[index] = lanes[lane], wide
        xs[end], widths[end] = 0.0, min(WIDEST, room - 2 * _TRACK)
        for target in (*section.lanes, end):
            for source in blocks[target].sources or (IMAGE,):
                via = None
                if (source, target) in section.straight:
                    via = lanes[section.straight[source, target]]
                elif (source, target) in section.tracks:
                    via = right + section.tracks[source, target] * _TRACK
                links.append(Link(source, target, via))
    return xs, widths, links
