"""Measure how fast the studio is there and how smoothly it steps; print the tables of the documentation.

    python -m tools.studio_speed [LOADS]        (5)

The start: from the command to its address, and to the first page. Each room: bytes over the wire with an empty cache,
and the time from the address to a room whose questions are all answered (the median of LOADS). The stepper, playing
fast: how long frames take.
"""

import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.driving import address, chromium, running_studio, settled, window

from pellucid.studio.answers import ROOMS

SECONDS = 5
FRAMES = """seconds => new Promise((done) => {
  const times = [];
  const frame = (now) => {
    times.push(now);
    now - times[0] < 1000 * seconds ? requestAnimationFrame(frame) : done(times);
  };
  requestAnimationFrame(frame);
})"""


def main() -> None:
    """Measure and print."""
    loads = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = chromium(playwright)
        if browser is None:
            sys.exit("Measuring needs Chromium (on Debian: apt-get install chromium).")
        begun = time.perf_counter()
        with running_studio(Path(folder)) as studio:
            told = time.perf_counter() - begun
            window(browser).new_page().goto(address(studio, ""))
            print(f"address after {told:.2f} s, first page after {time.perf_counter() - begun:.2f} s\n")
            print("| room | kB over the wire | files | ready, ms |\n| --- | ---: | ---: | ---: |")
            for place in ("", *ROOMS):
                sizes, ready = zip(*(load(browser, address(studio, place)) for _ in range(loads)), strict=True)
                kilobytes = sum(sizes[0]) / 1000
                print(f"| {place or 'home'} | {kilobytes:.0f} | {len(sizes[0])} | {statistics.median(ready):.0f} |")
            print(f"\n{stepping(browser, address(studio, 'stepper?speed=8&loop=1'))}")
        browser.close()


def load(browser: Browser, place: str) -> tuple[list[int], float]:
    """Open a place in a new window; return the bytes of each file and the milliseconds until it rests."""
    page = window(browser).new_page()
    sizes: list[int] = []
    wire = page.context.new_cdp_session(page)
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto(place, wait_until="commit")
    settled(page, frames=0)
    ready = page.evaluate("performance.now()")
    page.wait_for_load_state("networkidle")
    page.context.close()
    return sizes, ready


def stepping(browser: Browser, place: str) -> str:
    """Play the stepper, and say how long its frames took."""
    page: Page = window(browser).new_page()
    page.goto(place)
    settled(page)
    page.get_by_role("button", name="Play").click()
    times = page.evaluate(FRAMES, SECONDS)
    page.context.close()
    gaps = sorted(after - before for before, after in pairwise(times))
    return (
        f"stepping at speed 8: {1000 * len(gaps) / sum(gaps):.0f} frames/s; "
        f"a frame takes {statistics.median(gaps):.1f} ms, 95 of 100 at most {gaps[int(0.95 * len(gaps))]:.1f} ms"
    )


if __name__ == "__main__":
    main()
