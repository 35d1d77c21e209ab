"""Make docs/report.png, the README's picture, from a run's report: its head, one cell, the mistakes.

    python tools/readme_picture.py RUN/report.html

Needs Debian's chromium.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

TARGET = Path(__file__).parents[1] / "docs/report.png"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
WIDTH, HEIGHT = 1000, 1120


def screenshot(url: str, folder: str) -> Image.Image:
    target = Path(folder, "page.png")
    size = [f"--window-size={WIDTH},9000", f"--screenshot={target}", f"--user-data-dir={folder}/profile"]
    subprocess.run(["chromium", *FLAGS, *size, url], check=True, capture_output=True, timeout=120)
    return Image.open(target).convert("RGB")


def section(report: Path, anchor: str, folder: str) -> Image.Image:
    """Cut a section out: the page is shown with everything before it hidden."""
    text = report.read_text(encoding="utf-8")
    cut = Path(folder, "section.html")
    style = f"<style>section:not(#{anchor}), header, nav, footer {{ display: none }}</style>"
    without_policy = text.replace("Content-Security-Policy", "ignored")
    cut.write_text(without_policy.replace("</head>", f"{style}</head>"), encoding="utf-8")
    return screenshot(cut.as_uri(), folder)


if __name__ == "__main__":
    report = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        head = screenshot(report.as_uri(), folder)
        cell, mistakes = (section(report, anchor, folder) for anchor in ("cell", "mistakes"))
    picture = Image.new("RGB", (2 * WIDTH, HEIGHT), head.getpixel((0, 0)))
    picture.paste(head.crop((0, 0, WIDTH, HEIGHT)), (0, 0))
    picture.paste(cell.crop((0, 0, WIDTH, 620)), (WIDTH, 0))
    picture.paste(mistakes.crop((0, 70, WIDTH, HEIGHT - 550)), (WIDTH, 620))
    TARGET.parent.mkdir(exist_ok=True)
    picture.quantize(200).save(TARGET, optimize=True)
