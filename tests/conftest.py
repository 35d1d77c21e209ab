"""Settings of the whole suite (one thread a process, for xdist runs several; repeatable examples in CI); a run."""

import os
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read when NumPy and PyTorch are first imported

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from PIL import Image  # noqa: E402

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


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
    from pellucid.cli.main import main

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
