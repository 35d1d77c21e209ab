from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.cli.main import main


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 8×8 pictures of three classes that are easy to tell apart."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number, name in enumerate(("dark", "light", "striped")):
        (root / name).mkdir()
        for index in range(20):
            pixels = rng.integers(0, 40, (8, 8)) + (200 if name == "light" else 0)
            if name == "striped":
                pixels[:, ::2] += 200
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{number}-{index}.png")
    return root


@pytest.fixture(scope="session")
def trained(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run on these images."""
    out = tmp_path_factory.mktemp("runs") / "run"
    arguments = [
        "train",
        "--net",
        "tiny",
        "--data",
        str(images),
        "--epochs",
        "15",
        "--batch-size",
        "8",
        "--augment",
        "none",
    ]
    assert main([*arguments, "--out", str(out)]) == 0
    return out


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command in this process: arguments → exit status, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, *capfd.readouterr()

    return run
