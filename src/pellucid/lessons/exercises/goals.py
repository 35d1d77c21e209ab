"""What a kernel may be asked to do, and the pictures it is tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.explain.numbers import number
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.pictures import bar, diagonal, dot, flat, ramp, step
from pellucid.lessons.exercises.records import PICTURE, grid
from pellucid.types import Array

_SIDE = 5
_ZERO = 1e-4
"""Below this a number counts as 0, for weights such as 1/9 are rounded."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a map must be like: ``wish`` says it, ``broken`` finds the first cell that is not so, or None."""

    wish: str
    broken: Callable[[Array, Array], tuple[int, int] | None]

    def complaint(self, picture: Array, map_: Array) -> str:
        """Say where a map is not as wished; "" where it is."""
        at = self.broken(picture, map_)
        if at is None:
            return ""
        y, x = at
        return f"the map must {self.wish}, but it has {number(float(map_[y, x]))} in row {y + 1}, column {x + 1}."


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """A picture (5, 5), and what its map must be like."""

    title: str
    picture: Array
    rule: Rule

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"wish": f"must {self.rule.wish}", "picture": grid(self.title, PICTURE, self.picture).as_dict()}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a kernel is to do, the tests of it, a kernel that passes, and why that one does.

    ``balanced`` goals need weights that add up to 0.
    """

    name: str
    wish: str
    tests: Callable[[Chance], tuple[Test, ...]]
    solution: tuple[tuple[float, float, float], ...]
    why: str
    balanced: bool = True


def _first(found: Array) -> tuple[int, int] | None:
    places = np.argwhere(found)
    return (int(places[0][0]), int(places[0][1])) if len(places) else None


def _largest(_: Array, map_: Array) -> tuple[int, int] | None:
    """Return the largest number's place, if even that is not above 0."""
    y, x = np.unravel_index(int(map_.argmax()), map_.shape)
    return None if map_[y, x] > _ZERO else (int(y), int(x))


def _only(sign: int) -> Callable[[Array, Array], tuple[int, int] | None]:
    def broken(picture: Array, map_: Array) -> tuple[int, int] | None:
        return _first(sign * map_ < -_ZERO) or _largest(picture, sign * map_)

    return broken


ZERO = Rule("be 0 everywhere", lambda _, map_: _first(abs(map_) > _ZERO))
ABOVE = Rule("be above 0 somewhere", _largest)
ONLY_ABOVE = Rule("be above 0 somewhere and nowhere below", _only(1))
ONLY_BELOW = Rule("be below 0 somewhere and nowhere above", _only(-1))
MIDDLE_ABOVE = Rule("be above 0 in the middle", lambda _, map_: None if map_[1, 1] > _ZERO else (1, 1))
MIDDLE_NOT_ABOVE = Rule("not be above 0 in the middle", lambda _, map_: (1, 1) if map_[1, 1] > _ZERO else None)
SAME = Rule("keep the picture's numbers", lambda picture, map_: _first(abs(map_ - picture[1:-1, 1:-1]) > _ZERO))
BRIGHTER = Rule(
    "hold a number larger than the picture's largest",
    lambda picture, map_: None if map_.max() > picture.max() + _ZERO else (0, 0),
)


def _moved(dy: int, dx: int, where: str) -> Rule:
    def broken(picture: Array, map_: Array) -> tuple[int, int] | None:
        wanted = picture[1 + dy : 4 + dy, 1 + dx : 4 + dx]
        return _first(abs(map_ - wanted) > _ZERO)

    return Rule(f"show the picture moved by one cell {where}", broken)


def _flat(chance: Chance) -> Test:
    return Test("flat area", flat(_SIDE, chance.number(2, 9)), ZERO)


def _bars(chance: Chance) -> tuple[Array, Array]:
    """Draw a narrow upright bar and a broad one."""
    return bar(_SIDE, 2, 1, chance.number(3, 9)), bar(_SIDE, chance.number(1, 2), 2, chance.number(3, 9))


def _upright(chance: Chance) -> tuple[Test, ...]:
    one, two = _bars(chance)
    lying = bar(_SIDE, chance.number(1, 3), 1, chance.number(3, 9)).T
    return (
        Test("upright bar", one, ABOVE),
        Test("broad upright bar", two, ABOVE),
        Test("lying bar", lying, ZERO),
        _flat(chance),
    )


def _lying(chance: Chance) -> tuple[Test, ...]:
    one, two = _bars(chance)
    upright = bar(_SIDE, chance.number(1, 3), 1, chance.number(3, 9))
    return (
        Test("lying bar", one.T, ABOVE),
        Test("broad lying bar", two.T, ABOVE),
        Test("upright bar", upright, ZERO),
        _flat(chance),
    )


def _left(chance: Chance) -> tuple[Test, ...]:
    left = step(_SIDE, chance.number(2, 3), chance.number(3, 9))
    right = np.fliplr(step(_SIDE, chance.number(2, 3), chance.number(3, 9)))
    return (
        Test("bright on the left", left, ONLY_ABOVE),
        Test("bright on the right", right, ONLY_BELOW),
        Test("bright at the top", step(_SIDE, 2, chance.number(3, 9)).T, ZERO),
        _flat(chance),
    )


