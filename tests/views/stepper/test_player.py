"""Frames in a terminal: what fits, what the keys do."""

import io
import os
import pty
from itertools import pairwise

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text

from pellucid.explain.steps.frame import frame, pipeline, scene, slopes
from pellucid.views.sheet import AMBER
from pellucid.views.stepper.player import Playback, _Keyboard
from pellucid.views.stepper.text import plain, screen

BAR = np.zeros((6, 6))
BAR[1:5, 2:4] = 9
T = pipeline(BAR, [[1, 0, -1]] * 3)
BACK = slopes(T)


def shown(step: int, width: int = 100, height: int = 40, trace=T, found=None) -> Text:
    stage = scene(trace, found)
    return screen(stage, frame(trace, step, found), width, height, is_playing=True)


def test_a_frame_shows_all_maps_and_the_sentence() -> None:
    lines = shown(36).plain.splitlines()

    assert lines[0] == "step 36 of 36  convolution › ReLU › pool"
    assert any(line.split()[-2:] == ["0", "27"] for line in lines)
    assert "Row 1, column 1: the largest of 27, 27, 18 and 18 is 27." in lines


def test_the_window_and_the_filled_cell_are_amber_and_underlined() -> None:
    text = shown(7)
    lit = [text.plain[span.start : span.end].strip() for span in text.spans if AMBER in str(span.style)]

    assert sorted(lit) == sorted([*["9", "9", "0"] * 3, *["1", "0", "−1"] * 3, "27"])
    assert all("underline" in str(span.style) for span in text.spans if AMBER in str(span.style))


def test_cells_that_are_not_filled_yet_are_dots() -> None:
    assert shown(1).plain.count("·  ") > 15
    assert "−18   ·   ·   ·" in shown(1).plain


@pytest.mark.parametrize("size", [(100, 40), (80, 24), (60, 20), (40, 16), (24, 12)])
def test_no_line_is_wider_and_no_frame_higher_than_the_window(size: tuple[int, int]) -> None:
    large = pipeline(np.arange(256).reshape(16, 16), np.ones((7, 7)) / 49, padding="same")
    for trace in (T, large):
        found = slopes(trace)
        for step in range(0, len(scene(trace, found)), 97):
            lines = shown(step, *size, trace, found).plain.splitlines()
            assert max(map(len, lines)) <= size[0]
            if size[0] >= 40:
                assert len(lines) <= size[1]


def test_where_there_is_little_room_only_the_maps_of_the_step_are_shown() -> None:
    small = shown(70, 80, 20, T, BACK).plain

    assert "gradient of the kernel 3×3" in small
    assert "ReLU 4×4" not in small


def test_plain_text_has_all_maps_with_their_formulas() -> None:
    t = pipeline([[1, 2], [3, 4]], [[1, 1], [1, 1]], stride=2, padding=1, pool="none")
    text = plain(scene(t), frame(t, len(scene(t)) - 1), 100)

    assert text.splitlines()[:6] == [
        "image 2×2          kernel 2×2   convolution 2×2             ReLU 2×2",
        "(0) (0) (0) (0)    1 1          1 2                         1 2",
        "(0)   1   2 (0)    1 1          3 4                         3 4",
        "(0)   3   4 (0)                 ⌊(2 − 2 + 2·1)/2⌋ + 1 = 2",
        "(0) (0) (0) (0)",
        "padding 1, zeros",
    ]


def test_signs_stay_without_colours() -> None:
    console = Console(no_color=True, width=100, record=True, file=io.StringIO())
    console.print(shown(36))

    assert "−27 −27  27  27" in console.export_text()


def played(*keys: str, **state: int) -> tuple[int, bool]:
    playback = Playback(115, 37, **state)
    for key in keys:
        playback.press(key)
    return playback.step, playback.is_playing


def test_keys_move_the_player() -> None:
    assert played("space") == (0, False)
    assert played("right", "right", "left") == (1, False)
    assert played("left") == (0, False)
    assert played("end") == (36, False)
    assert played("end", "home") == (0, False)
    assert played("end", "right", "end") == (115, False)
    assert played("end", "space") == (0, True)
    assert played("b") == (37, True)
    assert played("b", "b") == (36, False)
    assert played("end", backward=True) == (115, False)
    assert played("?") == (0, True)


def test_playing_stops_before_the_way_back_unless_that_was_asked_for() -> None:
    for backward, stop in ((False, 36), (True, 115)):
        playback = Playback(115, 37, backward=backward)
        steps = [playback.step]
        while playback.is_playing:
            playback.tick()
            steps.append(playback.step)
        assert steps == list(range(stop + 1))
        assert all(b == a + 1 for a, b in pairwise(steps))


def test_q_ends_it() -> None:
    playback = Playback(5, 3)
    playback.press("q")

    assert playback.is_done


def test_keys_are_read_whole_even_when_they_come_in_pieces() -> None:
    master, slave = pty.openpty()
    try:
        import tty

        tty.setraw(slave)
        keyboard = _Keyboard(slave)
        os.write(master, b" \x1b[C\x1bODxq\x1b[")
        assert keyboard.read(5) == ["space", "right", "left", "q"]
        os.write(master, b"F")
        assert keyboard.read(5) == ["end"]
        assert keyboard.read(0) == []
    finally:
        os.close(master)
        os.close(slave)
