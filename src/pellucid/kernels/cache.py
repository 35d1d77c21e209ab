"""Compiled kernels on disk, so that each is compiled once per machine.

A file holds machine code, so it is read only if it, and its folder, belong to this user and nobody else may write
them. The folder's name tells everything that the code depends on: the source of this floor, the compiler and its
settings, the processor. What is broken, foreign or unwritable is compiled anew and kept in memory only.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pellucid.kernels.compiler import Kernel
from pellucid.kernels.host import host

VARIABLE = "PELLUCID_CACHE"
"""Environment variable that names another folder for compiled kernels."""

_FOLDERS = 8
"""How many folders are kept: for other vectors, other versions. The longest unused goes first."""


@cache
def folder() -> Path | None:
    """Where the kernels for this machine, source and compiler are kept; None where this user has no place for them."""
    base = _base()
    return None if base is None else base / f"kernels-{host().name}-{_fingerprint()}"


def read(kernel: Kernel) -> bytes | None:
    """Find a compiled kernel; None where there is none that can be trusted."""
    return find(kernel.name) if _is_ours(kernel) else None


def write(kernel: Kernel, code: bytes) -> None:
    """Keep a compiled kernel, if the folder can be written."""
    if _is_ours(kernel):
        keep(kernel.name, code)


def find(name: str) -> bytes | None:
    """Read what was kept under a name; None where there is nothing that can be trusted."""
    place = folder()
    try:
        if place is None or not _is_private(place.lstat()):
            return None
        handle = os.open(place / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            if not _is_private(os.fstat(handle)):
                return None
            checksum, content = file.read().split(b"\n", 1)
    except (OSError, ValueError):
        return None
    return content if _checksum(content) == checksum else None


def keep(name: str, content: bytes) -> None:
    """Write a file whole or not at all, if the folder can be written. Names with a leading dot are no kernels."""
    place = folder()
    with suppress(OSError):
        if place is None or not _is_ready(place):
            return
        handle, temporary = tempfile.mkstemp(prefix=".", dir=place)  # which nobody else may read or write
        try:
            with open(handle, "wb") as file:
                file.write(_checksum(content) + b"\n" + content)
            os.replace(temporary, place / name)
        except BaseException:
            os.unlink(temporary)
            raise


def obstacle() -> str | None:
    """Try the folder, and say in words why kernels cannot be kept there; None where they can."""
    place = folder()
    if place is None:
        return "this user has no home folder"
    try:
        if not _is_ready(place):
            return "it is a link, or another user may write there"
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return (error.strerror or str(error)).lower()


def kept() -> tuple[int, int]:
    """Count the kernels on disk and their bytes."""
    place = folder()
    return (0, 0) if place is None else _count(place)


def clear() -> tuple[int, int]:
    """Remove this user's kernels, those for other vectors and versions too; return how many, and their bytes.

    Raises OSError where one cannot be removed. Kernels that are loaded go on working.
    """
    base, removed = _base(), [(0, 0)]
    for place in [] if base is None else _folders(base):
        if os.name != "posix" or place.stat().st_uid == os.getuid():
            removed.append(_count(place))
            shutil.rmtree(place)
    number, size = (sum(column) for column in zip(*removed, strict=True))
    return number, size


def _is_ours(kernel: Kernel) -> bool:
    """Whether a kernel is written on this floor: the folder's name does not know the source of others."""
    return Path(kernel.body.__code__.co_filename).parent == Path(__file__).parent


def _base() -> Path | None:
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        given = Path(os.environ.get("XDG_CACHE_HOME") or "")
        base = given if given.is_absolute() else home / ".cache"
    return base / "pellucid" if base.is_absolute() else None  # the home of a user without one is "~"


def _is_ready(place: Path) -> bool:
    """Make a folder for kernels, unless it is there, and tell whether it is private."""
    if not place.is_dir():
        place.mkdir(mode=0o700, parents=True)
        _prune(place.parent)
    return _is_private(place.lstat())


def _prune(base: Path) -> None:
    """Remove the folders of kernels that were changed longest ago, but for a few."""
    folders = sorted(_folders(base), key=lambda place: place.stat().st_mtime, reverse=True)
    for old in folders[_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


def _folders(base: Path) -> list[Path]:
    return [place for place in base.glob("kernels-*") if place.is_dir() and not place.is_symlink()]


def _count(place: Path) -> tuple[int, int]:
    with suppress(OSError):
        sizes = [file.stat().st_size for file in place.glob("[!.]*")]
        return len(sizes), sum(sizes)
    return 0, 0


def _checksum(code: bytes) -> bytes:
    return hashlib.sha256(code).hexdigest().encode()


def _is_private(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, no link, and nobody else may write it."""
    if os.name != "posix":
        return True  # the user's profile is private by its access list
    return status.st_uid == os.getuid() and not stat.S_ISLNK(status.st_mode) and not status.st_mode & 0o022


@cache
def _fingerprint() -> str:
    """Hash what the machine code depends on."""
    digest = hashlib.sha256("\0".join(host().target).encode())
    for package in ("llvmlite", "numba"):
        with suppress(PackageNotFoundError):
            digest.update(f"{package} {version(package)}".encode())
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    digest.update(repr(settings).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
