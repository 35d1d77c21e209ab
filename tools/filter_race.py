"""Filter a photo of 12 megapixels with Pellucid and OpenCV, in turns; print the milliseconds.

    python tools/filter_race.py [PHOTO]

Both use all cores and mirror the photo at its borders. OpenCV filters by its general ``filter2D`` and by the function
that it has for the very kernel, if it has one; results are compared first. Last, the way from file to file: decode,
filter, write a PNG at the same level of packing. Without a photo, one is made of noise and slopes.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from pellucid.bench.measure import interleaved
from pellucid.data.photos import Photo, open_photo, save_photo
from pellucid.explain.kernels.gallery import kernel
from pellucid.explain.photo import filter_photo
from pellucid.kernels.threads import count
from pellucid.nn.filters import filter2d

HEIGHT, WIDTH = 3000, 4000
MIRROR = cv2.BORDER_REFLECT_101
OWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sobel-x": lambda x: cv2.Sobel(x, cv2.CV_32F, 1, 0, ksize=3, borderType=MIRROR),
    "laplacian": lambda x: cv2.Laplacian(x, cv2.CV_32F, ksize=1, borderType=MIRROR),
    "gaussian-blur": lambda x: cv2.GaussianBlur(x, (5, 5), 0, borderType=MIRROR),
    "box-blur": lambda x: cv2.blur(x, (5, 5), borderType=MIRROR),
}
KERNELS = {
    "sobel-x": kernel("sobel-x"),
    "laplacian": kernel("laplacian"),
    "sharpen": kernel("sharpen"),
    "gaussian-blur": kernel("gaussian-blur", size=5),
    "box-blur": kernel("box-blur", size=5),
    "gabor": kernel("gabor", size=7, angle=30),
}


def noise_and_slopes() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = 128 + 90 * np.sin(x / 37)[:, :, None] * np.cos(y / 53)[:, :, None] * (1.0, 0.8, 0.6)
    noise = np.random.default_rng(0).normal(0, 6, (HEIGHT, WIDTH, 1))
    return (waves + noise).clip(0, 255).astype(np.uint8)


def race(name: str, photo: np.ndarray) -> None:
    """Time one kernel on one photo; signed answers need floats."""
    if photo.dtype == np.uint8 and KERNELS[name].sum() < 0.5:
        return
    weights = KERNELS[name].astype(np.float32)
    runs = {
        "pellucid": lambda: filter2d(photo, weights, "reflect"),
        "filter2D": lambda: cv2.filter2D(photo, -1, weights, borderType=MIRROR),
    }
    if name in OWN:
        runs["its own"] = lambda: OWN[name](photo)
    results = [run().astype(np.float32) for run in runs.values()]
    apart = max(float(abs(results[0] - other).max()) for other in results[1:])
    assert apart <= (1 if photo.dtype == np.uint8 else 1e-2), (name, apart)
    times = interleaved(runs)
    colours = "grey" if photo.ndim == 2 else "rgb"
    said = "  ".join(f"{who} {1e3 * seconds:6.1f}" for who, seconds in times.items())
    best = min(seconds for who, seconds in times.items() if who != "pellucid")
    print(f"{name:14} {colours:5}{photo.dtype!s:8} {said:52} ratio {best / times['pellucid']:.2f}")


def race_of_files(path: Path, folder: Path) -> None:
    """Time decoding, sharpening and writing."""
    weights = kernel("sharpen")

    def ours() -> None:
        made = filter_photo(open_photo(path), weights)
        save_photo(made.photo, folder / "ours.png")

    def theirs() -> None:
        made = cv2.filter2D(cv2.imread(str(path)), -1, weights, borderType=MIRROR)
        cv2.imwrite(str(folder / "theirs.png"), made, [cv2.IMWRITE_PNG_COMPRESSION, 1])

    times = interleaved({"pellucid": ours, "OpenCV": theirs}, seconds=6)
    apart = abs(open_photo(folder / "ours.png").pixels.astype(int) - open_photo(folder / "theirs.png").pixels).max()
    print(f"\n{path.name} to a PNG file, sharpened (at most {apart} apart):", end=" ")
    print(", ".join(f"{who} {seconds:.2f} s" for who, seconds in times.items()))
    sizes = {who: (folder / f"{who}.png").stat().st_size / 1e6 for who in ("ours", "theirs")}
    print("megabytes: " + ", ".join(f"{who} {size:.1f}" for who, size in sizes.items()))


def main() -> None:
    cv2.setNumThreads(count())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "made.png"
        if len(sys.argv) == 1:
            save_photo(Photo(noise_and_slopes()), path)
        pixels = open_photo(path).pixels
        print(
            f"{pixels.shape[1]}×{pixels.shape[0]} pixels, {count()} threads; milliseconds; ratio: best of OpenCV ÷ ours"
        )
        grey = np.ascontiguousarray(pixels[:, :, 1])
        for photo in (grey, pixels, grey.astype(np.float32), pixels.astype(np.float32)):
            for kernel_name in KERNELS:
                race(kernel_name, photo)
        race_of_files(path, folder)


main()
