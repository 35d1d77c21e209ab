"""A run's folder belongs to one process, and to nobody once that process is gone."""

import subprocess
import sys

import pytest

from pellucid.errors import TrainingError
from pellucid.train.lock import holding, is_held

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no lock that a folder could bear")

HOLD = """
import sys
from pathlib import Path
from pellucid.train.lock import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_kept_out_until_it_is_killed(tmp_path):
    assert not is_held(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        assert is_held(tmp_path)
        with pytest.raises(TrainingError, match="is being trained by another process"), holding(tmp_path):
            pass
        process.kill()
        process.wait()
        assert not is_held(tmp_path)
        with holding(tmp_path):
            assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    assert not is_held(tmp_path / "none")
