"""Files of the user's: pictures and models, checked once, kept in a temporary folder for as long as the studio runs."""

from __future__ import annotations

import io
import secrets
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from pellucid.errors import DataError, FileError, PellucidError
from pellucid.studio.messages.uploads import Kept

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")

MOST_BYTES = 256 * 2**20
"""Of one file."""
MOST_KEPT = 2**30
"""Bytes of all files; beyond them the oldest are forgotten."""
MOST_FILES = 100
"""Files that are kept; beyond them, too, the oldest are forgotten."""
MODEL = ".safetensors"
"""What the name of a model file ends with; every other file must be a picture."""


class Uploads:
    """The files; threads may share it."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_kept: int = MOST_KEPT, most_files: int = MOST_FILES) -> None:
        self.most_bytes, self.most_kept, self.most_files = most_bytes, most_kept, most_files
        self.folder = Path(tempfile.mkdtemp(prefix="pellucid-"))  # 0700
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = Lock()
        self._decoded = lru_cache(2)(_decode)
        self.close = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, name: str, content: bytes) -> Kept:
        """Check a file and keep it. Raises what :meth:`adopt` raises."""
        place = self.new_place()
        place.write_bytes(content)
        return self.adopt(name, place)

    def new_place(self) -> Path:
        """Return where a file may be written before it is adopted."""
        return self.folder / f"{secrets.token_hex(8)}.part"

    def adopt(self, name: str, place: Path) -> Kept:
        """Check a file that lies at a new place, and keep it; it is removed where it is refused.

        Raises DataError or FileError where it is too large, no picture, no model, or damaged.
        """
        try:
            if place.stat().st_size > self.most_bytes:
                raise too_large(self.most_bytes)
            kept = _checked(Path(name).name[:100], place)
            place.rename(self._file(kept))
        finally:
            place.unlink(missing_ok=True)
        with self._lock:
            self._kept[kept.id] = kept
            while len(self._kept) > self.most_files or (len(self._kept) > 1 and self._size() > self.most_kept):
                self._file(self._kept.popitem(last=False)[1]).unlink(missing_ok=True)
        return kept

    def path(self, upload: str) -> Path:
        """Return the file as it came. Raises FileError where there is none, or it was forgotten."""
        kept = self._kept.get(upload)
        if kept is None:
            raise FileError(f"There is no uploaded file {upload!r:.40}, or it was forgotten; upload it again.")
        return self._file(kept)

    def image(self, upload: str) -> Image.Image:
        """Return a picture, "L" or "RGB", upright. Raises FileError where there is none, DataError for a model."""
        path = self.path(upload)
        if path.suffix == MODEL:
            raise DataError(f"The file '{self._kept[upload].name}' must be a picture; got a model.")
        image: Image.Image = self._decoded(path)
        return image

    def png(self, upload: str) -> bytes:
        """Return a picture as a PNG file. Raises what :meth:`image` raises."""
        file = io.BytesIO()
        self.image(upload).save(file, "png", compress_level=1)
        return file.getvalue()

    def _file(self, kept: Kept) -> Path:
        return self.folder / f"{kept.id}{MODEL if kept.kind == 'model' else '.picture'}"

    def _size(self) -> int:
        return sum(self._file(kept).stat().st_size for kept in self._kept.values())


def too_large(most: int) -> DataError:
    """Return the error for a file beyond the limit."""
    return DataError(f"An uploaded file must have at most {most / 2**20:,.0f} MiB; got more; make it smaller.")


def _checked(name: str, place: Path) -> Kept:
    name = "".join(sign for sign in name if sign.isprintable()) or "file"
    if not name.lower().endswith(MODEL):
        picture = _named(_decode, place, name)
        return Kept(id=place.stem, kind="image", name=name, width=picture.width, height=picture.height)
    _named(_load, place, name)
    return Kept(id=place.stem, kind="model", name=name)


def _named(read: Callable[[Path], T], place: Path, name: str) -> T:
    """Read a file; what is wrong with it is told with the user's name for it."""
    try:
        return read(place)
    except PellucidError as error:
        raise type(error)(str(error).replace(str(place), name)) from None


def _load(place: Path) -> None:
    from pellucid.interop.target import load_model

    load_model(str(place))


def _decode(place: Path) -> Image.Image:
    from pellucid.data.images import open_image

    return open_image(place)