def _top(chance: Chance) -> tuple[Test, ...]:
    top = step(_SIDE, chance.number(2, 3), chance.number(3, 9)).T
    bottom = np.flipud(step(_SIDE, chance.number(2, 3), chance.number(3, 9)).T)
    return (
        Test("bright at the top", top, ONLY_ABOVE),
        Test("bright at the bottom", bottom, ONLY_BELOW),
        Test("bright on the left", step(_SIDE, 2, chance.number(3, 9)), ZERO),
        _flat(chance),
    )


def _dots(chance: Chance) -> tuple[Test, ...]:
    rise = chance.one([1, 2])
    return (
        Test("one bright dot", dot(_SIDE, 2, 2, chance.number(4, 9)), MIDDLE_ABOVE),
        Test("brightness that grows to the right", ramp(_SIDE, rise), ZERO),
        Test("brightness that grows downwards", ramp(_SIDE, rise).T, ZERO),
        _flat(chance),
    )


def _falling(chance: Chance) -> tuple[Test, ...]:
    falling = diagonal(_SIDE, chance.number(3, 9))
    return (
        Test("falling line", falling, MIDDLE_ABOVE),
        Test("rising line", np.fliplr(diagonal(_SIDE, chance.number(3, 9))), MIDDLE_NOT_ABOVE),
        _flat(chance),
    )


def _rising(chance: Chance) -> tuple[Test, ...]:
    rising = np.fliplr(diagonal(_SIDE, chance.number(3, 9)))
    return (
        Test("rising line", rising, MIDDLE_ABOVE),
        Test("falling line", diagonal(_SIDE, chance.number(3, 9)), MIDDLE_NOT_ABOVE),
        _flat(chance),
    )


def _sharp(chance: Chance) -> tuple[Test, ...]:
    return (
        Test("flat area", flat(_SIDE, chance.number(2, 9)), SAME),
        Test("brightness that grows to the right", ramp(_SIDE, chance.one([1, 2])), SAME),
        Test("one bright dot", dot(_SIDE, 2, 2, chance.number(3, 9)), BRIGHTER),
    )


def _moves(dy: int, dx: int, where: str) -> Callable[[Chance], tuple[Test, ...]]:
    rule = _moved(dy, dx, where)

    def tests(chance: Chance) -> tuple[Test, ...]:
        return tuple(Test(title, chance.picture(_SIDE, _SIDE, 0, 9), rule) for title in ("picture a", "picture b"))

    return tests


GOALS = (
    Goal(
        "upright",
        "answers to upright bars, and to lying bars and flat areas with 0",
        _upright,
        ((-1, 2, -1), (-1, 2, -1), (-1, 2, -1)),
        "Each row compares a cell with its neighbours left and right, so what is alike along a row gives 0.",
    ),
    Goal(
        "lying",
        "answers to lying bars, and to upright bars and flat areas with 0",
        _lying,
        ((-1, -1, -1), (2, 2, 2), (-1, -1, -1)),
        "Each column compares a cell with its neighbours above and below, so what is alike along a column gives 0.",
    ),
    Goal(
        "left",
        "is positive at edges whose left side is bright, negative at those whose right side is, and 0 elsewhere",
        _left,
        ((1, 0, -1), (1, 0, -1), (1, 0, -1)),
        "It adds what lies on the left and takes off what lies on the right.",
    ),
    Goal(
        "top",
        "is positive at edges whose upper side is bright, negative at those whose lower side is, and 0 elsewhere",
        _top,
        ((1, 1, 1), (0, 0, 0), (-1, -1, -1)),
        "It adds what lies above and takes off what lies below.",
    ),
    Goal(
        "dots",
        "answers to a bright dot, but with 0 to flat areas and to brightness that grows evenly",
        _dots,
        ((0, -1, 0), (-1, 4, -1), (0, -1, 0)),
        "The middle is compared with the mean around it, and along a slope that mean is the middle itself.",
    ),
    Goal(
        "falling",
        "answers to lines that fall from the upper left, but not to lines that rise, and to flat areas with 0",
        _falling,
        ((2, -1, -1), (-1, 2, -1), (-1, -1, 2)),
        "The three positive weights lie on the line that falls; a line that rises meets one of them and two negative.",
    ),
    Goal(
        "rising",
        "answers to lines that rise from the lower left, but not to lines that fall, and to flat areas with 0",
        _rising,
        ((-1, -1, 2), (-1, 2, -1), (2, -1, -1)),
        "The three positive weights lie on the line that rises; a line that falls meets one of them and two negative.",
    ),
    Goal(
        "sharpen",
        "keeps flat areas and even slopes as they are and makes a dot brighter",
        _sharp,
        ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
        "The weights add up to 1, so flat areas stay; the middle counts more, and its neighbours are taken off.",
        balanced=False,
    ),
    *(
        Goal(
            f"move-{where}",
            f"moves the picture by one cell {way}",
            _moves(dy, dx, way),
            solution,
            f"Every cell takes over the number of its neighbour {side}; the kernel is laid down as it stands.",
            balanced=False,
        )
        for where, way, side, dy, dx, solution in (
            ("left", "to the left", "on the right", 0, 1, ((0, 0, 0), (0, 0, 1), (0, 0, 0))),
            ("right", "to the right", "on the left", 0, -1, ((0, 0, 0), (1, 0, 0), (0, 0, 0))),
            ("up", "upwards", "below", 1, 0, ((0, 0, 0), (0, 0, 0), (0, 1, 0))),
            ("down", "downwards", "above", -1, 0, ((0, 1, 0), (0, 0, 0), (0, 0, 0))),
        )
    ),
)
