"""Shares against a number: a small plot on a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.explain.numbers import number
from pellucid.views.sheet import INK, MUTED, RULE, Sheet


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a line looks: told apart by its dashes and its marks where colours are not seen."""

    colour: str = INK
    width: float = 1.5
    dashes: tuple[float, ...] = ()
    mark: str = ""

    def draw(self, sheet: Sheet, x: Sequence[float], y: Sequence[float], every: int = 1) -> None:
        """Draw a line through places of the sheet, with a mark at every so many of them."""
        style: dict[str, Any] = {"dashes": self.dashes} if self.dashes else {}
        if self.mark:
            style |= {"marker": self.mark, "markersize": 3.6, "markevery": every, "markeredgewidth": 0}
        sheet.axes.plot(x, y, color=self.colour, linewidth=self.width, zorder=3, solid_joinstyle="round", **style)


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the sheet for shares from 0 to 1, over numbers between the first and the last of ``values``."""

    sheet: Sheet
    x: float
    y: float
    width: float
    height: float
    values: Sequence[float]

    def at(self, value: float, share: float) -> tuple[float, float]:
        """Return the place on the sheet of a share at a number."""
        first, last = self.values[0], self.values[-1]
        part = (value - first) / (last - first) if last != first else 0.5
        return self.x + part * self.width, self.y + (1 - share) * self.height

    def frame(self, ticks: Sequence[float], unit: str, unchanged: float | None, *, scale: bool) -> None:
        """Draw lines at 0, 50 and 100 %, their numbers where ``scale`` asks for them, and the numbers below."""
        for share in (0.0, 0.5, 1.0):
            y = self.y + (1 - share) * self.height
            self.sheet.line([(self.x, y), (self.x + self.width, y)], RULE, width=0.7)
            if scale:
                self.sheet.text(
                    (self.x - 5, y), f"{share:.0%}".replace("%", " %"), size=6.5, colour=MUTED, align="right"
                )
        if unchanged is not None:
            x, _ = self.at(unchanged, 0)
            self.sheet.axes.plot([x, x], [self.y, self.y + self.height], color=MUTED, linewidth=0.8, dashes=(1, 2))
        for tick in ticks:
            x, _ = self.at(tick, 0)
            self.sheet.line([(x, self.y + self.height), (x, self.y + self.height + 2.5)], MUTED, width=0.7)
            words = number(tick) + (unit if unit == "°" else "")
            self.sheet.text((x, self.y + self.height + 8), words, size=6.5, colour=MUTED, align="center")

    def draw(self, shares: Sequence[float], stroke: Stroke) -> None:
        """Draw a line through the shares at all values."""
        x, y = zip(*(self.at(value, share) for value, share in zip(self.values, shares, strict=True)), strict=True)
        stroke.draw(self.sheet, x, y, max(1, round(len(x) * 14 / self.width)))
