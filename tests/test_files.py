"""Files are replaced in one piece, or not at all."""

import os
import resource
import subprocess
import sys

import pytest

from pellucid.errors import FileError
from pellucid.files import replacing, write_text


def test_a_file_is_replaced(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    write_text(target, "new é")
    assert target.read_text(encoding="utf-8") == "new é"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.stat().st_mode & 0o444 == 0o444 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_error_while_writing_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")

    def write_half():
        with replacing(target) as temporary:
            temporary.write_text("half of")
            raise RuntimeError("the writer failed")

    with pytest.raises(RuntimeError, match="the writer failed"):
        write_half()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_written():
    with pytest.raises(FileError, match=r"cannot be written: .*Free some space or choose a folder that can be written"):
        write_text("/proc/pellucid.txt", "x")


def test_a_full_disk(tmp_path):
    """A limit on file size makes the kernel refuse the bytes, as a full disk does."""
    target = tmp_path / "a.txt"
    write_text(target, "old")
    script = f"""
import resource, sys
from pellucid.errors import FileError
from pellucid.files import write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, {resource.RLIM_INFINITY}))
try:
    write_text({str(target)!r}, "x" * 20_000)
except FileError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cannot be written: File too large; what was there before is untouched" in done.stdout
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
