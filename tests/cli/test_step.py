"""``pellucid step``: the numbers, the files, the sentences of what cannot be, and keys in a real terminal."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Command

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text(encoding="utf-8"))
BAR = next(example for example in GOLDEN["examples"] if example["id"] == "bar-conv-relu-pool")


def numbers(command: Command, *arguments: object) -> dict[str, Any]:
    status, said, err = command("step", *arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(said)


def test_the_default_is_the_worked_example(command: Command) -> None:
    found = numbers(command)

    assert found == {"conv": BAR["conv"], "relu": BAR["relu"], "pool": BAR["pool"]["output"]}
    assert all(type(value) is int for map_ in found.values() for row in map_ for value in row)


def test_the_horizontal_variant_is_transposed(command: Command) -> None:
    found = numbers(command, "--image", "horizontal-bar", "--kernel", "horizontal-edge")

    assert found["conv"] == np.transpose(BAR["conv"]).tolist()
    assert found["pool"] == [[0, 0], [27, 27]]


def test_numbers_of_ones_own(command: Command) -> None:
    options = (
        "--image",
        "0.1,0.2; 0.3,0.4",
        "--kernel",
        "-1 1",
        "--padding",
        "same",
        "--bias",
        "-0.5",
        "--pool",
        "none",
    )
    found = numbers(command, *options)

    assert found == {"conv": [[-0.4, -0.7], [-0.4, -0.9]], "relu": [[0, 0], [0, 0]], "pool": None}


def test_all_settings_reach_the_engine(command: Command) -> None:
    import torch
    import torch.nn.functional as F

    rows = "1 2 3 4 5 6; 7 8 9 1 2 3; 4 5 6 7 8 9; 9 8 7 6 5 4; 3 2 1 9 8 7; 1 1 2 3 5 8"
    found = numbers(
        command, "--image", rows, "--kernel", "1,2;3,4", "--stride", 2, "--padding", 1, "--border", "circular",
        "--dilation", 2, "--flip", "--pool", "average", "--pool-size", 2, "--pool-stride", 1, "--ceil",
    )  # fmt: skip
    x = torch.tensor([[float(n) for n in row.split()] for row in rows.split(";")])[None, None]
    weight = torch.tensor([[4.0, 3.0], [2.0, 1.0]])[None, None]
    conv = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), weight, stride=2, dilation=2)

    assert found["conv"] == conv[0, 0].tolist()
    assert found["pool"] == F.avg_pool2d(F.relu(conv), 2, 1, ceil_mode=True)[0, 0].tolist()


def test_backward_adds_the_gradients(command: Command) -> None:
    gradients = numbers(command, "--backward")["gradients"]

    assert gradients["pool"] == [[1, 1], [1, 1]]
    assert gradients["conv"] == [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert gradients["kernel"] == [[18, 18, 0]] * 3
    assert gradients["bias"] == 2
    assert set(gradients) == {"pool", "relu", "conv", "kernel", "bias", "image"}


def test_in_a_pipe_the_maps_are_printed(command: Command) -> None:
    status, said, err = command("step", "--backward")

    assert (status, err) == (0, "")
    assert "−27 −27  27  27" in said
    assert "⌊(6 − 3 + 2·0)/1⌋ + 1 = 4" in said
    assert "gradient of the kernel 3×3" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("suffix", ["gif", "png", "svg", "html"])
def test_every_format_is_written(command: Command, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"steps.{suffix}"
    assert command("step", "--out", out) == (0, f"Written: {out}\n", "")

    assert out.stat().st_size > 10_000
    if suffix == "gif":
        with Image.open(out) as picture:
            assert picture.n_frames == 37


def test_a_large_picture_is_scaled_down_with_a_note(command: Command, tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 40, 3), 200, np.uint8)).save(tmp_path / "grey.png")
    status, said, err = command("step", "--image", tmp_path / "grey.png", "--kernel", "box-blur", "--json")

    assert (status, err) == (0, f"'{tmp_path / 'grey.png'}' has 20×40 pixels; it is scaled down to 8×16.\n")
    assert np.shape(json.loads(said)["conv"]) == (6, 14)
    assert json.loads(said)["conv"][0][0] == 200


def test_the_largest_image_can_be_written_out(command: Command) -> None:
    """Although its rows are longer than any file's name."""
    rows = np.random.default_rng(0).integers(100, 256, (16, 16)).tolist()
    text = ";".join(",".join(map(str, row)) for row in rows)

    assert numbers(command, "--image", text, "--kernel", "1", "--pool", "none")["conv"] == rows


