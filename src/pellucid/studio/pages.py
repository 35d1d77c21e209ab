"""The files of the built page, compressed when first asked for, then kept in memory.

Only files that were there at the start are ever given: no path is looked up on disk because somebody asked for it.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from pellucid.errors import FileError
from pellucid.studio.answers import ROOMS

BUILT = Path(__file__).parent / "page"
"""Where the page is built to."""

_HASHED = re.compile(r"assets/.+-[\w-]{8,}\.\w+")
_TEXT = re.compile(r"text/.*|image/svg\+xml|application/(javascript|json|manifest\+json)|font/ttf")
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
"""Where the system's own table, which mimetypes reads, may be wrong or silent."""


@dataclass(frozen=True)
class File:
    """A file: as it is, compressed where that helps, and what its headers say."""

    content: bytes
    packed: bytes | None
    kind: str
    tag: str
    caching: str


class Pages:
    """A built page. Raises FileError where there is none."""

    def __init__(self, folder: Path) -> None:
        self._paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if "index.html" not in self._paths:
            raise FileError(
                f"The studio's page must be built into '{folder}'; there is none. Install pellucid[studio] again, or, "
                "in the source, run: make page"
            )
        self.file = cache(self._file)

    def answer(self, request: Request) -> Response:
        """Give a file; the page itself for all of its rooms."""
        path = request.url.path.strip("/")
        name = "index.html" if path.partition("/")[0] in ("", *ROOMS) else path
        try:
            file = self.file(name)
        except (KeyError, FileNotFoundError):  # never there, or no longer: the page was built anew meanwhile
            return Response("There is nothing here.", 404, media_type="text/plain")
        headers = {"Cache-Control": file.caching, "ETag": file.tag, "Vary": "Accept-Encoding"}
        if file.tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, 200, headers | {"Content-Encoding": "gzip"}, file.kind)
        return Response(file.content, 200, headers, file.kind)

    def _file(self, name: str) -> File:
        path = self._paths[name]
        content = path.read_bytes()
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = gzip.compress(content, mtime=0) if _TEXT.fullmatch(kind) else None
        caching = "private, max-age=31536000, immutable" if _HASHED.fullmatch(name) else "no-cache"
        return File(content, packed, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"', caching)
