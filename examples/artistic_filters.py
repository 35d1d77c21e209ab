"""Artistic filters: emboss, edges, blur, pencil and oil paint are a few small filters each.

    python examples/artistic_filters.py [--out DIR] [--photo FILE]

Without a photo, a small landscape is drawn to try them on.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import pellucid as pel
from pellucid.explain.kernels.gallery import kernel


def option(name, otherwise):
    """Return what follows an option on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def landscape():
    """Draw hills, a house and a sun."""
    y, x = np.indices((240, 320))
    picture = np.stack([150 + y / 3, 190 + y / 5, 245 - y / 8], axis=2)  # sky
    picture[178:] = (105, 150, 80)  # grass
    strokes = np.sin(x / 3 + 2 * np.sin(y / 4)) + np.random.default_rng(0).normal(0, 0.5, x.shape)
    picture += (np.where(y < 178, 4, 22) * strokes)[..., None]  # so that there is some texture
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((235, 25, 285, 75), fill=(255, 225, 120))
    draw.polygon([(0, 170), (90, 90), (190, 175), (260, 120), (320, 165), (320, 180), (0, 180)], fill=(95, 120, 110))
    draw.rectangle((120, 140, 200, 205), fill=(205, 170, 140))
    draw.polygon([(110, 142), (160, 100), (210, 142)], fill=(150, 65, 55))
    draw.rectangle((150, 165, 172, 205), fill=(90, 60, 45))
    return np.asarray(image)


def grey(photo):
    """Return the brightness of a photo, float32 (H, W)."""
    return (photo @ np.array([0.299, 0.587, 0.114])).astype(np.float32)


def convolved(photo, weights):
    """Filter every colour; the border is repeated outwards."""
    return pel.filter2d(photo.astype(np.float32), weights, border="replicate")


def emboss(photo):
    """Show as a relief, on middle grey, what each place's lower right has more than its upper left."""
    # The kernel's weights sum to 1: it gives the photo and the relief, so the photo is taken off again.
    return 128 + convolved(grey(photo), kernel("emboss")) - grey(photo)


def edges(photo):
    """Show how fast the brightness changes, in whichever direction: √(Sobel-x² + Sobel-y²)."""
    light = grey(photo)
    return np.hypot(convolved(light, kernel("sobel-x")), convolved(light, kernel("sobel-y"))) / 2


def blur(photo):
    """Replace every pixel by a mean of its neighbours, the nearer the heavier."""
    return convolved(photo, kernel("gaussian-blur", sigma=3))


def pencil(photo):
    """Divide the brightness by its own blur: flat areas become white paper, edges stay dark."""
    light = grey(photo)
    return 255 * (light + 1) / (convolved(light, kernel("gaussian-blur", sigma=4)) + 1)


def oil(photo, levels=8):
    """Give every pixel the mean colour of the commonest brightness around it: strokes of one colour each."""
    level = (grey(photo) * levels / 256).astype(int)
    around = kernel("box-blur", size=7)
    shares = np.stack([convolved((level == each).astype(np.float32), around) for each in range(levels)])
    sums = np.stack([convolved(photo * (level == each)[..., None], around) for each in range(levels)])
    commonest = shares.argmax(axis=0)  # (H, W)
    y, x = np.indices(commonest.shape)
    return sums[commonest, y, x] / shares[commonest, y, x][..., None]


def main():
    """Make a picture of each, and save it beside the original."""
    out, given = Path(option("--out", ".")), option("--photo", None)
    out.mkdir(parents=True, exist_ok=True)
    photo = landscape() if given is None else np.asarray(Image.open(given).convert("RGB"))
    Image.fromarray(photo).save(out / "original.png")
    for art in (emboss, edges, blur, pencil, oil):
        picture = np.rint(art(photo)).clip(0, 255).astype(np.uint8)
        Image.fromarray(picture).save(out / f"{art.__name__}.png")
        print(f"{art.__name__}.png: {art.__doc__}")
    print(f"Saved to {out}, beside original.png.")


if __name__ == "__main__":
    main()
