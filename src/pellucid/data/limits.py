"""Reading without trusting what a header announces."""

from pathlib import Path
from typing import Protocol

from pellucid.errors import DataError, FileError

MAX_PIXELS = 64_000_000
"""Larger images are refused from their header alone, before any memory is taken for them."""

MAX_BYTES = 4 * 2**30
"""The pixels of one part of a data set may take this much memory: 4 GiB."""

# Deflate cannot pack tighter than 1,032 to 1, so a larger promise is a lie told before anything is unpacked.
_MAX_RATIO = 1032

_CHUNK = 2**20


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; fewer only near the end."""


def read_exactly(stream: Readable, announced: int, *, available: int, name: str) -> bytes:
    """Return the `announced` bytes that must be all that is left in a stream.

    Parameters
    ----------
    stream
        Read in pieces, and never further than one byte past what was announced.
    announced
        What a header says.
    available
        Bytes that the stream takes in its file, compressed or not.
    name
        What messages call it.

    Raises
    ------
    DataError
        If the stream is shorter or longer, or the promise cannot be true.

    Examples
    --------
    >>> import io
    >>> read_exactly(io.BytesIO(b"abc"), 3, available=3, name="x")
    b'abc'
    """
    if announced > min(MAX_BYTES, _MAX_RATIO * available + _CHUNK):
        raise DataError(
            f"The header of '{name}' must announce what the file can hold; got {announced} bytes in a file "
            f"of {available}; the file is damaged."
        )
    pieces = bytearray()
    while len(pieces) <= announced:
        piece = stream.read(min(_CHUNK, announced + 1 - len(pieces)))
        if not piece:
            break
        pieces += piece
    if len(pieces) != announced:
        amount = "more" if len(pieces) > announced else str(len(pieces))
        raise DataError(
            f"The contents of '{name}' must be the {announced} bytes that its header announces; got "
            f"{amount}; the file is damaged or incomplete."
        )
    return bytes(pieces)


def file_size(path: Path) -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    FileError
        If there is no such file, or it cannot be examined.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise FileError(f"The file '{path}' must be readable; got: {error.strerror}.") from None


def read_file(path: Path, largest: int) -> bytes:
    """Return the contents of a file of at most `largest` bytes.

    Raises
    ------
    DataError
        If the file is larger.
    FileError
        If it cannot be read.
    """
    size = file_size(path)
    if size > largest:
        raise DataError(f"The file '{path}' must have at most {largest} bytes; got {size}; it is another kind of file.")
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise FileError(f"The file '{path}' must be readable; got: {error.strerror}.") from None
