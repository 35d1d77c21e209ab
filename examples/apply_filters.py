"""Apply hand-made filters to a picture and save the feature maps.

A filter is a small grid of numbers. It is laid over every place of the picture; the numbers below it are multiplied by
its own and summed up. The sums, one for each place, are a feature map: large where the picture looks like the filter.

    python examples/apply_filters.py [--out DIR] [--photo FILE]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pel
from pellucid.explain.kernels.gallery import kernel

NAMES = ["identity", "horizontal-edge", "vertical-edge", "laplacian", "sharpen", "box-blur"]


def option(name, otherwise):
    """Return what follows an option on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def as_grey(feature_map):
    """Turn signed numbers into a picture: middle grey is 0, white the largest magnitude, black the same below 0."""
    limit = max(abs(feature_map).max(), 1e-6)
    return np.rint(127.5 + 127.5 * feature_map / limit).astype(np.uint8)


def enlarged(pixels, side=224):
    """Repeat every pixel, so that a small picture can be seen."""
    times = max(1, side // max(pixels.shape))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def main():
    """Filter one picture by every filter of the list."""
    out = Path(option("--out", "."))
    out.mkdir(parents=True, exist_ok=True)
    photo = option("--photo", None)
    if photo is None:
        train, _ = pel.datasets.load("fashion-mnist-mini")  # 28 × 28 pictures of clothes come with Pellucid
        picture = train.images[0, 0]
    else:
        picture = np.asarray(Image.open(photo).convert("L"))
    print(f"The picture has {picture.shape[0]} × {picture.shape[1]} pixels.")
    Image.fromarray(enlarged(picture)).save(out / "picture.png")

    for name in NAMES:
        weights = kernel(name)
        feature_map = pel.filter2d(picture.astype(np.float32), weights, border="replicate")
        Image.fromarray(enlarged(as_grey(feature_map))).save(out / f"map-{name}.png")
        print(
            f"\n{name}: its weights sum to {weights.sum():.4g}, so a flat grey of 100 gives {100 * weights.sum():.4g}"
        )
        print(np.array2string(weights, precision=2, suppress_small=True))
        strength = np.mean(abs(feature_map))
        print(f"map from {feature_map.min():+.0f} to {feature_map.max():+.0f}, mean magnitude {strength:.1f}")
    print(f"\nSaved to {out}: picture.png and {len(NAMES)} maps, in which middle grey is 0.")


if __name__ == "__main__":
    main()
