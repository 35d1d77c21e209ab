"""Design a filter by hand: digits from 0 to 9 on a 5 × 5 grid.

Change GRID and run again. Which pictures does your filter answer to? Digits are never negative, so bright areas of any
shape would excite it; taking the mean off makes it compare: flat areas then give 0, and only the shape counts.

    python examples/design_a_filter.py [--out DIR] [--grid "rows; of; digits"]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pel
from pellucid.explain.kernels.describe import describe
from pellucid.explain.kernels.gallery import read_kernel

GRID = """
    0 0 0 0 0
    0 2 2 2 0
    9 9 9 9 9
    0 2 2 2 0
    0 0 0 0 0
"""


def option(name, otherwise):
    """Return what follows an option on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def lines():
    """Draw pictures of 15 × 15 pixels to try the filter on: bright lines (1) on black (0)."""
    pictures = {name: np.zeros((15, 15), np.float32) for name in ("horizontal", "vertical", "diagonal")}
    pictures["horizontal"][7, 2:13] = 1
    pictures["vertical"][2:13, 7] = 1
    pictures["diagonal"][range(2, 13), range(2, 13)] = 1
    return pictures | {"flat": np.ones((15, 15), np.float32)}


def as_picture(numbers, limit, side=15):
    """Enlarge numbers, middle grey for 0, white for the limit, black for the same below 0."""
    pixels = np.rint(127.5 + 127.5 * (numbers / limit).clip(-1, 1)).astype(np.uint8)
    return pixels.repeat(side, axis=0).repeat(side, axis=1)


def main():
    """Describe the filter, and measure its answers to lines."""
    out = Path(option("--out", "."))
    out.mkdir(parents=True, exist_ok=True)
    digits = read_kernel(option("--grid", ";".join(GRID.strip().splitlines())))
    if digits.shape != (5, 5) or not np.isin(digits, range(10)).all():
        sys.exit("The grid must be 5 rows of 5 digits from 0 to 9.")
    balanced = digits - digits.mean()
    print("Your digits, and the same with their mean taken off:\n")
    for row, other in zip(digits, balanced, strict=True):
        print("  ".join(f"{value:.0f}" for value in row), "    ", " ".join(f"{value:+5.1f}" for value in other))
    print(f"\nWhat the balanced filter is:\n{describe(balanced).text()}\n")

    print("strongest answer to    the digits    balanced")
    maps = []
    for name, picture in lines().items():
        answers = [pel.filter2d(picture, weights, border="replicate") for weights in (digits, balanced)]
        plain, compared = (round(float(answer.max()), 1) + 0.0 for answer in answers)  # + 0.0 makes −0.0 a plain 0
        print(f"  {name:18} {plain:12} {compared:11}")
        pair = as_picture(picture, 1), as_picture(answers[1], abs(balanced).sum() / 2)
        maps.append(np.hstack([np.pad(one, 4, constant_values=255) for one in pair]))
    Image.fromarray(as_picture(balanced, abs(balanced).max(), side=45)).save(out / "filter.png")
    Image.fromarray(np.vstack(maps)).save(out / "answers.png")
    print(f"\nSaved to {out}: filter.png, and answers.png with each picture beside the balanced filter's answer")
    print("(middle grey is 0, lighter is above, darker below)")


if __name__ == "__main__":
    main()
