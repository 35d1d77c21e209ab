"""The forward pass of a tiny network, once in plain loops and once with Pellucid: the same numbers.

image → convolve → ReLU → pool → convolve → ReLU → pool → dense → softmax. All weights are small whole numbers, so that
both ways must agree exactly up to the softmax.

    python examples/forward_by_hand.py [--out DIR]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pel
import pellucid.nn as nn


def convolve(image, weights, biases):
    """Slide each filter over the image, with a border of zeros around it: (C, H, W) → (filters, H, W)."""
    channels, height, width = image.shape
    padded = np.zeros((channels, height + 2, width + 2))
    padded[:, 1:-1, 1:-1] = image
    result = np.zeros((len(weights), height, width))
    for f in range(len(weights)):
        for y in range(height):
            for x in range(width):
                patch = padded[:, y : y + 3, x : x + 3]
                result[f, y, x] = np.sum(patch * weights[f]) + biases[f]
    return result


def relu(maps):
    """Keep what is positive; the rest becomes 0."""
    return np.maximum(maps, 0)


def pool(maps):
    """Keep the largest number of every 2 × 2 block."""
    channels, height, width = maps.shape
    result = np.zeros((channels, height // 2, width // 2))
    for c in range(channels):
        for y in range(height // 2):
            for x in range(width // 2):
                result[c, y, x] = maps[c, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].max()
    return result


def softmax(scores):
    """Turn scores into shares that sum to 1."""
    powers = np.exp(scores - scores.max())  # less the maximum, so that nothing overflows
    return powers / powers.sum()


def main():
    """Compute both and compare every stage."""
    out = Path(sys.argv[sys.argv.index("--out") + 1] if "--out" in sys.argv else ".")
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    image = np.zeros((1, 8, 8))
    image[0, 1:7, 3:5] = 9  # a bright bar
    first, second = random.integers(-2, 3, (2, 1, 3, 3)), random.integers(-2, 3, (3, 2, 3, 3))
    dense = random.integers(-2, 3, (3, 12)) / 256  # a power of two: still exact, and softmax has something to share out

    by_hand = {"conv1": convolve(image, first, [0, 1])}
    by_hand["relu1"] = relu(by_hand["conv1"])
    by_hand["pool1"] = pool(by_hand["relu1"])
    by_hand["conv2"] = convolve(by_hand["pool1"], second, [1, 0, -1])
    by_hand["relu2"] = relu(by_hand["conv2"])
    by_hand["pool2"] = pool(by_hand["relu2"])
    by_hand["fc"] = dense @ by_hand["pool2"].ravel()
    by_hand["softmax"] = softmax(by_hand["fc"])

    layers = {"conv1": nn.Conv2d(1, 2, 3, padding=1), "relu1": nn.ReLU(), "pool1": nn.MaxPool2d(2)}
    layers |= {"conv2": nn.Conv2d(2, 3, 3, padding=1), "relu2": nn.ReLU(), "pool2": nn.MaxPool2d(2)}
    layers |= {"flatten": nn.Flatten(), "fc": nn.Linear(12, 3, bias=False), "softmax": nn.Softmax(dim=1)}
    net = nn.Sequential(layers)
    net.load_state_dict(
        {
            "conv1.weight": first,
            "conv1.bias": [0, 1],
            "conv2.weight": second,
            "conv2.bias": [1, 0, -1],
            "fc.weight": dense,
        }
    )
    trace = pel.trace(net, image.astype(np.float32))  # keeps what every layer computed

    for name, ours in by_hand.items():
        theirs = trace[name].output
        same = "equal" if np.array_equal(ours, theirs) else f"differs by {abs(ours - theirs).max():.1g} at most"
        print(f"{name:8} {'×'.join(map(str, ours.shape)):8} {same}")
    print("by hand      ", by_hand["softmax"].round(4))
    print("with Pellucid", trace["softmax"].output.round(4))
    Image.fromarray(np.uint8(image[0] * 28)).resize((224, 224), 0).save(out / "bar.png")
    for name in ("relu1", "relu2"):
        maps = by_hand[name]  # (C, H, W)
        pixels, side = np.uint8(255 * maps / max(maps.max(), 1)), 224 // maps.shape[1]
        tiles = pixels.repeat(side, axis=1).repeat(side, axis=2)
        Image.fromarray(np.hstack([np.pad(tile, 4, constant_values=128) for tile in tiles])).save(
            out / f"bar-{name}.png"
        )
    print(
        f"Saved to {out}: bar.png, bar-relu1.png, bar-relu2.png (channels side by side; black is 0, white the largest)"
    )


if __name__ == "__main__":
    main()