def test_a_small_picture_is_taken_as_it_is(command: Command, tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 255], [7, 1]], np.uint8)).save(tmp_path / "small.png")

    assert numbers(command, "--image", tmp_path / "small.png", "--kernel", "1", "--pool", "none")["conv"] == [
        [0, 255],
        [7, 1],
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kernel", "1,2;3"], "The kernel must have rows of equal length; got 2 in row 1 and 1 in row 2."),
        (["--image", "1,2;3"], "The image must have rows of equal length; got 2 in row 1 and 1 in row 2."),
        (["--image", "baar"], "There is no image 'baar'; the nearest is bar; or give a file"),
        (["--kernel", "vertical-edgy"], "There is no kernel 'vertical-edgy'; the nearest are vertical-edge"),
        (["--image", ";".join(["1 2"] * 17)], "must have 1×1 to 16×16 numbers; got 17×2"),
        (["--kernel", "box-blur:size=9"], "must have 1×1 to 7×7 numbers; got 9×9; use a smaller kernel."),
        (["--kernel", ";".join(["1 1 1 1 1 1 1"] * 7)], "Conv2d 'conv' has a window of 7 on an input of 6"),
        (["--image", "none.png"], "'none.png' must be readable; got: No such file or directory."),
        (["--stride", "0"], "The 'stride' parameter of Conv2d must be"),
        (["--padding", "much"], "The 'padding' parameter of Conv2d must be"),
        (["--padding", "-1"], "The 'padding' parameter of Conv2d must be"),
        (["--pool-size", "9"], "MaxPool2d 'pool' has a window of 9 on an input of 4"),
        (["--out", "steps.mp4"], "must end in .gif, .png, .svg or .html; got 'steps.mp4'."),
    ],
)
def test_what_cannot_be_ends_in_one_sentence(command: Command, arguments: list[str], message: str) -> None:
    status, said, err = command("step", *arguments)

    assert (status, said) == (1, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_picture_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    status, _, err = command("step", "--image", tmp_path / "a.png")

    assert status == 1
    assert "must be an image (PNG, JPEG" in err


def test_settings_of_a_pooling_that_is_not_wanted_are_refused(command: Command) -> None:
    status, _, err = command("step", "--pool", "none", "--pool-size", 2)

    assert status == 2
    assert "go with pooling" in err


class Terminal:
    """The player in a pseudo-terminal: keys in, text out."""

    def __init__(self, *arguments: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._termios = termios
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.settings = termios.tcgetattr(self.slave)
        self.output = b""
        environment = {
            name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )

    def read_until(self, text: str, seconds: float = 60) -> None:
        """Read until a text has come since the last call; colours and places do not count."""
        start, end = len(self.output), time.monotonic() + seconds
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.output[start:].decode(errors="replace")):
            is_over = self.process.poll() is not None or time.monotonic() > end
            if select.select([self.master], [], [], 0.1)[0]:
                self.output += os.read(self.master, 65536)
            elif is_over:
                raise AssertionError(f"{text!r} did not come; got {self.output[-800:].decode(errors='replace')}")

    def press(self, keys: bytes, text: str) -> None:
        """Press keys and wait for what they bring."""
        os.write(self.master, keys)
        self.read_until(text)

    def end(self) -> int:
        """Read what still comes, and return the exit status."""
        while self.process.poll() is None:
            if select.select([self.master], [], [], 0.05)[0]:
                self.output += os.read(self.master, 65536)
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65536)
        return self.process.returncode

    def check_restored(self) -> None:
        """Fail where the terminal is not as it was: its settings, its screen, its cursor."""
        assert self._termios.tcgetattr(self.slave) == self.settings
        assert self.output.rfind(b"\x1b[?1049l") > self.output.rfind(b"\x1b[?1049h") >= 0
        assert self.output.rfind(b"\x1b[?25h") > self.output.rfind(b"\x1b[?25l")


# A process that takes the pseudo-terminal as its own, so that Ctrl-C reaches it.
_RUN = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pellucid.cli.main import main
sys.exit(main(["step", *sys.argv[1:]]))
"""


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    opened = Terminal(*arguments)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.kill()
        opened.process.wait()
        os.close(opened.master)
        os.close(opened.slave)


pseudo_terminals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pseudo_terminals
def test_keys_move_the_player_in_a_terminal() -> None:
    with terminal() as opened:
        opened.read_until("step 0 of 115")
        opened.press(b" ", "paused")
        opened.press(b"\x1b[F", "the largest of 27, 27, 18 and 18 is 27.")
        opened.press(b"\x1b[H", "step 0 of 115, paused")
        opened.press(b"\x1b[C", "step 1 of 115, paused")
        opened.press(b"\x1b[C", "Row 0, column 1: 0·1 + 0·0 + 0·(−1)")
        opened.press(b"\x1b[D", "step 1 of 115, paused")
        opened.press(b"b", "step 37 of 115")
        opened.press(b"bq", "")
        assert opened.end() == 0
        opened.check_restored()


@pseudo_terminals
def test_playing_goes_on_by_itself() -> None:
    with terminal("--image", "1 2; 3 4", "--kernel", "1", "--pool", "none") as opened:
        opened.read_until("step 1 of")
        opened.read_until("step 2 of")
        os.write(opened.master, b"q")
        assert opened.end() == 0


@pseudo_terminals
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_the_terminal_is_restored_whatever_ends_the_player(how: str) -> None:
    with terminal() as opened:
        opened.read_until("step 0 of 115")
        if how == "Ctrl-C":
            os.write(opened.master, b"\x03")
        else:
            opened.process.send_signal(signal.SIGTERM)
        assert opened.end() == (130 if how == "Ctrl-C" else 143)
        opened.check_restored()
