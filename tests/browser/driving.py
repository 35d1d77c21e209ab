"""Driving the studio as tests and tools do: Chromium, a studio of one's own, and when a page has come to rest."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

import pellucid.studio

ELSEWHERE = os.environ.get("PELLUCID_PAGE")
"""Where a page lies that is not the installed one, while somebody works on it."""
PAGE = Path(ELSEWHERE or Path(pellucid.studio.__file__).parent / "page")
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
FIRST = 60_000
"""Milliseconds that the first page may take: the studio may have much to load and kernels to compile."""
LATER = 10_000
"""Milliseconds that anything may take that a test waits for."""

COUNTED = """
window.unanswered = new Set();
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  unanswered.add(JSON.parse(text).id);
  if (!this.counted) {
    this.counted = true;
    this.addEventListener("message", (event) => unanswered.delete(JSON.parse(event.data).id));
    this.addEventListener("close", () => unanswered.clear());
  }
  return send.call(this, text);
};
"""
RESTS = """([frames, most]) => new Promise((done, failed) => {
  const end = performance.now() + most;
  let quiet = 0;
  const look = () => {
    quiet = document.querySelector("h1") && unanswered.size === 0 ? quiet + 1 : 0;
    if (quiet > frames) done();
    else if (performance.now() < end) requestAnimationFrame(look);
    else failed(`no rest: ${document.querySelectorAll("h1").length} headings, ${unanswered.size} questions open`);
  };
  look();
})"""


def chromium(playwright: Playwright) -> Browser | None:
    """Start Debian's Chromium, or another that is there; None where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    unguarded = ["--no-sandbox"] if os.name == "posix" and os.getuid() == 0 else []
    return playwright.chromium.launch(executable_path=program, args=FLAGS + unguarded) if program else None


@contextmanager
def running_studio(folder: Path) -> Iterator[str]:
    """Start a studio as a person would, runs in a folder; yield the address that it prints, and end it."""
    command = ["-m", "pellucid", "studio", "--no-browser", "--port", "0"]
    if ELSEWHERE:
        code = "import sys, typer; from pellucid.studio.serve import serve;"
        command = ["-c", f"{code} serve(port=0, pages=sys.argv[1], tell=typer.echo)", ELSEWHERE]
    with subprocess.Popen([sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _told(server)
        finally:
            server.terminate()


def _told(server: "subprocess.Popen[str]") -> str:
    lines = []
    for line in server.stdout or ():
        lines.append(line)
        if found := re.search(r"http://\S+", line):
            return found.group()
    raise RuntimeError(f"the studio ended with status {server.wait()} after saying {lines}")


def address(studio: str, place: str) -> str:
    """Return the whole address of a place such as ``stepper?kernel=sobel``, with the token that opens the studio."""
    base, token = studio.split("?")
    return f"{base}{place}{'&' if '?' in place else '?'}{token}"


def window(browser: Browser, **options: object) -> BrowserContext:
    """Open a window of its own, as Playwright's ``new_context``, in which questions and answers are counted."""
    usual = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
    opened = browser.new_context(**usual | options)
    opened.set_default_timeout(LATER)
    opened.set_default_navigation_timeout(FIRST)
    opened.add_init_script(COUNTED)
    return opened


def settled(page: Page, frames: int = 5) -> None:
    """Wait until a page has its heading, and for some frames no question that is not answered."""
    page.evaluate(RESTS, [frames, LATER])
