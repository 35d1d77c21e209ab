"""The steps played in a terminal, by keys."""

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from rich.console import Console

from pellucid.explain.steps.frame import Slopes, frame, scene
from pellucid.explain.trace import Trace
from pellucid.views.stepper.save import durations
from pellucid.views.stepper.text import screen

_SEQUENCES = {
    b"\x1b[C": "right", b"\x1bOC": "right", b"\x1b[D": "left", b"\x1bOD": "left",
    b"\x1b[H": "home", b"\x1bOH": "home", b"\x1b[1~": "home", b"\x1b[7~": "home",
    b"\x1b[F": "end", b"\x1bOF": "end", b"\x1b[4~": "end", b"\x1b[8~": "end",
    b" ": "space", b"b": "b", b"B": "b", b"q": "q", b"Q": "q",
}  # fmt: skip
"""What terminals send for a key."""
_LOOK = 0.25
"""Seconds after which the size of the window is looked at again."""


@dataclass
class Playback:
    """Where the player stands, among steps 0 … ``last``; ``turn`` is the step at which the way back begins.

    Playing stops before the turn, unless the way back was asked for.
    """

    last: int
    turn: int
    backward: bool = False
    step: int = 0
    is_playing: bool = True
    is_done: bool = False

    @property
    def stop(self) -> int:
        """The step at which playing ends."""
        return self.last if self.backward or self.step >= self.turn else self.turn - 1

    def press(self, key: str) -> None:
        """Do what a key asks for; keys without a meaning do nothing."""
        if key == "q":
            self.is_done = True
        elif key == "space":
            if self.step >= self.stop:
                self.step = 0
            self.is_playing = not self.is_playing
        elif key == "b":
            self.step = self.turn if self.step < self.turn else self.turn - 1
            self.is_playing = self.step == self.turn
        elif key in ("left", "right", "home", "end"):
            self.is_playing = False
            steps = {"left": self.step - 1, "right": self.step + 1, "home": 0, "end": self.stop}
            self.step = max(0, min(self.last, steps[key]))

    def tick(self) -> None:
        """Go on by one step; at the end, stop."""
        if self.step < self.stop:
            self.step += 1
        if self.step >= self.stop:
            self.is_playing = False


def can_play(console: Console) -> bool:
    """Whether there is a terminal to show frames in and to read keys from."""
    if find_spec("termios") is None:  # as on Windows
        return False
    return console.is_terminal and not console.is_dumb_terminal and sys.stdin.isatty()


def play(trace: Trace, slopes: Slopes, console: Console, *, backward: bool = False) -> None:
    """Play the steps until "q" is pressed; the terminal is then as it was before, whatever happens."""
    from rich.live import Live

    stage = scene(trace, slopes)
    times = [milliseconds / 1000 for milliseconds in durations(stage)]
    turn = next(phase.first for phase in stage.phases if phase.name == "back")
    state = Playback(len(stage) - 1, turn, backward)
    with _keys() as keyboard, Live(console=console, screen=True, auto_refresh=False) as live:
        drawn: object = None
        due = time.monotonic() + times[0]
        while not state.is_done:
            now = (state.step, state.is_playing, console.size)
            if now != drawn:
                shown = screen(stage, frame(trace, state.step, slopes), *console.size, is_playing=state.is_playing)
                live.update(shown, refresh=True)
                drawn = now
            wait = min(_LOOK, due - time.monotonic()) if state.is_playing else _LOOK
            for key in keyboard.read(max(0.0, wait)):
                state.press(key)
                due = time.monotonic() + times[state.step]
            if state.is_playing and time.monotonic() >= due:
                state.tick()
                due = time.monotonic() + times[state.step]


class _Keyboard:
    """Reads keys from a terminal that sends each at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._rest = descriptor, b""

    def read(self, seconds: float) -> list[str]:
        """Return the keys that were pressed, waiting for one at most so long; "q" where there is no more input."""
        if not select.select([self._descriptor], [], [], seconds)[0]:
            self._rest = b""  # an Escape alone, of a key that means nothing here
            return []
        given = os.read(self._descriptor, 64)
        if not given:
            return ["q"]
        self._rest += given
        return list(self._parsed())

    def _parsed(self) -> Iterator[str]:
        while self._rest:
            known = next((sent for sent in _SEQUENCES if self._rest.startswith(sent)), None)
            if known is not None:
                self._rest = self._rest[len(known) :]
                yield _SEQUENCES[known]
            elif any(sent.startswith(self._rest) for sent in _SEQUENCES):
                return  # the rest of the sequence is on its way
            else:
                self._rest = self._rest[1:]


@contextmanager
def _keys() -> Iterator[_Keyboard]:
    """Let keys come at once and unseen; afterwards the terminal is as it was."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    kept = [
        (signal.SIGTERM, signal.signal(signal.SIGTERM, _end)),
        (signal.SIGTSTP, signal.signal(signal.SIGTSTP, signal.SIG_IGN)),  # Ctrl-Z would leave the screen as it is
    ]
    try:
        tty.setcbreak(descriptor)
        yield _Keyboard(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        for number, handler in kept:
            signal.signal(number, handler)


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)
