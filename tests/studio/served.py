"""A studio as a process of its own, and the smallest page that it will serve."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pellucid.studio.serve import serve
if sys.argv[4] == "standin":
    from tests.studio import standin
    standin.install()
try:
    serve(sys.argv[1], 0, pages=sys.argv[2], runs=sys.argv[3], tell=lambda line: print(line, flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


@dataclass(frozen=True)
class Served:
    """A running studio: its process, its address and what opens it."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def write_page(folder: Path) -> Path:
    """Write a page of three files."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(
        '<!doctype html><title>Page</title><script src="/assets/a-12345678.js"></script>'
    )
    (folder / "assets" / "a-12345678.js").write_text("document.title += '!';" * 100)
    (folder / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return folder


@contextmanager
def served(folder: Path, rooms: str = "all") -> Iterator[Served]:
    """Run a studio inside, with its rooms or the tests' "standin"; it is killed in the end if it still runs."""
    temporary = folder / "temporary"
    temporary.mkdir()
    arguments = ["127.0.0.1", write_page(folder / "page"), folder / "runs", rooms]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Pellucid studio: http://"), line + process.communicate()[1]
        address = urlsplit(line.split()[-1])
        assert address.port is not None
        yield Served(process, address.port, parse_qs(address.query)["token"][0])
    finally:
        process.kill()
        process.communicate()
