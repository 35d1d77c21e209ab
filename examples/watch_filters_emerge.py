"""Train a network and watch its first filters emerge from noise.

Nobody tells the network what an edge is. The filters start as random numbers, every step changes them a little so that
the answers become better, and edges and spots appear. A callback looks at them while the training runs.

    python examples/watch_filters_emerge.py [--out DIR] [--epochs N]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pellucid as pel
import pellucid.nn as nn
from pellucid.train.callbacks import Callback

FILTERS, SIZE, EVERY = 16, 5, 10


def option(name, otherwise):
    """Return what follows an option on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


class Watcher(Callback):
    """Keeps a copy of the filters before the first step and after every tenth."""

    def __init__(self, layer):
        self.layer, self.seen = layer, []

    def begin(self, progress):
        """Keep the random filters."""
        self.seen.append(self.layer.weight.data.copy())

    def step(self, progress):
        """Keep the filters of every tenth step."""
        if progress.step % EVERY == 0:
            self.seen.append(self.layer.weight.data.copy())

    def epoch(self, progress, record):
        """Tell how far it is."""
        print(f"epoch {record['epoch']}: loss {record['loss']:.3f}, accuracy {record['accuracy']:.1%}")


def frame(filters, limit, side=8, gap=4):
    """Lay filters (16, 1, 5, 5) out in one row: middle grey is 0, white is +limit, black is −limit."""
    pixels = np.rint(127.5 + 127.5 * (filters[:, 0] / limit).clip(-1, 1)).astype(np.uint8)
    tiles = pixels.repeat(side, axis=1).repeat(side, axis=2)
    return np.hstack([np.pad(tile, gap, constant_values=255) for tile in tiles])


def main():
    """Train, then write the filters' history as an animation and as a strip."""
    out, epochs = Path(option("--out", ".")), int(option("--epochs", "3"))
    out.mkdir(parents=True, exist_ok=True)
    pel.manual_seed(0)  # the same first weights each time
    train, test = pel.datasets.load("fashion-mnist-mini")
    first = nn.Conv2d(1, FILTERS, SIZE, padding=2)
    net = nn.Sequential(
        first, nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(FILTERS, 32, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 10),
    )  # fmt: skip
    watcher = Watcher(first)
    pel.fit(net, train, epochs=epochs, optimizer=pel.optim.SGD(0.05, momentum=0.9), callbacks=[watcher], progress=False)

    accuracy = np.mean(net(test.inputs()).argmax(axis=1) == test.labels)
    limit = max(abs(filters).max() for filters in watcher.seen)
    moved = np.linalg.norm(watcher.seen[-1] - watcher.seen[0]) / np.linalg.norm(watcher.seen[0])
    print(f"On {len(test)} pictures never seen: {accuracy:.1%}. The filters moved by {moved:.0%} of their length.")

    frames = [Image.fromarray(frame(filters, limit)) for filters in watcher.seen]
    durations = [60] * (len(frames) - 1) + [2000]  # milliseconds; the last one stays
    frames[0].save(out / "filters.gif", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    chosen = np.linspace(0, len(frames) - 1, 8).round().astype(int)
    Image.fromarray(np.vstack([np.asarray(frames[index]) for index in chosen])).save(out / "filters.png")
    print(f"Saved to {out}: filters.gif ({len(frames)} frames) and filters.png (from the first row to the last);")
    print(f"white is +{limit:.2f}, middle grey 0, black −{limit:.2f}.")


if __name__ == "__main__":
    main()
