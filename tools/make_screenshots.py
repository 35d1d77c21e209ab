"""Take pictures of the studio's rooms for the documentation, light and dark, on a desktop and on a phone.

    python -m tools.make_screenshots [ROOM …]        (all of them; to docs/studio)

A short training run comes first, for the room that shows one.
"""

import io
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from tests.browser.driving import address, chromium, running_studio, settled, window

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "studio"
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
RUN = "clothes"
TRAINING = ("--net", "pooled28", "--epochs", "3", "--out", f"runs/{RUN}")
PLACES = {
    "home": "",
    "playground": "playground",
    "stepper": "stepper?step=7",
    "pipeline": "pipeline",
    "geometry": "geometry",
    "architect": "architect",
    "train": f"train?run={RUN}",
    "inspect": "inspect",
    "cell": "inspect?at=conv2*3*5*7",
    "shift": "shift",
    "photo": "photo?effect=emboss",
    "lessons": "lessons",
    "chapter": "lessons/pooling",
    "exercises": "lessons/exercises",
}
"""What each picture shows."""
FIRST = {"cell": "conv2, map 3"}
"""The heading that stands first in a picture, where it is not the page's."""


def main() -> None:
    """Take the pictures."""
    chosen = sys.argv[1:] or list(PLACES)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        if "train" in chosen:
            subprocess.run([sys.executable, "-m", "pellucid", "train", *TRAINING], cwd=folder, check=True)
        browser = chromium(playwright)
        if browser is None:
            sys.exit("Pictures need Chromium (on Debian: apt-get install chromium).")
        with running_studio(Path(folder)) as studio:
            for size, viewport in SIZES.items():
                for theme in ("light", "dark"):
                    page = window(browser, viewport=viewport, color_scheme=theme, reduced_motion="reduce").new_page()
                    for name in chosen:
                        page.goto(address(studio, PLACES[name]))
                        settled(page)
                        if heading := FIRST.get(name):
                            page.get_by_role("heading", name=heading).evaluate("it => it.scrollIntoView()")
                            settled(page)
                        keep(page, PICTURES / f"{name}-{size}-{theme}.webp")
                    page.context.close()
        browser.close()
    print(f"{sum(file.stat().st_size for file in PICTURES.iterdir()) / 1e6:.2f} MB in {PICTURES}")


def keep(page: Page, path: Path) -> None:
    """Write what a page shows to a file."""
    path.parent.mkdir(exist_ok=True)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=80, method=6)


if __name__ == "__main__":
    main()
