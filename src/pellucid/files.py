"""Writing files so that a crash leaves either the old file or the new one, never half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pellucid.errors import FileError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; afterwards it takes the place of ``path``, durably and at once.

    If the writing fails, ``path`` is as it was. Raises FileError where the disk is full or the folder cannot be
    written.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = Path(folder.name, "a.txt")
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("new")
    >>> target.read_text()
    'new'
    >>> folder.cleanup()
    """
    path = Path(path)
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp gives 0600; a result is an ordinary file
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise FileError(
            f"'{path}' cannot be written: {error.strerror or error}; what was there before is untouched. "
            "Free some space or choose a folder that can be written."
        ) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file, UTF-8, in one piece. Raises FileError as :func:`replacing` does."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Make the disk hold a file's contents, or a folder's names, before going on."""
    # Windows cannot open a folder, and flushes a file only through a handle that may write.
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
