"""Fetching a file: nothing is lost when the line breaks, nothing is trusted until its hash fits."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from pellucid.data.catalogue import RemoteFile
from pellucid.errors import FileError
from pellucid.files import sync

Progress = Callable[[str, int, int], None]
"""Called with (file name, bytes so far, bytes in all)."""

_CHUNK = 2**18
_TIMEOUT = 30  # seconds without a byte
_ATTEMPTS = 3  # at one address, as long as each brings the file further


def fetch(file: RemoteFile, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file into a folder and return where it is.

    A file that is there already is not fetched again. The bytes go to NAME.part, which a later call goes on
    from. When it is complete and has the right SHA-256 it is flushed to the disk and renamed.

    Raises
    ------
    FileError
        If no address can be reached, the transfer breaks off, the contents are wrong, or the disk refuses.
    """
    target = folder / file.name
    part = folder / f"{file.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not target.is_file():
            _complete(file, part, progress)
            sync(part)
            os.replace(part, target)
            sync(folder)
    except FileError:
        raise
    except OSError as error:
        raise FileError(
            f"The folder '{folder}' must take the file '{file.name}'; got: {error.strerror or error}; free "
            f"some space there, or set PELLUCID_DATA to another folder."
        ) from None
    return target


def _complete(file: RemoteFile, part: Path, progress: Progress | None) -> None:
    """Bring the part file to its full size and check its hash, trying one address after the other."""
    reasons: dict[str, str] = {}
    for url in file.urls:
        host = urlsplit(url).netloc
        for _ in range(_ATTEMPTS):
            before = _size(part)
            try:
                if before < file.size:
                    _transfer(url, file, part, progress)
                if _sha256(part) == file.sha256:
                    return
                part.unlink()
                reasons[host] = "the file from there has the wrong SHA-256"
            except _TransferError as error:
                reasons[host] = str(error)
            if _size(part) <= before < file.size:
                break
    kept = _size(part)
    rest = f"; {kept} of {file.size} bytes are kept, and the next try goes on from there" if kept else ""
    raise FileError(
        f"The file '{file.name}' must come over the network; got "
        f"{'; '.join(f'{host}: {reason}' for host, reason in reasons.items())}{rest}; check the connection "
        f"and try again, or put the file into '{part.parent}' yourself."
    )


class _TransferError(Exception):
    """The network's fault, as against the disk's."""


def _transfer(url: str, file: RemoteFile, part: Path, progress: Progress | None) -> None:
    """Append to the part file what is missing of it, as far as the connection lasts."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "pellucid", "Range": f"bytes={start}-"})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except (OSError, HTTPException) as error:
        raise _TransferError(getattr(error, "reason", None) or error) from None
    with response:
        # A server that does not know ranges sends the whole file, with status 200.
        resumed = response.status == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _TransferError("the server sent another part of the file than it was asked for")
        written = start if resumed else 0
        with part.open("ab" if resumed else "wb") as output:
            while written < file.size:
                try:
                    piece = response.read(min(_CHUNK, file.size - written))
                except (OSError, HTTPException) as error:
                    raise _TransferError(error) from None
                if not piece:
                    raise _TransferError(f"the connection ended after {written} bytes")
                output.write(piece)
                written += len(piece)
                if progress is not None:
                    progress(file.name, written, file.size)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
